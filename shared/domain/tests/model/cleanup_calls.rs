//! The calls of a handler that cleans up a shadow after the end of an execution.

use domain::NextAction;

use super::{
    call::Call,
    handler::{Handler, actor},
    scenario::{Scenario, at},
    world::World,
    world_rules,
};

impl Handler {
    pub fn cleanup_call(mut self, world: &mut World, scenario: &Scenario) -> Option<Self> {
        match self.call.clone() {
            Call::ReadShadow { .. } => {
                let document = world.shadow.read().map(Into::into);
                self.to(Call::CleanShadow(document))
            }
            Call::CleanShadow(document) => {
                let route = self.row.channel.shadow()?;
                let payload = scenario.commands[self.n].definition.payload.as_ref();
                let update = route.removal_update(&self.row.key, payload, document.as_deref()).unwrap();
                let foreign = world.shadow.has_foreign();
                if update.is_none_or(|update| world.shadow.update(&update)) {
                    let removed = foreign && !world.shadow.has_foreign();
                    world.report_violation(removed.then_some(world_rules::FOREIGN_ENTRIES));
                    self.after_shadow()
                } else {
                    self.to(Call::ReadShadow { again: true })
                }
            }
            Call::WriteCleanedUp => {
                let NextAction::CleanUp { then, .. } = self.row.next_action(at(self.since), &actor()) else {
                    return self.next_action();
                };
                self.write(world, &then);
                self.next_action()
            }
            _ => None,
        }
    }

    fn after_shadow(mut self) -> Option<Self> {
        if std::mem::take(&mut self.cleans_before_end) {
            return self.to(Call::Finish { shadow_cleaned: true });
        }
        let in_lane = self.row.in_lane;
        self.to(if in_lane { Call::ReadToLeave } else { Call::WriteCleanedUp })
    }

    /// Cleans up after an execution that this handler has superseded, without sending the next one of its lane.
    pub fn clean_up_alone(&self, world: &mut World, scenario: &Scenario, n: usize) {
        self.clean_shadow_alone(world, scenario, n);
        let row = world.row(n);
        if let NextAction::CleanUp { then, .. } = row.next_action(at(self.since), &actor()) {
            world.queue = world.queue.left(&row.key.id).unwrap_or_else(|| world.queue.clone());
            world.write(n, &then, self.since);
        }
    }

    /// Removes the request of another execution of the lane from its shadow.
    pub fn clean_shadow_alone(&self, world: &mut World, scenario: &Scenario, n: usize) {
        let row = world.row(n);
        if let Some(route) = row.channel.shadow().filter(|_| row.shadow_cleanup_pending) {
            let document = world.shadow.read();
            let update = route.removal_update(&row.key, scenario.desired_state(n), document.as_deref()).unwrap();
            update.map(|update| world.shadow.update(&update));
        }
    }
}
