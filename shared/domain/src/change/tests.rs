//! Changes one after the other.

use proptest::prelude::*;

use super::*;
use crate::{
    By, Owed, Reason, Report,
    execution::tests::{BORN, execution, told},
};

fn by() -> By {
    By::function("test")
}

#[test]
fn delivery_is_told_as_far_as_it_is_known() {
    let pending = execution(None);
    let after = |execution: &Execution, change: Change| execution.apply(&change).unwrap();
    let queued = after(&pending, pending.queued(BORN, by()));
    assert_eq!((queued.delivery_status, queued.progress.seq()), (DeliveryStatus::Queued, 1));
    let sent = after(&queued, queued.sent(BORN, By::device()));
    assert_eq!((sent.delivery_status, sent.progress.seq()), (DeliveryStatus::Sent, 2));
    let delivered = after(&sent, sent.delivered(BORN, By::device()));
    assert_eq!((delivered.delivery_status, delivered.delivered_at), (DeliveryStatus::Delivered, Some(BORN)));
    assert_eq!(delivered.status, Status::Created);
    assert_eq!(delivered.apply(&sent.queued(BORN, by())), None, "a slower delivery knows less");
}

#[test]
fn a_sending_that_failed_is_tried_again_and_sooner_where_nobody_has_got_it() {
    let direct = execution(None);
    let after = |refused| direct.apply(&direct.unsent(BORN, by(), refused)).unwrap();
    let (refused, unsure) = (after(true), after(false));
    assert_eq!((refused.delivery_status, unsure.delivery_status), (DeliveryStatus::Pending, DeliveryStatus::Pending));
    assert_eq!((refused.sent_at, unsure.sent_at), (None, Some(BORN)), "its device may have the other one");
    assert!(refused.is_to_be_sent(BORN.plus_seconds(1)));
    assert!(!unsure.is_to_be_sent(BORN.plus_seconds(9)));
    assert_eq!(unsure.send_at, Some(BORN.plus_seconds(10)));
    assert_eq!(unsure.owed(BORN.plus_seconds(10)), Owed::Send);
}

#[test]
fn whoever_claims_it_says_how_that_went_or_it_goes_out_again() {
    let pending = execution(None);
    let queued = pending.apply(&pending.queued(BORN, by())).unwrap();
    let at = |seconds| BORN.plus_seconds(seconds);
    let claimed = queued.apply(&queued.claim(at(20), "me").unwrap()).unwrap();
    assert_eq!(
        (claimed.delivery_status, claimed.due_at),
        (DeliveryStatus::Pending, Some(at(30).as_seconds_rounded_up()))
    );
    assert!(!claimed.is_to_be_replayed(at(29)) && claimed.claim(at(29), "other").is_none());
    assert_eq!((claimed.owed(at(29)), claimed.owed(at(30))), (Owed::Nothing, Owed::Send));
    assert!(claimed.is_to_be_replayed(at(30)));
    assert!(!claimed.is_undelivered() && claimed.may_be_meant(at(21)), "its device may have it already");
    let sent = claimed.apply(&claimed.sent(at(21), by())).unwrap();
    assert_eq!((sent.delivery_status, sent.sent_at, sent.send_at), (DeliveryStatus::Sent, Some(at(20)), None));
    assert_eq!(sent.steps.last().map(|step| (step.at, step.what.as_str())), Some((at(20), "SENT")));
    assert!(sent.claim(at(31), "other").is_none());
    let expired = claimed.apply(&match claimed.owed(at(60)) {
        Owed::Change(change) => *change,
        other => panic!("{other:?}"),
    });
    assert_eq!(
        expired.unwrap().verdict.map(|verdict| verdict.reason),
        Some(Reason::NoResponse),
        "it may have gone out"
    );
}

#[test]
fn a_device_that_comes_back_is_not_sent_what_is_just_going_out() {
    let pending = execution(None);
    assert!(pending.is_to_be_sent(BORN), "by the request that stored it");
    assert!(!pending.is_to_be_replayed(BORN) && !pending.is_to_be_replayed(BORN.plus_seconds(9)));
    assert!(pending.is_to_be_replayed(BORN.plus_seconds(10)), "whoever stored it did not live to send it");
}

