//! Topic aliases of one connection: numbers that an MQTT 5 client sends instead of topics (MQTT 5, 3.3.2.3.4).

use std::collections::BTreeMap;

use crate::codec::reason;
use crate::limits;

/// The topics by alias. They end with the connection, also where its session goes on.
#[derive(Default)]
pub(super) struct TopicAliases(BTreeMap<u16, String>);

impl TopicAliases {
    /// The topic of a PUBLISH: its own, which its alias stands for from now on, or that of its alias. The error holds a
    /// cause and the reason code of the DISCONNECT.
    pub(super) fn resolve(&mut self, topic: String, alias: Option<u16>) -> Result<String, (&'static str, u8)> {
        let Some(alias) = alias else { return Ok(topic) };
        if !(1..=limits::MAX_TOPIC_ALIASES).contains(&alias) {
            return Err(("a topic alias that is not between 1 and 8", reason::TOPIC_ALIAS_INVALID));
        }
        if topic.is_empty() {
            let known = self.0.get(&alias).cloned();
            return known.ok_or(("a topic alias that stands for no topic", reason::PROTOCOL_ERROR));
        }
        self.0.insert(alias, topic.clone());
        Ok(topic)
    }
}
