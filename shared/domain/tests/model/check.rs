//! Searches all worlds of a scenario: reports how one came to break a rule, and which worlds were never reached.

use std::time::Instant;

use domain::Execution;
use stateright::{Checker, Expectation, HasDiscoveries, Model, Path, Property};

use super::{
    action::Action,
    scenario::{CREATED_AT, Scenario},
    world::World,
    world_rules::{ALWAYS, NOTED},
};

/// A scenario with more states takes too long.
const MAX_STATES: usize = 6_000_000;

impl Model for Scenario {
    type State = World;
    type Action = Action;

    fn init_states(&self) -> Vec<World> {
        vec![World::new(self)]
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
        let noted: [fn(&Self, &World) -> bool; 9] = [
            |_, world| world.violation != Some(NOTED[0]),
            |_, world| world.violation != Some(NOTED[1]),
            |_, world| world.violation != Some(NOTED[2]),
            |_, world| world.violation != Some(NOTED[3]),
            |_, world| world.violation != Some(NOTED[4]),
            |_, world| world.violation != Some(NOTED[5]),
            |_, world| world.violation != Some(NOTED[6]),
            |_, world| world.violation != Some(NOTED[7]),
            |_, world| world.violation != Some(NOTED[8]),
        ];
        let noted = NOTED.into_iter().zip(noted).map(|(name, holds)| Property::always(name, holds));
        let always = ALWAYS.into_iter().map(|(name, holds)| Property::always(name, holds));
        let reached = self.reached.iter().map(|(name, holds)| Property::sometimes(name, *holds));
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
        eprintln!("{name}: {states} states in {:?}, depth {depth}", start.elapsed());
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
        let calls: Vec<_> = world.handlers.iter().map(|handler| &handler.call).collect();
        format!("{:>3} {rows:?} {calls:?}\n    -> {action:?}\n", world.now)
    };
    path.into_vec().into_iter().map(line).collect()
}
