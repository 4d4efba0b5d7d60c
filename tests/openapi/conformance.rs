//! Checks a response against the schema that openapi.yaml gives it.

use serde_json::Value;

use crate::world::ApiResponse;

/// Checks a response against the document's schema for this operation, status and content type.
pub(super) fn check_response(document: &Value, method: &str, path: &str, response: &ApiResponse) {
    let at = format!("{method} {path} {}", response.status);
    let content_type = response.headers["content-type"].to_str().expect("text");
    let documented = resolved(document, &document["paths"][path][method]["responses"][response.status.to_string()]);
    let schema = &documented["content"][content_type]["schema"];
    assert!(!schema.is_null(), "{at}: {content_type} is not documented");
    conform(document, schema, &response.body, &at);
}

/// Checks types, enums and members only: limits and patterns concern requests, which command-api's own tests cover.
fn conform(document: &Value, schema: &Value, value: &Value, at: &str) {
    let schema = resolved(document, schema);
    let types: Vec<&str> = match &schema["type"] {
        // One of several shapes: the first whose required members are present.
        Value::Null if schema["oneOf"].is_array() => {
            let shapes = schema["oneOf"].as_array().into_iter().flatten().map(|shape| resolved(document, shape));
            let fits = |shape: &&Value| {
                let required = shape["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
                required.into_iter().all(|name| value.get(name).is_some())
            };
            let shape = shapes.into_iter().find(fits);
            return conform(
                document,
                shape.unwrap_or_else(|| panic!("{at}: {value} has none of the documented shapes")),
                value,
                at,
            );
        }
        // Any JSON: a value of the caller's or the device's own.
        Value::Null => return,
        Value::Array(types) => types.iter().filter_map(Value::as_str).collect(),
        one => one.as_str().into_iter().collect(),
    };
    let found = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    assert!(types.contains(&found), "{at}: {value} has none of the types {types:?}");
    if let Some(words) = schema["enum"].as_array() {
        assert!(words.contains(value), "{at}: {value} is not in the enum {words:?}");
    }
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                let declared = &schema["properties"][name];
                let declared = if declared.is_null() { &schema["additionalProperties"] } else { declared };
                assert!(declared.is_object(), "{at}: {name} is not documented");
                conform(document, declared, member, &format!("{at}.{name}"));
            }
            for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
                assert!(members.contains_key(name), "{at}: {name} is missing");
            }
        }
        Value::Array(items) => items.iter().for_each(|item| conform(document, &schema["items"], item, at)),
        _ => {}
    }
}

/// Follows `$ref` to the schema that it refers to.
fn resolved<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    let Some(reference) = schema["$ref"].as_str() else { return schema };
    let target = document.pointer(reference.trim_start_matches('#'));
    resolved(document, target.unwrap_or_else(|| panic!("{reference} refers to nothing")))
}
