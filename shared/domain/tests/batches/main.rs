//! A model check of a batch: every order in which invocations, wake-ups, an operator and crashes can act on it.
//!
//! Batch, control and all decisions are the crate's own. Their surroundings are modelled: an item with conditional
//! writes, records of a stream, two workers (invocations of the dispatcher) that may crash between any two calls, and a
//! clock.
//!
//! - [`world`]: the state of the model, and every possible next step
//! - [`worker`]: an invocation of the dispatcher, one outside call after the other
//! - [`settling`]: the end state of a batch after the last change and the last crash
#![allow(clippy::disallowed_methods, clippy::disallowed_macros, missing_docs)]

mod settling;
mod worker;
mod world;

use stateright::{Checker, Model, Property};
use world::{Action, Scenario, World};

impl Model for Scenario {
    type State = World;
    type Action = Action;

    fn init_states(&self) -> Vec<World> {
        vec![World::new(self)]
    }

    fn actions(&self, world: &World, actions: &mut Vec<Action>) {
        world.actions(actions);
    }

    fn next_state(&self, world: &World, action: Action) -> Option<World> {
        let mut next = world.clone();
        next.act(action);
        (next != *world).then_some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::<Self>::always("at most one worker has a claim", |_, world| world.claimed_workers() <= 1),
            Property::<Self>::always("a thing is sent again only after a crash", |_, world| {
                world.sent.iter().all(|sent| *sent <= 1 + world.crashed_workers)
            }),
            Property::<Self>::always("a claim after a cancel sends nothing", |_, world| !world.sent_after_cancel),
            Property::<Self>::always("a claim after a pause sends nothing", |_, world| !world.sent_after_pause),
            Property::<Self>::always("a batch without further events is processed to its end", |_, world| {
                settling::settles(world)
            }),
            Property::<Self>::sometimes("all things are sent", |_, world| world.sent.iter().all(|sent| *sent > 0)),
            Property::<Self>::sometimes("the batch is put on hold", |_, world| world.was_held),
            Property::<Self>::sometimes("the executions are canceled after they were sent", |_, world| {
                world.batch.canceled_generation > 0 && world.sent.iter().all(|sent| *sent > 0)
            }),
        ]
    }
}

fn check(scenario: Scenario) {
    let checker = scenario.checker().threads(2).spawn_bfs().join();
    println!("{} states", checker.unique_state_count());
    checker.assert_properties();
}

#[test]
fn a_released_batch_survives_a_crash_and_two_changes_of_control() {
    check(Scenario { crashes: 1, changes: 2, is_released: true });
}

#[test]
fn a_batch_that_is_released_in_two_parts_survives_a_crash_and_a_change_of_control() {
    check(Scenario { crashes: 1, changes: 1, is_released: false });
}
