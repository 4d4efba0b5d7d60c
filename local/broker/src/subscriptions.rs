//! All subscriptions of all sessions, in a tree of topic levels: finds the recipients of a message.

use std::cell::Cell;
use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::ClientId;
use super::topic::Filter;

/// Options of one client's subscription to one filter.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SubscriptionOptions {
    pub(super) qos: u8,
    pub(super) no_local: bool,
    pub(super) retain_as_published: bool,
}

/// A client that receives one copy of a message, with the merged options of its matching subscriptions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Recipient {
    pub(super) client: ClientId,
    pub(super) qos: u8,
    pub(super) retain_as_published: bool,
}

/// A node of the tree. Wildcards are stored as ordinary levels.
#[derive(Debug, Default)]
pub(super) struct SubscriptionTree {
    children: HashMap<Box<str>, SubscriptionTree>,
    subscribers: Option<Box<Subscribers>>,
}

#[derive(Debug, Default)]
struct Subscribers {
    each: HashMap<ClientId, SubscriptionOptions>,
    groups: HashMap<Box<str>, SharedGroup>,
}

/// A shared subscription: each message goes to one member, round-robin.
#[derive(Debug, Default)]
struct SharedGroup {
    members: Vec<(ClientId, SubscriptionOptions)>,
    next: Cell<usize>,
}

impl SubscriptionTree {
    /// Adds a subscription. False when it replaces the client's earlier subscription to the same filter.
    pub(super) fn insert(&mut self, filter: Filter<'_>, client: &ClientId, options: SubscriptionOptions) -> bool {
        let mut node = self;
        for level in filter.pattern.split('/') {
            if !node.children.contains_key(level) {
                node.children.insert(level.into(), SubscriptionTree::default());
            }
            let Some(child) = node.children.get_mut(level) else { return false };
            node = child;
        }
        let subscribers = node.subscribers.get_or_insert_default();
        match filter.group {
            None => subscribers.each.insert(client.clone(), options).is_none(),
            Some(group) => subscribers.groups.entry(group.into()).or_default().insert(client, options),
        }
    }

    /// The options of a client's subscription to a filter.
    pub(super) fn options(&self, filter: Filter<'_>, client: &str) -> Option<SubscriptionOptions> {
        let node = filter.pattern.split('/').try_fold(self, |node, level| node.children.get(level))?;
        let subscribers = node.subscribers.as_ref()?;
        match filter.group {
            None => subscribers.each.get(client).cloned(),
            Some(group) => {
                let members = &subscribers.groups.get(group)?.members;
                members.iter().find(|(member, _)| &**member == client).map(|(_, options)| options.clone())
            }
        }
    }

    /// Removes a subscription. False when there is none.
    pub(super) fn remove(&mut self, filter: Filter<'_>, client: &str) -> bool {
        self.remove_below(Some(filter.pattern), filter.group, client)
    }

    fn remove_below(&mut self, levels: Option<&str>, group: Option<&str>, client: &str) -> bool {
        let Some(levels) = levels else {
            let Some(subscribers) = &mut self.subscribers else { return false };
            let removed = subscribers.remove(group, client);
            if subscribers.each.is_empty() && subscribers.groups.is_empty() {
                self.subscribers = None;
            }
            return removed;
        };
        let (level, rest) = split_first_level(levels);
        let Some(child) = self.children.get_mut(level) else { return false };
        let removed = child.remove_below(rest, group, client);
        if child.children.is_empty() && child.subscribers.is_none() {
            self.children.remove(level);
        }
        removed
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.children.is_empty() && self.subscribers.is_none()
    }

    /// The recipients of a message, each client once. A shared subscription prefers members that are `online`.
    pub(super) fn recipients(
        &self,
        topic: &str,
        publisher: Option<&str>,
        online: impl Fn(&str) -> bool,
    ) -> Vec<Recipient> {
        let mut found = Vec::new();
        self.collect_subscribers(Some(topic), topic.starts_with('$'), &mut found);
        let mut recipients = Vec::new();
        for subscribers in &found {
            let own = subscribers.each.iter().filter(|(client, o)| !(o.no_local && publisher == Some(&***client)));
            recipients.extend(own.map(|(client, options)| Recipient::new(client, options)));
            let shared = subscribers.groups.values().filter_map(|group| group.choose_member(&online));
            recipients.extend(shared.map(|(client, options)| Recipient::new(client, options)));
        }
        let several = found.len() > 1 || found.first().is_some_and(|s| !s.groups.is_empty());
        if several { merge_recipients(recipients) } else { recipients }
    }

    fn collect_subscribers<'a>(&'a self, levels: Option<&str>, reserved: bool, found: &mut Vec<&'a Subscribers>) {
        let Some(levels) = levels else {
            found.extend(self.subscribers.as_deref());
            return;
        };
        let (level, rest) = split_first_level(levels);
        if let Some(child) = self.children.get(level) {
            child.collect_subscribers(rest, false, found);
        }
        if reserved {
            return;
        }
        if let Some(child) = self.children.get("+") {
            child.collect_subscribers(rest, false, found);
        }
        if let Some(child) = self.children.get("#") {
            found.extend(child.subscribers.as_deref());
        }
    }
}

impl Subscribers {
    fn remove(&mut self, group: Option<&str>, client: &str) -> bool {
        let Some(name) = group else { return self.each.remove(client).is_some() };
        let Some(group) = self.groups.get_mut(name) else { return false };
        let before = group.members.len();
        group.members.retain(|(member, _)| &**member != client);
        let removed = group.members.len() < before;
        if group.members.is_empty() {
            self.groups.remove(name);
        }
        removed
    }
}

impl SharedGroup {
    fn insert(&mut self, client: &ClientId, options: SubscriptionOptions) -> bool {
        match self.members.iter_mut().find(|(member, _)| member == client) {
            Some((_, old)) => {
                *old = options;
                false
            }
            None => {
                self.members.push((client.clone(), options));
                true
            }
        }
    }

    fn choose_member(&self, online: impl Fn(&str) -> bool) -> Option<&(ClientId, SubscriptionOptions)> {
        let start = self.next.get().checked_rem(self.members.len())?;
        let (before, after) = self.members.split_at_checked(start)?;
        let in_turn = || after.iter().chain(before).enumerate();
        let (index, chosen) = in_turn().find(|(_, (client, _))| online(client)).or_else(|| in_turn().next())?;
        self.next.set(start + index + 1);
        Some(chosen)
    }
}

impl Recipient {
    fn new(client: &ClientId, options: &SubscriptionOptions) -> Self {
        Self { client: client.clone(), qos: options.qos, retain_as_published: options.retain_as_published }
    }
}

fn split_first_level(levels: &str) -> (&str, Option<&str>) {
    match levels.split_once('/') {
        Some((level, rest)) => (level, Some(rest)),
        None => (levels, None),
    }
}

/// Merges overlapping subscriptions of a client into one copy, at the highest QoS.
fn merge_recipients(recipients: Vec<Recipient>) -> Vec<Recipient> {
    let mut positions: HashMap<ClientId, usize> = HashMap::with_capacity(recipients.len());
    let mut merged: Vec<Recipient> = Vec::with_capacity(recipients.len());
    for recipient in recipients {
        match positions.get(&recipient.client).and_then(|position| merged.get_mut(*position)) {
            Some(first) => {
                first.qos = first.qos.max(recipient.qos);
                first.retain_as_published |= recipient.retain_as_published;
            }
            None => {
                positions.insert(recipient.client.clone(), merged.len());
                merged.push(recipient);
            }
        }
    }
    merged
}
