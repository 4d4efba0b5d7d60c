//! What is kept over a restart, and what a device does with it.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::cache::{Again, Cache, Entry, State};
use super::held::Held;
use super::{Action, Agent, BadSnapshot, Config, Outcome};

/// What is kept.
#[derive(Serialize, Deserialize)]
struct Memory {
    entries: Vec<Entry>,
    held: Vec<Held>,
}

impl Memory {
    fn read(snapshot: Value) -> Result<Self, serde_json::Error> {
        match snapshot {
            // As it was kept before there were broadcasts.
            Value::Array(_) => Ok(Self { entries: serde_json::from_value(snapshot)?, held: Vec::new() }),
            _ => serde_json::from_value(snapshot),
        }
    }
}

impl Agent {
    /// A device that was restarted. What ran when the snapshot was taken did not end: it has FAILED, or is started once
    /// more when it is declared safe to repeat and its time has not passed. Answers on their way may be lost, so all are
    /// given again.
    pub fn restore(config: Config, snapshot: Value, now_ms: i64) -> Result<(Self, Vec<Action>), BadSnapshot> {
        let Memory { entries, held } = Memory::read(snapshot)?;
        let mut agent = Self { cache: Cache::new(entries), held, ..Self::new(config) };
        let mut starts = Vec::new();
        for entry in agent.cache.entries_mut().filter(|e| e.is_running()) {
            let in_time = |again: &Again| now_ms < again.expires_at_ms.saturating_add(agent.config.tolerance_ms);
            match &mut entry.state {
                State::Running { seq, heartbeat_ms, next_beat_ms, again: Some(again) } if in_time(again) => {
                    *seq = seq.saturating_add(beats_since(*next_beat_ms, *heartbeat_ms, now_ms)).saturating_add(1);
                    *next_beat_ms = now_ms.saturating_add(heartbeat_ms.unwrap_or(i64::MAX));
                    starts.push(Action::Start {
                        execution_id: entry.id.as_str().to_owned(),
                        attempt: entry.attempt,
                        command: again.command.clone(),
                        payload: again.payload.clone(),
                        expires_at_ms: again.expires_at_ms,
                    });
                }
                _ => entry.state = State::Ended(Outcome::failed("DEVICE_RESTARTED", "restarted while it ran")),
            }
        }
        let mut actions = agent.on_session_lost();
        actions.extend(starts);
        Ok((agent, actions))
    }

    /// What to keep over a restart, for [`Agent::restore`].
    pub fn snapshot(&self) -> Value {
        let (entries, held) = (self.cache.entries().to_vec(), self.held.clone());
        serde_json::to_value(Memory { entries, held }).unwrap_or_default()
    }
}

/// The most heartbeats that can have been sent since the snapshot was taken, so that their number goes on growing.
fn beats_since(next_beat_ms: i64, heartbeat_ms: Option<i64>, now_ms: i64) -> u32 {
    let Some(every) = heartbeat_ms else { return 0 };
    let since = now_ms.saturating_sub(next_beat_ms);
    let beats = if since < 0 { 0 } else { 1 + since / every.max(1) };
    u32::try_from(beats).unwrap_or(u32::MAX)
}
