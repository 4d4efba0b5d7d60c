//! What stands in for AWS: the answer to each call, and its effect on the world. The conditions of writes are those of
//! `domain::Execution::apply`, which `tests/table_condition` compares with the expressions of the table.

use std::sync::Arc;

use calls::{Acknowledgement, Kind as ErrorKind};
use domain::{
    Actor, Change, Condition, Delivery, Effect, Execution, ExecutionId, LaneClaim, LaneQueue, OnlineAction, Reason,
    ShadowRoute, ShadowUpdate, Status, Wake, wake::horizon::is_woken_by_writer,
};
use serde_json::Value;

use super::{
    action::How,
    call::{Answer, Call},
    change_rules,
    event::{Kind, online_at},
    messages::{ReportStatus, ToDevice, WakeMessage},
    node::Node,
    scenario::{CREATED_AT, MAX_HANDLER_SECONDS, Scenario, at, seconds},
    send_rules, wake_rules,
    world::{Row, SentRecord, World},
};

/// A request on its way out.
pub struct Sending {
    pub n: usize,
    /// None in a dialect that does not name it.
    pub attempt: Option<u16>,
    expires_at: i64,
}

impl Scenario {
    /// Whether the call sends a request.
    pub fn is_sending(&self, call: &Call) -> bool {
        self.sending(call).is_some()
    }

    /// The execution whose request a handler has sent without having written the result.
    pub fn unrecorded_sending(&self, node: &Node) -> Option<usize> {
        let is_result = |call: &Call| {
            let sent =
                |effect: &Effect| matches!(effect, Effect::Sent | Effect::Delivered(_) | Effect::SendFailed { .. });
            call.effect().is_some_and(sent)
        };
        let not_sent = Answer::Acknowledged(Acknowledgement::NotConnected);
        let written = |(call, answer): &(&Call, &Answer)| is_result(call) && !matches!(answer, Answer::Failed(_));
        let unwritten = node.answers().take_while(|answered| !written(answered));
        let mut sendings =
            unwritten.filter(|(_, answer)| **answer != not_sent).filter_map(|(call, _)| self.sending(call));
        sendings.next().map(|sending| sending.n)
    }

    /// The execution whose row a handler has stored: only this one sends without a claim.
    pub fn created_by(&self, node: &Node) -> Option<usize> {
        let stored = |(call, answer): (&Call, &Answer)| match (call, answer) {
            (Call::PutExecution(row), Answer::Done) => self.index_of(row.key.id.as_str()),
            // The answer of the first try was lost.
            (Call::PutExecution(row), Answer::Conflict(stored)) if stored.creator == row.creator => {
                self.index_of(row.key.id.as_str())
            }
            _ => None,
        };
        node.answers().find_map(stored)
    }

    fn sending(&self, call: &Call) -> Option<Sending> {
        match call {
            Call::SendDirect(request) | Call::PublishRequest(request) => {
                let body: Value = serde_json::from_slice(&request.body).unwrap();
                let n = self.index_of(body["executionId"].as_str().unwrap())?;
                let expires_at = body["expiresAt"].as_i64().unwrap() - CREATED_AT.as_seconds();
                Some(Sending { n, attempt: attempt_of(&body), expires_at })
            }
            Call::UpdateShadow(update) => self.delivered_by(update),
            _ => None,
        }
    }

    /// The request that an update puts into a shadow; none if it removes one.
    pub fn delivered_by(&self, update: &ShadowUpdate) -> Option<Sending> {
        let body: Value = serde_json::from_slice(&update.body).unwrap();
        let desired = &body["state"]["desired"];
        let id = |n: usize| &self.key(n).id;
        let is_of = |n: usize| match self.route(n)? {
            ShadowRoute::Map(_) => {
                let entry = desired["c"].get(id(n).as_str()).filter(|entry| entry.is_object())?;
                Some(attempt_of(entry))
            }
            ShadowRoute::Atlas => desired["command"].to_string().contains(id(n).as_str()).then_some(None),
            ShadowRoute::State(_) => (*desired == Value::Object(self.attributes(n))).then_some(None),
        };
        (0..self.setting.commands.len()).find_map(|n| Some(Sending { n, attempt: is_of(n)?, expires_at: i64::MAX }))
    }
}

fn attempt_of(request: &Value) -> Option<u16> {
    request["attempt"].as_u64().and_then(|attempt| u16::try_from(attempt).ok())
}

