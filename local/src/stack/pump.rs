//! What the broker accepts, handed to the shadow service and the rules, in order.

use tokio::sync::{mpsc, oneshot};

use crate::broker::Published;
use crate::rules::Rules;
use crate::shadows::Shadows;

/// The task that hands on. It ends with this: through the shadow service it would keep the broker alive, and itself.
pub(super) struct Pump {
    flushes: mpsc::UnboundedSender<oneshot::Sender<u64>>,
}

impl Pump {
    pub(super) fn start(mut tap: mpsc::UnboundedReceiver<Published>, shadows: Shadows, rules: Rules) -> Self {
        let (flushes, mut asked) = mpsc::unbounded_channel::<oneshot::Sender<u64>>();
        tokio::spawn(async move {
            let hand_on = |published: Published| {
                shadows.on_published(&published);
                rules.on_published(&published);
                1
            };
            let mut handed_on: u64 = 0;
            loop {
                tokio::select! {
                    published = tap.recv() => match published {
                        Some(published) => handed_on += hand_on(published),
                        None => return,
                    },
                    flush = asked.recv() => {
                        let Some(answer) = flush else { return };
                        while let Ok(published) = tap.try_recv() {
                            handed_on += hand_on(published);
                        }
                        // Whoever asked may have stopped waiting.
                        let _ = answer.send(handed_on);
                    }
                }
            }
        });
        Self { flushes }
    }

    /// Hands on all that the broker has accepted until now; tells how many messages that makes since the start.
    pub(super) async fn flush(&self) -> u64 {
        let (answer, answered) = oneshot::channel();
        if self.flushes.send(answer).is_err() {
            return 0;
        }
        answered.await.unwrap_or(0)
    }
}
