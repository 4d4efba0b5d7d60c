//! Which records a pattern matches, and which patterns are refused.

use serde_json::json;

use super::*;

fn pattern(pattern: Value) -> Pattern {
    Pattern::parse(&pattern.to_string()).unwrap_or_else(|error| panic!("{pattern}: {error}"))
}

#[test]
fn patterns_match_as_lambda_matches_them() {
    let record = json!({"eventName": "INSERT", "dynamodb": {"NewImage": {
        "name": {"S": "Pump-7"}, "n": {"N": "12"}, "on": {"BOOL": true}, "tags": {"SS": ["red", "green"]}, "empty": {"S": ""},
        "none": {"NULL": null}, "list": {"L": [{"S": "a"}, {"S": "b"}]}, "size": 40.5,
    }}});
    let of = |image: Value| json!({"dynamodb": {"NewImage": image}});
    for (wanted, matches) in [
        (json!({"eventName": ["MODIFY", "INSERT"]}), true),
        (json!({"eventName": ["insert"]}), false),
        (json!({"eventName": [{"equals-ignore-case": "insert"}]}), true),
        (json!({"eventName": ["INSERT"], "userIdentity": {"type": ["Service"]}}), false),
        (json!({"userIdentity": {"type": [{"exists": false}]}}), true),
        (json!({"userIdentity": [{"exists": false}]}), true),
        (json!({"dynamodb": [{"exists": true}]}), false),
        (of(json!({"name": {"S": [{"prefix": "Pump"}]}})), true),
        (of(json!({"name": {"S": [{"prefix": "pump"}]}})), false),
        (of(json!({"name": {"S": [{"suffix": "-7"}]}})), true),
        (of(json!({"name": {"S": [{"anything-but": "Pump-7"}]}})), false),
        (of(json!({"name": {"S": [{"anything-but": ["a", "b"]}]}})), true),
        (of(json!({"name": {"S": [{"anything-but": {"prefix": "Pu"}}]}})), false),
        (of(json!({"other": {"S": [{"anything-but": "a"}]}})), false),
        (of(json!({"n": {"N": ["12"]}})), true),
        (of(json!({"n": {"N": [{"numeric": [">", 0]}]}})), false),
        (of(json!({"size": [{"numeric": [">", 40, "<=", 40.5]}]})), true),
        (of(json!({"size": [{"numeric": ["=", 41]}]})), false),
        (of(json!({"on": {"BOOL": [true]}})), true),
        (of(json!({"none": {"NULL": [null]}})), true),
        (of(json!({"other": {"NULL": [null]}})), false),
        (of(json!({"empty": {"S": [""]}})), true),
        (of(json!({"tags": {"SS": ["green"]}})), true),
        (of(json!({"list": {"L": {"S": ["b"]}}})), true),
        (json!({"$or": [{"eventName": ["REMOVE"]}, {"dynamodb": {"NewImage": {"n": {"N": ["12"]}}}}]}), true),
        (json!({"$or": [{"eventName": ["REMOVE"]}, {"eventName": ["MODIFY"]}]}), false),
    ] {
        assert_eq!(pattern(wanted.clone()).matches(&record), matches, "{wanted}");
    }
}

#[test]
fn invalid_patterns_are_refused() {
    for (text, why) in [
        ("", "is not JSON"),
        ("[]", "must be a JSON object"),
        ("{}", "the pattern is empty"),
        (r#"{"eventName": "INSERT"}"#, "eventName must be an object or a list"),
        (r#"{"eventName": []}"#, "eventName is an empty list"),
        (r#"{"dynamodb": {"NewImage": {}}}"#, "dynamodb.NewImage is empty"),
        (r#"{"a": [["b"]]}"#, "list in its list"),
        (r#"{"a": [{"likes": "b"}]}"#, "likes is no operator"),
        (r#"{"a": [{"prefix": "b", "suffix": "c"}]}"#, "one operator"),
        (r#"{"a": [{"prefix": 7}]}"#, "takes a string"),
        (r#"{"a": [{"exists": "no"}]}"#, "takes true or false"),
        (r#"{"a": [{"numeric": [">"]}]}"#, "numeric takes comparisons"),
        (r#"{"a": [{"numeric": ["~", 1]}]}"#, "numeric takes comparisons"),
        (r#"{"a": [{"anything-but": []}]}"#, "anything-but takes"),
        (r#"{"a": [{"anything-but": [{"exists": true}]}]}"#, "anything-but takes"),
        (r#"{"$or": [{"a": ["b"]}]}"#, "at least two"),
    ] {
        let error = Pattern::parse(text).expect_err(text).to_string();
        assert!(error.contains(why), "{text}: {error}");
    }
}
