//! The operator: orders, and goes on ordering until it is accepted, or longer.

use domain::{CommandId, Timestamp};
use serde_json::{Value, json};

use crate::{
    history::{Read, Violation},
    lambda::{Caller, Handler, Invocation},
    world::{Event, World},
};

/// Who orders, whatever the session.
const CALLER: &str = "AROAEXAMPLE";

impl World<'_> {
    pub fn ask(&mut self, number: usize) {
        let order = &self.plan.orders[number];
        let mut headers = json!({"content-type": "application/json"});
        if let Some(token) = &order.token {
            headers["idempotency-key"] = token.as_str().into();
        }
        let body = order.body.to_string();
        self.tell(|| format!("order {number}: {body}"));
        self.request("POST", "/commands", headers, body, Caller::Operator(number));
    }

    fn request(&mut self, method: &str, path: &str, headers: Value, body: String, caller: Caller) {
        let id = self.new_request();
        self.note_superseding(&caller, &format!("request-{id}"));
        let event = json!({
            "version": "2.0",
            "rawPath": path,
            "headers": headers,
            "requestContext": {
                "authorizer": {"iam": {"callerId": format!("{CALLER}:session-1")}},
                "http": {"method": method, "path": path},
                "requestId": format!("request-{id}"),
                "stage": "$default",
                "timeEpoch": self.now_ms(),
            },
            "isBase64Encoded": false,
            "body": body,
        });
        let function = self.machine.lambda.handled_by(Handler::CommandApi);
        self.invoke(Invocation { id, function, event: event.to_string(), caller, tries: 0 });
    }

    /// Which command takes the place of others in its lane: known before it is accepted, since it may never be.
    fn note_superseding(&mut self, caller: &Caller, request_id: &str) {
        let Caller::Operator(number) = caller else { return };
        let order = &self.plan.orders[*number];
        if order.body["supersede"] == true {
            let id = match &order.token {
                Some(token) => CommandId::from_token(CALLER, token),
                None => CommandId::from_request(Timestamp::from_millis(self.now_ms()), request_id),
            };
            self.history.superseding.insert(id.to_string());
        }
    }

    /// Calls an order off, if it was accepted.
    pub fn cancel(&mut self, number: usize) {
        let cancel = self.plan.cancels[number].clone();
        let Some(command) = self.commands[cancel.order].clone() else { return };
        self.tell(|| format!("cancel {number}: {cancel:?}"));
        let body = json!({"force": cancel.force}).to_string();
        self.request("POST", &format!("/commands/{command}/cancel"), json!({}), body, Caller::Cancel(number));
    }

    pub fn canceled(&mut self, number: usize, status: u16) {
        self.tell(|| format!("cancel {number}: {status}"));
        match status {
            200 | 409 => {}
            429 | 500.. => {
                self.canceling[number] += 1;
                if self.canceling[number] < 4 {
                    let after_ms = self.dice.between(1, 20_000);
                    self.after(after_ms, Event::Cancel(number));
                }
            }
            _ => self.mistakes.push(Violation::of("answer", format!("cancel {number} was answered {status}"))),
        }
    }

    /// Looks what became of an order, if it was accepted.
    pub fn read(&mut self, order: usize) {
        let Some(command) = self.commands[order].clone() else { return };
        let path = format!("/commands/{command}/executions");
        self.request("GET", &path, json!({}), String::new(), Caller::Read(order));
    }

    pub fn shown(&mut self, order: usize, status: u16, body: &str) {
        let body: Value = serde_json::from_str(body).unwrap_or_default();
        let told = |field: &str| body["executions"][0][field].as_str().unwrap_or_default().to_owned();
        if status != 200 || told("executionId").is_empty() {
            let why = format!("order {order} was accepted, and reading it is answered {status}: {body}");
            return self.mistakes.push(Violation::of("answer", why));
        }
        let read = Read { thing: told("thing"), execution: told("executionId"), status: told("status") };
        self.history.reads.push(read);
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
                self.commands[number] = body["commandId"].as_str().map(str::to_owned);
                *repeated += 1;
                *repeated <= repeats
            }
            // Too short for a device that can't tell how old a command is: nothing was taken.
            422 if body["field"] == "ttl" => false,
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
