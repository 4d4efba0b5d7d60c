//! Which things are in which groups.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::json;

use super::error::Error;
use super::groups::page_of_groups;
use super::http::Outcome;
use super::paging::Paging;
use super::store::{Call, Site, Store};

/// How many groups a thing may be put into.
const MOST_GROUPS: usize = 10;

/// One thing and one group, each by name or ARN.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Membership {
    thing_group_name: Option<String>,
    thing_group_arn: Option<String>,
    thing_name: Option<String>,
    thing_arn: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct UpdateThingGroupsForThing {
    thing_name: String,
    thing_groups_to_add: Option<Vec<String>>,
    thing_groups_to_remove: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ListThingsInThingGroup {
    thing_group_name: String,
    #[serde(default)]
    recursive: bool,
    #[serde(flatten)]
    paging: Paging,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ListThingGroupsForThing {
    thing_name: String,
    #[serde(flatten)]
    paging: Paging,
}

impl Membership {
    /// The names of the thing and the group.
    fn names(self, site: &Site) -> Result<(String, String), Error> {
        let thing = one(site, "thing", self.thing_name, self.thing_arn)?;
        let group = one(site, "thinggroup", self.thing_group_name, self.thing_group_arn)?;
        Ok((thing, group))
    }
}

fn one(site: &Site, kind: &str, name: Option<String>, arn: Option<String>) -> Result<String, Error> {
    let from_arn = match &arn {
        Some(arn) => {
            let name = site.name_in(kind, arn);
            Some(name.ok_or_else(|| Error::invalid(format!("{arn} is not the ARN of a {kind} here")))?.to_owned())
        }
        None => None,
    };
    match (name, from_arn) {
        (Some(name), Some(other)) if name != other => {
            Err(Error::invalid(format!("The {kind}'s name and ARN are of two: {name} and {other}")))
        }
        (Some(name), _) | (None, Some(name)) => Ok(name),
        (None, None) => Err(Error::invalid(format!("The {kind}'s name or ARN is missing"))),
    }
}

impl Store {
    pub(super) fn add_thing_to_thing_group(&mut self, call: &Call<'_>, request: Membership) -> Outcome {
        let (thing, group) = request.names(call.site)?;
        self.regroup(&thing, &[group], &[])
    }

    /// Removing a thing from a group that it is not in succeeds.
    pub(super) fn remove_thing_from_thing_group(&mut self, call: &Call<'_>, request: Membership) -> Outcome {
        let (thing, group) = request.names(call.site)?;
        self.regroup(&thing, &[], &[group])
    }

    pub(super) fn update_thing_groups_for_thing(
        &mut self,
        _: &Call<'_>,
        request: UpdateThingGroupsForThing,
    ) -> Outcome {
        let add = request.thing_groups_to_add.unwrap_or_default();
        let remove = request.thing_groups_to_remove.unwrap_or_default();
        if let Some(both) = add.iter().find(|group| remove.contains(group)) {
            return Err(Error::invalid(format!("Thing group {both} is both to be added and to be removed")));
        }
        self.regroup(&request.thing_name, &add, &remove)
    }

    /// Puts a thing into groups and out of others: all of it, or nothing.
    pub(super) fn regroup(&mut self, thing: &str, add: &[String], remove: &[String]) -> Outcome {
        let mut groups = self.thing(thing)?.groups.clone();
        for name in add.iter().chain(remove) {
            self.group(name)?;
        }
        groups.retain(|group| !remove.contains(group));
        groups.extend(add.iter().cloned());
        if groups.len() > MOST_GROUPS {
            return Err(Error::invalid(format!("Thing {thing} would exceed the limit of {MOST_GROUPS} thing groups")));
        }
        let mut roots = BTreeSet::new();
        for group in &groups {
            if !roots.insert(self.root(group)?) {
                let message = format!("Thing {thing} can not be in more than one group of the same hierarchy: {group}");
                return Err(Error::invalid(message));
            }
        }
        for name in remove {
            self.group_mut(name)?.things.remove(thing);
        }
        for name in add {
            self.group_mut(name)?.things.insert(thing.to_owned());
        }
        self.thing_mut(thing)?.groups = groups;
        Ok(json!({}))
    }

    fn root<'a>(&'a self, group: &'a str) -> Result<&'a str, Error> {
        let ancestors = self.ancestors(self.group(group)?);
        Ok(ancestors.last().map_or(group, |(name, _)| name.as_str()))
    }

    pub(super) fn list_things_in_thing_group(&self, _: &Call<'_>, request: ListThingsInThingGroup) -> Outcome {
        let name = &request.thing_group_name;
        self.group(name)?;
        let groups = if request.recursive { self.subtree(name) } else { BTreeSet::from([name.as_str()]) };
        let groups = groups.into_iter().filter_map(|name| self.groups.get(name));
        let (things, next_token) = request.paging.of_sets(groups.map(|group| &group.things))?;
        Ok(json!({ "things": things, "nextToken": next_token }))
    }

    /// The thing's groups and all groups above them.
    pub(super) fn list_thing_groups_for_thing(&self, call: &Call<'_>, request: ListThingGroupsForThing) -> Outcome {
        let mut names = BTreeSet::new();
        for (name, group) in
            self.thing(&request.thing_name)?.groups.iter().filter_map(|name| self.groups.get_key_value(name))
        {
            names.insert(name.as_str());
            names.extend(self.ancestors(group).map(|(name, _)| name.as_str()));
        }
        page_of_groups(call.site, &request.paging, names)
    }
}
