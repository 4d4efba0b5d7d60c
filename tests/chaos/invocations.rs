//! The invocations of functions: starts, crashes, retries, ticks and asynchronous events.

use crate::{
    event::Event,
    handler::Handler,
    invocation::{Invocation, InvocationOutcome, Invoker},
    world::World,
};

/// HTTP status of API Gateway for an invocation without a response.
const BAD_GATEWAY: u16 = 502;

/// How long a message of the queue of ticks is hidden that a function has received.
const VISIBILITY_MS: i64 = 360_000;

impl World<'_> {
    /// Lambda's next request id.
    pub fn next_request_id(&mut self) -> u64 {
        self.last_request += 1;
        self.last_request
    }

    pub fn invoke(&mut self, invocation: Invocation) {
        // Most ticks find nothing with sixteen queries: only a few of those run.
        if self.is_idle_tick(&invocation) && !self.random.chance(30) {
            return;
        }
        let function = &self.fixture.lambda.functions[invocation.function];
        let (handler, timeout_s, retries) = (function.handler, function.settings.timeout_s, invocation.retries);
        let id = invocation.id;
        let (container, number) = self.fixture.lambda.start(invocation, self.now_ms());
        self.trace(|| format!("c{container} {handler:?} request-{id}, retry {retries}"));
        self.plan_after(i64::from(timeout_s) * 1000, Event::Timeout { container, number });
    }

    /// Whether an invocation of the reconciler is a tick that can find nothing that is due by the end of the next minute,
    /// and puts no ticks on the queue.
    fn is_idle_tick(&self, invocation: &Invocation) -> bool {
        let now_ms = self.now_ms();
        let is_tick = match invocation.invoker {
            Invoker::Schedule => self.scenario.reconcile_seconds == 60,
            Invoker::Queue => invocation.event.contains("scheduledTime"),
            _ => false,
        };
        is_tick && !self.fixture.dynamodb.has_due(now_ms / 1000 + 120, now_ms)
    }

    /// Ends an invocation without a result.
    pub fn crash(&mut self, container: usize, cause: &str) {
        let Some(running) = self.fixture.lambda.stop(container) else { return };
        let handler = self.fixture.lambda.functions[running.invocation.function].handler;
        self.trace(|| format!("c{container} {handler:?} {cause}"));
        self.on_invocation_end(running.invocation, InvocationOutcome::Failed(cause.to_owned()));
    }

    /// Passes the outcome of an invocation to its invoker.
    pub fn on_invocation_end(&mut self, invocation: Invocation, outcome: InvocationOutcome) {
        if let Invoker::Stream(batch) = &invocation.invoker {
            self.on_batch_end(batch, &outcome);
            if !matches!(outcome, InvocationOutcome::Panicked) {
                return;
            }
        }
        let (status, body, error) = match outcome {
            InvocationOutcome::Response(status, body) => (status, body, None),
            InvocationOutcome::Done | InvocationOutcome::Batch(_) => (BAD_GATEWAY, "{}".to_owned(), None),
            InvocationOutcome::Failed(error) => (BAD_GATEWAY, "{}".to_owned(), Some(error)),
            InvocationOutcome::Panicked => {
                let handler = self.fixture.lambda.functions[invocation.function].handler;
                self.errors.push(format!("{handler:?} panicked on the event {}", invocation.event));
                (BAD_GATEWAY, "{}".to_owned(), Some("panicked".to_owned()))
            }
        };
        match (&invocation.invoker, error) {
            (Invoker::CreateCommand(command), _) => self.on_create_response(*command, status, &body),
            (Invoker::CancelCommand(cancel), _) => self.on_cancel_response(*cancel, status),
            (Invoker::ReadExecutions(command), _) => self.on_read_response(*command, status, &body),
            (Invoker::ReadCommand(command), _) => self.on_command_response(*command, status, &body),
            (Invoker::Stream(_), _) => {}
            (_, Some(error)) => self.retry_or_give_up(invocation, &error),
            (_, None) => {}
        }
    }

    /// Retries an asynchronous invocation as Lambda does; after the last retry its event is on the failure queue.
    fn retry_or_give_up(&mut self, mut invocation: Invocation, error: &str) {
        let settings = &self.fixture.lambda.functions[invocation.function].settings;
        let is_message = matches!(invocation.invoker, Invoker::Queue);
        // A message of the queue of ticks becomes visible again once before it expires.
        let is_retried = invocation.retries < if is_message { 1 } else { settings.retries };
        invocation.retries += 1;
        let delay_ms = if is_message { VISIBILITY_MS } else { i64::from(invocation.retries) * 60_000 };
        self.trace(|| {
            let next = if is_retried { "is retried" } else { "is given up" };
            format!("  request-{} failed and {next}: {error}", invocation.id)
        });
        if is_retried {
            self.plan_after(delay_ms, Event::Invoke(invocation));
        } else if let Invoker::Rule(reports) = invocation.invoker {
            for report in reports {
                self.history.reports[report].on_failure_queue = true;
            }
        }
    }

    /// Fires the schedule. Its event has the scheduled time.
    pub fn tick(&mut self, scheduled_ms: i64) {
        let function = self.fixture.lambda.index_of(Handler::ReconcileCommands);
        let time = runtime::time_format::show(domain::Timestamp::from_millis(scheduled_ms));
        let event = self.fixture.tick_event.replace("<aws.scheduler.scheduled-time>", &time);
        let id = self.next_request_id();
        self.invoke_async(Invocation { id, function, event, invoker: Invoker::Schedule, retries: 0 }, 0);
    }

    /// Delivers an asynchronous event at least once: it can come twice, with the same request id or another one.
    pub fn invoke_async(&mut self, invocation: Invocation, delay_ms: i64) {
        if self.random.chance(self.fault_rates.events) {
            let later_ms = self.random.between(0, 20_000);
            let mut repeated = invocation.clone();
            if self.random.chance(500) {
                repeated.id = self.next_request_id();
            }
            self.plan_after(delay_ms + later_ms, Event::Invoke(repeated));
        }
        self.plan_after(delay_ms, Event::Invoke(invocation));
    }
}
