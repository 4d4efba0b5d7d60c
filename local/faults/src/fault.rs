//! The faults of a call.

use std::time::Duration;

/// A fault of a call that a function makes to a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The service's own throttling error; nothing is applied.
    Throttle,
    /// An HTTP 500; nothing is applied.
    Unavailable,
    /// The call is applied, and then the connection breaks: the caller gets no answer.
    AppliedThenTimeout,
    /// A conflict with another writer; nothing is applied: 409 for an update or a delete of a shadow, DynamoDB's
    /// `TransactionConflictException` for a write to a table. Other calls are unaffected.
    Conflict,
    /// The page token is no longer valid: `InvalidRequestException` for a list or a search of the registry that
    /// continues from one. Other calls are unaffected.
    StaleToken,
    /// The call waits until [`Faults::release`](super::Faults::release), and is then applied as usual. The stack does
    /// not settle meanwhile.
    Held,
    /// The call is applied, and answered after this time of the system's clock. The stack does not settle meanwhile.
    Slow(Duration),
    /// The calling process is killed, and nothing is applied.
    KillBefore,
    /// The call is applied, and then the calling process is killed before it gets the answer.
    KillAfter,
}