impl World {
    /// Makes the next call of a handler.
    pub fn make_call(&mut self, scenario: &Scenario, node: &Node, how: How) -> Answer {
        let call = node.asks();
        let sending = scenario.sending(call);
        if let Some(Sending { n, attempt, .. }) = sending {
            self.sent[n].tried = attempt.unwrap_or(1);
        }
        match how {
            How::Answered => self.take_effect(scenario, node, call),
            How::SecondTry => {
                self.take_effect(scenario, node, call);
                self.take_effect(scenario, node, call)
            }
            How::Refused => Answer::Failed(ErrorKind::Throttled),
            How::Unanswered { applied } => {
                if applied {
                    self.take_effect(scenario, node, call);
                }
                if let Some(Sending { n, .. }) = sending {
                    self.sent[n].maybe_delivered |= applied;
                    self.sent[n].may_arrive = Some((self.sent[n].tried, node.event.at + MAX_HANDLER_SECONDS));
                }
                Answer::Failed(ErrorKind::Unavailable)
            }
            How::Late => {
                if let (Call::UpdateShadow(update), Some(Sending { n, attempt, .. })) = (call, sending) {
                    self.delay_write(update, n, attempt.unwrap_or(1), node.event.at);
                }
                Answer::Failed(ErrorKind::Unavailable)
            }
            How::Unacknowledged { delivered } => {
                if delivered {
                    self.take_effect(scenario, node, call);
                }
                if let Some(Sending { n, .. }) = sending {
                    self.sent[n].maybe_delivered = true;
                }
                Answer::Acknowledged(Acknowledgement::Missing)
            }
        }
    }

    fn take_effect(&mut self, scenario: &Scenario, node: &Node, call: &Call) -> Answer {
        let since = node.event.at;
        let index = |id: &ExecutionId| scenario.index_of(id.as_str()).unwrap();
        match call {
            Call::ReadExecution(key) => {
                let n = scenario.index_of(key.id.as_str());
                Answer::Row(n.and_then(|n| self.rows[n].clone()))
            }
            Call::ReadExecutions(keys) => {
                let found = keys.iter().filter_map(|key| scenario.index_of(key.id.as_str()));
                Answer::Rows(found.filter_map(|n| self.rows[n].clone()).collect())
            }
            Call::WriteExecution(change) => self.write_execution(scenario, node, index(&change.key.id), change),
            Call::PutExecution(row) => {
                let n = index(&row.key.id);
                match &self.rows[n] {
                    Some(existing) => Answer::Conflict(existing.clone()),
                    None => {
                        self.put(n, row);
                        self.sent[n].claim_written_at = scenario.elapses.then_some(self.now);
                        Answer::Done
                    }
                }
            }
            Call::DeleteExecution(row) => {
                let n = index(&row.key.id);
                if self.rows[n].as_ref().is_some_and(|stored| stored.progress == row.progress) {
                    (self.rows[n], self.due[n]) = (None, i64::MAX);
                }
                Answer::Done
            }
            Call::Waiting { now, subscribed } => {
                let waits = |row: &&Row| row.online_action(*now, *subscribed) != OnlineAction::Nothing;
                let mut rows: Vec<_> = self.rows.iter().flatten().filter(waits).cloned().collect();
                rows.sort_by_key(|row| row.created_at);
                Answer::Rows(rows)
            }
            Call::ReadCommand(id) => {
                let n = scenario.setting.commands.iter().position(|command| command.id == *id).unwrap();
                Answer::Command(n, self.commands[n])
            }
            Call::PutCommand(command) => {
                let n = scenario.setting.commands.iter().position(|other| other.id == command.id).unwrap();
                if self.commands[n].is_some() {
                    return Answer::Command(n, self.commands[n]);
                }
                self.commands[n] = Some(seconds(command.created_at));
                Answer::Done
            }
            Call::DeleteCommand(id) => {
                let n = scenario.setting.commands.iter().position(|command| command.id == *id).unwrap();
                self.commands[n] = None;
                Answer::Done
            }
            Call::EnterLane(_, id) => self.enter_lane(scenario, index(id), id),
            Call::ClaimLane(claim, now) => {
                let other =
                    self.queue.settler.as_ref().filter(|other| other.token != claim.token && other.until > *now);
                if other.is_none() {
                    self.queue.settler = Some(claim.clone());
                }
                Answer::Claim(self.queue.settler.clone())
            }
            Call::LeaveLane(_, leaving, claim) => self.leave_lane(leaving, claim.as_ref()),
            Call::ReadLane(lane) => {
                let is_of = |row: &Row| row.lane.as_ref().is_some_and(|of| of.name == *lane);
                let has_rows = self.rows.iter().flatten().any(is_of);
                Answer::Queue(if has_rows { self.queue.clone() } else { LaneQueue::default() })
            }
            Call::ReadShadow(_) => Answer::Document(self.shadow.read().map(Arc::from)),
            Call::UpdateShadow(update) => self.update_shadow(scenario, since, update),
            Call::SendDirect(_) if self.online_since.is_none() => Answer::Acknowledged(Acknowledgement::NotConnected),
            Call::SendDirect(_) => {
                self.send_message(scenario, call, since);
                Answer::Acknowledged(Acknowledgement::Delivered)
            }
            Call::PublishRequest(_) => {
                self.send_message(scenario, call, since);
                Answer::Done
            }
            Call::Publish(_, body) => {
                let notice: Value = serde_json::from_str(body).unwrap();
                let n = scenario.index_of(notice["executionId"].as_str().unwrap()).unwrap();
                self.sent[n].notified = true;
                self.to_device.push(ToDevice::CancelNotice { n, attempt: attempt_of(&notice).unwrap() });
                Answer::Done
            }
            Call::ConnectedSince => Answer::Since(self.online_since.map(online_at)),
            Call::Subscriptions => Answer::Is(self.online_since.is_some()),
            Call::SendWake(wake) => {
                self.send_wake(scenario, wake);
                Answer::Done
            }
        }
    }

