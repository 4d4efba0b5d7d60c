//! Passes the messages that the broker accepts to the shadow service, Jobs and the rules, in order.

use local_broker::Published;
use local_jobs::Jobs;
use local_rules::Rules;
use local_shadows::Shadows;
use tokio::sync::{mpsc, oneshot};

/// The task that passes messages on. It ends when this is dropped: it holds the shadow service and Jobs, which hold the
/// broker, whose tap would never close.
pub(super) struct Pump {
    flushes: mpsc::UnboundedSender<oneshot::Sender<u64>>,
}

impl Pump {
    pub(super) fn start(
        mut tap: mpsc::UnboundedReceiver<Published>,
        shadows: Shadows,
        jobs: Jobs,
        rules: Rules,
    ) -> Self {
        let (flushes, mut requests) = mpsc::unbounded_channel::<oneshot::Sender<u64>>();
        tokio::spawn(async move {
            let pass_on = |published: Published| {
                shadows.on_published(&published);
                jobs.on_published(&published);
                rules.on_published(&published);
                1
            };
            let mut passed_on: u64 = 0;
            loop {
                tokio::select! {
                    published = tap.recv() => match published {
                        Some(published) => passed_on += pass_on(published),
                        None => break,
                    },
                    flush = requests.recv() => {
                        let Some(answer) = flush else { return };
                        while let Ok(published) = tap.try_recv() {
                            passed_on += pass_on(published);
                        }
                        // The receiver is gone if `flush` was cancelled.
                        let _ = answer.send(passed_on);
                    }
                }
            }
            // The broker is gone. A flush that is being sent at this moment is answered too: dropping the receiver could
            // leave its message in the channel, and its sender would wait for ever.
            requests.close();
            while let Some(answer) = requests.recv().await {
                let _ = answer.send(passed_on);
            }
        });
        Self { flushes }
    }

    /// Passes on every message that the broker has accepted so far; returns the number of messages since the start.
    pub(super) async fn flush(&self) -> u64 {
        let (answer, answered) = oneshot::channel();
        if self.flushes.send(answer).is_err() {
            return 0;
        }
        answered.await.unwrap_or(0)
    }
}
