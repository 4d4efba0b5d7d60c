//! Checks of a device whose connection breaks while a request is sent to it, and that comes back.

use domain::{Channel, Deadlines, DeliveryStatus, Status};

use super::scenario::{Scenario, command};

#[test]
fn an_acknowledgement_that_is_lost() {
    let mut scenario = Scenario::of(vec![command(1)]);
    (scenario.acknowledgements_lost, scenario.connects, scenario.no_duplicates) = (true, 1, true);
    (scenario.faults, scenario.end) = (1, 25);
    scenario.reached = vec![
        ("it is sent again, and succeeds", |_, world| {
            world.sent[0].times == 2 && world.first().status == Status::Succeeded
        }),
        ("the message was lost, and it succeeds", |_, world| {
            let lost = world.faults == 0 && world.crashes == 0 && world.sent[0].times == 1;
            lost && world.connects == 0 && world.first().status == Status::Succeeded
        }),
        ("its device never comes back", |_, world| {
            world.connects > 0 && world.first().delivery_status == DeliveryStatus::Sent && world.first().is_terminal()
        }),
    ];
    scenario.check("an acknowledgement that is lost");
}

#[test]
fn a_message_on_a_topic_that_nobody_receives() {
    let mut command = command(1);
    command.definition.deadlines = Deadlines::new(Some(25), Some(30), None).unwrap();
    let mut scenario = Scenario::of(vec![command]).on(Channel::Topic);
    (scenario.offline, scenario.connects, scenario.repeats, scenario.no_start_report) = (true, 1, 1, true);
    scenario.reached = vec![
        ("it is sent again to a device that has subscribed, and succeeds", |_, world| {
            let sent_again = world.sent[0].times == 2 && world.repeats == 1 && world.crashes == 0;
            sent_again && world.first().status == Status::Succeeded
        }),
        ("it is sent again after a while, since it may be on its way", |_, world| {
            let row = world.first();
            row.delivery_status == DeliveryStatus::Pending && row.next_send_at.is_some() && row.claim.is_none()
        }),
        ("its creator is doubted", |_, world| world.first().is_doubted()),
    ];
    scenario.check("a message on a topic that nobody receives");
}
