//! openapi.yaml is written by hand: these tests compare it with the template's routes and with real responses.

mod conformance;
mod execution;
mod fleet;
mod single;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::world::template;

/// HTTP methods: the other members of a path are not operations.
const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

fn document() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../openapi.yaml");
    let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    serde_saphyr::from_str(&text).expect("YAML")
}

#[test]
fn the_documented_routes_are_those_of_the_template() {
    let text = fs::read_to_string(template()).expect("template.yaml");
    let template: Value = serde_saphyr::from_str(&text).expect("YAML");
    let resources = template["Resources"].as_object().expect("Resources");
    let routes: BTreeSet<(String, String)> = resources
        .values()
        .filter_map(|resource| resource["Properties"]["Events"].as_object())
        .flat_map(|events| events.values())
        .filter(|event| event["Type"] == "HttpApi")
        .map(|event| {
            let text = |property: &str| event["Properties"][property].as_str().expect(property);
            (text("Method").to_uppercase(), text("Path").to_owned())
        })
        .collect();

    let document = document();
    let mut documented = BTreeSet::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        for method in METHODS.iter().filter(|method| !item[**method].is_null()) {
            documented.insert((method.to_uppercase(), path.clone()));
        }
    }
    assert!(!routes.is_empty());
    assert_eq!(documented, routes, "openapi.yaml on the left, template.yaml on the right");
}
