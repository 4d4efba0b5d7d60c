//! Members of thing groups: add, remove, list.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::json;

use super::error::Error;
use super::groups::page_of_groups;
use super::http::Outcome;
use super::paging::Paging;
use super::store::{Context, Scope, Store};

/// Maximum groups that a thing is a direct member of (AWS IoT Core quotas).
const MAX_GROUPS: usize = 10;

/// A thing and a group, each given by name or ARN.
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
    fn names(self, scope: &Scope) -> Result<(String, String), Error> {
        let thing = resolve_name(scope, "thing", self.thing_name, self.thing_arn)?;
        let group = resolve_name(scope, "thinggroup", self.thing_group_name, self.thing_group_arn)?;
        Ok((thing, group))
    }
}

fn resolve_name(scope: &Scope, kind: &str, name: Option<String>, arn: Option<String>) -> Result<String, Error> {
    let from_arn = match &arn {
        Some(arn) => {
            let name = scope.name_in(kind, arn);
            Some(
                name.ok_or_else(|| {
                    Error::invalid(format!("{arn} is not the ARN of a {kind} in this region and account"))
                })?
                .to_owned(),
            )
        }
        None => None,
    };
    match (name, from_arn) {
        (Some(name), Some(other)) if name != other => {
            Err(Error::invalid(format!("The {kind}'s name and ARN differ: {name} and {other}")))
        }
        (Some(name), _) | (None, Some(name)) => Ok(name),
        (None, None) => Err(Error::invalid(format!("The {kind}'s name or ARN is missing"))),
    }
}

impl Store {
    pub(super) fn add_thing_to_thing_group(&mut self, context: &Context<'_>, request: Membership) -> Outcome {
        let (thing, group) = request.names(context.scope)?;
        self.change_groups(&thing, &[group], &[])
    }

    /// Succeeds as well if the thing is not a member of the group.
    pub(super) fn remove_thing_from_thing_group(&mut self, context: &Context<'_>, request: Membership) -> Outcome {
        let (thing, group) = request.names(context.scope)?;
        self.change_groups(&thing, &[], &[group])
    }

    pub(super) fn update_thing_groups_for_thing(
        &mut self,
        _: &Context<'_>,
        request: UpdateThingGroupsForThing,
    ) -> Outcome {
        let add = request.thing_groups_to_add.unwrap_or_default();
        let remove = request.thing_groups_to_remove.unwrap_or_default();
        if let Some(both) = add.iter().find(|group| remove.contains(group)) {
            return Err(Error::invalid(format!(
                "Thing group {both} is in both thingGroupsToAdd and thingGroupsToRemove"
            )));
        }
        self.change_groups(&request.thing_name, &add, &remove)
    }

    /// Adds a thing to groups and removes it from groups; on an error nothing changes.
    pub(super) fn change_groups(&mut self, thing: &str, add: &[String], remove: &[String]) -> Outcome {
        let mut groups = self.thing(thing)?.groups.clone();
        for name in add.iter().chain(remove) {
            self.group(name)?;
        }
        groups.retain(|group| !remove.contains(group));
        groups.extend(add.iter().cloned());
        if groups.len() > MAX_GROUPS {
            return Err(Error::invalid(format!("Thing {thing} would exceed the limit of {MAX_GROUPS} thing groups")));
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

    pub(super) fn list_things_in_thing_group(&self, _: &Context<'_>, request: ListThingsInThingGroup) -> Outcome {
        let name = &request.thing_group_name;
        self.group(name)?;
        let groups = if request.recursive { self.subtree(name) } else { BTreeSet::from([name.as_str()]) };
        let groups = groups.into_iter().filter_map(|name| self.groups.get(name));
        let (things, next_token) = request.paging.page_of_union(groups.map(|group| &group.things))?;
        Ok(json!({ "things": things, "nextToken": next_token }))
    }

    /// The thing's groups and all their ancestors.
    pub(super) fn list_thing_groups_for_thing(
        &self,
        context: &Context<'_>,
        request: ListThingGroupsForThing,
    ) -> Outcome {
        let mut names = BTreeSet::new();
        for (name, group) in
            self.thing(&request.thing_name)?.groups.iter().filter_map(|name| self.groups.get_key_value(name))
        {
            names.insert(name.as_str());
            names.extend(self.ancestors(group).map(|(name, _)| name.as_str()));
        }
        page_of_groups(context.scope, &request.paging, names)
    }
}
