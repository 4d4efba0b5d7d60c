//! Runs a schedule: chooses what happens next, a planned event or a pending call, and moves the clock.

use std::time::Duration;

use crate::{
    event::Event, history, outcome::ScheduleOutcome, scenario::FaultRates, transport::PendingCall, world::World,
};

/// Far more steps than any schedule needs.
const MAX_STEPS: u32 = 100_000;

/// Ticks without faults after the end of the scenario. A fleet's deadlines count from when its things were asked, which
/// faults may have put off.
const MAX_FINAL_TICKS: i64 = 8;
const MAX_FINAL_TICKS_WITH_FLEET: i64 = 20;

impl World<'_> {
    /// Runs the schedule to its end, and then without faults until every deadline has passed and is processed.
    pub async fn run(mut self) -> ScheduleOutcome {
        self.run_until_idle().await;
        self.trace(|| "no more faults".to_owned());
        self.fault_rates = FaultRates::default();
        let last_ms = self.now_ms().max(self.scenario.end_ms);
        let minute_ms = last_ms - last_ms % 60_000;
        let most = if self.scenario.has_fleet() { MAX_FINAL_TICKS_WITH_FLEET } else { MAX_FINAL_TICKS };
        for number in 1..=most {
            let scheduled_ms = minute_ms + number * 60_000;
            self.plan_at(scheduled_ms, Event::Tick { scheduled_ms });
            self.run_until_idle().await;
            if !self.fixture.dynamodb.has_due(i64::MAX, i64::MAX) {
                break;
            }
        }
        for command in 0..self.commands.len() {
            self.plan_after(1, Event::ReadExecutions(command));
            if self.scenario.commands[command].is_fleet {
                self.plan_after(1, Event::ReadCommand(command));
            }
        }
        self.run_until_idle().await;
        self.record_shadow_entries();
        self.finish()
    }

    /// Checks the history.
    fn finish(mut self) -> ScheduleOutcome {
        self.history.is_over = true;
        self.record_targets();
        let mut violations = std::mem::take(&mut self.errors);
        violations.extend(history::violations(&self.history).iter().map(ToString::to_string));
        ScheduleOutcome { violations, trace: self.take_trace() }
    }

    /// Runs until no event is planned, no call is pending and no function runs.
    async fn run_until_idle(&mut self) {
        for step in 0.. {
            if step == MAX_STEPS {
                let planned = self.planned_events.len();
                let error = format!("the schedule has not ended after {MAX_STEPS} steps: {planned} events are planned");
                return self.errors.push(error);
            }
            self.settle().await;
            self.process_mailboxes();
            self.pending_calls.retain(PendingCall::is_awaited);
            let now_ms = self.now_ms();
            if now_ms > self.scenario.end_ms + 60_000 {
                // Faults end, so that every schedule does.
                self.fault_rates = FaultRates::default();
            }
            let next_ms = self.planned_events.keys().next().map(|(at_ms, _)| *at_ms);
            let is_due = next_ms.is_some_and(|at_ms| at_ms <= now_ms);
            match (self.pending_calls.len(), next_ms) {
                (0, None) if self.fixture.lambda.running.is_empty() => return,
                (0, None) => self.fixture.wakeup.clone().notified().await,
                (0, Some(_)) if is_due => self.run_next_event(),
                (0, Some(at_ms)) => self.wait_until(at_ms).await,
                (_, Some(_)) if is_due && self.random.chance(500) => self.run_next_event(),
                // The next event overtakes all pending calls.
                (_, Some(at_ms)) if at_ms < now_ms + 5_000 && self.random.chance(60) => self.wait_until(at_ms).await,
                (pending, _) => {
                    let chosen = self.random.below(pending);
                    if let Some(call) = self.pending_calls.remove(chosen) {
                        self.resolve_call(call);
                    }
                }
            }
        }
    }

    /// Runs every task as far as it can. The runtime's time is paused: it advances only when no task can run.
    async fn settle(&mut self) {
        tokio::time::sleep(Duration::from_millis(1)).await;
        let ahead_ms = self.now_ms() - self.clock.now_ms();
        self.clock.advance(Duration::from_millis(ahead_ms.max(0).unsigned_abs()));
    }

    /// Waits until this time, or until a mailbox gets an item.
    async fn wait_until(&mut self, at_ms: i64) {
        let wakeup = self.fixture.wakeup.clone();
        let left = Duration::from_millis((at_ms - self.now_ms()).max(0).unsigned_abs());
        tokio::select! {
            biased;
            () = wakeup.notified() => {}
            () = tokio::time::sleep(left) => {}
        }
    }

    fn process_mailboxes(&mut self) {
        let calls = self.fixture.calls.take_all();
        self.pending_calls.extend(calls);
        for (container, number, outcome) in self.fixture.lambda.ended.take_all() {
            if self.is_running(container, number)
                && let Some(running) = self.fixture.lambda.stop(container)
            {
                self.on_invocation_end(running.invocation, outcome);
            }
        }
        // The broker sends a message to its subscribers in any order.
        let mut packets: Vec<_> = self.received_packets.take_all().into_iter().collect();
        packets.sort_by_key(|packet| packet.thing);
        for packet in packets {
            self.on_packet(packet);
        }
        while let Some((published, report)) = self.next_published() {
            self.on_published(published, report);
        }
    }

    /// Whether a container still runs the invocation with this number.
    fn is_running(&self, container: usize, number: u64) -> bool {
        self.fixture.lambda.running.get(&container).is_some_and(|running| running.number == number)
    }

    fn run_next_event(&mut self) {
        let Some((_, event)) = self.planned_events.pop_first() else { return };
        match event {
            Event::CreateCommand(command) => self.create_command(command),
            Event::CancelCommand(cancel) => self.cancel_command(cancel),
            Event::ReadExecutions(command) => self.read_executions(command),
            Event::ReadCommand(command) => self.read_command(command),
            Event::ReadStream { reader } => self.read_stream(reader),
            Event::SendForeignReport(thing) => self.send_foreign_report(thing),
            Event::WriteForeignState(thing) => self.write_foreign_state(thing),
            Event::Invoke(invocation) => self.invoke(invocation),
            Event::Tick { scheduled_ms } => self.tick(scheduled_ms),
            Event::Timeout { container, number } => {
                if self.is_running(container, number) {
                    self.crash(container, "timed out");
                }
            }
            Event::ApplyDelayedCall(request) => self.apply_call(request, None),
            Event::Deliver { thing, connection, topic, payload, packet_id } => {
                self.deliver(thing, connection, &topic, &payload, packet_id);
            }
            Event::Break { thing, connection } => self.disconnect(thing, connection),
            Event::Connect { thing } => self.connect(thing),
            Event::GoOffline { thing, duration_ms, loses_power } => self.go_offline(thing, duration_ms, loses_power),
            Event::ComeOnline { thing, lost_power } => self.come_online(thing, lost_power),
            Event::Timer { thing, boot, timer } => self.on_timer(thing, boot, timer),
        }
    }
}
