//! The calls of a handler that sends a request: claim it, send it, and write the result.

use domain::{Change, Channel, DeliveryStatus, Execution, Request, ShadowRoute, Timestamp};

use super::{
    call::{Call, LaneEntry, SendResult},
    handler::{Handler, actor},
    messages::ToDevice,
    scenario::{Scenario, at, seconds},
    send_rules,
    world::World,
};

impl Handler {
    pub fn send_call(mut self, world: &mut World, scenario: &Scenario, result: SendResult) -> Option<Self> {
        match self.call {
            Call::Reroute => {
                let Some(change) = self.reroute(scenario) else { return self.after_sending() };
                let written = self.write(world, &change);
                match (written, self.row.in_lane) {
                    (true, true) => self.to(Call::ReadToJoin),
                    (true, false) => self.to(Call::Claim),
                    (false, _) => self.after_sending(),
                }
            }
            Call::Claim => {
                let Some(change) = self.row.claim(at(self.since), &self.token.to_string()) else {
                    return self.after_sending();
                };
                if result != SendResult::Accepted {
                    // The answer is lost, so the write is repeated.
                    world.write(self.n, &change, self.since);
                }
                let own = self.write(world, &change) || self.row.is_claimed_by(&change);
                let again = self.row.has_progress_claimed_by(&change)
                    && self.row.claim(at(self.since), &self.token.to_string()).is_some();
                match own {
                    true => self.to(Call::Send),
                    false if again => Some(self),
                    false => self.after_sending(),
                }
            }
            Call::Send => {
                world.sent[self.n].tried = self.row.attempt;
                if matches!(result, SendResult::Accepted | SendResult::Unknown { sent: true }) {
                    world.send(scenario, self.n, &self.row, self.since);
                    world.sent[self.n].maybe_delivered |= result != SendResult::Accepted;
                }
                // The creator stored a request in a shadow as SENT already.
                let stored_as_sent = self.row.delivery_status == DeliveryStatus::Sent;
                let in_shadow = result == SendResult::Accepted && self.row.channel.shadow().is_some();
                if in_shadow && stored_as_sent { self.after_sending() } else { self.to(Call::WriteResult(result)) }
            }
            Call::WriteResult(result) => {
                let change = self.result_change(result);
                self.write(world, &change);
                let queued = self.row.delivery_status == DeliveryStatus::Queued && !self.row.is_terminal();
                if queued && self.reroute(scenario).is_some() { self.to(Call::Reroute) } else { self.after_sending() }
            }
            _ => None,
        }
    }

    fn reroute(&self, scenario: &Scenario) -> Option<Change> {
        let route = scenario.fallback_shadow.as_ref()?;
        self.row.reroute(route, at(self.since), actor())
    }

    fn result_change(&self, result: SendResult) -> Change {
        let (row, now) = (&self.row, at(self.since));
        match result {
            SendResult::Accepted if row.channel.shadow().is_some() => row.sent(now, actor()),
            SendResult::Accepted => row.delivered(now, actor()),
            SendResult::NotConnected => row.queued(now, actor()),
            SendResult::Refused => row.send_failed(now, actor(), true),
            SendResult::Unknown { .. } => row.send_failed(now, actor(), false),
        }
    }

    /// Goes on with the execution before it in the lane, if it was sent as the next one.
    fn after_sending(mut self) -> Option<Self> {
        match self.outer.take() {
            Some((n, row)) => Self { n, row, ..self }.to(Call::WriteCleanedUp),
            // The row was canceled before its creator entered the lane.
            None if self.call == Call::Claim && self.lane_entry == LaneEntry::Create => {
                self.row.has_left_lane().then_some(self)?.to(Call::ReadToLeave)
            }
            None if self.call == Call::Claim => None,
            None => self.next_action(),
        }
    }
}

impl World {
    /// Sends a request of a row, for an event at `since`.
    fn send(&mut self, scenario: &Scenario, n: usize, row: &Execution, since: i64) {
        self.report_violation(send_rules::send_violation(self, n, row, at(since)));
        self.sent[n].attempt = row.attempt;
        self.sent[n].times += 1;
        self.sent[n].maybe_delivered = false;
        self.sent[n].slow = row.channel.shadow().is_some() && self.now > since;
        let command = &scenario.commands[n];
        match &row.channel {
            Channel::Shadow(route) => {
                let update = route.delivery_update(command, row, at(since)).unwrap();
                self.shadow.update(&update);
                if matches!(route, ShadowRoute::State(_)) {
                    self.forward_reported(scenario);
                }
            }
            Channel::Direct | Channel::Topic | Channel::Broadcast => {
                let request = Request::new(command, row, at(since)).unwrap();
                let body: serde_json::Value = serde_json::from_slice(&request.body).unwrap();
                let expires_at = Timestamp::from_seconds(body["expiresAt"].as_i64().unwrap());
                let attempt = u16::try_from(body["attempt"].as_u64().unwrap()).unwrap();
                self.to_device.push(ToDevice::Request { n, attempt, expires_at: seconds(expires_at) });
            }
        }
    }
}
