//! A handler's errand: claim, send, and write how that went.

use domain::{Change, DeliveryStatus, Execution, Request, ShadowRoute, Via};

use super::{
    handler::{Call, Entry, Handler, How, by},
    rules,
    scenario::{Scenario, TICK, at, seconds},
    world::{Down, World},
};

impl Handler {
    pub fn deliver(mut self, world: &mut World, scenario: &Scenario, how: How) -> Option<Self> {
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
                if how != How::Taken {
                    // Its answer is lost, so it is written again.
                    world.write(self.n, &change, self.since);
                }
                let mine = self.write(world, &change) || self.row.is_claimed_by(&change);
                let another_try =
                    self.row.is_as_far_as(&change) && self.row.claim(at(self.since), &self.token.to_string()).is_some();
                match mine {
                    true => self.to(Call::Send),
                    false if another_try => Some(self),
                    false => self.after_sending(),
                }
            }
            Call::Send => {
                world.sent[self.n].tried = self.row.attempt;
                if matches!(how, How::Taken | How::Unknown { out: true }) {
                    world.send(scenario, self.n, &self.row, self.since);
                    world.sent[self.n].unsure |= how != How::Taken;
                }
                // What is in a shadow is called sent already, where whoever stored it put it there.
                let stored = self.row.delivery_status == DeliveryStatus::Sent;
                let known = how == How::Taken && self.row.via.shadow().is_some() && stored;
                if known { self.after_sending() } else { self.to(Call::Sent(how)) }
            }
            Call::Sent(how) => {
                if let Some(change) = self.sent(how) {
                    self.write(world, &change);
                }
                let queued = self.row.delivery_status == DeliveryStatus::Queued && !self.row.is_terminal();
                if queued && self.reroute(scenario).is_some() { self.to(Call::Reroute) } else { self.after_sending() }
            }
            _ => None,
        }
    }

    fn reroute(&self, scenario: &Scenario) -> Option<Change> {
        let route = scenario.other.as_ref()?;
        self.row.reroute(route, at(self.since), u32::try_from(TICK).unwrap(), by())
    }

    fn sent(&self, how: How) -> Option<Change> {
        let (row, now) = (&self.row, at(self.since));
        match how {
            How::Taken if row.via.shadow().is_some() => Some(row.sent(now, by())),
            How::Taken => Some(row.delivered(now, by())),
            How::Offline => Some(row.queued(now, by())),
            How::Refused => Some(row.unsent(now, by(), true)),
            How::Unknown { .. } => Some(row.unsent(now, by(), false)),
        }
    }

    /// It may have been the next one of a lane: then the one before it is still to be cleared.
    fn after_sending(mut self) -> Option<Self> {
        match self.outer.take() {
            Some((n, row)) => Self { n, row, ..self }.to(Call::Clear),
            // Whoever has called it off was there before it entered its lane.
            None if self.call == Call::Claim && self.entry == Entry::Create => {
                let left = self.row.is_terminal() && !self.row.in_lane;
                left.then_some(self)?.to(Call::ReadToLeave)
            }
            None if self.call == Call::Claim => self.done(),
            None => self.drive(),
        }
    }
}

impl World {
    /// A request goes out.
    fn send(&mut self, scenario: &Scenario, n: usize, row: &Execution, since: i64) {
        self.break_rule(rules::of_sending(self, n, row, at(since)));
        self.sent[n].attempt = row.attempt;
        self.sent[n].times += 1;
        self.sent[n].unsure = false;
        self.sent[n].slow = row.via.shadow().is_some() && self.now > since;
        let command = &scenario.commands[n];
        match &row.via {
            Via::Shadow(route) => {
                let update = route.delivery(command, row, at(since)).unwrap();
                self.shadow.update(&update);
                if matches!(route, ShadowRoute::State(_)) {
                    self.show(scenario);
                }
            }
            Via::Direct | Via::Topic | Via::Broadcast => {
                let request = Request::new(command, row, at(since)).unwrap();
                let body: serde_json::Value = serde_json::from_slice(&request.body).unwrap();
                let expires_at = domain::Timestamp::from_seconds(body["expiresAt"].as_i64().unwrap());
                let attempt = u16::try_from(body["attempt"].as_u64().unwrap()).unwrap();
                self.down.push(Down::Request { n, attempt, expires_at: seconds(expires_at) });
            }
        }
    }
}
