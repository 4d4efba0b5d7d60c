//! The result of a sending: delivered, sent, queued or failed.

use crate::actor::Actor;
use crate::execution::change::{Change, Condition, DueEntry, Effect};
use crate::execution::channel::Channel;
use crate::execution::history::HistoryEntry;
use crate::execution::progress::{Attempt, Progress, Rank};
use crate::execution::row::Execution;
use crate::jitter::full_jitter;
use crate::status::{DeliveryStatus, Status};
use crate::timestamp::Timestamp;

/// The longest time of a sending, in seconds, after its row was created or claimed. A function that needs longer must
/// not begin it, since another may send the request after this time.
pub(crate) const MAX_SEND_SECONDS: u32 = 10;

/// The backoff of failed sendings: the limits of the first delay and of every delay, in seconds.
const BACKOFF_SECONDS: (u32, u32) = (10, 300);

/// The most history entries about sendings. An execution whose sending keeps failing stays small; failed attempts and
/// verdicts are recorded all the same.
const MAX_SEND_ENTRIES: usize = 24;

impl Execution {
    /// The device acknowledged the request.
    pub fn delivered(&self, at: Timestamp, actor: Actor) -> Change {
        let progress = Progress::new(self.attempt, Rank::Delivered, 0);
        let change = self.send_change(progress, DeliveryStatus::Delivered, Effect::Delivered(at));
        self.confirmed(change, at, actor)
    }

    /// The device is not connected: the request is sent when it comes online.
    pub fn queued(&self, at: Timestamp, actor: Actor) -> Change {
        let history_entry = self.send_entry(at, "QUEUED", actor, &self.channel);
        Change { history_entry, ..self.tried(DeliveryStatus::Queued, Effect::Queued) }
    }

    /// The request was sent, without an acknowledgement.
    pub fn sent(&self, now: Timestamp, actor: Actor) -> Change {
        let change = self.tried(DeliveryStatus::Sent, Effect::Sent);
        self.confirmed(change, now, actor)
    }

    /// Records that a claimed request was sent. The creator of a row sends it without a claim, and records nothing.
    fn confirmed(&self, mut change: Change, now: Timestamp, actor: Actor) -> Change {
        if self.next_send_at.is_some()
            && let Some(sent_at) = self.sent_at
        {
            change.history_entry = self.send_entry(sent_at, "SENT", actor, &self.channel);
            change.due = self.due_after(&change, now);
        }
        change
    }

    /// The sending failed, and is tried again after a delay.
    ///
    /// `refused`: the service did not take the request. Otherwise the result is unknown, and the device may receive
    /// the request twice; it recognizes the second one by its id and attempt, unless it is raw.
    pub fn send_failed(&self, now: Timestamp, actor: Actor, refused: bool) -> Change {
        let (base, cap) = BACKOFF_SECONDS;
        let tries = Attempt::try_from(self.progress.seq() + 1).unwrap_or(Attempt::MAX);
        let delay = full_jitter(&self.key.id, tries, base, cap).max(1);
        let next_send_at = now.plus_seconds(if refused { delay } else { delay.max(MAX_SEND_SECONDS) });
        let mut change = self.tried(DeliveryStatus::Pending, Effect::SendFailed { next_send_at, refused });
        change.history_entry = self.send_entry(now, "PENDING", actor, &self.channel);
        change.due = self.due_after(&change, now);
        change
    }

    /// A change that counts one more try to send.
    pub(crate) fn tried(&self, delivery: DeliveryStatus, effect: Effect) -> Change {
        let tries = if self.progress.is_at_most(Rank::Created) { self.progress.seq() } else { 0 };
        self.send_change(Progress::new(self.attempt, Rank::Created, tries + 1), delivery, effect)
    }

    fn send_change(&self, progress: Progress, delivery: DeliveryStatus, effect: Effect) -> Change {
        Change {
            key: self.key.clone(),
            condition: Condition::Monotonic { attempt: self.attempt },
            progress,
            status: Status::Created,
            delivery_status: Some(delivery),
            effect,
            due: DueEntry::Keep,
            history_entry: None,
        }
    }

