//! One entry at a time: the next command is written when the one before has ended.

use super::super::relay::Relay;
use super::{THING, create, desired_command, is_clean, is_idle, state, status_and_reason, world};

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn the_shadow_holds_one_command_at_a_time() {
    let world = world().await;
    let first = create(&world, "one", 300).await;
    let second = create(&world, "two", 300).await;
    let third = create(&world, "three", 300).await;
    assert_eq!(desired_command(&world).expect("a command").as_array().map(Vec::len), Some(1));
    assert_eq!(desired_command(&world).expect("a command")[0]["relay-command"]["message"], "one");
    assert_eq!(world.execution(&second, THING).await["deliveryStatus"], "PENDING");
    assert_eq!(world.cancel(&second, false).await.status, 200);
    let mut motor = Relay::start(&world, THING).await;
    motor.catch_up(&world).await;
    assert_eq!(motor.relayed, ["one", "three"], "each command is written after the one before has ended");
    for (command, status) in [(first, "SUCCEEDED"), (second, "CANCELED"), (third, "SUCCEEDED")] {
        assert_eq!(world.status(&command, THING).await.0, status);
    }
    assert!(is_clean(&world) && is_idle(&world).await, "{}", state(&world));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn the_next_command_is_written_after_the_one_before_is_canceled_or_expires() {
    let world = world().await;
    let first = create(&world, "one", 300).await;
    let second = create(&world, "two", 300).await;
    let third = create(&world, "three", 3600).await;
    assert_eq!(world.cancel(&first, false).await.status, 200);
    assert_eq!(desired_command(&world).expect("a command")[0]["relay-command"]["message"], "two");
    world.advance(300).await;
    assert_eq!(world.status(&second, THING).await, status_and_reason("TIMED_OUT", "NO_RESPONSE"));
    assert_eq!(desired_command(&world).expect("a command")[0]["relay-command"]["message"], "three");
    assert_eq!(world.status(&third, THING).await.0, "CREATED");
    // A command that expires while it waits in the lane is never written.
    let fourth = create(&world, "four", 300).await;
    world.advance(300).await;
    assert_eq!(world.status(&fourth, THING).await, status_and_reason("TIMED_OUT", "LANE_BUSY"));
    let mut motor = Relay::start(&world, THING).await;
    motor.catch_up(&world).await;
    assert_eq!(motor.relayed, ["three"]);
    assert!(is_clean(&world) && is_idle(&world).await, "{}", state(&world));
    world.end().await;
}
