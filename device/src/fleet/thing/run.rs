//! The loop of a simulated thing.

use super::settings::ThingSettings;
use super::state::SimulatedThing;
use crate::fleet::timer::Timer;

/// Connects, and handles events and timed tasks. Ends only when its connection is closed for good.
pub(crate) async fn run(settings: ThingSettings, mut timer: Timer) {
    let work = settings.work.clone();
    // What goes on by itself counts until it ends, an event or a timer until it is handled.
    let (mut in_hand, mut handling) = (work.start(0), None);
    let mut thing = SimulatedThing::new(settings);
    thing.connect();
    loop {
        thing.run_due_tasks();
        timer.set(thing.next_wake_ms());
        in_hand.set(thing.in_hand());
        drop(handling.take());
        tokio::select! {
            event = thing.next_event() => match event {
                Some(event) => {
                    // Counted before the thing acknowledges the message: between the two, it always counts.
                    handling = Some(work.start(1));
                    thing.on_event(event);
                }
                None => return,
            },
            fired = timer.wait() => {
                handling = fired;
                thing.tick();
            }
        }
    }
}
