//! An execution that is asked with one message for its whole fleet. It is stored as sent, since the message follows as soon as all are
//! stored, and to write that to each would cost as much again: so it has to be taken back where no message ever followed.

use crate::{DeliveryStatus, Execution, Status, Via};

impl Execution {
    /// Whether its device was asked with its fleet, if it was asked at all, and has not answered.
    pub fn awaits_broadcast(&self) -> bool {
        self.via == Via::Broadcast && self.attempt == 1 && self.status == Status::Created && self.is_untouched()
    }

    /// The row as it is if the message to its fleet never went out, nor ever will.
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
    use crate::{
        By, CancelNotice, Change, Delivery, Owed, Reason,
        execution::tests::{BORN, command, thing},
    };

    fn row() -> Execution {
        let command = command(Delivery::Broadcast, None);
        Execution::create_in_batch(&command, &thing(), 3, BORN.plus_seconds(20), Via::of(&command, None), 60)
    }

    fn given_up(row: &Execution) -> Change {
        match row.owed(row.start_by) {
            Owed::Change(change) => *change,
            owed => panic!("{owed:?}"),
        }
    }

    #[test]
    fn its_time_is_that_of_the_one_message() {
        let command = command(Delivery::Broadcast, None);
        assert_eq!((row().start_by, row().finish_by), (command.start_by(), command.finish_by()));
        assert_eq!(row().due_at, None, "its batch is due");
    }

    #[test]
    fn what_never_went_out_expires_and_what_did_is_missed() {
        let missed = row().apply(&given_up(&row())).unwrap();
        assert_eq!(missed.verdict.map(|verdict| verdict.reason), Some(Reason::NoResponse));
        assert_eq!(missed.delivery_status, DeliveryStatus::Sent);
        let change = given_up(&row().never_broadcast());
        let expired = row().apply(&change).expect("what is stored takes it");
        assert_eq!(expired.verdict.map(|verdict| verdict.reason), Some(Reason::Expired));
        assert_eq!((expired.delivery_status, expired.sent_at), (DeliveryStatus::Pending, None));
    }

    #[test]
    fn only_devices_that_may_have_it_are_told_that_it_is_called_off_and_by_its_commands_id() {
        let called_off = |row: Execution| {
            let change = row.cancel(Reason::CanceledByOperator, BORN, false, By::caller("operator")).unwrap();
            row.apply(&change).unwrap()
        };
        let command = row().command;
        let notice = CancelNotice::of(&called_off(row())).expect("a notice");
        assert!(notice.body.contains(&format!(r#""commandId":"{command}""#)), "{}", notice.body);
        let never = called_off(row().never_broadcast());
        assert_eq!((CancelNotice::of(&never), never.delivery_status), (None, DeliveryStatus::Pending));
    }
}
