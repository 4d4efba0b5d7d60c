//! A device, as this project's own agent decides and no line of it: what it was asked it remembers through a loss of power,
//! runs once, and not after its time.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    dice::Dice,
    history::Said,
    mqtt::Connection,
    plan::{Dialect, Manner, Thing},
};

/// What the envelope says.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Request {
    pub execution_id: String,
    pub attempt: u64,
    pub expires_at: i64,
    pub heartbeat: Option<i64>,
    pub response_topic: String,
}

/// What it remembers.
struct Entry {
    request: Request,
    echo: String,
    /// It came in a shadow.
    in_shadow: bool,
    said: Said,
    seq: u64,
}

/// What it will do later, unless it loses power first.
#[derive(Clone, Debug)]
pub enum Wake {
    Beat(String, u64),
    Finish(String, u64, Said),
    /// An entry of the Atlas' dialect is done: its topic, and all that the shadow wished.
    Relay(String, serde_json::Value),
    /// It is as it was wished to be.
    Settle,
}

/// What it does.
pub enum Act {
    /// It has begun to run something.
    Run {
        execution: String,
        attempt: u64,
    },
    /// It was asked this, in a shadow.
    Got(Request),
    Say(Saying),
    Later {
        after_ms: i64,
        wake: Wake,
    },
}

/// A report.
#[derive(Clone, Debug)]
pub struct Saying {
    pub topic: String,
    pub payload: String,
    pub execution: String,
    pub attempt: u64,
    pub said: Said,
    pub named: bool,
}

pub struct Device {
    pub thing: Thing,
    pub connection: Option<Connection>,
    pub is_ready: bool,
    /// What it will not hear the acknowledgement of over this connection.
    pub unheard: Option<u16>,
    pub is_on: bool,
    /// Of its losses of power.
    pub life: u32,
    /// What it published and nobody acknowledged yet, by packet identifier.
    pub unacknowledged: BTreeMap<u16, Saying>,
    pub last_packet: u16,
    memory: BTreeMap<String, Entry>,
    canceled: BTreeSet<String>,
    relayed: BTreeSet<String>,
    /// What it is about to be.
    wished: Option<Value>,
}

impl Device {
    pub fn new(thing: Thing) -> Self {
        Self {
            thing,
            connection: None,
            is_ready: false,
            unheard: None,
            is_on: true,
            life: 0,
            unacknowledged: BTreeMap::new(),
            last_packet: 0,
            memory: BTreeMap::new(),
            canceled: BTreeSet::new(),
            relayed: BTreeSet::new(),
            wished: None,
        }
    }

    /// What it subscribes to.
    pub fn filters(&self) -> Vec<String> {
        let name = &self.thing.name;
        let mut filters = vec![format!("cmd/{name}/req"), format!("cmd/{name}/cancel")];
        for shadow in self.shadows() {
            filters.extend([format!("{shadow}/get/accepted"), format!("{shadow}/update/delta")]);
        }
        filters
    }

    /// The shadows that it looks into.
    pub fn shadows(&self) -> Vec<String> {
        let name = &self.thing.name;
        let commands = match self.thing.dialect {
            None => None,
            Some(Dialect::Map) => Some(format!("$aws/things/{name}/shadow/name/cmd")),
            Some(Dialect::Atlas) => Some(format!("$aws/things/{name}/shadow")),
        };
        let state = self.thing.has_state.then(|| format!("$aws/things/{name}/shadow/name/config"));
        commands.into_iter().chain(state).collect()
    }

    /// It is told to leave one alone.
    pub fn on_cancel(&mut self, execution: &str) {
        self.canceled.insert(execution.to_owned());
        if self.memory.get(execution).is_some_and(|entry| entry.said == Said::InProgress) {
            self.memory.remove(execution);
        }
    }

