//! What is said of every place that an execution can be in, word for word.

use crate::{
    Asked, By, Change, Delivery, Execution, LaneName, OnFailure, Reason, Retry, ShadowRoute, Timestamp, Via,
    change::table::places,
    execution::tests::{BORN, command, create, told},
};

fn text(row: &Execution, seconds: u32) -> String {
    let show = |at: Timestamp| format!("+{}s", (at.as_millis() - BORN.as_millis() + 999) / 1000);
    row.explain(BORN.plus_seconds(seconds)).text(show)
}

fn place(name: &str) -> Execution {
    places().into_iter().find_map(|(found, row)| (found == name).then_some(row)).unwrap_or_else(|| panic!("no {name}"))
}

/// A place, how many seconds after its creation it is asked about, and what is said then.
const SAID: &[(&str, u32, &str)] = &[
    ("CREATED, PENDING", 6, "It is being sent. If that does not succeed by +60s, it is given up (NO_RESPONSE)."),
    (
        "CREATED, PENDING",
        11,
        "Nobody knows whether it went out: its creation was cut short, and the same request with its Idempotency-Key sends it. \
         If that does not happen by +60s, it is given up (NO_RESPONSE).",
    ),
    ("CREATED, PENDING", 60, "It was given up for NO_RESPONSE. A late answer of the device would still count."),
    (
        "CREATED, PENDING, claimed",
        6,
        "It is being sent. Unless it is known by +10s that it went out, it goes out again.",
    ),
    ("CREATED, PENDING, claimed", 11, "Nobody knows whether it went out. It has been due since +10s."),
    (
        "CREATED, waiting in its lane",
        6,
        "It waits for its turn in its lane valve. \
         If that has not come by +60s, it is given up (LANE_BUSY).",
    ),
    (
        "CREATED, waiting in its lane",
        60,
        "Its turn in its lane valve did not come in time (LANE_BUSY). It has yet to be taken out of its lane valve.",
    ),
    (
        "CREATED, waiting in its lane",
        600,
        "Its turn in its lane valve did not come in time (LANE_BUSY). It has yet to be taken out of its lane valve.",
    ),
    ("CREATED, QUEUED", 6, "It waits for pump-7 to connect. If that does not happen, it expires at +60s."),
    ("CREATED, QUEUED", 60, "It expired before it could go out (EXPIRED). Nothing more will happen."),
    (
        "CREATED, SENT",
        6,
        "It was sent to pump-7, which has not answered. \
         If it has not begun by +60s, it is given up (NO_RESPONSE).",
    ),
    ("CREATED, SENT", 60, "It was given up for NO_RESPONSE. A late answer of the device would still count."),
    (
        "CREATED, DELIVERED",
        6,
        "Its device has it, and has not begun. If it has not begun by +60s, it is given up (NO_RESPONSE).",
    ),
    ("CREATED, DELIVERED", 60, "It was given up for NO_RESPONSE. A late answer of the device would still count."),
    (
        "CREATED, SENT, with retries",
        6,
        "It was sent to pump-7, which has not answered. \
         If it has not begun by +10s, attempt 2 of 3 follows.",
    ),
    // Nobody has written this, and it is true all the same.
    ("CREATED, SENT, with retries", 11, "Attempt 1 came to nothing (NO_RESPONSE). Attempt 2 of 3 goes out at +12s."),
    (
        "CREATED, SENT, with retries",
        30,
        "Attempt 1 came to nothing (NO_RESPONSE). Attempt 2 of 3 has been due since +12s.",
    ),
    (
        "CREATED, SENT, with retries",
        60,
        "It was given up for NO_RESPONSE. A late answer of the device would still count.",
    ),
    ("CREATED, PENDING, attempt 2", 11, "Attempt 1 came to nothing (NO_RESPONSE). Attempt 2 of 3 goes out at +12s."),
    (
        "CREATED, PENDING, attempt 2",
        60,
        "It was given up for NO_RESPONSE. A late answer of the device would still count.",
    ),
    ("IN_PROGRESS", 6, "Its device runs it. If its device is not heard of by +20s, it is given up (HEARTBEAT_LOST)."),
    ("IN_PROGRESS", 20, "It was given up for HEARTBEAT_LOST. A late answer of the device would still count."),
    (
        "IN_PROGRESS, with retries",
        6,
        "Its device runs it. If its device is not heard of by +20s, attempt 2 of 3 follows.",
    ),
    ("IN_PROGRESS, with retries", 20, "Attempt 1 came to nothing (HEARTBEAT_LOST). Attempt 2 of 3 goes out at +22s."),
    (
        "IN_PROGRESS, with retries",
        60,
        "It was given up for HEARTBEAT_LOST. A late answer of the device would still count.",
    ),
    ("TIMED_OUT, soft (EXPIRED)", 61, "It expired before it could go out (EXPIRED). Nothing more will happen."),
    (
        "TIMED_OUT, soft (HEARTBEAT_LOST)",
        21,
        "It was given up for HEARTBEAT_LOST. A late answer of the device would still count.",
    ),
    (
        "CANCELED, soft",
        6,
        "It was called off by test (CANCELED_BY_OPERATOR). A late answer of the device would still count.",
    ),
    ("FAILED, hard", 6, "The device said FAILED. Nothing more will happen."),
    ("REJECTED, hard", 6, "The device said REJECTED. Nothing more will happen."),
    ("TIMED_OUT, hard", 6, "The device said TIMED_OUT. Nothing more will happen."),
    ("SUCCEEDED, hard", 600, "The device said SUCCEEDED. Nothing more will happen."),
];

