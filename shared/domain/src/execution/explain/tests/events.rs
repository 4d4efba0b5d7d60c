//! Explanations after cancels, reports, failed sendings and shadow clean-ups.

use super::*;

use crate::actor::Actor;
use crate::command::delivery::Delivery;
use crate::command::lane::{Lane, OnFailure};
use crate::command::retry::RetryOptions;
use crate::execution::change::Change;
use crate::execution::channel::Channel;
use crate::execution::fixtures::{after_report, command, create, report, thing};
use crate::messages::report::device_report::Report;
use crate::messages::shadow::route::ShadowRoute;
use crate::names::ShadowName;

fn after(row: &Execution, change: Change) -> Execution {
    row.apply(&change).unwrap()
}

fn canceled(row: &Execution, reason: Reason) -> Execution {
    after(row, row.cancel(reason, CREATED_AT.plus_seconds(7), true, Actor::caller("arn:aws:iam::1:user/ada")).unwrap())
}

#[test]
fn canceled_execution_names_its_caller_and_whether_a_report_may_follow() {
    let queued = state("CREATED, QUEUED");
    let running = state("IN_PROGRESS");
    let waiting = state("CREATED, waiting in its lane");
    for (row, expected) in [
        (
            canceled(&queued, Reason::CanceledByOperator),
            "It was called off by arn:aws:iam::1:user/ada (CANCELED_BY_OPERATOR). Nothing more will happen.",
        ),
        (
            canceled(&running, Reason::CanceledByOperator),
            "It was called off by arn:aws:iam::1:user/ada (CANCELED_BY_OPERATOR). \
             A late answer of the device would still count.",
        ),
        (
            canceled(&queued, Reason::Superseded),
            "A newer command took its place (SUPERSEDED). Nothing more will happen.",
        ),
        (
            canceled(&waiting, Reason::LaneStopped),
            "An earlier command of its lane valve did not succeed, and it stops then (LANE_STOPPED). \
             It has yet to be taken out of its lane valve.",
        ),
        (
            after_report(&canceled(&running, Reason::CanceledByOperator), 8, "SUCCEEDED").unwrap(),
            "The device said SUCCEEDED, after it had been called off. Nothing more will happen.",
        ),
    ] {
        assert_eq!(text(&row, 9), expected);
    }
}

#[test]
fn final_status_gives_the_device_code_and_whether_it_was_late() {
    let failed = r#"{"status":"FAILED","statusReason":{"reasonCode":"LOW_BATTERY"}}"#;
    let sent = state("CREATED, SENT");
    let given_up = sent.observe(CREATED_AT.plus_seconds(60));
    for (row, expected) in [
        (after_report(&sent, 5, failed).unwrap(), "The device said FAILED (LOW_BATTERY). Nothing more will happen."),
        (
            after_report(&sent, 61, "SUCCEEDED").unwrap(),
            "The device said SUCCEEDED, after its time. Nothing more will happen.",
        ),
        (
            Execution { outcome: after_report(&sent, 61, failed).unwrap().outcome, status: Status::Failed, ..given_up },
            "The device said FAILED (LOW_BATTERY), after it had been given up. Nothing more will happen.",
        ),
    ] {
        assert_eq!(text(&row, 62), expected);
    }
    let options = RetryOptions { attempts: Some(2), on: Some(vec!["FAILED"]), ..RetryOptions::default() };
    let retried = Execution { retry: Retry::new(&options, 60).ok(), ..sent };
    let report = report(&retried, failed);
    let second = after(&retried, retried.finish(&report, CREATED_AT.plus_seconds(5), false).unwrap());
    assert_eq!(text(&second, 5), "Attempt 1 came to nothing (FAILED: LOW_BATTERY). Attempt 2 of 2 goes out at +7s.");
    let report = Report { attempt: 2, answered_attempt: 2, ..report };
    let last = after(&second, second.finish(&report, CREATED_AT.plus_seconds(9), false).unwrap());
    assert_eq!(text(&last, 9), "The device said FAILED (LOW_BATTERY) to attempt 2 of 2. Nothing more will happen.");
}

#[test]
fn failed_sending_says_when_it_is_tried_again() {
    let pending = state("CREATED, PENDING");
    let refused = after(&pending, pending.send_failed(CREATED_AT, Actor::function("test"), true));
    assert_eq!(text(&refused, 0), "It could not be sent. It goes out at +1s.");
    assert_eq!(text(&refused, 2), "It could not be sent. It has been due since +1s.");
    let again = after(&refused, refused.send_failed(CREATED_AT, Actor::function("test"), true));
    assert_eq!(text(&again, 0), "It could not be sent. It goes out at +4s.");
}

#[test]
fn command_in_a_shadow_says_when_the_shadow_is_cleaned_up() {
    let through = |route| Execution::create(&command(Delivery::Shadow, None), &thing(), Channel::Shadow(route));
    let map = through(ShadowRoute::default());
    let put = "It is in a shadow of pump-7, whose device has not answered. \
               If it has not begun by +55s, it is given up (NO_RESPONSE).";
    assert_eq!(text(&map, 6), put);
    let expected = "It was given up for NO_RESPONSE. A late answer of the device would still count. \
                It is withdrawn from its shadow at";
    assert_eq!(text(&map, 55), format!("{expected} +56s."));
    assert!(text(&map, 600).ends_with("It has yet to be withdrawn from its shadow."));
    let done = after(&map, map.cancel(Reason::CanceledByOperator, CREATED_AT, false, Actor::device()).unwrap());
    assert_eq!(
        text(&done, 6),
        "It was called off by device (CANCELED_BY_OPERATOR). A late answer of the device would still count. \
         It has yet to be withdrawn from its shadow."
    );

    let atlas = through(ShadowRoute::Atlas);
    assert_eq!(
        text(&atlas, 6),
        "It waits for its turn in the lane of its shadow. \
         If that has not come by +55s, it is given up (LANE_BUSY)."
    );
    let put = after(&atlas, atlas.claim(CREATED_AT, "token").unwrap());
    assert_eq!(
        text(&put, 99),
        "It was given up for NO_RESPONSE. A late answer of the device would still count. \
         It has yet to be withdrawn from its shadow and taken out of the lane of its shadow."
    );
    let name = LaneName::desired_states(&ShadowName::parse("config").unwrap());
    let lane = Some(Lane { name, on_failure: OnFailure::Skip });
    let desired = Execution { lane, ..create(Delivery::Shadow, None) };
    assert!(!text(&desired, 6).contains("its turn"), "a desired state waits for no other");
}
