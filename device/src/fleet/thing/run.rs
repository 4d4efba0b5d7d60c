//! The loop of a simulated thing.

use super::settings::ThingSettings;
use super::state::SimulatedThing;
use crate::fleet::timer::Timer;

/// Connects, and handles events and timed tasks. Ends only when its connection is closed for good.
pub(crate) async fn run(settings: ThingSettings, mut timer: Timer) {
    let mut thing = SimulatedThing::new(settings);
    thing.connect();
    loop {
        thing.run_due_tasks();
        timer.set(thing.next_wake_ms());
        tokio::select! {
            event = thing.next_event() => match event {
                Some(event) => thing.on_event(event),
                None => return,
            },
            () = timer.wait() => thing.tick(),
        }
    }
}
