//! Commands for several things: what they target, and who is meant.

use std::collections::BTreeSet;

use local::registry::Registry;
use serde_json::{Value, json};

use super::{CommandPlan, Scenario, ThingConfig, command};
use crate::random::Random;

/// The group of all things but the bystander; every second one is in its child group.
pub const GROUP: &str = "pumps";
const CHILD_GROUP: &str = "pumps-hall-2";

impl Scenario {
    /// Whether a command is for several things.
    pub fn has_fleet(&self) -> bool {
        self.commands.iter().any(|command| command.is_fleet)
    }

    /// Adds the things to the registry, and to their groups.
    pub fn register(&self, registry: &Registry) {
        if !self.has_fleet() {
            return;
        }
        registry.add_group(GROUP, None).expect("a valid group");
        registry.add_group(CHILD_GROUP, Some(GROUP)).expect("a valid group");
        for (number, thing) in self.group_members().iter().enumerate() {
            let group = if number % 2 == 1 { CHILD_GROUP } else { GROUP };
            registry.add_things(group, &[&thing.name]).expect("a valid thing");
        }
    }

    fn group_members(&self) -> &[ThingConfig] {
        &self.things[..self.things.len() - usize::from(self.has_bystander)]
    }
}

impl CommandPlan {
    /// Draws a command for several things: `things` are those of the group.
    pub fn draw_fleet(seed: u64, number: usize, things: &[ThingConfig], random: &mut Random) -> Self {
        // The members that commands for one thing have too: deadlines, delivery, heartbeat, retry.
        let mut plan = Self::draw(seed, number, things, random);
        let body = plan.body.as_object_mut().expect("a body is an object");
        for member in ["shadow", "waitSeconds", "supersede", "payload"] {
            body.remove(member);
        }
        let names = || things.iter().map(|thing| thing.name.clone());
        let mut meant: BTreeSet<String> = names().collect();
        let delivery = *random.pick(&["topic", "auto", "direct", "broadcast"]);
        body.insert("delivery".into(), delivery.into());
        if delivery == "broadcast" {
            body.insert("target".into(), json!({"groups": [GROUP]}));
            body.remove("retry");
            body.remove("lane");
        } else {
            let excluded: Vec<String> = names().skip(1).filter(|_| random.chance(300)).collect();
            meant.retain(|name| !excluded.contains(name));
            let listed: Vec<String> = names().filter(|_| random.chance(700)).collect();
            let mut target = match random.below(3) {
                0 if listed.len() > 1 && listed.iter().any(|name| meant.contains(name)) => {
                    meant.retain(|name| listed.contains(name));
                    json!({"things": listed})
                }
                // A thing that is in the target twice gets the command once.
                1 => json!({"things": [things[0].name], "groups": [GROUP]}),
                _ => json!({"groups": [GROUP]}),
            };
            if !excluded.is_empty() {
                target["exclude"] = json!(excluded);
            }
            body.insert("target".into(), target);
            if random.chance(300) {
                body.insert("rollout".into(), json!({"maximumPerMinute": *random.pick(&[60, 300, 6000])}));
            }
            if body.contains_key("retry") {
                // In a shadow, which `auto` may choose, a request is for less than its ttl.
                let ttl = body.get("ttl").and_then(Value::as_i64).unwrap_or_default();
                match (ttl - 5).max(1) - 1 {
                    0 => drop(body.remove("retry")),
                    longest => drop(body.insert("retry".into(), command::draw_retry(longest, random))),
                }
            }
        }
        Self { is_fleet: true, meant, ..plan }
    }
}
