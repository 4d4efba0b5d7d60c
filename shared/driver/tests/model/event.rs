//! The events of the functions, and what each function asks the driver to do for one: all that this check says by
//! itself about them.

use calls::Error;
use domain::{Actor, Channel, Command, Timestamp, Topic};
use driver::{cancel::CancelOutcome, driver::Driver, online::WaitingSent};

use super::{
    desired_states::ReportedState,
    messages::{ReportMessage, echoes, shadow_event},
    replay::Replay,
    scenario::{at, thing},
};

/// An event, with its time in seconds: the same when the event is handled again.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Event {
    pub at: i64,
    pub kind: Kind,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A caller creates the command with this index. A repeated request has another number.
    Create { n: usize, request: u8 },
    /// A caller cancels it.
    Cancel { n: usize, force: bool },
    /// A reconciler has found it in the due index.
    Due(usize),
    /// The device has sent a report.
    Report(ReportMessage),
    /// The shadow has changed.
    Reported(ReportedState),
    /// A shadow has changed, in which is something of this number that is no report ([`echoes`]).
    Echo(usize),
    /// The wake of its due entry has come.
    Wake { n: usize, due: i64 },
    /// Its request has to leave its shadow early, since many others end with it.
    Early { n: usize, due: i64 },
    /// The device has connected; and whether it has subscribed.
    Online { subscribed: bool },
}

/// When a device that comes online at this second does so.
pub fn online_at(second: i64) -> Timestamp {
    Timestamp::from_millis(at(second).as_millis() + 1)
}

/// The name of the functions in histories.
pub fn actor() -> Actor {
    Actor::function("model")
}

impl Event {
    /// Its time. A device that comes online does so a moment after what happens at the same second.
    pub fn time(&self) -> Timestamp {
        match self.kind {
            Kind::Online { .. } => online_at(self.at),
            _ => at(self.at),
        }
    }

    /// Handles the event as its function does.
    pub async fn handle(&self, commands: &[Command], replay: &Replay<'_>) -> Result<(), Error> {
        let token = match self.kind {
            Kind::Create { request, .. } => format!("request {request}"),
            _ => "event".to_owned(),
        };
        let driver = Driver { calls: replay, event_time: self.time(), actor: actor(), token: &token };
        let key = |n: usize| commands[n].key_at(&thing());
        match &self.kind {
            Kind::Create { n, .. } => {
                let command = Command { created_at: at(self.at), ..commands[*n].clone() };
                let channel = Channel::of(&command, None);
                driver.create(command, &thing(), channel).await.map(drop)
            }
            Kind::Cancel { n, force } => {
                match driver.cancel_by_operator(&key(*n), *force, &Actor::caller("operator"), None).await? {
                    CancelOutcome::Canceled(_, follow_up) => follow_up.notice.and(follow_up.clean_up),
                    _ => Ok(()),
                }
            }
            Kind::Due(n) => driver.drive_due(&key(*n)).await.map(drop),
            Kind::Report(message) => match message.in_shadow(commands, self.time()) {
                Some(event) => driver.apply_shadow(&event, &event.reports().reports).await.result,
                None => driver.apply_report(key(message.n), &message.report(commands)).await.map(drop),
            },
            Kind::Reported(state) => {
                let event = state.event();
                driver.apply_shadow(&event, &event.reports().reports).await.result
            }
            Kind::Echo(number) => {
                let (channel, id) = (Channel::of(&commands[0], None), key(0).id);
                let (shadow, reported) = &echoes(&channel, &id)[*number];
                let event = shadow_event(shadow.as_ref(), reported, self.time());
                driver.apply_shadow(&event, &event.reports().reports).await.result
            }
            Kind::Wake { n, due } => driver.drive_wake(&key(*n), *due).await.map(drop),
            Kind::Early { n, due } => driver.withdraw_early(&key(*n), *due).await.map(drop),
            Kind::Online { subscribed } => {
                let filters = [Topic::request(&thing()).as_str().to_owned()];
                match driver.send_waiting(&thing(), subscribed.then_some(&filters[..])).await? {
                    WaitingSent { failed: 0, .. } => Ok(()),
                    _ => Err(Error::new("sending what waits", thing(), calls::Kind::Unavailable, None)),
                }
            }
        }
    }
}
