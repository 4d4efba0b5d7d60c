//! The operator: creates, cancels and reads commands, and repeats requests that fail.

use domain::{CommandId, Timestamp};
use serde_json::{Value, json};

use crate::{
    event::Event,
    handler::Handler,
    history::{ShownCounts, ShownExecution},
    invocation::{Invocation, Invoker},
    world::World,
};

/// IAM id of the caller; it is the same in every session.
const CALLER: &str = "AROAEXAMPLE";

/// How often a cancel is repeated.
const MAX_CANCEL_REQUESTS: usize = 4;

impl World<'_> {
    pub fn create_command(&mut self, number: usize) {
        let command = &self.scenario.commands[number];
        let mut headers = json!({"content-type": "application/json"});
        if let Some(key) = &command.idempotency_key {
            headers["idempotency-key"] = key.as_str().into();
        }
        let body = command.body.to_string();
        self.trace(|| format!("command {number}: {body}"));
        self.send_request("POST", "/commands", headers, body, Invoker::CreateCommand(number));
    }

    fn send_request(&mut self, method: &str, path: &str, headers: Value, body: String, invoker: Invoker) {
        let id = self.next_request_id();
        if let Invoker::CreateCommand(number) = invoker {
            self.record_id(number, &format!("request-{id}"));
        }
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
        let function = self.fixture.lambda.index_of(Handler::CommandApi);
        self.invoke(Invocation { id, function, event: event.to_string(), invoker, retries: 0 });
    }

    /// Remembers the id of a command before the response, which may be lost.
    fn record_id(&mut self, number: usize, request_id: &str) {
        let command = &self.scenario.commands[number];
        let id = match &command.idempotency_key {
            Some(key) => CommandId::from_token(CALLER, key),
            None => CommandId::from_request(Timestamp::from_millis(self.now_ms()), request_id),
        };
        if command.body["supersede"] == true {
            self.history.superseding_commands.insert(id.to_string());
        }
        self.sent_ids.insert(id.to_string(), number);
    }

    pub fn on_create_response(&mut self, number: usize, status: u16, body: &str) {
        let body: Value = serde_json::from_str(body).unwrap_or_default();
        let plan = &self.scenario.commands[number];
        let (max_retries, max_repeats, is_fleet) = (plan.retries, plan.repeats, plan.is_fleet);
        self.trace(|| {
            let execution = &body["execution"];
            format!("command {number}: HTTP {status}, {} {}", execution["status"], execution["executionId"])
        });
        let command = &mut self.commands[number];
        let is_repeated = match status {
            200 | 202 => {
                if !is_fleet {
                    let text = |field: &str| body["execution"][field].as_str().unwrap_or_default().to_owned();
                    self.history.accepted.push((text("thing"), text("executionId")));
                }
                command.id = body["commandId"].as_str().map(str::to_owned);
                command.accepted_requests += 1;
                command.accepted_requests <= max_repeats
            }
            // The ttl is too short for a device that does not know how old a command is: nothing was stored.
            422 if body["field"] == "ttl" => false,
            429 | 500.. => {
                command.failed_requests += 1;
                command.failed_requests <= max_retries
            }
            _ => {
                self.errors.push(format!("creating command {number} got HTTP {status}: {body}"));
                false
            }
        };
        if is_repeated {
            let delay_ms = self.random.between(1, 20_000);
            self.plan_after(delay_ms, Event::CreateCommand(number));
        }
    }

    /// Adds to the history whom each command is for, and whom it is not for.
    pub fn record_targets(&mut self) {
        let things = &self.scenario.things;
        for (id, number) in &self.sent_ids {
            let meant = &self.scenario.commands[*number].meant;
            let others = things.iter().filter(|thing| !meant.contains(&thing.name));
            self.history.excluded.extend(others.map(|thing| (thing.name.clone(), id.clone())));
        }
        let is_canceled = |number: usize| self.scenario.cancels.iter().any(|cancel| cancel.command == number);
        for (number, command) in self.commands.iter().enumerate().filter(|(number, _)| !is_canceled(*number)) {
            let meant = &self.scenario.commands[number].meant;
            let of_command = command.id.iter().flat_map(|id| meant.iter().map(|thing| (thing.clone(), id.clone())));
            self.history.meant.extend(of_command);
        }
    }

    /// Cancels a command, if it was accepted.
    pub fn cancel_command(&mut self, number: usize) {
        let cancel = self.scenario.cancels[number].clone();
        let Some(id) = self.commands[cancel.command].id.clone() else { return };
        self.trace(|| format!("cancel {number}: {cancel:?}"));
        let body = json!({"force": cancel.force}).to_string();
        self.send_request("POST", &format!("/commands/{id}/cancel"), json!({}), body, Invoker::CancelCommand(number));
    }

    pub fn on_cancel_response(&mut self, number: usize, status: u16) {
        self.trace(|| format!("cancel {number}: HTTP {status}"));
        match status {
            // 409: the execution has ended, or runs and the cancel is not forced.
            200 | 409 => {}
            429 | 500.. => {
                self.failed_cancels[number] += 1;
                if self.failed_cancels[number] < MAX_CANCEL_REQUESTS {
                    let delay_ms = self.random.between(1, 20_000);
                    self.plan_after(delay_ms, Event::CancelCommand(number));
                }
            }
            _ => self.errors.push(format!("cancel {number} got HTTP {status}")),
        }
    }

    /// Reads the executions of a command, if it was accepted.
    pub fn read_executions(&mut self, number: usize) {
        let Some(id) = self.commands[number].id.clone() else { return };
        let path = format!("/commands/{id}/executions");
        self.send_request("GET", &path, json!({}), String::new(), Invoker::ReadExecutions(number));
    }

    pub fn on_read_response(&mut self, number: usize, status: u16, body: &str) {
        let body: Value = serde_json::from_str(body).unwrap_or_default();
        let executions = body["executions"].as_array().filter(|_| status == 200 && body["nextToken"].is_null());
        let is_fleet = self.scenario.commands[number].is_fleet;
        let Some(executions) = executions.filter(|executions| is_fleet || executions.len() == 1) else {
            let error = format!("reading command {number}, which was accepted, got HTTP {status}: {body}");
            return self.errors.push(error);
        };
        for execution in executions {
            let text = |field: &str| execution[field].as_str().unwrap_or_default().to_owned();
            let shown = ShownExecution { thing: text("thing"), execution: text("executionId"), status: text("status") };
            self.history.shown.push(shown);
        }
    }

    /// Reads a command, if it was accepted.
    pub fn read_command(&mut self, number: usize) {
        let Some(id) = self.commands[number].id.clone() else { return };
        self.send_request("GET", &format!("/commands/{id}"), json!({}), String::new(), Invoker::ReadCommand(number));
    }

    pub fn on_command_response(&mut self, number: usize, status: u16, body: &str) {
        let body: Value = serde_json::from_str(body).unwrap_or_default();
        let counts = body["counts"].as_object().filter(|_| status == 200);
        let (Some(counts), Some(command)) = (counts, body["commandId"].as_str()) else {
            let error = format!("reading command {number}, which was accepted, got HTTP {status}: {body}");
            return self.errors.push(error);
        };
        let counts = counts.iter().filter_map(|(name, count)| Some((name.clone(), count.as_u64()?))).collect();
        self.trace(|| format!("command {number}: {counts:?}"));
        self.history.counts.push(ShownCounts { command: command.to_owned(), counts });
    }
}
