//! Messages that the broker has accepted: shadows and topic rules process them, and reports go into the history.

use local::{broker::Published, rules::Context};
use serde_json::Value;

use crate::{
    history::Report,
    invocation::{Invocation, Invoker},
    world::World,
};

impl World<'_> {
    /// The next message that the broker has accepted, with the report in a shadow that it is the document of.
    pub fn next_published(&mut self) -> Option<(Published, Option<usize>)> {
        self.taken.pop_front().or_else(|| Some((self.published.try_recv().ok()?, None)))
    }

    pub fn on_published(&mut self, published: Published, caused_by: Option<usize>) {
        while let Ok(earlier) = self.published.try_recv() {
            self.taken.push_back((earlier, None));
        }
        self.shadows.on_published(&published);
        let (topic, payload) = (published.message.topic.clone(), published.message.payload.clone());
        let report = self.record_report(&published);
        let before = self.taken.len();
        while let Ok(caused) = self.published.try_recv() {
            self.taken.push_back((caused, None));
        }
        // Rules process a report in a shadow with the document that follows it.
        let documents = format!("{topic}/documents");
        if let Some((_, of)) = self.taken.range_mut(before..).find(|(caused, _)| caused.message.topic == documents) {
            *of = report;
        }
        self.last_message += 1;
        let trace_id = format!("trace-{}", self.last_message);
        let context = Context {
            client_id: published.publisher.client_id.as_deref(),
            principal: None,
            account: "000000000000",
            at_ms: published.at_ms,
            trace_id: &trace_id,
        };
        self.apply_rules(&topic, &payload, context, report.or(caused_by).as_slice());
    }

    /// Adds a message to the history if it is a device's report; its index there.
    fn record_report(&mut self, published: &Published) -> Option<usize> {
        let thing = published.publisher.client_id.clone()?;
        let text = String::from_utf8_lossy(&published.message.payload).into_owned();
        let report = self.sent_reports.get(&(published.message.topic.clone(), text))?;
        self.history.reports.push(Report {
            at_ms: published.at_ms,
            thing,
            execution: report.execution.clone(),
            attempt: report.attempt,
            status: report.status,
            is_named: report.is_named,
            on_failure_queue: false,
        });
        Some(self.history.reports.len() - 1)
    }

    /// Evaluates the template's rules on a message, and invokes their functions.
    fn apply_rules(&mut self, topic: &str, payload: &[u8], context: Context<'_>, reports: &[usize]) {
        let mut events: Vec<(usize, Value)> = Vec::new();
        for rule in self.fixture.rules.iter().filter(|rule| local::broker::matches(&rule.filter, topic)) {
            match local::rules::evaluate(&rule.sql, topic, payload, context) {
                Ok(Some(event)) => events.push((rule.function, event)),
                Ok(None) => {}
                Err(error) => panic!("the rule {} failed on {topic}: {error}", rule.sql),
            }
        }
        for (function, event) in events {
            // AWS does not guarantee lifecycle events.
            if topic.starts_with("$aws/events/") && self.random.chance(self.fault_rates.events) {
                continue;
            }
            let max_delay_ms = if self.random.chance(self.fault_rates.events) { 30_000 } else { 100 };
            let delay_ms = self.random.between(1, max_delay_ms);
            let (id, invoker) = (self.next_request_id(), Invoker::Rule(reports.to_vec()));
            self.trace(|| format!("  a message on {topic} with the reports {reports:?} becomes request-{id}"));
            let invocation = Invocation { id, function, event: event.to_string(), invoker, retries: 0 };
            self.invoke_async(invocation, delay_ms);
        }
    }
}