#[test]
fn every_place_says_why_it_is_there_and_what_comes_next() {
    for (name, row) in places() {
        assert!(SAID.iter().any(|(said, ..)| *said == name), "{name} is not explained");
        for (_, seconds, said) in SAID.iter().filter(|(said, ..)| *said == name) {
            assert_eq!(text(&row, *seconds), *said, "{name} after {seconds} s");
            let seen = row.observe(BORN.plus_seconds(*seconds));
            assert_eq!(text(&seen, *seconds), *said, "{name} after {seconds} s, as it is read");
        }
    }
}

fn after(row: &Execution, change: Change) -> Execution {
    row.apply(&change).unwrap()
}

fn canceled(row: &Execution, reason: Reason) -> Execution {
    after(row, row.cancel(reason, BORN.plus_seconds(7), true, By::caller("arn:aws:iam::1:user/ada")).unwrap())
}

#[test]
fn what_was_called_off_says_by_whom_and_whether_its_device_may_have_it() {
    let queued = place("CREATED, QUEUED");
    let running = place("IN_PROGRESS");
    let waiting = place("CREATED, waiting in its lane");
    for (row, said) in [
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
            told(&canceled(&running, Reason::CanceledByOperator), 8, "SUCCEEDED").unwrap(),
            "The device said SUCCEEDED, after it had been called off. Nothing more will happen.",
        ),
    ] {
        assert_eq!(text(&row, 9), said);
    }
}

#[test]
fn a_devices_own_word_says_why_and_whether_it_came_in_time() {
    let failed = r#"{"status":"FAILED","statusReason":{"reasonCode":"LOW_BATTERY"}}"#;
    let sent = place("CREATED, SENT");
    let given_up = sent.observe(BORN.plus_seconds(60));
    for (row, said) in [
        (told(&sent, 5, failed).unwrap(), "The device said FAILED (LOW_BATTERY). Nothing more will happen."),
        (told(&sent, 61, "SUCCEEDED").unwrap(), "The device said SUCCEEDED, after its time. Nothing more will happen."),
        (
            Execution { outcome: told(&sent, 61, failed).unwrap().outcome, status: crate::Status::Failed, ..given_up },
            "The device said FAILED (LOW_BATTERY), after it had been given up. Nothing more will happen.",
        ),
    ] {
        assert_eq!(text(&row, 62), said);
    }
    let asked = Asked { attempts: Some(2), on: Some(vec!["FAILED"]), ..Asked::default() };
    let retrying = Execution { retry: Retry::new(&asked, 60).ok(), ..sent };
    let report =
        crate::Report::decode(crate::Topic::response(&retrying.key.thing).as_str(), failed.as_bytes()).unwrap();
    let again = after(&retrying, retrying.finish(&report, BORN.plus_seconds(5), false).unwrap());
    assert_eq!(text(&again, 5), "Attempt 1 came to nothing (FAILED: LOW_BATTERY). Attempt 2 of 2 goes out at +7s.");
    let report = crate::Report { attempt: 2, answers: 2, ..report };
    let last = after(&again, again.finish(&report, BORN.plus_seconds(9), false).unwrap());
    assert_eq!(text(&last, 9), "The device said FAILED (LOW_BATTERY) to attempt 2 of 2. Nothing more will happen.");
}

#[test]
fn what_did_not_go_out_is_tried_again() {
    let pending = place("CREATED, PENDING");
    let refused = after(&pending, pending.unsent(BORN, By::function("test"), true));
    assert_eq!(text(&refused, 0), "It could not be sent. It has been due since +0s.");
    let again = after(&refused, refused.unsent(BORN, By::function("test"), true));
    assert_eq!(text(&again, 0), "It could not be sent. It goes out at +4s.");
}

#[test]
fn what_is_in_a_shadow_says_what_is_left_to_do_there() {
    let through = |route| {
        Execution::create(&command(Delivery::Shadow, None), &crate::execution::tests::thing(), Via::Shadow(route), 10)
    };
    let map = through(ShadowRoute::default());
    let put = "It is in a shadow of pump-7, whose device has not answered. \
               If it has not begun by +45s, it is given up (NO_RESPONSE).";
    assert_eq!(text(&map, 6), put);
    let gone = "It was given up for NO_RESPONSE. A late answer of the device would still count. \
                It is withdrawn from its shadow at";
    assert_eq!(text(&map, 45), format!("{gone} +46s."));
    assert!(text(&map, 600).ends_with("It has yet to be withdrawn from its shadow."));
    let done = after(&map, map.cancel(Reason::CanceledByOperator, BORN, false, By::device()).unwrap());
    assert_eq!(
        text(&done, 6),
        "It was called off by device (CANCELED_BY_OPERATOR). A late answer of the device would still count. \
         It has yet to be withdrawn from its shadow."
    );

    let atlas = through(ShadowRoute::Atlas);
    assert_eq!(
        text(&atlas, 6),
        "It waits for its turn in the lane of its shadow. \
         If that has not come by +45s, it is given up (LANE_BUSY)."
    );
    let put = after(&atlas, atlas.claim(BORN, "me").unwrap());
    assert_eq!(
        text(&put, 99),
        "It was given up for NO_RESPONSE. A late answer of the device would still count. \
         It has yet to be withdrawn from its shadow and taken out of the lane of its shadow."
    );
    let lane = Some(crate::Lane { name: LaneName::of_state(None), on_failure: OnFailure::Skip });
    let wish = Execution { lane, ..create(Delivery::Shadow, None) };
    assert!(!text(&wish, 6).contains("its turn"), "nobody waits for another's wish");
}
