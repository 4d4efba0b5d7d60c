//! `WakeRequests`: the wakes of parallel work in few requests, since SQS bills a request with ten messages as one.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::Wake;
use tokio::sync::{Semaphore, oneshot};

/// The most requests at the same time; what is to be sent meanwhile waits for the next one.
const MAX_REQUESTS: usize = 2;

/// Wakes that wait for a request. Clones share them.
#[derive(Clone, Debug)]
pub(crate) struct WakeRequests(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    waiting: Mutex<Vec<Waiting>>,
    requests: Semaphore,
}

#[derive(Debug)]
struct Waiting {
    wake: Wake,
    /// Closed when the work that has to send it was abandoned.
    done: oneshot::Sender<()>,
}

impl WakeRequests {
    pub fn new() -> Self {
        Self(Arc::new(Inner { waiting: Mutex::default(), requests: Semaphore::new(MAX_REQUESTS) }))
    }

    /// Returns when the wake was in a request that has ended. `send` makes a request with as many wakes as one may have,
    /// at most `most`.
    pub async fn send<F: Future<Output = ()>>(&self, wake: Wake, most: usize, send: impl Fn(Vec<Wake>) -> F) {
        let (done, mut is_done) = oneshot::channel();
        self.waiting().push(Waiting { wake, done });
        tokio::select! {
            biased;
            _ = &mut is_done => return,
            _permit = self.0.requests.acquire() => {
                // Until its own was in a request, here or in another one that runs.
                while is_done.is_empty() {
                    let batch = self.take(most);
                    if batch.is_empty() {
                        break;
                    }
                    let (wakes, done): (Vec<_>, Vec<_>) = batch.into_iter().map(|it| (it.wake, it.done)).unzip();
                    send(wakes).await;
                    for done in done {
                        // Where the receiver is gone, nothing waits for it.
                        let _ = done.send(());
                    }
                }
            }
        }
        // The work that has its wake in a request tells it when that has ended, or was abandoned.
        let _ = is_done.await;
    }

    /// The first wakes that wait.
    fn take(&self, most: usize) -> Vec<Waiting> {
        let mut waiting = self.waiting();
        waiting.retain(|it| !it.done.is_closed());
        let count = most.min(waiting.len());
        waiting.drain(..count).collect()
    }

    fn waiting(&self) -> MutexGuard<'_, Vec<Waiting>> {
        self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::task::JoinSet;

    use super::*;

    type Sent = Arc<Mutex<Vec<Vec<Wake>>>>;

    fn wake(at: i64) -> Wake {
        Wake::Fleet { shard: 7, at }
    }

    /// The wakes of each request, where the first requests end only after all wakes wait.
    async fn requests_of(count: i64) -> Vec<Vec<Wake>> {
        let (requests, sent, mut tasks) = (WakeRequests::new(), Sent::default(), JoinSet::new());
        for at in 0..count {
            let (requests, sent) = (requests.clone(), sent.clone());
            tasks.spawn(async move {
                let send = |wakes| async {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                    sent.lock().unwrap().push(wakes);
                };
                requests.send(wake(at), 10, send).await;
            });
        }
        tasks.join_all().await;
        sent.lock().unwrap().clone()
    }

    #[tokio::test(start_paused = true)]
    async fn wakes_that_wait_share_a_request_and_each_is_sent_once() {
        for (count, most) in [(1, 1), (2, 2), (3, 3), (12, 3), (13, 4), (144, 17)] {
            let requests = requests_of(count).await;
            let mut wakes: Vec<_> = requests.iter().flatten().cloned().collect();
            wakes.sort_by_key(Wake::at);
            assert_eq!(wakes, (0..count).map(wake).collect::<Vec<_>>());
            assert_eq!(requests.len(), most, "{count} wakes");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn wake_whose_work_was_abandoned_is_not_sent() {
        let (requests, sent) = (WakeRequests::new(), Sent::default());
        let mut tasks = JoinSet::new();
        for at in 0..6 {
            let requests = requests.clone();
            tasks.spawn(async move { requests.send(wake(at), 10, |_| std::future::pending()).await });
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
        tasks.shutdown().await;
        let send = |wakes| async { sent.lock().unwrap().push(wakes) };
        requests.send(wake(7), 10, send).await;
        assert_eq!(*sent.lock().unwrap(), [[wake(7)]]);
    }
}
