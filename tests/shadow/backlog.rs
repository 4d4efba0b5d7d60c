//! Requests in many shadows whose ttl ends at the same time, on the system's clock: none is in its shadow after its ttl.
//!
//! `cargo test --release --test system -- --ignored --nocapture shadow::backlog`, with `THINGS` for another number.

use std::time::{Duration, Instant};

use local::clock::Clock;
use serde_json::json;

use crate::world::{EXECUTIONS, World};

/// The ttl, in seconds.
const TTL: i64 = 90;
/// How much earlier a request in a shadow expires, in seconds.
const CUT: i64 = 5;

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
#[ignore = "takes minutes, and means something only in a release build"]
async fn no_shadow_holds_a_request_after_its_ttl() {
    let things = std::env::var("THINGS").ok().and_then(|text| text.parse().ok()).unwrap_or(9_000);
    let world = World::on_clock(Clock::system(), false, &[], |template| template).await;
    let names: Vec<String> = (0..things).map(|n| format!("pump-{n}")).collect();
    world.stack.registry.add_things("pumps", &names).expect("a group");
    let body =
        json!({"name": "reboot", "target": {"groups": ["pumps"]}, "delivery": "shadow", "shadow": "map", "ttl": TTL});
    let started = Instant::now();
    assert_eq!(world.post("/commands", &body).await.status, 202);
    // The requests that are in shadows, and the latest time after its ttl at which one was.
    let (mut delivered, mut worst_ms, mut late) = (0, i64::MIN, 0);
    loop {
        let now_ms = world.stack.clock.now_ms();
        let (mut holding, mut overdue) = (0, 0);
        for name in &names {
            let Ok(shadow) = world.stack.shadows.get(name, Some("cmd")) else { continue };
            let requests = shadow["state"]["desired"]["c"].as_object();
            for request in requests.into_iter().flat_map(|all| all.values()) {
                holding += 1;
                let expires_at = request["expiresAt"].as_i64().expect("a time");
                let after_ttl_ms = now_ms - (expires_at + CUT) * 1000;
                overdue += usize::from(after_ttl_ms > 0);
                worst_ms = worst_ms.max(after_ttl_ms);
            }
        }
        delivered = delivered.max(holding);
        late = late.max(overdue);
        println!("{:>4} s: {holding} in shadows, {overdue} of them after their ttl", started.elapsed().as_secs());
        if delivered > 0 && holding == 0 && started.elapsed().as_secs() > TTL.unsigned_abs() {
            break;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    let rows = world.rows(EXECUTIONS).await;
    let ended = rows.iter().filter(|row| row["status"]["S"] == "TIMED_OUT").count();
    println!(
        "{things} things, {delivered} in shadows at once, {ended} ended; the last left {worst_ms} ms after its ttl"
    );
    assert_eq!((ended, late), (things, 0), "the last left its shadow {worst_ms} ms after its ttl");
    world.end().await;
}
