//! Property tests: documents, deltas and answers for random updates.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::Service;
use super::answer;
use crate::document::{Document, Section};
use crate::request::{Body, Update};
use crate::store::Store;
use crate::topic::RequestTopic;
use crate::{Limits, ShadowError};

/// JSON with few keys and few leaves, so that random documents share keys.
fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        Just(json!(1)),
        Just(json!(1.0)),
        Just(json!(2)),
        Just(json!(true)),
        Just(json!("x")),
        Just(json!({})),
        Just(json!([])),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            3 => proptest::collection::btree_map("[abc]", inner.clone(), 0..4).prop_map(|map| json!(map)),
            1 => proptest::collection::vec(inner, 0..3).prop_map(|items| json!(items)),
        ]
    })
}

fn section() -> impl Strategy<Value = Value> {
    let map = proptest::collection::btree_map("[abc]", json_value(), 0..4).prop_map(|map| json!(map));
    prop_oneof![8 => map, 1 => Just(Value::Null)]
}

/// A `state` of an update; invalid if an array contains a null.
fn state() -> impl Strategy<Value = Value> {
    let sections =
        (proptest::option::of(section()), proptest::option::of(section())).prop_map(|(desired, reported)| {
            let sections = [("desired", desired), ("reported", reported)];
            sections.into_iter().filter_map(|(name, section)| Some((name.to_owned(), section?))).collect::<Value>()
        });
    prop_oneof![16 => sections, 1 => Just(Value::Null)]
}

fn update(state: &Value) -> Result<Update, ShadowError> {
    Update::new(Body::parse(json!({ "state": state }).to_string().as_bytes(), &Limits::default())?)
}

/// The document after the valid updates, one per second.
fn document(states: &[Value]) -> Document {
    let updates = states.iter().filter_map(|state| update(state).ok());
    (1..).zip(updates).fold(Document::default(), |document, (version, update)| {
        document.apply_update(&update, version, i64::try_from(version).unwrap())
    })
}

/// Whether the metadata has exactly one timestamp for every leaf of the state.
fn same_shape(state: &Value, metadata: &Value) -> bool {
    match (state, metadata) {
        (Value::Object(state), Value::Object(metadata)) => {
            state.len() == metadata.len()
                && state
                    .iter()
                    .all(|(key, value)| metadata.get(key).is_some_and(|timestamps| same_shape(value, timestamps)))
        }
        (Value::Array(state), Value::Array(metadata)) => {
            state.len() == metadata.len()
                && state.iter().zip(metadata).all(|(value, timestamps)| same_shape(value, timestamps))
        }
        (Value::Null | Value::Object(_) | Value::Array(_), _) => false,
        (_, timestamps) => timestamps.as_object().is_some_and(|s| s.len() == 1 && s["timestamp"].is_i64()),
    }
}

fn well_formed(section: &Section) -> bool {
    same_shape(&json!(section.state), &json!(section.metadata))
}

proptest! {
    #[test]
    fn metadata_always_has_the_shape_of_the_state(states in proptest::collection::vec(state(), 1..5)) {
        let document = document(&states);
        prop_assert!(well_formed(&document.desired) && well_formed(&document.reported), "{document:?}");
        if let Some(delta) = document.delta() {
            prop_assert!(well_formed(&delta), "{delta:?}");
        }
    }

    #[test]
    fn reporting_the_delta_clears_it(states in proptest::collection::vec(state(), 1..5)) {
        let document = document(&states);
        if let Some(delta) = document.delta() {
            let report = update(&json!({ "reported": delta.state })).unwrap();
            let closed = document.apply_update(&report, 99, 99);
            prop_assert_eq!(closed.delta(), None);
            prop_assert_eq!(closed.desired, document.desired);
        }
    }

    #[test]
    fn delta_is_a_subset_of_desired(states in proptest::collection::vec(state(), 1..5)) {
        let document = document(&states);
        if let Some(delta) = document.delta() {
            let again = document.apply_update(&update(&json!({ "desired": delta.state })).unwrap(), 99, 99);
            prop_assert_eq!(again.desired.state, document.desired.state);
        }
    }

    #[test]
    fn identical_sections_have_no_delta(states in proptest::collection::vec(state(), 1..5)) {
        let document = document(&states);
        let same = Document { reported: document.desired.clone(), ..document };
        prop_assert_eq!(same.delta(), None);
    }

    #[test]
    fn duplicate_update_changes_only_version_and_time(first in state(), second in state()) {
        if let Ok(second) = update(&second) {
            let once = document(&[first]).apply_update(&second, 7, 7);
            let twice = once.apply_update(&second, 8, 8);
            prop_assert_eq!(twice.state(), once.state());
        }
    }

    #[test]
    fn version_increases_by_one_for_accepted_updates_only(states in proptest::collection::vec(state(), 1..6)) {
        let mut service = Service::new();
        let mut version = 0;
        for state in states {
            let answers = service.update(json!({ "state": state }));
            match answers.get("/accepted") {
                Some(accepted) => version = accepted["version"].as_u64().filter(|next| *next == version + 1).unwrap(),
                None => prop_assert_eq!(answers.keys().collect::<Vec<_>>(), ["/rejected"]),
            }
        }
        if version > 0 {
            prop_assert_eq!(service.get()["version"].as_u64(), Some(version));
        }
    }

    #[test]
    fn every_request_is_answered_once_and_no_answer_is_a_request(
        topic in r"\$aws/things/(t|a b|)/shadow(/name/[a-z$ ]{0,2})?/(get|update|delete|update/delta)",
        payload in prop_oneof![
            proptest::collection::vec(any::<u8>(), 0..40),
            state().prop_map(|state| json!({ "state": state, "version": 1 }).to_string().into_bytes()),
            "[\\[\\]{}\":,a0]{0,40}".prop_map(String::into_bytes),
        ],
    ) {
        let answers = answer(&mut Store::default(), 1, &topic, &payload);
        let verdicts = answers.iter().filter(|m| m.topic.ends_with("/accepted") || m.topic.ends_with("/rejected"));
        prop_assert_eq!(verdicts.count(), usize::from(RequestTopic::parse(&topic).is_some()));
        prop_assert!(answers.iter().all(|message| RequestTopic::parse(&message.topic).is_none()));
        prop_assert!(answers.iter().all(|message| serde_json::from_slice::<Value>(&message.payload).is_ok()));
    }
}
