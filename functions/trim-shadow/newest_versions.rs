//! The newest version of each shadow that this process has published, since messages overtake each other.

use std::{collections::HashMap, sync::Mutex};

use domain::{ShadowName, ThingName, Timestamp};

type Shadow = (ThingName, Option<ShadowName>);

/// A bounded memory. After it is cleared, an overtaken message may be published; the device sees its version.
#[derive(Debug, Default)]
pub struct NewestVersions(Mutex<HashMap<Shadow, (u64, Timestamp)>>);

impl NewestVersions {
    const MAX_SHADOWS: usize = 10_000;
    /// The longest time by which a message overtakes another one, in seconds. Versions start again when a shadow was
    /// deleted, so that an older version after this time belongs to a new shadow.
    const MAX_REORDER_SECONDS: u32 = 600;

    /// Records this version and returns true, unless a newer one was recorded before.
    pub fn record(&self, thing: ThingName, shadow: Option<ShadowName>, version: u64, at: Timestamp) -> bool {
        let mut newest = self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let shadow = (thing, shadow);
        if let Some(&(recorded, recorded_at)) = newest.get(&shadow)
            && version < recorded
            && at <= recorded_at.plus_seconds(Self::MAX_REORDER_SECONDS)
        {
            return false;
        }
        if newest.len() >= Self::MAX_SHADOWS && !newest.contains_key(&shadow) {
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
    fn an_overtaken_version_is_refused() {
        let newest = NewestVersions::default();
        let (thing, at) = (ThingName::parse("pump-7").unwrap(), Timestamp::from_seconds(1_700_000_000));
        let record = |version, at| newest.record(thing.clone(), None, version, at);
        assert!(record(7, at));
        assert!(record(9, at));
        assert!(!record(8, at.plus_seconds(1)));
        assert!(record(9, at), "a retry of the newest version");
        assert!(newest.record(thing.clone(), ShadowName::parse("cmd").ok(), 1, at), "another shadow");
        assert!(record(1, at.plus_seconds(601)), "a new shadow of the same name");
    }

    #[test]
    fn the_memory_is_bounded() {
        let newest = NewestVersions::default();
        for n in 0..(NewestVersions::MAX_SHADOWS + 5) {
            let thing = ThingName::parse(&format!("thing-{n}")).unwrap();
            assert!(newest.record(thing, None, 1, Timestamp::default()));
        }
        assert!(newest.0.lock().unwrap().len() <= NewestVersions::MAX_SHADOWS);
    }
}