    /// It reads a whole shadow.
    pub fn on_document(&mut self, topic: &str, document: &Value, now_ms: i64, dice: &mut Dice) -> Vec<Act> {
        let desired = &document["state"]["desired"];
        if topic.contains("/name/config/") {
            let agrees = desired.as_object().is_none_or(|desired| {
                desired.iter().all(|(name, value)| document["state"]["reported"][name] == *value)
            });
            let busy = self.wished.is_some();
            if agrees {
                return Vec::new();
            }
            self.wished = Some(desired.clone());
            let after_ms = dice.between(1, self.thing.longest_run_ms);
            return if busy { Vec::new() } else { vec![Act::Later { after_ms, wake: Wake::Settle }] };
        }
        if self.thing.dialect == Some(Dialect::Atlas) {
            return self.on_relay(desired, dice);
        }
        let mut acts = Vec::new();
        for (id, entry) in desired["c"].as_object().into_iter().flatten() {
            let Some(attempt) = entry["attempt"].as_u64() else { continue };
            if self.memory.get(id).is_some_and(|known| known.request.attempt >= attempt) {
                continue;
            }
            let request = Request {
                execution_id: id.clone(),
                attempt,
                expires_at: entry["expiresAt"].as_i64().unwrap_or(0),
                heartbeat: entry["heartbeat"].as_i64(),
                response_topic: format!("cmd/{}/resp", self.thing.name),
            };
            acts.push(Act::Got(request.clone()));
            let echo = json!({"executionId": id, "attempt": attempt}).to_string();
            acts.extend(self.on_request(request, echo, true, now_ms, dice));
        }
        acts
    }

    fn on_relay(&mut self, desired: &Value, dice: &mut Dice) -> Vec<Act> {
        let command = &desired["command"];
        let entries = command.as_array().into_iter().flatten().filter_map(Value::as_object);
        let mut acts = Vec::new();
        for topic in entries.filter_map(|entry| entry.values().next()?["topic"].as_str()) {
            let execution = topic.rsplit('/').next().unwrap_or_default().to_owned();
            // Its own mistake, to run it again with every delta, is no matter of this.
            if self.relayed.insert(topic.to_owned()) {
                acts.push(Act::Run { execution, attempt: 1 });
                let after_ms = dice.between(1, self.thing.longest_run_ms);
                acts.push(Act::Later { after_ms, wake: Wake::Relay(topic.to_owned(), command.clone()) });
            }
        }
        acts
    }

    fn relay(&self, topic: String, command: &Value) -> Act {
        let execution = topic.rsplit('/').next().unwrap_or_default().to_owned();
        let name = &self.thing.name;
        let (topic, payload) = match self.thing.answers_in_shadow {
            true => (
                format!("$aws/things/{name}/shadow/update"),
                json!({"state": {"reported": {"command": command}}}).to_string(),
            ),
            false => (topic, json!({"msg": "done", "deviceId": name}).to_string()),
        };
        Act::Say(Saying { topic, payload, execution, attempt: 1, said: Said::Succeeded, named: true })
    }

    fn settle(&self, wished: &Value) -> Act {
        let topic = format!("$aws/things/{}/shadow/name/config/update", self.thing.name);
        let payload = json!({"state": {"reported": wished}}).to_string();
        Act::Say(Saying { topic, payload, execution: String::new(), attempt: 1, said: Said::Succeeded, named: false })
    }

    /// A request has arrived.
    pub fn on_request(
        &mut self,
        request: Request,
        echo: String,
        in_shadow: bool,
        now_ms: i64,
        dice: &mut Dice,
    ) -> Vec<Act> {
        let id = request.execution_id.clone();
        if self.canceled.contains(&id) {
            let known = self.memory.contains_key(&id);
            return if known { vec![Act::Say(self.answer(&id))] } else { Vec::new() };
        }
        if let Some(known) = self.memory.get(&id) {
            let again = request.attempt > known.request.attempt
                && matches!(known.said, Said::Failed | Said::TimedOut | Said::Rejected);
            if !again {
                return vec![Act::Say(self.answer(&id))];
            }
        }
        let expired = now_ms + self.thing.skew_ms >= request.expires_at * 1000;
        let said = match expired {
            true => Said::TimedOut,
            false if dice.chance(self.thing.rejects) => Said::Rejected,
            false => Said::InProgress,
        };
        let attempt = request.attempt;
        let heartbeat = request.heartbeat;
        self.memory.insert(id.clone(), Entry { request, echo, in_shadow, said, seq: 0 });
        if said != Said::InProgress {
            return vec![Act::Say(self.answer(&id))];
        }
        let mut acts = vec![Act::Run { execution: id.clone(), attempt }];
        if dice.chance(self.thing.talks) {
            acts.push(Act::Say(self.answer(&id)));
        }
        if let Some(heartbeat) = heartbeat {
            acts.push(Act::Later { after_ms: heartbeat * 1000, wake: Wake::Beat(id.clone(), attempt) });
        }
        let ended = if dice.chance(self.thing.succeeds) { Said::Succeeded } else { Said::Failed };
        let after_ms = dice.between(1, self.thing.longest_run_ms);
        acts.push(Act::Later { after_ms, wake: Wake::Finish(id, attempt, ended) });
        acts
    }

