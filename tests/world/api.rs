//! The HTTP API as an operator calls it.

use reqwest::Method;
use serde_json::{Value, json};

use super::World;
use crate::deadline::waiting;

/// Response of the HTTP API. The body is JSON, or a string of the text that was no JSON.
#[derive(Debug)]
pub struct ApiResponse {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub body: Value,
    /// The body as it arrived.
    pub text: String,
}

impl World {
    pub async fn request(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<reqwest::Body>,
    ) -> ApiResponse {
        let url = format!("http://{}{path}", self.stack.addresses.http_api);
        let request =
            headers.iter().fold(self.http.request(method, url), |request, (name, value)| request.header(*name, *value));
        let request = request.body(body).build().expect("a request");
        let sent = request.body().and_then(|body| body.as_bytes()).unwrap_or_default();
        let sent: Value = serde_json::from_slice(sent).unwrap_or_default();
        let what = format!("the response to {} {path}", request.method());
        let response = waiting(what, self.http.execute(request)).await.expect("a response");
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await.expect("text");
        let body = serde_json::from_str(&text).unwrap_or_else(|_| Value::from(text.as_str()));
        let response = ApiResponse { status, headers, body, text };
        // The response to a fleet command names no thing: its targets are resolved later.
        let thing = response.body["execution"]["thing"].as_str();
        if let (200 | 202, "/commands", Some(command), Some(thing)) =
            (status, path, response.body["commandId"].as_str(), thing)
        {
            let thing = thing.to_owned();
            self.accepted.lock().expect("not poisoned").push((thing, command.to_owned()));
        }
        if let (200 | 202, "/commands", Some(command)) = (status, path, response.body["commandId"].as_str()) {
            let names = sent["target"]["exclude"].as_array().into_iter().flatten().filter_map(Value::as_str);
            let pairs = names.map(|thing| (thing.to_owned(), command.to_owned()));
            self.excluded.lock().expect("not poisoned").extend(pairs);
        }
        response
    }

    pub async fn post(&self, path: &str, body: &Value) -> ApiResponse {
        self.request(Method::POST, path, &[("content-type", "application/json")], body.to_string()).await
    }

    pub async fn get(&self, path: &str) -> ApiResponse {
        self.request(Method::GET, path, &[], "").await
    }

    /// Creates a command for one thing with these members besides name and target. Returns the command id.
    pub async fn command(&self, thing: &str, more: Value) -> String {
        let mut body = json!({"name": "reboot", "target": {"things": [thing]}});
        for (name, value) in more.as_object().expect("an object") {
            body[name] = value.clone();
        }
        let created = self.post("/commands", &body).await;
        // The status is 200 when the device finishes before the response is written.
        assert!(matches!(created.status, 200 | 202), "{created:?}");
        created.body["commandId"].as_str().expect("an id").to_owned()
    }

    /// The execution of a command on a thing, as the API shows it.
    pub async fn execution(&self, command: &str, thing: &str) -> Value {
        let response = self.get(&format!("/commands/{command}/executions/{thing}")).await;
        assert_eq!(response.status, 200, "{response:?}");
        response.body
    }

    pub async fn cancel(&self, command: &str, force: bool) -> ApiResponse {
        self.post(&format!("/commands/{command}/cancel"), &json!({ "force": force })).await
    }

    /// Status and reason of an execution; the reason is empty where there is none.
    pub async fn status(&self, command: &str, thing: &str) -> (String, String) {
        let shown = self.execution(command, thing).await;
        let text = |field: &str| shown[field].as_str().unwrap_or_default().to_owned();
        (text("status"), text("reason"))
    }
}
