//! Tells a running handler that its command was canceled.

use tokio::sync::watch;

/// A handler's view of the cancel of its command. After a cancel, the handler has five seconds to end before its future
/// is dropped. CANCELED is reported then, unless it has succeeded all the same.
#[derive(Clone, Debug)]
pub struct Cancellation(watch::Receiver<bool>);

impl Cancellation {
    /// Whether the command was canceled: for a handler that works in steps.
    pub fn is_requested(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits until the command is canceled, if it ever is. Cancel-safe, for use in `select!`.
    pub async fn requested(&mut self) {
        if self.0.wait_for(|is_requested| *is_requested).await.is_err() {
            // The canceler is gone: the device stops, which is no cancel.
            std::future::pending().await
        }
    }
}

/// Requests the cancellation that belongs to it.
#[derive(Debug)]
pub(crate) struct Canceler(watch::Sender<bool>);

impl Canceler {
    pub fn new() -> (Self, Cancellation) {
        let (sender, receiver) = watch::channel(false);
        (Self(sender), Cancellation(receiver))
    }

    pub fn request(&self) {
        self.0.send_replace(true);
    }
}
