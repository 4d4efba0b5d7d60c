//! The explanation of every state of the state machine.

use super::*;

/// A state, the seconds after the creation, and the explanation then.
const EXPLANATIONS: &[(&str, u32, &str)] = &[
    ("CREATED, PENDING", 6, "It is being sent. If that does not succeed by +60s, it is given up (NO_RESPONSE)."),
    (
        "CREATED, PENDING",
        11,
        "Nobody knows whether it went out: its creation was cut short, and the same request with its Idempotency-Key \
         sends it. If that does not happen by +60s, it is given up (NO_RESPONSE).",
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
    // The retry is not written yet.
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
    (
        "CREATED, QUEUED, attempt 2 after FAILED",
        7,
        "It waits for pump-7 to connect. \
         If that does not happen by +60s, it ends as its device ended the attempt before (FAILED).",
    ),
    (
        "CREATED, QUEUED, attempt 2 after FAILED",
        60,
        "The device said FAILED to attempt 1 of 3, and no other attempt went out in time. Nothing more will happen.",
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
    ("TIMED_OUT, provisional (EXPIRED)", 61, "It expired before it could go out (EXPIRED). Nothing more will happen."),
    (
        "TIMED_OUT, provisional (HEARTBEAT_LOST)",
        21,
        "It was given up for HEARTBEAT_LOST. A late answer of the device would still count.",
    ),
    (
        "CANCELED, provisional",
        6,
        "It was called off by test (CANCELED_BY_OPERATOR). A late answer of the device would still count.",
    ),
    ("FAILED, final", 6, "The device said FAILED. Nothing more will happen."),
    ("REJECTED, final", 6, "The device said REJECTED. Nothing more will happen."),
    ("TIMED_OUT, final", 6, "The device said TIMED_OUT. Nothing more will happen."),
    ("SUCCEEDED, final", 600, "The device said SUCCEEDED. Nothing more will happen."),
];

#[test]
fn every_state_is_explained() {
    for (name, row) in states() {
        assert!(EXPLANATIONS.iter().any(|(state, ..)| *state == name), "{name} is not explained");
        for (_, seconds, expected) in EXPLANATIONS.iter().filter(|(state, ..)| *state == name) {
            assert_eq!(text(&row, *seconds), *expected, "{name} after {seconds} s");
            let observed = row.observe(CREATED_AT.plus_seconds(*seconds));
            assert_eq!(text(&observed, *seconds), *expected, "{name} after {seconds} s, observed");
        }
    }
}
