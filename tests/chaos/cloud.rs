//! AWS, as the functions reach it: what becomes of each of their calls, and what becomes of the functions.

use axum::body::Body;
use bytes::Bytes;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::{
    engine,
    fate::{self, Fate},
    history::{Image, Queued, Violation},
    lambda::{Caller, Handler, Invocation, Outcome},
    wire::{self, Answer, Call, Request},
    world::{Event, World},
};

impl World<'_> {
    /// What becomes of a call.
    pub fn decide(&mut self, call: Call) {
        let Call { container, request, answer } = call;
        let fate = Fate::draw(self.weather.calls, &mut self.dice);
        let dynamodb = wire::is_for_dynamodb(&request);
        self.machine.calls_made += 1;
        let operation = wire::operation(&request);
        // Queries are most of the calls and tell nothing, unless they fail.
        if fate != Fate::Through || operation != "Query" {
            self.tell(|| format!("c{container} {operation}: {fate:?}"));
        }
        match fate {
            Fate::Through => self.perform(request, Some(answer)),
            Fate::Throttled => drop(answer.send(fate::throttled(dynamodb))),
            Fate::Broken => drop(answer.send(fate::broken(dynamodb))),
            Fate::BrokenAfter => {
                self.perform(request, None);
                drop(answer.send(fate::broken(dynamodb)));
            }
            Fate::Lost => {}
            Fate::Unanswered => self.perform(request, None),
            Fate::Late => {
                let after_ms = self.dice.between(1, 15_000);
                self.after(after_ms, Event::Late(request));
            }
            Fate::KilledBefore => self.kill(container, "killed"),
            Fate::KilledAfter => {
                self.perform(request, None);
                self.kill(container, "killed");
            }
        }
    }

    /// AWS does what it is asked to.
    pub fn perform(&mut self, request: Request, answer: Option<Answer>) {
        if wire::is_for_queue(&request) {
            let response = self.perform_on_queue(&request);
            if let Some(answer) = answer {
                drop(answer.send(response));
            }
            return;
        }
        if wire::is_for_dynamodb(&request) {
            let response = self.perform_on_table(&request);
            if let Some(answer) = answer {
                drop(answer.send(response));
            }
            return;
        }
        // A direct message waits for its device, while everything else goes on.
        let router = self.data_plane.clone();
        tokio::spawn(async move {
            let response = router.oneshot(request.map(Body::from)).await.unwrap_or_else(|never| match never {});
            let (parts, body) = response.into_parts();
            let body = axum::body::to_bytes(body, usize::MAX).await.unwrap_or_default();
            if let Some(answer) = answer {
                drop(answer.send(http::Response::from_parts(parts, body)));
            }
        });
    }

    fn perform_on_table(&mut self, request: &Request) -> http::Response<Bytes> {
        let operation = wire::operation(request);
        let now_ms = self.now_ms();
        if operation == "Query" && self.dice.chance(self.weather.lag) {
            let then_ms = now_ms - self.dice.between(1, 3_000);
            if let Some(response) = self.machine.engine.lagging(request.body(), then_ms) {
                return response;
            }
        }
        if operation == "Query"
            && let Some(response) = self.machine.engine.nothing_due(request.body())
        {
            return response;
        }
        let before = self.machine.engine.written().len();
        let response = self.machine.engine.perform(&operation, request.body(), now_ms);
        let written: Vec<_> = self.machine.engine.written()[before..].to_vec();
        for (at_ms, key, item) in written {
            self.written(at_ms, &key, item);
        }
        response
    }

    fn written(&mut self, at_ms: i64, (pk, sk): &(String, String), item: Option<Value>) {
        let thing = pk.trim_start_matches("T#").to_owned();
        if let Some(lane) = sk.strip_prefix("L#") {
            let ids = item.as_ref().and_then(|item| item["ids"]["L"].as_array()).cloned().unwrap_or_default();
            let ids: Vec<String> = ids.iter().filter_map(|id| Some(id["S"].as_str()?.to_owned())).collect();
            self.tell(|| format!("  lane {thing}/{lane}: {ids:?}"));
            let after = self.history.rows.len();
            return self.history.lanes.push(Queued { after, thing, lane: lane.to_owned(), ids });
        }
        let image = match item {
            Some(item) => Image::read(at_ms, &item),
            None => sk.strip_prefix("E#").map(|id| Image::forgotten(at_ms, thing, id.to_owned())),
        };
        if let Some(image) = image {
            self.tell(|| format!("  row {}", image.show()));
            self.history.rows.push(image);
        }
    }

    /// The queue of ticks: it hands back each message in its time, to the function that the template says.
    fn perform_on_queue(&mut self, request: &Request) -> http::Response<Bytes> {
        let asked: Value = serde_json::from_slice(request.body()).expect("a request");
        let function = self.machine.lambda.handled_by(Handler::ReconcileCommands);
        let mut successful = Vec::new();
        for entry in asked["Entries"].as_array().expect("a batch") {
            let id = self.new_request();
            let message_id = format!("message-{id}");
            let event = json!({"Records": [{"messageId": message_id, "body": entry["MessageBody"]}]}).to_string();
            let after_ms = entry["DelaySeconds"].as_i64().unwrap_or(0) * 1000 + self.dice.between(1, 2_000);
            self.hand_over(Invocation { id, function, event, caller: Caller::Queue, tries: 0 }, after_ms);
            successful.push(json!({"Id": entry["Id"], "MessageId": message_id, "MD5OfMessageBody": ""}));
        }
        engine::respond(200, json!({"Successful": successful, "Failed": []}).to_string().into())
    }

    /// Lambda's next id of a request.
    pub fn new_request(&mut self) -> u64 {
        self.last_request += 1;
        self.last_request
    }

    pub fn invoke(&mut self, invocation: Invocation) {
        let handler = self.machine.lambda.functions[invocation.function].handler;
        let timeout_s = self.machine.lambda.functions[invocation.function].settings.timeout_s;
        let tries = invocation.tries;
        let until_s = self.now_ms() / 1000;
        let pointless = handler == Handler::ReconcileCommands
            && (self.plan.every == 60 || matches!(invocation.caller, Caller::Queue))
            && !self.machine.engine.has_due(until_s, self.now_ms());
        // Most ticks find nothing, in sixteen queries each: few of those will do.
        if pointless && !self.dice.chance(30) {
            return;
        }
        let (container, number) = self.machine.lambda.start(invocation);
        self.tell(|| format!("c{container} {handler:?}, try {tries}"));
        self.after(i64::from(timeout_s) * 1000, Event::Timeout { container, number });
    }

    pub fn kill(&mut self, container: usize, why: &str) {
        let Some(running) = self.machine.lambda.stop(container) else { return };
        let handler = self.machine.lambda.functions[running.invocation.function].handler;
        self.tell(|| format!("c{container} {handler:?} {why}"));
        self.ended(running.invocation, Outcome::Failed(why.to_owned()));
    }

    /// A function has ended, one way or another.
    pub fn ended(&mut self, invocation: Invocation, mut outcome: Outcome) {
        if matches!(outcome, Outcome::Panicked) {
            let why = format!("a handler panicked on {}", invocation.event);
            self.mistakes.push(Violation::of("panic", why));
            outcome = Outcome::Failed("panicked".to_owned());
        }
        match (&invocation.caller, outcome) {
            (Caller::Operator(order), Outcome::Answered(status, body)) => self.answered(*order, status, &body),
            (Caller::Operator(order), _) => self.answered(*order, 502, "{}"),
            (Caller::Cancel(number), Outcome::Answered(status, _)) => self.canceled(*number, status),
            (Caller::Cancel(number), _) => self.canceled(*number, 502),
            (Caller::Read(order), Outcome::Answered(status, body)) => self.shown(*order, status, &body),
            (Caller::Read(order), _) => self.shown(*order, 502, "{}"),
            (_, Outcome::Failed(why)) => self.try_again(invocation, &why),
            (_, Outcome::Done | Outcome::Answered(..) | Outcome::Panicked) => {}
        }
    }

    /// Lambda's own retries, then the failure queue.
    fn try_again(&mut self, mut invocation: Invocation, why: &str) {
        let settings = &self.machine.lambda.functions[invocation.function].settings;
        // What came from the queue is hidden for longer than it is kept.
        let left = invocation.tries < settings.retries && !matches!(invocation.caller, Caller::Queue);
        invocation.tries += 1;
        let wait_ms = i64::from(invocation.tries) * 60_000;
        self.tell(|| {
            if left { format!("  failed, and will be tried again: {why}") } else { format!("  failed for good: {why}") }
        });
        if left {
            self.after(wait_ms, Event::Invoke(invocation));
        } else if let Caller::Rule(words) = invocation.caller {
            for word in words {
                self.history.words[word].failed = true;
            }
        }
    }

    /// The schedule fires. It says when it should have, and is handed over like any event: now and then twice.
    pub fn tick(&mut self, says_ms: i64) {
        let function = self.machine.lambda.handled_by(Handler::ReconcileCommands);
        let time = functions::time::show(domain::Timestamp::from_millis(says_ms));
        let event = self.machine.tick.replace("<aws.scheduler.scheduled-time>", &time);
        let id = self.new_request();
        self.hand_over(Invocation { id, function, event, caller: Caller::Schedule, tries: 0 }, 0);
    }

    /// An asynchronous event: at least once, and not at once.
    pub fn hand_over(&mut self, invocation: Invocation, after_ms: i64) {
        if self.dice.chance(self.weather.events) {
            let later_ms = self.dice.between(0, 20_000);
            let mut again = invocation.clone();
            if self.dice.chance(500) {
                again.id = self.new_request();
            }
            self.after(after_ms + later_ms, Event::Invoke(again));
        }
        self.after(after_ms, Event::Invoke(invocation));
    }

    /// What the rules of the template make of a message.
    pub fn apply_rules(&mut self, topic: &str, payload: &[u8], context: local::rules::Context<'_>, words: &[usize]) {
        let mut events: Vec<(usize, Value)> = Vec::new();
        for rule in self.machine.rules.iter().filter(|rule| local::broker::matches(&rule.filter, topic)) {
            match local::rules::evaluate(&rule.sql, topic, payload, context) {
                Ok(Some(event)) => events.push((rule.function, event)),
                Ok(None) => {}
                Err(error) => panic!("{topic}: {error}"),
            }
        }
        for (function, event) in events {
            // Nobody promises that a lifecycle event comes at all.
            if topic.starts_with("$aws/events/") && self.dice.chance(self.weather.events) {
                continue;
            }
            let delay = if self.dice.chance(self.weather.events) { 30_000 } else { 100 };
            let after_ms = self.dice.between(1, delay);
            let (id, caller) = (self.new_request(), Caller::Rule(words.to_vec()));
            self.hand_over(Invocation { id, function, event: event.to_string(), caller, tries: 0 }, after_ms);
        }
    }
}
