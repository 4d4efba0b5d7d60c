//! Things: create, describe, update, delete, list.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::attributes::{AttributePayload, Attributes, check_count};
use super::check;
use super::error::Error;
use super::http::Outcome;
use super::paging::Paging;
use super::store::{Context, Store, new_id};

/// Maximum attributes of a thing without a type, and of a thing with a type (AWS IoT Core quotas).
const MAX_ATTRIBUTES: [usize; 2] = [3, 50];

#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Thing {
    pub id: String,
    pub thing_type: Option<String>,
    pub attributes: Attributes,
    pub version: i64,
    /// Names of the groups that the thing is a direct member of.
    pub groups: BTreeSet<String>,
    /// Ids of the attached certificates.
    pub certificates: BTreeSet<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CreateThing {
    thing_name: String,
    thing_type_name: Option<String>,
    attribute_payload: Option<AttributePayload>,
    billing_group_name: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ThingNamed {
    thing_name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct UpdateThing {
    thing_name: String,
    thing_type_name: Option<String>,
    attribute_payload: Option<AttributePayload>,
    expected_version: Option<i64>,
    #[serde(default)]
    remove_thing_type: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DeleteThing {
    thing_name: String,
    expected_version: Option<i64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ListThings {
    attribute_name: Option<String>,
    attribute_value: Option<String>,
    thing_type_name: Option<String>,
    #[serde(default)]
    use_prefix_attribute_value: bool,
    #[serde(flatten)]
    paging: Paging,
}

impl CreateThing {
    pub(super) fn plain(thing_name: String) -> Self {
        Self { thing_name, thing_type_name: None, attribute_payload: None, billing_group_name: None }
    }
}

impl Store {
    pub(super) fn thing(&self, name: &str) -> Result<&Thing, Error> {
        check::name("thingName", name)?;
        self.things.get(name).ok_or_else(|| no_thing(name))
    }

    pub(super) fn thing_mut(&mut self, name: &str) -> Result<&mut Thing, Error> {
        check::name("thingName", name)?;
        self.things.get_mut(name).ok_or_else(|| no_thing(name))
    }

    pub(super) fn create_thing(&mut self, context: &Context<'_>, request: CreateThing) -> Outcome {
        let name = request.thing_name;
        check::name("thingName", &name)?;
        if let Some(group) = request.billing_group_name {
            return Err(Error::not_found(format!(
                "Billing group {group} not found: the local stack has no billing groups"
            )));
        }
        let max = MAX_ATTRIBUTES[usize::from(request.thing_type_name.is_some())];
        let attributes = request.attribute_payload.unwrap_or_default().applied_to(&Attributes::new(), max)?;
        let arn = context.scope.arn("thing", &name);
        let id = match self.things.get(&name) {
            Some(thing) if thing.attributes == attributes && thing.thing_type == request.thing_type_name => {
                thing.id.clone()
            }
            Some(thing) => {
                let message = format!("Thing {name} already exists in account with different attributes");
                return Err(Error::already_exists(message, &thing.id, arn));
            }
            None => {
                if let Some(thing_type) = &request.thing_type_name {
                    self.check_type_usable(thing_type)?;
                }
                let thing = Thing {
                    id: new_id(),
                    thing_type: request.thing_type_name,
                    attributes,
                    version: 1,
                    groups: BTreeSet::new(),
                    certificates: BTreeSet::new(),
                };
                let id = thing.id.clone();
                self.things.insert(name.clone(), thing);
                id
            }
        };
        Ok(json!({ "thingName": name, "thingArn": arn, "thingId": id }))
    }

    pub(super) fn describe_thing(&self, context: &Context<'_>, request: ThingNamed) -> Outcome {
        let name = request.thing_name;
        let thing = self.thing(&name)?;
        Ok(json!({
            "defaultClientId": name,
            "thingName": name,
            "thingId": thing.id,
            "thingArn": context.scope.arn("thing", &name),
            "thingTypeName": thing.thing_type,
            "attributes": thing.attributes,
            "version": thing.version,
            "billingGroupName": null,
        }))
    }

    pub(super) fn update_thing(&mut self, _: &Context<'_>, request: UpdateThing) -> Outcome {
        let thing = self.thing(&request.thing_name)?;
        Error::check_version(request.expected_version, thing.version, &request.thing_name)?;
        let thing_type = match request.thing_type_name {
            Some(_) if request.remove_thing_type => {
                return Err(Error::invalid("thingTypeName and removeThingType cannot both be given"));
            }
            Some(name) => {
                self.check_type_usable(&name)?;
                Some(name)
            }
            None if request.remove_thing_type => None,
            None => thing.thing_type.clone(),
        };
        let max = MAX_ATTRIBUTES[usize::from(thing_type.is_some())];
        let attributes = match request.attribute_payload {
            Some(payload) => payload.applied_to(&thing.attributes, max)?,
            None => thing.attributes.clone(),
        };
        check_count(&attributes, max)?;
        let thing = self.thing_mut(&request.thing_name)?;
        thing.thing_type = thing_type;
        thing.attributes = attributes;
        thing.version += 1;
        Ok(json!({}))
    }

    /// Succeeds as well if the thing does not exist.
    pub(super) fn delete_thing(&mut self, _: &Context<'_>, request: DeleteThing) -> Outcome {
        let name = request.thing_name;
        check::name("thingName", &name)?;
        let Some(thing) = self.things.get(&name) else { return Ok(json!({})) };
        Error::check_version(request.expected_version, thing.version, &name)?;
        if !thing.certificates.is_empty() {
            let message = format!("Cannot delete. Thing {name} is still attached to one or more principals");
            return Err(Error::invalid(message));
        }
        for group in &thing.groups {
            if let Some(group) = self.groups.get_mut(group) {
                group.things.remove(&name);
            }
        }
        self.things.remove(&name);
        Ok(json!({}))
    }

    pub(super) fn list_things(&self, context: &Context<'_>, request: ListThings) -> Outcome {
        if request.attribute_value.is_some() && request.attribute_name.is_none() {
            return Err(Error::invalid("attributeValue requires attributeName"));
        }
        let wanted = |thing: &Thing| {
            let of_type = request.thing_type_name.is_none() || request.thing_type_name == thing.thing_type;
            let has = request.attribute_name.as_ref().is_none_or(|name| {
                thing.attributes.get(name).is_some_and(|value| match &request.attribute_value {
                    Some(start) if request.use_prefix_attribute_value => value.starts_with(start.as_str()),
                    Some(exact) => value == exact,
                    None => true,
                })
            });
            of_type && has
        };
        let things = self.things.iter().filter(|(_, thing)| wanted(thing));
        let (things, next_token) = request.paging.page(things.map(|(name, thing)| (name, (name, thing))))?;
        let things: Vec<_> = things
            .into_iter()
            .map(|(name, thing)| {
                json!({
                    "thingName": name,
                    "thingTypeName": thing.thing_type,
                    "thingArn": context.scope.arn("thing", name),
                    "attributes": thing.attributes,
                    "version": thing.version,
                })
            })
            .collect();
        Ok(json!({ "things": things, "nextToken": next_token }))
    }
}

fn no_thing(name: &str) -> Error {
    Error::not_found(format!("Thing {name} not found"))
}
