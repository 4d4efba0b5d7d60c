//! Answers the calls of the driver from a tape.

use std::{
    cell::{Cell, RefCell},
    future::poll_fn,
    task::Poll,
    time::Duration,
};

use calls::{Acknowledgement, Calls, Error, LaneEntry, Page, PutOutcome, ShadowWriteOutcome, WriteOutcome};
use domain::{
    BatchNumber, Change, Command, CommandId, Execution, ExecutionId, Key, LaneClaim, LaneName, LaneQueue, Plan,
    Request, RequestDigest, ShadowName, ShadowUpdate, ThingName, Timestamp, Topic, Wake,
};

use super::call::{Answer, Call};
use super::scenario::at;

/// One entry of a tape.
#[derive(Clone, Copy, Debug)]
pub enum Entry<'a> {
    /// A call and its answer.
    Answer(&'a Call, &'a Answer),
    /// What clock or generator said.
    Luck(u64),
}

/// What clock and generator say from the end of the tape on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Luck {
    /// None if the clock of the event stands: it always says 0, which is not recorded.
    pub seconds_since_event: Option<u32>,
    pub nonce: u32,
}

/// What all handlers of a check have in common.
#[derive(Clone, Debug, Default)]
pub struct Setting {
    pub commands: Vec<Command>,
    /// Whether wakes are sent; otherwise all of them are lost.
    pub wakes: bool,
}

/// Answers calls from a tape. The first call after its end stays without an answer.
pub struct Replay<'a> {
    commands: &'a [Command],
    tape: &'a [Entry<'a>],
    position: Cell<usize>,
    luck: Luck,
    /// Whether wakes are sent; otherwise all of them are lost.
    wakes: bool,
    /// What clock and generator were asked for after the end of the tape.
    pub drawn: RefCell<Vec<u64>>,
    pub asked: RefCell<Option<Call>>,
}

impl<'a> Replay<'a> {
    pub fn new(setting: &'a Setting, tape: &'a [Entry<'a>], luck: Luck) -> Self {
        let Setting { commands, wakes } = setting;
        let (position, drawn, asked) = (Cell::new(0), RefCell::default(), RefCell::default());
        Self { commands, tape, position, luck, wakes: *wakes, drawn, asked }
    }

    fn next(&self) -> Option<Entry<'a>> {
        let at = self.position.get();
        self.position.set(at + 1);
        self.tape.get(at).copied()
    }

    async fn ask(&self, call: Call) -> Answer {
        let mut call = Some(call);
        poll_fn(|_| match (self.next(), call.take()) {
            (Some(Entry::Answer(recorded, answer)), Some(call)) => {
                assert_eq!(*recorded, call, "the same answers must lead to the same calls");
                Poll::Ready(answer.clone())
            }
            (None, Some(call)) => {
                self.asked.replace(Some(call));
                Poll::Pending
            }
            (entry, _) => panic!("a call where the tape has {entry:?}"),
        })
        .await
    }

    fn draw(&self, fresh: u64) -> u64 {
        match self.next() {
            Some(Entry::Luck(recorded)) => recorded,
            None => {
                self.drawn.borrow_mut().push(fresh);
                fresh
            }
            Some(entry) => panic!("luck where the tape has {entry:?}"),
        }
    }
}

/// What an answer says for its call. An answer of the wrong kind is a mistake in the model.
impl Answer {
    fn checked(self) -> Result<Self, Error> {
        match self {
            Self::Failed(kind) => Err(Error::new("a call", "the model", kind, None)),
            other => Ok(other),
        }
    }

    fn wrong(&self) -> ! {
        panic!("{self:?} does not answer this call")
    }
}

