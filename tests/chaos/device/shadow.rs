//! How a device handles its shadows: requests of the map and Atlas dialects, and desired states.

use serde_json::{Value, json};

use super::{Action, Device, OutgoingReport, Request, Timer};
use crate::{
    history::ReportedStatus,
    random::Random,
    scenario::{Dialect, StateShadow},
};

impl Device {
    /// Handles a whole shadow document.
    pub fn on_shadow_document(
        &mut self,
        topic: &str,
        document: &Value,
        now_ms: i64,
        random: &mut Random,
    ) -> Vec<Action> {
        let desired = &document["state"]["desired"];
        let reported = &document["state"]["reported"];
        if topic.contains("/name/config/") {
            return self.on_desired_state(desired, reported, random);
        }
        let mut actions = Vec::new();
        if !topic.contains("/name/") {
            if self.config.dialect == Some(Dialect::Atlas) {
                actions.extend(self.on_atlas_entries(desired, random));
            }
            if self.config.state_shadow == Some(StateShadow::Classic) {
                actions.extend(self.on_desired_state(desired, reported, random));
            }
            return actions;
        }
        for (id, entry) in desired["c"].as_object().into_iter().flatten() {
            let Some(attempt) = entry["attempt"].as_u64() else { continue };
            if self.memory.get(id).is_some_and(|known| known.request.attempt >= attempt) {
                continue;
            }
            if self.has_reported(id, &reported["c"][id]) {
                continue;
            }
            let request = Request {
                execution_id: id.clone(),
                command_id: None,
                attempt,
                expires_at: entry["expiresAt"].as_i64().unwrap_or(0),
                heartbeat: entry["heartbeat"].as_i64(),
                response_topic: format!("cmd/{}/resp", self.config.name),
            };
            actions.push(Action::RecordRequest(request.clone()));
            let request_text = json!({"executionId": id, "attempt": attempt}).to_string();
            actions.extend(self.on_request(request, request_text, true, now_ms, random));
        }
        actions
    }

    /// Whether this entry of the shadow is what the device would report of an execution that it does not begin again.
    /// Each report brings the next delta, so repeating it would have no end.
    fn has_reported(&self, id: &str, entry: &Value) -> bool {
        use ReportedStatus::{InProgress, Succeeded};
        if self.memory.get(id).is_none_or(|known| !matches!(known.status, InProgress | Succeeded)) {
            return false;
        }
        let report = json!({"state": {"reported": {"c": {id: entry}}}});
        serde_json::from_str::<Value>(&self.report(id).payload).is_ok_and(|said| said == report)
    }

    fn on_desired_state(&mut self, desired: &Value, reported: &Value, random: &mut Random) -> Vec<Action> {
        let mut state = desired.as_object().cloned().unwrap_or_default();
        // Commands of the Atlas dialect are no attribute.
        state.remove("command");
        let is_adopted = state.iter().all(|(name, value)| reported[name] == *value);
        let is_busy = self.pending_state.is_some();
        if is_adopted {
            return Vec::new();
        }
        self.pending_state = Some(state.into());
        let after_ms = random.between(1, self.config.max_run_ms);
        if is_busy { Vec::new() } else { vec![Action::SetTimer { after_ms, timer: Timer::AdoptState }] }
    }

    fn on_atlas_entries(&mut self, desired: &Value, random: &mut Random) -> Vec<Action> {
        let command = &desired["command"];
        let entries = command.as_array().into_iter().flatten().filter_map(Value::as_object);
        let mut actions = Vec::new();
        for topic in entries.filter_map(|entry| entry.values().next()?["topic"].as_str()) {
            // A real Atlas device runs an entry again with every delta. That fault of the device is not simulated.
            if self.atlas_topics.insert(topic.to_owned()) {
                actions.push(Action::StartRun { execution: id_in_topic(topic), attempt: None });
                let after_ms = random.between(1, self.config.max_run_ms);
                let timer = Timer::FinishAtlas { topic: topic.to_owned(), command: command.clone() };
                actions.push(Action::SetTimer { after_ms, timer });
            }
        }
        actions
    }

    pub(super) fn report_atlas(&self, topic: String, command: &Value) -> Action {
        let execution = id_in_topic(&topic);
        let name = &self.config.name;
        let (topic, payload) = match self.config.reports_in_shadow {
            true => (
                format!("$aws/things/{name}/shadow/update"),
                json!({"state": {"reported": {"command": command}}}).to_string(),
            ),
            false => (topic, json!({"msg": "done", "deviceId": name}).to_string()),
        };
        let status = ReportedStatus::Succeeded;
        Action::Send(OutgoingReport { topic, payload, execution, attempt: 1, status, is_named: true })
    }

    pub(super) fn report_state(&self, desired: &Value) -> Action {
        let name = if self.config.state_shadow == Some(StateShadow::Classic) { "" } else { "/name/config" };
        let topic = format!("$aws/things/{}/shadow{name}/update", self.config.name);
        let payload = json!({"state": {"reported": desired}}).to_string();
        let status = ReportedStatus::Succeeded;
        Action::Send(OutgoingReport { topic, payload, execution: String::new(), attempt: 1, status, is_named: false })
    }
}

/// The execution id at the end of an Atlas response topic.
fn id_in_topic(topic: &str) -> String {
    topic.rsplit('/').next().unwrap_or_default().to_owned()
}