    /// A time has come.
    pub fn on_wake(&mut self, wake: Wake, dice: &mut Dice) -> Vec<Act> {
        let (id, attempt) = match &wake {
            Wake::Beat(id, attempt) | Wake::Finish(id, attempt, _) => (id.clone(), *attempt),
            Wake::Relay(topic, command) => return vec![self.relay(topic.clone(), command)],
            Wake::Settle => return self.wished.take().map(|wished| self.settle(&wished)).into_iter().collect(),
        };
        let (talks, forgets) = (self.thing.talks, self.thing.forgets);
        let Some(entry) = self.memory.get_mut(&id) else { return Vec::new() };
        if entry.request.attempt != attempt || entry.said != Said::InProgress {
            return Vec::new();
        }
        match wake {
            Wake::Beat(..) => {
                entry.seq += 1;
                let after_ms = entry.request.heartbeat.unwrap_or(60) * 1000;
                let mut acts = vec![Act::Later { after_ms, wake }];
                if dice.chance(talks) {
                    acts.push(Act::Say(self.answer(&id)));
                }
                acts
            }
            Wake::Finish(_, _, said) => {
                entry.said = said;
                match dice.chance(forgets) {
                    true => Vec::new(),
                    false => vec![Act::Say(self.answer(&id))],
                }
            }
            Wake::Relay(..) | Wake::Settle => Vec::new(),
        }
    }

    /// The power is gone.
    pub fn lose_power(&mut self) {
        self.is_on = false;
        self.life += 1;
        self.unacknowledged.clear();
        self.wished = None;
    }

    /// The power is back: what ran did not end, and everything is said again, since nobody knows what of it was heard.
    pub fn start(&mut self) -> Vec<Act> {
        self.is_on = true;
        for entry in self.memory.values_mut().filter(|entry| entry.said == Said::InProgress) {
            entry.said = Said::Failed;
        }
        if self.thing.manner == Manner::Bare {
            // Whoever says no more than a word had better say it once.
            return Vec::new();
        }
        let ids: Vec<String> = self.memory.keys().cloned().collect();
        ids.iter().map(|id| Act::Say(self.answer(id))).collect()
    }

    /// What there is to say about an execution.
    fn answer(&self, id: &str) -> Saying {
        let Entry { request, echo, in_shadow, said, seq } = &self.memory[id];
        let word = match said {
            Said::Succeeded => "SUCCESS",
            Said::Failed => "FAILURE",
            Said::InProgress => "RUNNING",
            other => other.status(),
        };
        let attempt = request.attempt;
        if *in_shadow && self.thing.answers_in_shadow {
            let mut body = json!({"attempt": attempt, "status": said.status()});
            if *said == Said::InProgress {
                body["seq"] = (*seq).into();
            }
            let payload = json!({"state": {"reported": {"c": {id: body}}}}).to_string();
            let topic = format!("$aws/things/{}/shadow/name/cmd/update", self.thing.name);
            return Saying { topic, payload, execution: id.to_owned(), attempt, said: *said, named: true };
        }
        let (topic, payload, says_attempt) = match self.thing.manner {
            Manner::Json => {
                let mut body = json!({"executionId": id, "attempt": attempt, "status": said.status()});
                match said {
                    Said::InProgress if *seq > 0 => body["seq"] = (*seq).into(),
                    Said::Succeeded => body["result"] = json!({"seq": seq}),
                    Said::InProgress => {}
                    _ => body["statusReason"] = json!({"reasonCode": "LOW_BATTERY"}),
                }
                (request.response_topic.clone(), body.to_string(), true)
            }
            Manner::Text => (request.response_topic.clone(), format!("{word} {id}"), false),
            Manner::Echo => {
                (request.response_topic.clone(), format!("{word}: command ran from payload: b'{echo}'"), true)
            }
            Manner::ById => (format!("{}/{id}", request.response_topic), word.to_owned(), false),
            Manner::Bare => (request.response_topic.clone(), word.to_owned(), false),
        };
        let named = self.thing.manner != Manner::Bare && (says_attempt || attempt == 1);
        Saying { topic, payload, execution: id.to_owned(), attempt, said: *said, named }
    }
}