    /// Sends a wake, unless the tick that comes before its time does so.
    fn send_wake(&mut self, scenario: &Scenario, wake: &Wake) {
        let Wake::Execution { key, due, at: time } = wake else { return };
        if is_woken_by_writer(*time, at(self.now)) {
            self.report_violation((time < due).then_some(wake_rules::EARLY));
            let n = scenario.index_of(key.id.as_str()).unwrap();
            self.wakes.push(WakeMessage { n, due: *due, at: time - CREATED_AT.as_seconds() });
        }
    }

    /// Sends a request in a message. One to a device that is not connected is lost.
    fn send_message(&mut self, scenario: &Scenario, call: &Call, since: i64) {
        if let Some(Sending { n, attempt: Some(attempt), expires_at }) = scenario.sending(call) {
            self.send(n, attempt, since);
            let connected = self.online_since.is_some();
            self.to_device.extend(connected.then_some(ToDevice::Request { n, attempt, expires_at }));
        }
    }

    fn enter_lane(&mut self, scenario: &Scenario, n: usize, id: &ExecutionId) -> Answer {
        if self.queue.ids.contains(id) {
            return Answer::Queue(self.queue.clone());
        }
        let joined = self.queue.joined(id).filter(|queue| queue.ids.len() <= scenario.lane_length);
        let Some(queue) = joined else {
            self.was_full = true;
            return Answer::LaneFull;
        };
        let is_open = |other: &ExecutionId| self.index_of(other).is_some_and(|other| !self.row(other).is_terminal());
        self.sent[n].behind = queue.before(id).iter().any(is_open);
        self.queue = queue;
        Answer::Queue(self.queue.clone())
    }

    fn leave_lane(&mut self, leaving: &[(usize, ExecutionId)], claim: Option<&LaneClaim>) -> Answer {
        let token = |claim: &LaneClaim| claim.token.clone();
        let is_settler = claim.is_none_or(|claim| self.queue.settler.as_ref().map(token) == Some(token(claim)));
        let in_place = |(position, id): &(usize, ExecutionId)| self.queue.ids.get(*position) == Some(id);
        if !is_settler || !leaving.iter().all(in_place) {
            return Answer::QueueConflict(self.queue.clone());
        }
        self.queue.ids.retain(|id| !leaving.iter().any(|(_, other)| other == id));
        if claim.is_some() {
            self.queue.settler = None;
        }
        Answer::Queue(self.queue.clone())
    }

