//! Which invoke of which function an entry comes from.

use std::future::Future;

tokio::task_local! {
    static ORIGIN: Origin;
}

/// An invoke of a function that called a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The function's name.
    pub function: String,
    /// The invoke's request id.
    pub invoke: String,
}

impl Origin {
    /// Everything that the future records itself, not by tasks that it starts, comes from here.
    pub(crate) fn scope<F: Future>(self, future: F) -> impl Future<Output = F::Output> {
        ORIGIN.scope(self, future)
    }

    pub(super) fn current() -> Option<Self> {
        ORIGIN.try_with(Clone::clone).ok()
    }
}
