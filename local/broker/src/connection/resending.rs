//! Waits, by the stack's clock, until messages that the client has not acknowledged are due to be sent again.

use tokio::sync::Notify;

use super::ClientConnection;

impl ClientConnection {
    /// Sends messages again for as long as the connection is open: never returns. `sent` is notified of each message
    /// that has to be acknowledged.
    pub(super) async fn resend_unacknowledged(&self, sent: &Notify) {
        let clock = self.broker.lock().clock.clone();
        loop {
            let next_ms = self.broker.lock().next_resend_ms(&self.client_id, self.number);
            match next_ms {
                // Each later message is due later.
                Some(at_ms) => clock.sleep_until(at_ms).await,
                None => sent.notified().await,
            }
            self.broker.lock().resend_unacknowledged(&self.client_id, self.number);
        }
    }
}
