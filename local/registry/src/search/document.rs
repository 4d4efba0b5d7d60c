//! The index document of a thing: its registry data and its connectivity.

use std::cell::OnceCell;

use serde_json::{Map, Value, json};

use super::query::Field;
use super::{Connectivity, ConnectivityLookup};
use crate::things::Thing;

/// A thing and the connectivity of the client of the same name.
pub(super) struct Document<'a> {
    pub name: &'a str,
    thing: &'a Thing,
    connections: &'a ConnectivityLookup,
    /// Looked up on first use.
    connectivity: OnceCell<Connectivity>,
}

impl<'a> Document<'a> {
    pub fn new(name: &'a str, thing: &'a Thing, connections: &'a ConnectivityLookup) -> Self {
        Self { name, thing, connections, connectivity: OnceCell::new() }
    }

    fn connectivity(&self) -> &Connectivity {
        self.connectivity.get_or_init(|| (self.connections)(self.name).unwrap_or_default())
    }

    /// Whether a value of the field passes the test.
    pub fn any_value(&self, field: &Field, mut test: impl FnMut(&str) -> bool) -> bool {
        match field {
            Field::ThingName => test(self.name),
            Field::ThingId => test(&self.thing.id),
            Field::ThingTypeName => self.thing.thing_type.as_deref().is_some_and(test),
            Field::ThingGroupNames => self.thing.groups.iter().any(|group| test(group)),
            Field::Attribute(name) => self.thing.attributes.get(name).is_some_and(|value| test(value)),
            Field::Connected => test(if self.connectivity().connected { "true" } else { "false" }),
            Field::Timestamp => self.connectivity().timestamp_ms.is_some_and(|ms| test(&ms.to_string())),
            Field::DisconnectReason => self.connectivity().disconnect_reason.is_some_and(test),
            Field::Any => {
                let fields = [Field::ThingName, Field::ThingId, Field::ThingTypeName, Field::ThingGroupNames];
                fields.iter().any(|field| self.any_value(field, &mut test as &mut dyn FnMut(&str) -> bool))
                    || self.thing.attributes.values().any(|value| test(value))
            }
        }
    }

    /// The JSON of the thing in a `SearchIndex` response.
    pub fn to_json(&self) -> Value {
        let Connectivity { connected, timestamp_ms, disconnect_reason } = self.connectivity();
        let present = |fields: [(&str, Option<Value>); 3]| {
            fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect::<Map<_, _>>()
        };
        let connectivity = present([
            ("connected", Some((*connected).into())),
            ("timestamp", timestamp_ms.map(Value::from)),
            ("disconnectReason", disconnect_reason.map(Value::from)),
        ]);
        let thing = self.thing;
        let mut shown = present([
            ("thingTypeName", thing.thing_type.clone().map(Value::from)),
            ("thingGroupNames", (!thing.groups.is_empty()).then(|| json!(thing.groups))),
            ("attributes", (!thing.attributes.is_empty()).then(|| json!(thing.attributes))),
        ]);
        shown.insert("thingName".to_owned(), self.name.into());
        shown.insert("thingId".to_owned(), thing.id.clone().into());
        shown.insert("connectivity".to_owned(), connectivity.into());
        shown.into()
    }
}
