//! What a simulated thing does later, at a time of the clock.

pub(super) enum Task {
    /// End a command with the outcome of the script.
    FinishWork {
        execution_id: String,
        attempt: u32,
    },
    /// Send a report that was held back, or a second time.
    SendReport {
        topic: String,
        bytes: Vec<u8>,
    },
    Connect,
    Disconnect,
    LosePower,
}
