//! The newest version seen of each shadow, as far as this process remembers: messages overtake each other on their way.

use std::{collections::HashMap, sync::Mutex};

use domain::{ShadowName, ThingName, Timestamp};

type Shadow = (ThingName, Option<ShadowName>);

/// A small memory. What it forgets is published once more, which does no harm.
#[derive(Debug, Default)]
pub struct Newest(Mutex<HashMap<Shadow, (u64, Timestamp)>>);

impl Newest {
    const MOST: usize = 10_000;
    /// Versions begin again when a shadow was deleted long enough ago; no message is under way for longer than this.
    const OVERTAKING: u32 = 600;

    /// Remembers this version, unless a newer one is known: then it is old news.
    pub fn is_news(&self, thing: ThingName, shadow: Option<ShadowName>, version: u64, at: Timestamp) -> bool {
        let mut newest = self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let shadow = (thing, shadow);
        if let Some(&(seen, seen_at)) = newest.get(&shadow)
            && version < seen
            && at <= seen_at.plus_seconds(Self::OVERTAKING)
        {
            return false;
        }
        if newest.len() >= Self::MOST && !newest.contains_key(&shadow) {
            newest.clear();
        }
        newest.insert(shadow, (version, at));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_overtaken_is_no_news() {
        let newest = Newest::default();
        let (thing, at) = (ThingName::parse("pump-7").unwrap(), Timestamp::from_seconds(1_700_000_000));
        let is_news = |version, at| newest.is_news(thing.clone(), None, version, at);
        assert!(is_news(7, at));
        assert!(is_news(9, at));
        assert!(!is_news(8, at.plus_seconds(1)));
        assert!(is_news(9, at), "a retry of the newest is not older than itself");
        assert!(newest.is_news(thing.clone(), ShadowName::parse("cmd").ok(), 1, at), "each shadow has its own");
        assert!(is_news(1, at.plus_seconds(601)), "a shadow that was made anew");
    }

    #[test]
    fn the_memory_is_bounded() {
        let newest = Newest::default();
        for n in 0..(Newest::MOST + 5) {
            let thing = ThingName::parse(&format!("thing-{n}")).unwrap();
            assert!(newest.is_news(thing, None, 1, Timestamp::default()));
        }
        assert!(newest.0.lock().unwrap().len() <= Newest::MOST);
    }
}