    /// The history entry of a sending; none after [`MAX_SEND_ENTRIES`].
    pub(crate) fn send_entry(
        &self,
        at: Timestamp,
        event: &str,
        actor: Actor,
        channel: &Channel,
    ) -> Option<HistoryEntry> {
        let channel = Some(channel.to_string());
        let entry = HistoryEntry { channel, ..HistoryEntry::new(at, self.attempt, event.to_owned(), actor) };
        (self.history.len() < MAX_SEND_ENTRIES).then_some(entry)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::command::failure::AttemptFailure;
    use crate::execution::fixtures::{CREATED_AT, actor, after_report, execution};
    use crate::execution::next_action::NextAction;
    use crate::messages::shadow::route::ShadowRoute;
    use crate::status::Reason;

    fn at(seconds: u32) -> Timestamp {
        CREATED_AT.plus_seconds(seconds)
    }

    #[test]
    fn delivery_status_never_claims_less_than_is_known() {
        let pending = execution(None);
        let after = |execution: &Execution, change: Change| execution.apply(&change).unwrap();
        let queued = after(&pending, pending.queued(CREATED_AT, actor()));
        assert_eq!((queued.delivery_status, queued.progress.seq()), (DeliveryStatus::Queued, 1));
        let sent = after(&queued, queued.sent(CREATED_AT, actor()));
        assert_eq!((sent.delivery_status, sent.progress.seq()), (DeliveryStatus::Sent, 2));
        let delivered = after(&sent, sent.delivered(CREATED_AT, actor()));
        assert_eq!((delivered.delivery_status, delivered.delivered_at), (DeliveryStatus::Delivered, Some(CREATED_AT)));
        assert_eq!(delivered.status, Status::Created);
        assert_eq!(delivered.apply(&sent.queued(CREATED_AT, actor())), None, "a slower sending knows less");
    }

    #[test]
    fn refused_sending_is_tried_again_sooner_than_one_with_an_unknown_result() {
        let direct = execution(None);
        let after = |refused| direct.apply(&direct.send_failed(CREATED_AT, actor(), refused)).unwrap();
        let (refused, unknown) = (after(true), after(false));
        assert_eq!(refused.delivery_status, DeliveryStatus::Pending);
        assert_eq!(unknown.delivery_status, DeliveryStatus::Pending);
        assert_eq!((refused.sent_at, unknown.sent_at), (None, Some(CREATED_AT)), "its device may have the other one");
        assert!(refused.should_send(at(1)));
        assert!(!unknown.should_send(at(9)));
        assert_eq!(unknown.next_send_at, Some(at(10)));
        assert_eq!(unknown.next_action(at(10), &actor()), NextAction::Send);
    }

    #[test]
    fn maybe_delivered_request_stays_so_whatever_a_later_sending_results_in() {
        let direct = execution(None);
        let unknown = direct.apply(&direct.send_failed(CREATED_AT, actor(), false)).unwrap();
        let claimed = unknown.apply(&unknown.claim(at(10), "token").unwrap()).unwrap();
        let refused = claimed.apply(&claimed.send_failed(at(11), actor(), true)).unwrap();
        let queued = claimed.apply(&claimed.queued(at(11), actor())).unwrap();
        for row in [&refused, &queued] {
            assert!(row.matches_unnamed_report(at(12)) && !row.was_never_sent());
            assert_eq!(row.observe(at(60)).verdict.map(|verdict| verdict.reason), Some(Reason::NoResponse));
        }
        let reroutes = |route| queued.reroute(&route, at(12), actor()).is_some();
        assert!(reroutes(ShadowRoute::default()));
        assert!(!reroutes(ShadowRoute::Atlas), "its device would run it twice");
        let next = refused.schedule_retry(AttemptFailure::Rejected, at(12), None, actor());
        assert!(!refused.apply(&next).unwrap().maybe_delivered, "the next attempt is another request");
    }

    #[test]
    fn report_proves_delivery_before_the_acknowledgement_is_written() {
        let pending = execution(None);
        let running = after_report(&pending, 1, "RUNNING").unwrap();
        assert_eq!(running.delivery_status, DeliveryStatus::Delivered);
        assert_eq!(running.apply(&pending.delivered(CREATED_AT, actor())), None);
    }
}
