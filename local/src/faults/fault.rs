//! What can befall a call.

/// What befalls a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The service's own throttling error; nothing was done.
    Throttle,
    /// A 500; nothing was done.
    Unavailable,
    /// It was done, and then the connection breaks: the caller never hears of it.
    AppliedThenTimeout,
    /// Nothing was done, because somebody else was faster: 409 for an update or a delete of a shadow, DynamoDB's
    /// `TransactionConflictException` for a write to a table. Any other call goes through.
    Conflict,
    /// The token of a page is not good any more: `InvalidRequestException` for a list or a search of the registry that goes
    /// on from one. Any other call goes through.
    StaleToken,
    /// It waits until [`Faults::release`](super::Faults::release), and is then done as if nothing had been. Nothing settles meanwhile.
    Held,
    /// The calling process is killed first, and nothing was done.
    KillBefore,
    /// It was done, and then the calling process is killed before it hears of it.
    KillAfter,
}
