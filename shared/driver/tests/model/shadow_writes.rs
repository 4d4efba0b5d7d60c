//! Writes of the shadow by the driver: requests and removals, and those that AWS applies late.

use std::sync::Arc;

use calls::ShadowWriteOutcome;
use domain::ShadowUpdate;
use serde_json::Value;

use super::{
    answers::Sending,
    call::Answer,
    scenario::{LATE_WRITE_SECONDS, MAX_HANDLER_SECONDS, Scenario},
    shadow::LateWrite,
    world::World,
    world_rules,
};

impl World {
    /// Updates the shadow.
    pub fn update_shadow(&mut self, scenario: &Scenario, since: i64, update: &ShadowUpdate) -> Answer {
        let Some(Sending { n, attempt, .. }) = scenario.delivered_by(update) else {
            let foreign = self.shadow.has_foreign();
            let updated = self.shadow.update(update);
            let removed = foreign && !self.shadow.has_foreign();
            self.report_violation(removed.then_some(world_rules::FOREIGN_ENTRIES));
            if updated {
                self.repeat_delta(None);
            }
            return Answer::Shadow(if updated { ShadowWriteOutcome::Applied } else { ShadowWriteOutcome::Conflict });
        };
        let attempt = attempt.unwrap_or_else(|| self.rows[n].as_ref().map_or(1, |row| row.attempt));
        self.send(n, attempt, since);
        self.sent[n].slow = self.now > since;
        self.shadow.update(update);
        self.repeat_delta(Some(n));
        if scenario.is_state(n) {
            self.forward_reported(scenario);
        }
        Answer::Shadow(ShadowWriteOutcome::Applied)
    }

    /// AWS applies a write of a request only later.
    pub fn delay_write(&mut self, update: &ShadowUpdate, n: usize, attempt: u16, since: i64) {
        let body: Value = serde_json::from_slice(&update.body).unwrap();
        let until = since + MAX_HANDLER_SECONDS + LATE_WRITE_SECONDS;
        self.late_write = Some(LateWrite { n, attempt, state: Arc::new(body["state"].clone()), until });
        self.sent[n].maybe_delivered = true;
    }

    /// AWS applies a write whose caller has given up.
    pub fn apply_late_write(&mut self) {
        if let Some(LateWrite { n, attempt, state, .. }) = self.late_write.take() {
            self.shadow.merge(&state);
            self.sent[n].attempt = self.sent[n].attempt.max(attempt);
            self.sent[n].times += 1;
        }
    }
}
