//! Searches all worlds of a scenario: reports how one came to break a rule, and which worlds were never reached.

use std::time::Instant;

use domain::Execution;
use stateright::{Checker, Expectation, HasDiscoveries, Model, Path, Property};

use super::{
    action::Action,
    event::{Event, Kind},
    scenario::{CREATED_AT, Scenario},
    world::World,
    world_rules::{ALWAYS, NOTED},
};

/// A scenario with more states, equal ones counted each time, takes too long.
const MAX_STATES: usize = 12_000_000;

/// A property is a function, not a closure.
type Holds = fn(&Scenario, &World) -> bool;

fn noted<const N: usize>(_: &Scenario, world: &World) -> bool {
    world.violation != Some(NOTED[N])
}

/// The functions of the rules with these numbers.
macro_rules! noted {
    ($($n:literal)*) => { [$(noted::<$n>),*] };
}

/// Whether the first execution is stored, and the world is as the scenario says.
fn reached<const N: usize>(scenario: &Scenario, world: &World) -> bool {
    world.rows[0].is_some() && (scenario.reached[N].1)(scenario, world)
}

impl Model for Scenario {
    type State = World;
    type Action = Action;

    fn init_states(&self) -> Vec<World> {
        let mut world = World::new(self);
        self.start(&mut world, Event { at: 0, kind: Kind::Create { n: 0, request: 0 } });
        vec![world]
    }

    fn actions(&self, world: &World, actions: &mut Vec<Action>) {
        self.possible_actions(world, actions);
    }

    fn next_state(&self, world: &World, action: Action) -> Option<World> {
        let mut next = world.clone();
        self.apply_action(&mut next, action)?;
        next.sort();
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let noted: [Holds; NOTED.len()] = noted!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20);
        let reached: [Holds; 6] = [reached::<0>, reached::<1>, reached::<2>, reached::<3>, reached::<4>, reached::<5>];
        assert!(self.reached.len() <= reached.len());
        let noted = NOTED.into_iter().zip(noted).map(|(name, holds)| Property::always(name, holds));
        let always = ALWAYS.into_iter().map(|(name, holds)| Property::always(name, holds));
        let reached = self.reached.iter().zip(reached).map(|((name, _), holds)| Property::sometimes(name, holds));
        noted.chain(always).chain(reached).collect()
    }

    fn within_boundary(&self, world: &World) -> bool {
        world.now <= self.end
    }
}

impl Scenario {
    /// Searches all worlds, and fails on a broken rule, or a world that must be reached and is not.
    pub fn check(self, name: &str) {
        let start = Instant::now();
        let checker = self.checker().threads(2).finish_when(HasDiscoveries::AnyFailures);
        let checker = checker.target_state_count(MAX_STATES).spawn_bfs().join();
        let found = checker.discoveries();
        let complete = checker.state_count() < MAX_STATES;
        let (states, depth) = (checker.unique_state_count(), checker.max_depth());
        let (seconds, handlers) = (start.elapsed().as_secs_f64(), checker.model().tree.len());
        eprintln!("{name}: {states} states in {seconds:.1} s, depth {depth}; {handlers} handlers were run");
        for property in checker.model().properties() {
            let must_be_reached = property.expectation == Expectation::Sometimes;
            match found.get(property.name) {
                Some(path) if !must_be_reached => {
                    panic!("{name}: it does not hold that {}:\n{}", property.name, path_text(path.clone()));
                }
                None if must_be_reached && complete => panic!("{name}: it is never reached that {}", property.name),
                _ => {}
            }
        }
        assert!(complete, "{name}: more than {MAX_STATES} states");
    }
}

/// A path through the worlds: for each action the time, the rows, the next calls, and the action.
fn path_text(path: Path<World, Action>) -> String {
    let row = |row: &Execution| {
        let Execution { status, delivery_status, attempt, due_at, shadow_cleanup_pending, in_lane, .. } = row;
        let due = due_at.map(|due| due - CREATED_AT.as_seconds());
        let verdict = row.verdict.map(|verdict| verdict.reason);
        format!(
            "{status} {delivery_status} attempt {attempt} due {due:?} in shadow {shadow_cleanup_pending} \
             in lane {in_lane} {verdict:?}"
        )
    };
    let line = |(world, action): (World, Option<Action>)| {
        let rows: Vec<_> = world.rows.iter().flatten().map(|found| row(found)).collect();
        let calls: Vec<_> =
            world.handlers.iter().map(|handler| (&handler.node.event.kind, handler.node.asks())).collect();
        let wakes: Vec<_> = world.wakes.iter().map(|wake| (wake.n, wake.at)).collect();
        format!("{:>3} {rows:?} wakes {wakes:?} {calls:?}\n    -> {action:?}\n", world.now)
    };
    path.into_vec().into_iter().map(line).collect()
}
