//! Calls of functions that are held, while the test does something else.

use std::pin::pin;
use std::time::Duration;

use local::faults::{Call, Fault};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::World;

impl World {
    /// Holds the first call for which `is_it` holds. The channel receives when it is held.
    pub fn hold_first(&self, mut is_it: impl FnMut(&Call) -> bool + Send + 'static) -> UnboundedReceiver<()> {
        let (reached, wait) = unbounded_channel();
        let mut reached = Some(reached);
        self.stack.faults.plan(move |call| {
            if !is_it(call) {
                return None;
            }
            let reached = reached.take()?;
            let _ = reached.send(());
            Some(Fault::Held)
        });
        wait
    }

    /// The outputs of a future that waits for a held call, and of another one, after which the call is released.
    pub async fn while_held<T, U>(&self, held: impl Future<Output = T>, other: impl Future<Output = U>) -> (T, U) {
        let mut held = pin!(held);
        let other = tokio::select! {
            _ = &mut held => panic!("no call is held"),
            output = other => output,
        };
        loop {
            self.stack.faults.release();
            // A call that begins to wait only now has missed the release.
            if let Ok(output) = tokio::time::timeout(Duration::from_millis(50), &mut held).await {
                return (output, other);
            }
        }
    }
}
