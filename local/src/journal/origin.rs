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

    /// Has a task that is started here record as its starter would.
    pub(crate) fn carry<F: Future>(future: F) -> impl Future<Output = F::Output> {
        let origin = Self::current();
        async {
            match origin {
                Some(origin) => origin.scope(future).await,
                None => future.await,
            }
        }
    }

    pub(super) fn current() -> Option<Self> {
        ORIGIN.try_with(Clone::clone).ok()
    }
}
