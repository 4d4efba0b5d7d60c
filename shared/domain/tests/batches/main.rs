//! A model check of a batch: every order in which workers, those who wake them, an operator and crashes can act on it.
//!
//! Batch and control are the crate's own, and so is every decision. What surrounds them is small: an item that is written on condition,
//! records of a stream, two workers that may die between any two calls, and a clock.
//!
//! - [`world`]: everything that there is at one time, and everything that can happen next
//! - [`worker`]: a function at work on the batch, one outside call after the other
//! - [`ending`]: what becomes of a batch that is left alone
#![allow(clippy::disallowed_methods, clippy::disallowed_macros, missing_docs)]

mod ending;
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
            Property::<Self>::always("one worker at a time", |_, world| world.at_work() <= 1),
            Property::<Self>::always("a thing goes out again only after someone has died", |_, world| {
                world.begun.iter().all(|begun| *begun <= 1 + world.died)
            }),
            Property::<Self>::always("whoever claims it after a cancel sends nothing", |_, world| {
                !world.sent_after_cancel
            }),
            Property::<Self>::always("whoever claims it after a pause sends nothing", |_, world| {
                !world.sent_after_pause
            }),
            Property::<Self>::always("left alone, it is seen to", |_, world| ending::is_seen_to(world)),
            Property::<Self>::sometimes("all go out", |_, world| world.begun.iter().all(|begun| *begun > 0)),
            Property::<Self>::sometimes("it is held", |_, world| world.was_held),
            Property::<Self>::sometimes("it is called off after it went out", |_, world| {
                world.batch.called_off > 0 && world.begun.iter().all(|begun| *begun > 0)
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
fn a_batch_over_crashes_pauses_and_a_cancel() {
    check(Scenario { crashes: 1, changes: 2, at_once: true });
}

#[test]
fn a_batch_that_is_let_go_in_two_parts() {
    check(Scenario { crashes: 1, changes: 1, at_once: false });
}
