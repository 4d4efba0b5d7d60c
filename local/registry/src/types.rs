//! Thing types: create, describe, list, deprecate, delete.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::check;
use super::error::Error;
use super::http::Outcome;
use super::paging::Paging;
use super::store::{Context, Store, new_id, seconds};

/// Maximum searchable attributes of a type (AWS IoT Core quotas).
const MAX_SEARCHABLE_ATTRIBUTES: usize = 3;
/// Time between deprecation and the earliest deletion of a type.
const DELETE_DELAY_MS: i64 = 5 * 60 * 1000;

#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct ThingType {
    id: String,
    properties: Properties,
    created_ms: i64,
    deprecated_ms: Option<i64>,
}

#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Properties {
    thing_type_description: Option<String>,
    searchable_attributes: Option<Vec<String>>,
    mqtt5_configuration: Option<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CreateThingType {
    thing_type_name: String,
    thing_type_properties: Option<Properties>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ThingTypeNamed {
    thing_type_name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DeprecateThingType {
    thing_type_name: String,
    #[serde(default)]
    undo_deprecate: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ListThingTypes {
    thing_type_name: Option<String>,
    #[serde(flatten)]
    paging: Paging,
}

impl Properties {
    fn check(&self) -> Result<(), Error> {
        check::description("thingTypeDescription", self.thing_type_description.as_deref().unwrap_or_default())?;
        let searchable = self.searchable_attributes.as_deref().unwrap_or_default();
        if searchable.len() > MAX_SEARCHABLE_ATTRIBUTES {
            let count = searchable.len();
            return Err(Error::invalid(format!(
                "{count} searchable attributes exceed the limit of {MAX_SEARCHABLE_ATTRIBUTES}"
            )));
        }
        searchable.iter().try_for_each(|name| check::attribute_name(name))
    }
}

impl ThingType {
    fn metadata(&self) -> Value {
        json!({
            "deprecated": self.deprecated_ms.is_some(),
            "deprecationDate": self.deprecated_ms.map(seconds),
            "creationDate": seconds(self.created_ms),
        })
    }
}

impl Store {
    fn thing_type(&self, name: &str) -> Result<&ThingType, Error> {
        check::name("thingTypeName", name)?;
        self.types.get(name).ok_or_else(|| Error::not_found(format!("Thing type {name} not found")))
    }

    /// Fails if the type does not exist or is deprecated, so that no thing can be given it.
    pub(super) fn check_type_usable(&self, name: &str) -> Result<(), Error> {
        match self.thing_type(name)?.deprecated_ms {
            Some(_) => Err(Error::invalid(format!("Can not use the deprecated thing type: {name}"))),
            None => Ok(()),
        }
    }

    pub(super) fn create_thing_type(&mut self, context: &Context<'_>, request: CreateThingType) -> Outcome {
        let name = request.thing_type_name;
        check::name("thingTypeName", &name)?;
        let properties = request.thing_type_properties.unwrap_or_default();
        properties.check()?;
        let arn = context.scope.arn("thingtype", &name);
        let id = match self.types.get(&name) {
            Some(present) if present.properties == properties => present.id.clone(),
            Some(present) => {
                let message = format!("ThingType {name} already exists in account with different properties");
                return Err(Error::already_exists(message, &present.id, arn));
            }
            None => {
                let id = new_id();
                let created_ms = context.now_ms;
                let new = ThingType { id: id.clone(), properties, created_ms, deprecated_ms: None };
                self.types.insert(name.clone(), new);
                id
            }
        };
        Ok(json!({ "thingTypeName": name, "thingTypeArn": arn, "thingTypeId": id }))
    }

    pub(super) fn describe_thing_type(&self, context: &Context<'_>, request: ThingTypeNamed) -> Outcome {
        let name = request.thing_type_name;
        let thing_type = self.thing_type(&name)?;
        Ok(json!({
            "thingTypeName": name,
            "thingTypeId": thing_type.id,
            "thingTypeArn": context.scope.arn("thingtype", &name),
            "thingTypeProperties": thing_type.properties,
            "thingTypeMetadata": thing_type.metadata(),
        }))
    }

    pub(super) fn list_thing_types(&self, context: &Context<'_>, request: ListThingTypes) -> Outcome {
        let wanted = |name: &String| request.thing_type_name.as_ref().is_none_or(|wanted| wanted == name);
        let types = self.types.iter().filter(|(name, _)| wanted(name));
        let (types, next_token) = request.paging.page(types.map(|(name, thing_type)| (name, (name, thing_type))))?;
        let types: Vec<_> = types
            .into_iter()
            .map(|(name, thing_type)| {
                json!({
                    "thingTypeName": name,
                    "thingTypeArn": context.scope.arn("thingtype", name),
                    "thingTypeProperties": thing_type.properties,
                    "thingTypeMetadata": thing_type.metadata(),
                })
            })
            .collect();
        Ok(json!({ "thingTypes": types, "nextToken": next_token }))
    }

    pub(super) fn deprecate_thing_type(&mut self, context: &Context<'_>, request: DeprecateThingType) -> Outcome {
        self.thing_type(&request.thing_type_name)?;
        if let Some(thing_type) = self.types.get_mut(&request.thing_type_name) {
            thing_type.deprecated_ms = match request.undo_deprecate {
                true => None,
                false => thing_type.deprecated_ms.or(Some(context.now_ms)),
            };
        }
        Ok(json!({}))
    }

    pub(super) fn delete_thing_type(&mut self, context: &Context<'_>, request: ThingTypeNamed) -> Outcome {
        let name = request.thing_type_name;
        let Some(deprecated_ms) = self.thing_type(&name)?.deprecated_ms else {
            return Err(Error::invalid(format!("Can not delete thing type {name}: deprecate it first")));
        };
        if context.now_ms < deprecated_ms.saturating_add(DELETE_DELAY_MS) {
            let message = format!("Can not delete thing type {name}: wait for 5 minutes after its deprecation");
            return Err(Error::invalid(message));
        }
        if self.things.values().any(|thing| thing.thing_type.as_ref() == Some(&name)) {
            return Err(Error::invalid(format!("Can not delete thing type {name}: things of this type exist")));
        }
        self.types.remove(&name);
        Ok(json!({}))
    }
}
