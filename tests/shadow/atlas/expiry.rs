//! Expired commands: the entry is removed before a device that connects late, or another desired change, could run it.

use serde_json::{Value, json};

use super::super::relay::Relay;
use super::{
    THING, body, create, desired_command, is_clean, is_idle, set_motor, state, status_and_reason, world, world_with,
};

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn the_entry_is_removed_when_the_device_connects_after_the_ttl() {
    // This holds with other writes to the shadow, and for every second of the minute at which the command is created.
    for tick in ["60", "5"] {
        let world = world_with(&[("ReconcileSeconds", tick)]).await;
        for (ttl, second) in [(300, 55), (130, 6), (61, 59), (10, 3)] {
            let start = world.stack.clock.now_s();
            world.advance((60 - start % 60 + second).unsigned_abs()).await;
            let command = create(&world, "go", ttl).await;
            assert!(desired_command(&world).is_some());
            for n in 0..ttl / 10 {
                set_motor(&world, if n % 2 == 0 { "on" } else { "off" });
                world.advance(10).await;
            }
            world.advance(u64::from(ttl % 10) + 1).await;
            let mut motor = Relay::start(&world, THING).await;
            motor.catch_up(&world).await;
            assert_eq!(motor.relayed, Vec::<Value>::new(), "every {tick} s: ttl {ttl}, created at :{second}");
            assert_eq!(world.status(&command, THING).await, status_and_reason("TIMED_OUT", "NO_RESPONSE"));
            assert!(is_clean(&world), "{}", state(&world));
            motor.leave().await;
            // Twenty seconds after a sending no write of it can come, and the shadow is cleaned up for the last time.
            world.advance(10).await;
            assert!(is_clean(&world) && is_idle(&world).await, "{}", state(&world));
        }
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn a_ttl_too_short_to_clean_up_in_time_is_refused() {
    for (tick, min_ttl) in [("60", 10), ("5", 10)] {
        let world = world_with(&[("ReconcileSeconds", tick)]).await;
        let mut body = body("go", min_ttl - 1);
        body["target"] = json!({"things": [THING]});
        let response = world.post("/commands", &body).await;
        assert_eq!((response.status, &response.body["field"]), (422, &json!("ttl")), "{response:?}");
        // Delivery `auto` with as short a ttl does not use the shadow either.
        body["delivery"] = json!("auto");
        let command = world.post("/commands", &body).await.body["commandId"].as_str().expect("an id").to_owned();
        assert_eq!(world.execution(&command, THING).await["deliveryStatus"], "QUEUED");
        assert!(is_clean(&world));
        create(&world, "go", min_ttl).await;
        assert!(!is_clean(&world));
        world.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn a_skipped_entry_is_removed_before_another_desired_change_repeats_it() {
    let world = world().await;
    let mut motor = Relay::start(&world, THING).await;
    motor.catch_up(&world).await;
    let command = create(&world, "go", 150).await;
    // The device gets the delta after the ttl that the entry carries, so it skips the entry without a report.
    world.advance(151).await;
    motor.catch_up(&world).await;
    assert_eq!(world.status(&command, THING).await, status_and_reason("TIMED_OUT", "NO_RESPONSE"));
    assert!(is_clean(&world) && is_idle(&world).await);
    set_motor(&world, "on");
    motor.catch_up(&world).await;
    assert_eq!(state(&world)["reported"]["deviceAttrib"]["motorStatus"], "on");
    assert_eq!(motor.relayed, Vec::<Value>::new());
    assert!(motor.is_connected());
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn an_entry_that_the_device_does_not_know_expires_and_is_removed() {
    let world = world().await;
    let mut motor = Relay::start(&world, THING).await;
    let command = world.command(THING, json!({"name": "reboot", "delivery": "shadow", "ttl": 300})).await;
    motor.catch_up(&world).await;
    world.advance(300).await;
    motor.catch_up(&world).await;
    assert_eq!(world.status(&command, THING).await, status_and_reason("TIMED_OUT", "NO_RESPONSE"));
    assert!(!state(&world).to_string().contains("reboot") && is_idle(&world).await);
    assert!(motor.is_connected());
    world.end().await;
}
