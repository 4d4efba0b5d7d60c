//! An operator with a name: requests as API Gateway passes them on once it has checked their signature.

use serde_json::{Value, json};

use crate::world::World;

/// The ARN of a user, as the record names them.
pub fn arn(user: &str) -> String {
    format!("arn:aws:iam::123456789012:user/{user}")
}

/// Sends a POST of a user. Returns the status and the body of the response.
pub async fn post_as(world: &World, user: &str, path: &str, body: &Value) -> (u64, Value) {
    let now_ms = world.stack.clock.now_ms();
    let event = json!({
        "version": "2.0",
        "rawPath": path,
        "requestContext": {
            "http": {"method": "POST"},
            "requestId": format!("{user} {path} {now_ms} {body}"),
            "stage": "$default",
            "timeEpoch": now_ms,
            "authorizer": {"iam": {"callerId": user, "userArn": arn(user)}},
        },
        "body": body.to_string(),
        "isBase64Encoded": false,
    });
    let response = world.invoke("command-api", &event.to_string()).await.expect("a response");
    let body = response["body"].as_str().map(|body| serde_json::from_str(body).expect("JSON"));
    (response["statusCode"].as_u64().expect("a status"), body.unwrap_or_default())
}

/// As [`post_as`], for a request that is accepted. Returns the body.
pub async fn accepted(world: &World, user: &str, path: &str, body: Value) -> Value {
    let (status, shown) = post_as(world, user, path, &body).await;
    assert!(matches!(status, 200 | 202), "{user} {path} {body}: {status} {shown:#}");
    shown
}