impl Calls for &Replay<'_> {
    const MAX_CONFLICT_RETRIES: u32 = 2;

    async fn read_execution(&self, key: &Key) -> Result<Option<Execution>, Error> {
        match self.ask(Call::ReadExecution(key.clone())).await.checked()? {
            Answer::Row(row) => Ok(row.map(|row| row.to_execution())),
            other => other.wrong(),
        }
    }

    async fn read_executions(&self, keys: &[Key]) -> Result<Page, Error> {
        self.rows(Call::ReadExecutions(keys.to_vec())).await
    }

    async fn write_execution(&self, change: &Change) -> Result<WriteOutcome<Option<Execution>, Execution>, Error> {
        Ok(match self.ask(Call::WriteExecution(Box::new(change.clone()))).await.checked()? {
            Answer::Applied(row) => WriteOutcome::Applied(row.map(|row| row.to_execution())),
            Answer::Conflict(row) => WriteOutcome::Conflict(row.to_execution()),
            Answer::NotFound => WriteOutcome::NotFound,
            other => other.wrong(),
        })
    }

    async fn put_execution(&self, row: &Execution) -> Result<PutOutcome<Execution>, Error> {
        Ok(match self.ask(Call::PutExecution(Box::new(row.clone()))).await.checked()? {
            Answer::Done => PutOutcome::Stored,
            Answer::Conflict(row) => PutOutcome::Exists(Box::new(row.to_execution())),
            other => other.wrong(),
        })
    }

    async fn put_duplicate(&self, _: &Execution, _: BatchNumber) -> Result<(), Error> {
        unreachable!("no command of the model has batches")
    }

    async fn waiting(&self, _: &ThingName, now: Timestamp, subscribed: bool) -> Result<Page, Error> {
        self.rows(Call::Waiting { now, subscribed }).await
    }

    async fn delete_unsent_execution(&self, row: &Execution) -> Result<(), Error> {
        self.ask(Call::DeleteExecution(Box::new(row.clone()))).await.checked().map(drop)
    }

    async fn read_command(&self, id: &CommandId) -> Result<Option<Command>, Error> {
        match self.ask(Call::ReadCommand(id.clone())).await.checked()? {
            Answer::Command(n, stored) => Ok(stored.map(|stored| self.command(n, stored))),
            other => other.wrong(),
        }
    }

    async fn put_command(&self, command: &Command) -> Result<PutOutcome<Command>, Error> {
        Ok(match self.ask(Call::PutCommand(Box::new(command.clone()))).await.checked()? {
            Answer::Done => PutOutcome::Stored,
            Answer::Command(n, Some(stored)) => PutOutcome::Exists(Box::new(self.command(n, stored))),
            other => other.wrong(),
        })
    }

    async fn delete_unsent_command(&self, command: &Command) -> Result<(), Error> {
        self.ask(Call::DeleteCommand(command.id.clone())).await.checked().map(drop)
    }

    async fn read_plan(&self, _: &CommandId) -> Result<Option<Plan>, Error> {
        unreachable!("no command of the model is broadcast")
    }

    async fn enter_lane(
        &self,
        _: &ThingName,
        lane: &LaneName,
        id: &ExecutionId,
        _: Timestamp,
    ) -> Result<LaneEntry, Error> {
        Ok(match self.ask(Call::EnterLane(lane.clone(), id.clone())).await.checked()? {
            Answer::Queue(queue) => LaneEntry::Joined(queue),
            Answer::LaneFull => LaneEntry::Full,
            other => other.wrong(),
        })
    }

    async fn claim_lane(
        &self,
        _: &ThingName,
        _: &LaneName,
        claim: &LaneClaim,
        now: Timestamp,
    ) -> Result<Option<LaneClaim>, Error> {
        match self.ask(Call::ClaimLane(claim.clone(), now)).await.checked()? {
            Answer::Claim(claim) => Ok(claim),
            other => other.wrong(),
        }
    }

    async fn leave_lane(
        &self,
        _: &ThingName,
        lane: &LaneName,
        leaving: &[(usize, ExecutionId)],
        claim: Option<&LaneClaim>,
    ) -> Result<WriteOutcome<LaneQueue>, Error> {
        let call = Call::LeaveLane(lane.clone(), leaving.to_vec(), claim.cloned());
        Ok(match self.ask(call).await.checked()? {
            Answer::Queue(queue) => WriteOutcome::Applied(queue),
            Answer::QueueConflict(queue) => WriteOutcome::Conflict(queue),
            other => other.wrong(),
        })
    }

    async fn read_lane(&self, _: &ThingName, lane: &LaneName) -> Result<LaneQueue, Error> {
        match self.ask(Call::ReadLane(lane.clone())).await.checked()? {
            Answer::Queue(queue) => Ok(queue),
            other => other.wrong(),
        }
    }

    async fn read_shadow(&self, _: &ThingName, shadow: Option<&ShadowName>) -> Result<Option<Vec<u8>>, Error> {
        match self.ask(Call::ReadShadow(shadow.cloned())).await.checked()? {
            Answer::Document(document) => Ok(document.map(|document| document.to_vec())),
            other => other.wrong(),
        }
    }

    async fn update_shadow(&self, update: &ShadowUpdate) -> Result<ShadowWriteOutcome, Error> {
        match self.ask(Call::UpdateShadow(Box::new(update.clone()))).await.checked()? {
            Answer::Shadow(outcome) => Ok(outcome),
            other => other.wrong(),
        }
    }

    async fn send_direct(&self, _: &ThingName, request: &Request) -> Result<Acknowledgement, Error> {
        match self.ask(Call::SendDirect(Box::new(request.clone()))).await.checked()? {
            Answer::Acknowledged(acknowledgement) => Ok(acknowledgement),
            other => other.wrong(),
        }
    }

    async fn publish_request(&self, request: &Request) -> Result<(), Error> {
        self.ask(Call::PublishRequest(Box::new(request.clone()))).await.checked().map(drop)
    }

    async fn publish(&self, topic: &Topic, body: String) -> Result<(), Error> {
        self.ask(Call::Publish(topic.clone(), body)).await.checked().map(drop)
    }

    async fn connected_since(&self, _: &ThingName) -> Result<Option<Timestamp>, Error> {
        match self.ask(Call::ConnectedSince).await.checked()? {
            Answer::Since(since) => Ok(since),
            other => other.wrong(),
        }
    }

    async fn subscriptions(&self, thing: &ThingName) -> Result<Vec<String>, Error> {
        match self.ask(Call::Subscriptions).await.checked()? {
            Answer::Is(subscribed) => {
                Ok(subscribed.then(|| Topic::request(thing).as_str().to_owned()).into_iter().collect())
            }
            other => other.wrong(),
        }
    }

    async fn note_raw_request(&self, _: &Execution, _: &RequestDigest, _: Timestamp) -> Result<bool, Error> {
        unreachable!("no scenario has raw requests")
    }

    async fn send_wake(&self, wake: Wake) {
        if self.wakes {
            self.ask(Call::SendWake(Box::new(wake))).await;
        }
    }

    fn since_event(&self) -> Duration {
        let fresh = self.luck.seconds_since_event;
        fresh.map_or(Duration::ZERO, |fresh| Duration::from_secs(self.draw(fresh.into())))
    }

    fn nonce(&self) -> u64 {
        self.draw(self.luck.nonce.into())
    }

    async fn pause(&self, _: Duration) {}
}

impl Replay<'_> {
    async fn rows(&self, call: Call) -> Result<Page, Error> {
        match self.ask(call).await.checked()? {
            Answer::Rows(rows) => {
                Ok(Page { executions: rows.iter().map(|row| row.to_execution()).collect(), ..Page::default() })
            }
            other => other.wrong(),
        }
    }

    fn command(&self, n: usize, stored: i64) -> Command {
        Command { created_at: at(stored), ..self.commands[n].clone() }
    }
}
