//! What devices do: runs and timers, and reports on their way to the broker.

use std::ops::ControlFlow;

use crate::{
    device::{Action, OutgoingReport, Timer},
    event::Event,
    history::{RowImage, Run},
    world::World,
};

/// Packet identifier of reports to other applications; no report of ours uses it.
const FOREIGN_REPORT: u16 = u16::MAX - 1;

impl World<'_> {
    pub fn on_timer(&mut self, thing: usize, boot: u32, timer: Timer) {
        if self.devices[thing].boot != boot || !self.devices[thing].has_power {
            return;
        }
        let actions = self.devices[thing].on_timer(timer, &mut self.random);
        self.perform_actions(thing, actions);
    }

    pub fn perform_actions(&mut self, thing: usize, actions: Vec<Action>) {
        let (name, boot) = (self.devices[thing].config.name.clone(), self.devices[thing].boot);
        for action in actions {
            match action {
                Action::StartRun { execution, attempt } => {
                    let attempt = attempt.unwrap_or_else(|| self.stored_attempt(&name, &execution));
                    self.trace(|| format!("{name} runs attempt {attempt} of {execution}"));
                    self.history.runs.push(Run { at_ms: self.now_ms(), thing: name.clone(), execution, attempt });
                }
                Action::SetTimer { after_ms, timer } => self.plan_after(after_ms, Event::Timer { thing, boot, timer }),
                Action::Send(report) => self.send_report(thing, report),
                Action::RecordRequest(request) => self.record_delivery(thing, &request),
            }
        }
    }

    /// The attempt of an execution by its row: only its last one is in a shadow.
    fn stored_attempt(&self, thing: &str, execution: &str) -> u64 {
        let mut images = self.history.images.iter().rev();
        images.find(|image| image.thing == thing && image.execution == execution).map_or(1, RowImage::attempt)
    }

    /// Sends a report at QoS 1. The device keeps it until the broker acknowledges it.
    fn send_report(&mut self, thing: usize, report: OutgoingReport) {
        let name = self.devices[thing].config.name.clone();
        self.trace(|| format!("{name} sends {} on {}", report.payload, report.topic));
        self.sent_reports.insert((report.topic.clone(), report.payload.clone()), report.clone());
        let is_sent_twice = self.random.chance(self.fault_rates.messages);
        let device = &mut self.devices[thing];
        device.last_packet_id = device.last_packet_id.wrapping_add(1).max(1);
        let packet_id = device.last_packet_id;
        device.unacknowledged.insert(packet_id, report);
        if self.publish_report(thing, packet_id).is_continue() && is_sent_twice {
            let _ = self.publish_report(thing, packet_id);
        }
    }

    /// Sends what a device sends when it has done what another application asked it on a topic of its own.
    pub fn send_foreign_report(&mut self, thing: usize) {
        const REPORTS: [&str; 4] = [
            "SUCCESS: command ran successfully from payload: b'light: on'",
            "FAILURE: command did not run successfully from payload: b'light: on'",
            r#"SUCCESS: command ran successfully from payload: b'{"light": "on", "id": 7}'"#,
            r#"{"light": "on", "ok": true}"#,
        ];
        let report = *self.random.pick(&REPORTS);
        let device = &self.devices[thing];
        if let Some(connection) = device.connection.as_ref().filter(|_| device.is_subscribed) {
            let topic = format!("cmd/{}/resp", device.config.name);
            connection.publish(&topic, report.as_bytes(), FOREIGN_REPORT);
            self.trace(|| format!("{topic} about another application: {report}"));
        }
    }

    /// Publishes an unacknowledged report, if there is a connection; `Break` if there is none, or if it breaks.
    pub fn publish_report(&mut self, thing: usize, packet_id: u16) -> ControlFlow<()> {
        let has_fault = self.random.chance(self.fault_rates.messages);
        let arrives = !has_fault || self.random.chance(500);
        let device = &mut self.devices[thing];
        let (Some(connection), true) = (&device.connection, device.is_subscribed) else {
            return ControlFlow::Break(());
        };
        let number = connection.number;
        if let Some(report) = device.unacknowledged.get(&packet_id).filter(|_| arrives) {
            connection.publish(&report.topic, report.payload.as_bytes(), packet_id);
        }
        if !has_fault {
            return ControlFlow::Continue(());
        }
        // Either the report or its acknowledgement is lost.
        device.lost_ack = Some(packet_id);
        self.plan_after(2, Event::Break { thing, connection: number });
        ControlFlow::Break(())
    }
}
