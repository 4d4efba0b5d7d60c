//! The operator: orders, and goes on ordering until it is accepted, or longer.

use serde_json::{Value, json};

use crate::{
    history::Violation,
    lambda::{Caller, Handler, Invocation},
    world::{Event, World},
};

impl World<'_> {
    pub fn ask(&mut self, number: usize) {
        let order = &self.plan.orders[number];
        let now_ms = self.now_ms();
        let mut headers = json!({"content-type": "application/json"});
        if let Some(token) = &order.token {
            headers["idempotency-key"] = token.as_str().into();
        }
        self.last_trace += 1;
        let event = json!({
            "version": "2.0",
            "rawPath": "/commands",
            "headers": headers,
            "requestContext": {
                "authorizer": {"iam": {"callerId": "AROAEXAMPLE:session-1"}},
                "http": {"method": "POST", "path": "/commands"},
                "requestId": format!("request-{}", self.last_trace),
                "stage": "$default",
                "timeEpoch": now_ms,
            },
            "isBase64Encoded": false,
            "body": order.body.to_string(),
        });
        self.tell(|| format!("order {number}"));
        let function = self.machine.lambda.handled_by(Handler::CommandApi);
        let id = self.new_request();
        self.invoke(Invocation { id, function, event: event.to_string(), caller: Caller::Operator(number), tries: 0 });
    }

    pub fn answered(&mut self, number: usize, status: u16, body: &str) {
        let body: Value = serde_json::from_str(body).unwrap_or_default();
        let order = &self.plan.orders[number];
        let (patience, repeats) = (order.patience, order.repeats);
        self.tell(|| {
            format!("order {number}: {status} {} {}", body["execution"]["status"], body["execution"]["executionId"])
        });
        let (asked, repeated) = &mut self.asked[number];
        let again = match status {
            200 | 202 => {
                let told = |field: &str| body["execution"][field].as_str().unwrap_or_default().to_owned();
                self.history.accepted.push((told("thing"), told("executionId")));
                *repeated += 1;
                *repeated <= repeats
            }
            429 | 500.. => {
                *asked += 1;
                *asked <= patience
            }
            _ => {
                let why = format!("order {number} was answered {status}: {body}");
                self.mistakes.push(Violation::of("answer", why));
                false
            }
        };
        if again {
            let after_ms = self.dice.between(1, 20_000);
            self.after(after_ms, Event::Ask(number));
        }
    }
}
