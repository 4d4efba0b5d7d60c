//! Executions of a broadcast, which one message asks all at once.
//!
//! A row is stored as SENT before the message is sent, since a second write to each row would double the cost. The
//! message follows once all rows are stored; where it never follows, the rows have to be read as not sent.

use crate::execution::channel::Channel;
use crate::execution::row::Execution;
use crate::status::{DeliveryStatus, Status};

impl Execution {
    /// Whether nothing has been written since its creation: then only the plan of its command tells whether the
    /// message was sent.
    pub fn awaits_broadcast(&self) -> bool {
        let first_attempt = self.attempt == 1 && self.status == Status::Created;
        self.channel == Channel::Broadcast && first_attempt && self.is_as_created()
    }

    /// The row as it is if the message of its broadcast was not sent.
    #[must_use]
    pub fn never_broadcast(self) -> Self {
        if !self.awaits_broadcast() {
            return self;
        }
        Self { delivery_status: DeliveryStatus::Pending, sent_at: None, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::command::delivery::Delivery;
    use crate::execution::change::Change;
    use crate::execution::fixtures::{CREATED_AT, actor, command, thing};
    use crate::execution::next_action::NextAction;
    use crate::messages::cancel_notice::CancelNotice;
    use crate::status::Reason;

    fn row() -> Execution {
        let command = command(Delivery::Broadcast, None);
        let (channel, now) = (Channel::of(&command, None), CREATED_AT.plus_seconds(20));
        Execution::create_in_batch(&command, &thing(), 3, now, channel)
    }

    fn verdict(row: &Execution) -> Change {
        match row.next_action(row.start_by, &actor()) {
            NextAction::Write(change) => *change,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn deadlines_count_from_the_creation_of_the_command() {
        let command = command(Delivery::Broadcast, None);
        assert_eq!((row().start_by, row().finish_by), (command.start_by(), command.finish_by()));
        assert_eq!(row().due_at, None, "its batch is due");
    }

    #[test]
    fn row_without_a_message_expires_and_row_with_one_gets_no_response() {
        let sent = row().apply(&verdict(&row())).unwrap();
        assert_eq!(sent.verdict.map(|verdict| verdict.reason), Some(Reason::NoResponse));
        assert_eq!(sent.delivery_status, DeliveryStatus::Sent);
        let change = verdict(&row().never_broadcast());
        let expired = row().apply(&change).expect("the stored row accepts it");
        assert_eq!(expired.verdict.map(|verdict| verdict.reason), Some(Reason::Expired));
        assert_eq!((expired.delivery_status, expired.sent_at), (DeliveryStatus::Pending, None));
    }

    #[test]
    fn cancel_notice_names_the_command_and_goes_only_to_devices_that_may_have_the_message() {
        let canceled = |row: Execution| {
            let change = row.cancel(Reason::CanceledByOperator, CREATED_AT, false, actor()).unwrap();
            row.apply(&change).unwrap()
        };
        let command = row().command;
        let notice = CancelNotice::of(&canceled(row())).expect("a notice");
        assert!(notice.body.contains(&format!(r#""commandId":"{command}""#)), "{}", notice.body);
        let unsent = canceled(row().never_broadcast());
        assert_eq!((CancelNotice::of(&unsent), unsent.delivery_status), (None, DeliveryStatus::Pending));
    }
}
