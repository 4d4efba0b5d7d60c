//! What becomes of a batch that is left alone: nobody changes anything any more, and nobody dies.

use domain::ControlState;

use super::{
    worker::Phase,
    world::{THINGS, World},
};

/// More rounds than any batch needs.
const ROUNDS: usize = 12;

/// Whether all that is owed to it is done in the end.
pub fn is_seen_to(world: &World) -> bool {
    let mut world = world.clone();
    if world.control.state == ControlState::Paused {
        settle(&mut world);
        world.change(ControlState::Running);
    }
    settle(&mut world);
    let done = match world.control.state {
        ControlState::Canceled { .. } => world.batch.called_off == world.control.generation,
        _ => world.batch.done == THINGS && world.batch.left.is_empty() && world.begun.iter().all(|begun| *begun > 0),
    };
    done && world.batch.claim.is_none()
}

fn settle(world: &mut World) {
    for _ in 0..ROUNDS {
        for n in 0..world.workers.len() {
            while world.workers[n].phase != Phase::Idle {
                world.go(n, false);
            }
        }
        while world.walker.is_some() {
            world.walk();
        }
        while world.letting_go > 0 {
            world.act(super::Action::LetGo);
        }
        if world.record {
            world.act(super::Action::Deliver(0));
        } else if world.is_due() {
            world.act(super::Action::Wake);
        } else {
            world.pass_until_due();
        }
    }
}