#[test]
fn what_may_have_reached_its_device_may_have_whatever_becomes_of_another_sending() {
    let (direct, at) = (execution(None), |seconds| BORN.plus_seconds(seconds));
    let unsure = direct.apply(&direct.unsent(BORN, by(), false)).unwrap();
    let claimed = unsure.apply(&unsure.claim(at(10), "me").unwrap()).unwrap();
    let refused = claimed.apply(&claimed.unsent(at(11), by(), true)).unwrap();
    let queued = claimed.apply(&claimed.queued(at(11), by())).unwrap();
    for row in [&refused, &queued] {
        assert!(row.may_be_meant(at(12)) && !row.is_undelivered());
        assert_eq!(row.observe(at(60)).verdict.map(|verdict| verdict.reason), Some(Reason::NoResponse));
    }
    let reroute = |route| queued.reroute(&route, at(12), 1, by()).is_some();
    assert!(reroute(crate::ShadowRoute::default()) && !reroute(crate::ShadowRoute::Atlas), "it would run twice");
    let next = refused.again(crate::Failure::Rejected, at(12), "REJECTED", by());
    assert!(!refused.apply(&next).unwrap().unsure, "the next attempt is another request");
}

#[test]
fn a_claim_is_made_again_only_where_nothing_was_said_of_the_sending() {
    let pending = execution(None);
    let queued = pending.apply(&pending.queued(BORN, by())).unwrap();
    let claim = queued.claim(BORN.plus_seconds(20), "me").unwrap();
    let moved = Execution { due_at: Some(7), ..queued.clone() };
    assert!(moved.apply(&claim).is_none() && moved.is_as_far_as(&claim));
    let elsewhere = queued.apply(&queued.unsent(BORN, by(), true)).unwrap();
    assert!(elsewhere.apply(&claim).is_none() && !elsewhere.is_as_far_as(&claim));
}

#[test]
fn an_answer_proves_delivery_even_where_its_proof_was_overtaken() {
    let pending = execution(None);
    let accepted = told(&pending, 1, "RUNNING").unwrap();
    assert_eq!(accepted.delivery_status, DeliveryStatus::Delivered);
    assert_eq!(accepted.apply(&pending.delivered(BORN, By::device())), None);
}

