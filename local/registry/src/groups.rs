//! Thing groups and their tree.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::attributes::{AttributePayload, Attributes};
use super::check;
use super::error::Error;
use super::http::Outcome;
use super::paging::Paging;
use super::store::{Call, Site, Store, new_id, seconds};

/// Levels of a tree of groups, its root included.
const DEEPEST: usize = 7;
const MOST_CHILDREN: usize = 100;
const MOST_ATTRIBUTES: usize = 50;

#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Group {
    id: String,
    parent: Option<String>,
    description: Option<String>,
    attributes: Attributes,
    version: i64,
    created_ms: i64,
    /// The things that were put into this very group.
    pub things: BTreeSet<String>,
    /// The names of the policies attached to it.
    pub policies: BTreeSet<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Properties {
    thing_group_description: Option<String>,
    attribute_payload: Option<AttributePayload>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CreateThingGroup {
    thing_group_name: String,
    parent_group_name: Option<String>,
    thing_group_properties: Option<Properties>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ThingGroupNamed {
    thing_group_name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct UpdateThingGroup {
    thing_group_name: String,
    thing_group_properties: Properties,
    expected_version: Option<i64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DeleteThingGroup {
    thing_group_name: String,
    expected_version: Option<i64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ListThingGroups {
    parent_group: Option<String>,
    name_prefix_filter: Option<String>,
    recursive: Option<bool>,
    #[serde(flatten)]
    paging: Paging,
}

impl CreateThingGroup {
    pub(super) fn plain(thing_group_name: String, parent_group_name: Option<String>) -> Self {
        Self { thing_group_name, parent_group_name, thing_group_properties: None }
    }
}

impl Store {
    pub(super) fn group(&self, name: &str) -> Result<&Group, Error> {
        check::name("thingGroupName", name)?;
        self.groups.get(name).ok_or_else(|| no_group(name))
    }

    pub(super) fn group_mut(&mut self, name: &str) -> Result<&mut Group, Error> {
        check::name("thingGroupName", name)?;
        self.groups.get_mut(name).ok_or_else(|| no_group(name))
    }

    /// The group's ancestors, its parent first.
    pub(super) fn ancestors<'a>(&'a self, group: &'a Group) -> impl Iterator<Item = (&'a String, &'a Group)> {
        std::iter::successors(self.parent(group), |(_, group)| self.parent(group))
    }

    /// The group and everything below it.
    pub(super) fn subtree<'a>(&'a self, name: &'a str) -> BTreeSet<&'a str> {
        let mut tree = BTreeSet::from([name]);
        let mut unvisited = vec![name];
        while let Some(parent) = unvisited.pop() {
            unvisited.extend(self.children(parent).filter(|child| tree.insert(child)));
        }
        tree
    }

    fn parent<'a>(&'a self, group: &'a Group) -> Option<(&'a String, &'a Group)> {
        let name = group.parent.as_ref()?;
        self.groups.get(name).map(|group| (name, group))
    }

    fn children<'a>(&'a self, parent: &'a str) -> impl Iterator<Item = &'a str> {
        let children = self.groups.iter().filter(move |(_, group)| group.parent.as_deref() == Some(parent));
        children.map(|(name, _)| name.as_str())
    }

    pub(super) fn create_thing_group(&mut self, call: &Call<'_>, request: CreateThingGroup) -> Outcome {
        let name = request.thing_group_name;
        check::name("thingGroupName", &name)?;
        let properties = request.thing_group_properties.unwrap_or_default();
        let description = properties.thing_group_description;
        check::description("thingGroupDescription", description.as_deref().unwrap_or_default())?;
        let payload = properties.attribute_payload.unwrap_or_default();
        let attributes = payload.applied_to(&Attributes::new(), MOST_ATTRIBUTES)?;
        let parent = request.parent_group_name;
        let arn = call.site.arn("thinggroup", &name);
        let id = match self.groups.get(&name) {
            Some(group)
                if (&group.parent, &group.description, &group.attributes) == (&parent, &description, &attributes) =>
            {
                group.id.clone()
            }
            Some(group) => {
                let message = format!("Thing group {name} already exists in account with different properties");
                return Err(Error::already_exists(message, &group.id, arn));
            }
            None => {
                if let Some(parent) = &parent {
                    self.check_room_below(parent)?;
                }
                let id = new_id();
                let group = Group {
                    id: id.clone(),
                    parent,
                    description,
                    attributes,
                    version: 1,
                    created_ms: call.now_ms,
                    things: BTreeSet::new(),
                    policies: BTreeSet::new(),
                };
                self.groups.insert(name.clone(), group);
                id
            }
        };
        Ok(json!({ "thingGroupName": name, "thingGroupArn": arn, "thingGroupId": id }))
    }

    fn check_room_below(&self, parent: &str) -> Result<(), Error> {
        check::name("parentGroupName", parent)?;
        // The model of this operation knows no ResourceNotFoundException.
        let missing = || Error::invalid(format!("Parent thing group {parent} not found"));
        let group = self.groups.get(parent).ok_or_else(missing)?;
        if self.ancestors(group).count() + 2 > DEEPEST {
            return Err(Error::invalid(format!("A group below {parent} exceeds the limit of {DEEPEST} levels")));
        }
        if self.children(parent).count() >= MOST_CHILDREN {
            return Err(Error::invalid(format!("Thing group {parent} has {MOST_CHILDREN} child groups: the limit")));
        }
        Ok(())
    }

    pub(super) fn describe_thing_group(&self, call: &Call<'_>, request: ThingGroupNamed) -> Outcome {
        let name = request.thing_group_name;
        let group = self.group(&name)?;
        let mut path: Vec<_> = self.ancestors(group).map(|(name, _)| reference(call.site, name)).collect();
        path.reverse();
        Ok(json!({
            "thingGroupName": name,
            "thingGroupId": group.id,
            "thingGroupArn": call.site.arn("thinggroup", &name),
            "version": group.version,
            "thingGroupProperties": {
                "thingGroupDescription": group.description,
                "attributePayload": { "attributes": group.attributes },
            },
            "thingGroupMetadata": {
                "parentGroupName": group.parent,
                "rootToParentThingGroups": path,
                "creationDate": seconds(group.created_ms),
            },
        }))
    }

    pub(super) fn update_thing_group(&mut self, _: &Call<'_>, request: UpdateThingGroup) -> Outcome {
        let name = request.thing_group_name;
        let group = self.group_mut(&name)?;
        Error::unless_expected(request.expected_version, group.version, &name)?;
        let Properties { thing_group_description: description, attribute_payload } = request.thing_group_properties;
        check::description("thingGroupDescription", description.as_deref().unwrap_or_default())?;
        if let Some(payload) = attribute_payload {
            group.attributes = payload.applied_to(&group.attributes, MOST_ATTRIBUTES)?;
        }
        group.description = description.or(group.description.take());
        group.version += 1;
        Ok(json!({ "version": group.version }))
    }

    /// Deleting what is not there succeeds.
    pub(super) fn delete_thing_group(&mut self, _: &Call<'_>, request: DeleteThingGroup) -> Outcome {
        let name = request.thing_group_name;
        check::name("thingGroupName", &name)?;
        let Some(group) = self.groups.get(&name) else { return Ok(json!({})) };
        Error::unless_expected(request.expected_version, group.version, &name)?;
        if self.children(&name).next().is_some() {
            return Err(Error::invalid(format!(
                "Cannot delete thing group : {name} when there are still child groups attached to it."
            )));
        }
        for thing in &group.things {
            if let Some(thing) = self.things.get_mut(thing) {
                thing.groups.remove(&name);
            }
        }
        self.groups.remove(&name);
        Ok(json!({}))
    }

    /// All groups; with a parent its children, or `recursive`ly everything below it.
    pub(super) fn list_thing_groups(&self, call: &Call<'_>, request: ListThingGroups) -> Outcome {
        let mut names: BTreeSet<&str> = match (&request.parent_group, request.recursive) {
            (Some(parent), recursive) => {
                self.group(parent)?;
                let mut below =
                    if recursive == Some(true) { self.subtree(parent) } else { self.children(parent).collect() };
                below.remove(parent.as_str());
                below
            }
            (None, Some(false)) => {
                let roots = self.groups.iter().filter(|(_, group)| group.parent.is_none());
                roots.map(|(name, _)| name.as_str()).collect()
            }
            (None, _) => self.groups.keys().map(String::as_str).collect(),
        };
        if let Some(prefix) = &request.name_prefix_filter {
            names.retain(|name| name.starts_with(prefix.as_str()));
        }
        page_of_groups(call.site, &request.paging, names)
    }
}

/// A page of references to groups.
pub(super) fn page_of_groups(site: &Site, paging: &Paging, names: BTreeSet<&str>) -> Outcome {
    let groups = names.into_iter().map(|name| (name, reference(site, name)));
    let (groups, next_token) = paging.of(groups)?;
    Ok(json!({ "thingGroups": groups, "nextToken": next_token }))
}

fn reference(site: &Site, name: &str) -> Value {
    json!({ "groupName": name, "groupArn": site.arn("thinggroup", name) })
}

fn no_group(name: &str) -> Error {
    Error::not_found(format!("Thing group {name} not found"))
}
