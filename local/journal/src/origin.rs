//! The invoke of a function that caused an entry of the journal.

use std::future::Future;

tokio::task_local! {
    static ORIGIN: Origin;
}

/// An invoke of a function, which has called a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The function's name.
    pub function: String,
    /// The invoke's request id.
    pub invoke: String,
}

impl Origin {
    /// Runs a future whose entries get this origin. Tasks that the future spawns do not inherit it, see
    /// [`Origin::carry`].
    pub fn scope<F: Future>(self, future: F) -> impl Future<Output = F::Output> {
        ORIGIN.scope(self, future)
    }

    /// Wraps the future of a new task, so that its entries get the origin of the task that spawns it.
    pub fn carry<F: Future>(future: F) -> impl Future<Output = F::Output> {
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