    fn write_execution(&mut self, scenario: &Scenario, node: &Node, n: usize, change: &Change) -> Answer {
        let Some(before) = self.rows[n].clone() else { return Answer::NotFound };
        let (row, written) = self.write(n, change, &node.event);
        if !written {
            return Answer::Conflict(row);
        }
        let cancels =
            matches!(&change.effect, Effect::CloudVerdict(verdict) if verdict.reason == Reason::CanceledByOperator);
        let unforced = matches!(node.event.kind, Kind::Cancel { force: false, .. });
        let runs = before.status == Status::InProgress;
        self.report_violation((cancels && unforced && runs).then_some(change_rules::ILLEGAL));
        if matches!(change.effect, Effect::Claimed(_)) {
            self.sent[n].claim_written_at = scenario.elapses.then_some(self.now);
        }
        // A creator that has sent a request on a topic or into a shadow writes nothing. A repeated request that comes
        // after it can't tell it from one that crashed, and the request goes out once more (decision 6).
        let again = matches!(node.event.kind, Kind::Create { request: 1.., .. }) && before.is_as_created();
        let at_work = self.handlers.iter().any(|handler| scenario.created_by(&handler.node) == Some(n));
        self.sent[n].maybe_delivered |= again && !at_work;
        // A message on a topic has no acknowledgement. It is sent again to a device that has subscribed.
        let on_topic = scenario.is_on(n, Delivery::Topic) && matches!(node.event.kind, Kind::Online { .. });
        self.sent[n].maybe_delivered |= on_topic;
        self.report_violation(wake_rules::violation(node, &before, change));
        self.report_violation(self.settles_for_another(node, change).then_some(send_rules::UNCLAIMED));
        let by_echo = matches!(node.event.kind, Kind::Echo(_));
        self.report_violation(by_echo.then_some(change_rules::ECHO));
        self.note_report(scenario, node, n, &before, change);
        Answer::Applied(matches!(change.effect, Effect::DeviceActive { .. }).then_some(row))
    }

    /// Whether a function ends an execution in a lane that another function has claimed.
    fn settles_for_another(&self, node: &Node, change: &Change) -> bool {
        // What is left of a lane may be settled by several functions: a few writes are lost.
        let Some(settler) = self.queue.settler_at(at(self.now)).filter(|_| self.queue.needs_claim()) else {
            return false;
        };
        let is_own = |call: &Call| matches!(call, Call::ClaimLane(claim, _) if claim == settler);
        matches!(change.effect, Effect::LastVerdict(_)) && !node.answers().any(|(call, _)| is_own(call))
    }

    /// Checks that the report of an event was to be applied, where a change has applied it.
    fn note_report(&mut self, scenario: &Scenario, node: &Node, n: usize, before: &Execution, change: &Change) {
        let by_device = change.history_entry.as_ref().is_some_and(|entry| entry.actor == Actor::device());
        let ends = matches!(change.effect, Effect::Finished { .. })
            || (by_device && matches!(change.effect, Effect::RetryScheduled { .. }));
        if !ends && !matches!(change.effect, Effect::DeviceActive { .. }) {
            return;
        }
        let illegal = match &node.event.kind {
            Kind::Report(message) if message.n == n => {
                // A repeated failure must not be applied as the failure of another attempt.
                let failed = if message.status == ReportStatus::Failed { 1 << message.attempt } else { 0 };
                let repeated = self.sent[n].failed & failed != 0;
                self.sent[n].failed |= failed;
                // A heartbeat of an earlier attempt must not keep this one alive.
                let heartbeat_only = matches!(change.condition, Condition::Running { .. });
                self.sent[n].heartbeat_only |= heartbeat_only;
                let report = message.report(&scenario.setting.commands);
                let current = before.as_current_attempt(&report).unwrap_or(report);
                let of_other_attempt = heartbeat_only && current.attempt != before.attempt;
                message.attempt > before.attempt || repeated || of_other_attempt
            }
            // A desired state is satisfied only once the device has reported it.
            Kind::Reported(_) => self.devices[n].started == 0 || !(scenario.is_state(n) || self.devices[n].has_ended()),
            // Only a device ends an execution, or starts it.
            _ => true,
        };
        self.report_violation(illegal.then_some(change_rules::ILLEGAL));
    }

    /// Notes that the request of an attempt is sent, for an event at `since`.
    pub fn send(&mut self, n: usize, attempt: u16, since: i64) {
        self.report_violation(send_rules::send_violation(self, n, attempt, at(since)));
        let claimed_at = self.sent[n].claim_written_at;
        let times = self.sent[n].times + 1;
        // A device has subscribed while the creator was sending on a topic: the request goes out again later.
        let row = self.row(n);
        let again_later = row.claim.is_none() && row.next_send_at.is_some() && !row.is_as_created();
        self.sent[n] = SentRecord {
            attempt,
            times,
            claimed_at,
            may_arrive: None,
            maybe_delivered: again_later && self.sent[n].maybe_delivered,
            slow: false,
            unused_claim: false,
            ..self.sent[n]
        };
    }
}