#[test]
fn a_device_cannot_answer_what_it_was_never_asked() {
    let pending = execution(None);
    assert_eq!(told(&pending, 1, r#"{"status":"FAILED","attempt":2}"#), None);
    assert_eq!(told(&pending, 1, r#"{"status":"SUCCEEDED","attempt":2}"#), None);
}

#[test]
fn the_devices_word_stands_against_the_clouds_guess_and_not_the_other_way() {
    let pending = execution(None);
    let guess = pending.give_up(Verdict { reason: Reason::Expired, at: pending.start_by }, pending.start_by);
    let expired = pending.apply(&guess).unwrap();
    assert_eq!((expired.status, expired.due_at), (Status::TimedOut, None));
    assert_eq!(told(&expired, 61, "RUNNING"), None);
    let failed = told(&expired, 62, "FAILED").unwrap();
    assert_eq!(failed.status, Status::Failed);
    assert_eq!(failed.verdict.map(|verdict| verdict.reason), Some(Reason::Expired), "history is kept");
    assert_eq!(failed.apply(&guess), None);
    assert_eq!(told(&failed, 63, "REJECTED"), None);
    assert_eq!(told(&failed, 64, "SUCCEEDED"), None, "nor does it take its word back");
}

#[test]
fn a_beat_that_lands_before_the_verdict_wins() {
    let running = told(&execution(Some(30)), 5, "RUNNING").unwrap();
    let verdict = running.overdue(BORN.plus_seconds(95)).unwrap();
    let guess = running.give_up(verdict, BORN.plus_seconds(95));
    let beaten = told(&running, 94, r#"{"status":"IN_PROGRESS","seq":1}"#).unwrap();
    assert_eq!(beaten.apply(&guess), None);
    assert!(running.apply(&guess).is_some());
}

#[test]
fn a_beat_that_does_not_count_its_number_still_says_that_the_device_lives() {
    let running = told(&execution(Some(30)), 5, "RUNNING").unwrap();
    let beat = |row: &Execution, seconds, payload: &str| {
        let report = Report::decode("cmd/pump-7/resp", payload.as_bytes()).unwrap();
        row.beat(&report.change(row.key.clone(), BORN.plus_seconds(seconds))).is_some()
    };
    assert_eq!(told(&running, 35, "RUNNING"), None, "no news");
    assert!(beat(&running, 35, "RUNNING"));
    assert!(!beat(&running, 5, "RUNNING"), "the same again");
    assert!(!beat(&running, 4, "RUNNING"), "an older one");
    assert!(!beat(&running, 95, "RUNNING"), "it was lost before");
    assert!(!beat(&running, 35, "SUCCESS"));
    assert!(!beat(&running, 35, r#"{"status":"RUNNING","attempt":2}"#), "it was never asked");
    let silent = told(&execution(None), 5, "RUNNING").unwrap();
    assert!(!beat(&silent, 35, "RUNNING"), "nobody waits for its beats");
    assert!(!beat(&told(&running, 20, "FAILED").unwrap(), 35, "RUNNING"));
}

/// Everything that may happen to an execution of one attempt.
fn anything() -> impl Strategy<Value = Change> {
    let created = execution(Some(30));
    let report = |payload: &str| {
        let report = Report::decode("cmd/pump-7/resp", payload.as_bytes()).unwrap();
        report.change(execution(None).key, BORN.plus_seconds(7))
    };
    let give_up = created.give_up(Verdict { reason: Reason::Expired, at: created.start_by }, created.start_by);
    proptest::sample::select(vec![
        created.queued(BORN, by()),
        created.sent(BORN, By::device()),
        created.unsent(BORN, by(), true),
        created.delivered(BORN, By::device()),
        give_up,
        report("RUNNING"),
        report(r#"{"status":"IN_PROGRESS","seq":1}"#),
        report(r#"{"status":"IN_PROGRESS","seq":2}"#),
        report("FAILED"),
        report("SUCCEEDED"),
    ])
}

proptest! {
    #[test]
    fn the_register_never_falls_and_a_hard_word_is_final(changes in proptest::collection::vec(anything(), 0..30)) {
        let mut row = execution(Some(30));
        for change in changes {
            let Some(next) = row.apply(&change) else { continue };
            prop_assert!(next.progress > row.progress);
            prop_assert!(!row.progress.is_hard());
            prop_assert_eq!(next.is_terminal(), next.progress.is_terminal());
            prop_assert_eq!(next.due_at.is_some(), !next.is_terminal());
            prop_assert_eq!(next.outcome.is_some(), next.progress.is_hard());
            row = next;
        }
    }

    #[test]
    fn twice_is_once(changes in proptest::collection::vec(anything(), 0..30)) {
        let mut row = execution(Some(30));
        for change in changes {
            row = row.apply(&change).unwrap_or(row);
            prop_assert_eq!(row.apply(&change), None);
        }
    }

    #[test]
    fn the_end_does_not_depend_on_the_order(mut changes in proptest::collection::vec(anything(), 0..12)) {
        // What the cloud decides by itself goes by what it has seen; and of several last words of one device the first counts.
        changes.retain(|change| !matches!(change.fact, Fact::GaveUp(_)));
        let last = changes.iter().find(|change| change.is_terminal()).cloned();
        changes.retain(|change| !change.is_terminal());
        changes.extend(last);
        let end = |changes: &[Change]| {
            let last = changes.iter().fold(execution(Some(30)), |row, change| row.apply(change).unwrap_or(row));
            (last.progress, last.is_terminal().then_some(last.status))
        };
        let forward = end(&changes);
        changes.reverse();
        prop_assert_eq!(forward, end(&changes));
    }
}
