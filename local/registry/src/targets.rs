//! What other services need to know of targets: ARNs, things, members of groups, and whether any of it has changed.

use std::collections::BTreeSet;
use std::sync::PoisonError;

use tokio::sync::watch;

use super::Registry;

impl Registry {
    /// `arn:aws:iot:<region>:<account>:<kind>/<name>`
    pub fn arn(&self, kind: &str, name: &str) -> String {
        self.0.scope.arn(kind, name)
    }

    /// The name in an ARN; `None` if its kind, Region or account differs.
    pub fn name_in_arn<'a>(&self, kind: &str, arn: &'a str) -> Option<&'a str> {
        self.0.scope.name_in(kind, arn)
    }

    /// Whether there is a thing of this name.
    pub fn has_thing(&self, name: &str) -> bool {
        self.0.store.read().unwrap_or_else(PoisonError::into_inner).things.contains_key(name)
    }

    /// The name of the group with this id.
    pub fn group_with_id(&self, id: &str) -> Option<String> {
        self.read(|store, _| {
            let found = store.groups.iter().find(|(_, group)| group.id == id);
            found.map(|(name, _)| name.clone())
        })
    }

    /// The things of a group and of the groups below it; `None` if there is no such group.
    pub fn things_below_group(&self, group: &str) -> Option<BTreeSet<String>> {
        self.read(|store, _| {
            store.groups.contains_key(group).then(|| {
                let groups = store.subtree(group);
                let groups = groups.into_iter().filter_map(|name| store.groups.get(name));
                groups.flat_map(|group| group.things.iter().cloned()).collect()
            })
        })
    }

    /// A number that grows with each request that may have changed the registry.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.0.changes.subscribe()
    }
}
