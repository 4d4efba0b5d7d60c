//! Thing groups and their hierarchy: create, describe, update, delete, list.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::attributes::{AttributePayload, Attributes};
use super::check;
use super::error::Error;
use super::http::Outcome;
use super::paging::Paging;
use super::store::{Context, Scope, Store, new_id, seconds};

/// Maximum levels of a group hierarchy, the root included.
const MAX_DEPTH: usize = 7;
const MAX_CHILDREN: usize = 100;
const MAX_ATTRIBUTES: usize = 50;

#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Group {
    pub id: String,
    parent: Option<String>,
    description: Option<String>,
    attributes: Attributes,
    version: i64,
    created_ms: i64,
    /// Names of the direct members; members of child groups are not included.
    pub things: BTreeSet<String>,
    /// Names of the attached policies.
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

    /// Names and values of the group's ancestors, the parent first.
    pub(super) fn ancestors<'a>(&'a self, group: &'a Group) -> impl Iterator<Item = (&'a String, &'a Group)> {
        std::iter::successors(self.parent(group), |(_, group)| self.parent(group))
    }

    /// Names of the group and of all its descendants.
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

    pub(super) fn create_thing_group(&mut self, context: &Context<'_>, request: CreateThingGroup) -> Outcome {
        let name = request.thing_group_name;
        check::name("thingGroupName", &name)?;
        let properties = request.thing_group_properties.unwrap_or_default();
        let description = properties.thing_group_description;
        check::description("thingGroupDescription", description.as_deref().unwrap_or_default())?;
        let payload = properties.attribute_payload.unwrap_or_default();
        let attributes = payload.applied_to(&Attributes::new(), MAX_ATTRIBUTES)?;
        let parent = request.parent_group_name;
        let arn = context.scope.arn("thinggroup", &name);
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
                    self.check_can_have_child(parent)?;
                }
                let id = new_id();
                let group = Group {
                    id: id.clone(),
                    parent,
                    description,
                    attributes,
                    version: 1,
                    created_ms: context.now_ms,
                    things: BTreeSet::new(),
                    policies: BTreeSet::new(),
                };
                self.groups.insert(name.clone(), group);
                id
            }
        };
        Ok(json!({ "thingGroupName": name, "thingGroupArn": arn, "thingGroupId": id }))
    }

    fn check_can_have_child(&self, parent: &str) -> Result<(), Error> {
        check::name("parentGroupName", parent)?;
        // `CreateThingGroup` has no ResourceNotFoundException in the API model.
        let missing = || Error::invalid(format!("Parent thing group {parent} not found"));
        let group = self.groups.get(parent).ok_or_else(missing)?;
        if self.ancestors(group).count() + 2 > MAX_DEPTH {
            return Err(Error::invalid(format!("A group below {parent} exceeds the limit of {MAX_DEPTH} levels")));
        }
        if self.children(parent).count() >= MAX_CHILDREN {
            return Err(Error::invalid(format!(
                "Thing group {parent} has {MAX_CHILDREN} child groups, which is the limit"
            )));
        }
        Ok(())
    }

    pub(super) fn describe_thing_group(&self, context: &Context<'_>, request: ThingGroupNamed) -> Outcome {
        let name = request.thing_group_name;
        let group = self.group(&name)?;
        let mut path: Vec<_> = self.ancestors(group).map(|(name, _)| reference(context.scope, name)).collect();
        path.reverse();
        Ok(json!({
            "thingGroupName": name,
            "thingGroupId": group.id,
            "thingGroupArn": context.scope.arn("thinggroup", &name),
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

    pub(super) fn update_thing_group(&mut self, _: &Context<'_>, request: UpdateThingGroup) -> Outcome {
        let name = request.thing_group_name;
        let group = self.group_mut(&name)?;
        Error::check_version(request.expected_version, group.version, &name)?;
        let Properties { thing_group_description: description, attribute_payload } = request.thing_group_properties;
        check::description("thingGroupDescription", description.as_deref().unwrap_or_default())?;
        if let Some(payload) = attribute_payload {
            group.attributes = payload.applied_to(&group.attributes, MAX_ATTRIBUTES)?;
        }
        group.description = description.or(group.description.take());
        group.version += 1;
        Ok(json!({ "version": group.version }))
    }

    /// Succeeds as well if the group does not exist.
    pub(super) fn delete_thing_group(&mut self, _: &Context<'_>, request: DeleteThingGroup) -> Outcome {
        let name = request.thing_group_name;
        check::name("thingGroupName", &name)?;
        let Some(group) = self.groups.get(&name) else { return Ok(json!({})) };
        Error::check_version(request.expected_version, group.version, &name)?;
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

    /// All groups; with a parent, the parent's children or, with `recursive`, all its descendants.
    pub(super) fn list_thing_groups(&self, context: &Context<'_>, request: ListThingGroups) -> Outcome {
        let mut names: BTreeSet<&str> = match (&request.parent_group, request.recursive) {
            (Some(parent), recursive) => {
                self.group(parent)?;
                let mut descendants =
                    if recursive == Some(true) { self.subtree(parent) } else { self.children(parent).collect() };
                descendants.remove(parent.as_str());
                descendants
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
        page_of_groups(context.scope, &request.paging, names)
    }
}

/// The response with one page of group names and ARNs.
pub(super) fn page_of_groups(scope: &Scope, paging: &Paging, names: BTreeSet<&str>) -> Outcome {
    let groups = names.into_iter().map(|name| (name, reference(scope, name)));
    let (groups, next_token) = paging.page(groups)?;
    Ok(json!({ "thingGroups": groups, "nextToken": next_token }))
}

fn reference(scope: &Scope, name: &str) -> Value {
    json!({ "groupName": name, "groupArn": scope.arn("thinggroup", name) })
}

fn no_group(name: &str) -> Error {
    Error::not_found(format!("Thing group {name} not found"))
}
