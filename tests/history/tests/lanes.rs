//! Properties of lanes: one execution is sent at a time, and none after a failure where the lane stops.

use super::*;

/// Two executions in one lane: the end of the first, and the sending of the second.
fn two_in_a_lane(first_ended: RowImage, second_is_sent_before: bool) -> History {
    let in_lane = |image: RowImage, execution: &str| {
        let mut image = with(with(image, "lane", "valve"), "on_failure", "stop");
        image.execution = execution.to_owned();
        image
    };
    let sent = |image| with(image, "sent_at", "1");
    let mut images = vec![
        in_lane(sent(row(0, 1, 0, "CREATED")), "one"),
        in_lane(without(row(1, 1, 0, "CREATED"), "sent_at"), "two"),
        in_lane(first_ended, "one"),
        in_lane(sent(row(20, 1, 0, "CREATED")), "two"),
    ];
    if second_is_sent_before {
        images.swap(2, 3);
    }
    let ids = vec!["one".to_owned(), "two".to_owned()];
    let mut history = history(&images, &[]);
    history.lanes.push(LaneImage { after_images: 2, thing: "pump".into(), lane: "valve".into(), ids });
    history
}

fn edit_images(mut history: History, name: &str, value: &str) -> History {
    history.images.iter_mut().for_each(|image| *image = with(image.clone(), name, value));
    history
}

#[test]
fn second_execution_is_sent_after_the_end_of_the_first() {
    assert_eq!(lane_order::check(&two_in_a_lane(row(9, 1, 15, "SUCCEEDED"), false)), []);
    assert_ne!(lane_order::check(&two_in_a_lane(row(9, 1, 15, "SUCCEEDED"), true)), []);
}

#[test]
fn failure_stops_the_lane_unless_on_failure_is_skip() {
    let failed = || two_in_a_lane(row(9, 1, 12, "FAILED"), false);
    assert_ne!(lane_order::check(&failed()), []);
    assert_eq!(lane_order::check(&edit_images(failed(), "on_failure", "skip")), []);
}

#[test]
fn superseding_command_is_sent_after_an_undelivered_execution_only() {
    let superseding = |status: &str, delivery_status: &str| {
        let ended = with(row(9, 1, 8, status), "delivery_status", delivery_status);
        let mut history = edit_images(two_in_a_lane(ended, false), "command_id", "newer");
        history.superseding_commands.insert("newer".to_owned());
        lane_order::check(&history)
    };
    assert_eq!(superseding("TIMED_OUT", "QUEUED"), []);
    assert_ne!(superseding("TIMED_OUT", "DELIVERED"), []);
    let superseded = with(row(9, 1, 9, "CANCELED"), "verdict", "SUPERSEDED");
    assert_eq!(lane_order::check(&two_in_a_lane(superseded, false)), [], "SUPERSEDED does not stop a lane");
}
