//! The end state of a batch when no more changes and no more crashes follow.

use domain::ControlState;

use super::{
    Action,
    worker::Phase,
    world::{THINGS, World},
};

/// More rounds than any batch needs.
const MAX_ROUNDS: usize = 12;

/// Whether every task of the batch is done in the end. A paused command is resumed first.
pub fn settles(world: &World) -> bool {
    let mut world = world.clone();
    if world.control.state == ControlState::Paused {
        settle(&mut world);
        world.change_control(ControlState::Running);
    }
    settle(&mut world);
    let batch = &world.batch;
    let is_done = match world.control.state {
        ControlState::Canceled { .. } => batch.canceled_generation == world.control.generation,
        _ => batch.done == THINGS && batch.retry_places.is_empty() && world.sent.iter().all(|sent| *sent > 0),
    };
    is_done && batch.claim.is_none()
}

fn settle(world: &mut World) {
    for _ in 0..MAX_ROUNDS {
        for n in 0..world.workers.len() {
            while world.workers[n].phase != Phase::Idle {
                world.step_worker(n, false);
            }
        }
        while world.propagation.is_some() {
            world.propagate();
        }
        while world.unreleased > 0 {
            world.act(Action::Release);
        }
        if world.has_record {
            world.act(Action::DeliverRecord(0));
        } else if world.is_due() {
            world.act(Action::Reconcile);
        } else {
            world.pass_time_until_due();
        }
    }
}
