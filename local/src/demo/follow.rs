//! One execution, from the request to its end.

use std::sync::Arc;
use std::time::Duration;

use device::fleet::Script;
use tokio::sync::watch;

use super::api::{Api, ApiError, Delivery, Execution};
use super::board::{Board, Heard};

/// How often a silent execution is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// After a thing has said how it ended, the API is asked until it says so too: first after this long.
const FIRST_LOOK: Duration = Duration::from_millis(4);
const SLOWEST_LOOK: Duration = Duration::from_millis(500);

/// What is asked of every thing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deadlines {
    pub ttl: u32,
    pub heartbeat: Option<u32>,
}

/// How one execution went.
#[derive(Debug)]
pub(super) struct Followed {
    pub thing: String,
    pub script: Script,
    pub delivery: Delivery,
    /// How it stood in the end; an error when the API would not say.
    pub end: Result<Execution, ApiError>,
    /// From the request until the thing's verdict was on the broker.
    pub answered: Option<Duration>,
    /// From the request until the API showed the end.
    pub settled: Option<Duration>,
}

pub(super) struct Follower {
    pub api: Arc<Api>,
    pub board: Arc<Board>,
    pub deadlines: Deadlines,
    /// Changes whenever the clock was moved, and is `true` when waiting is over.
    pub time: watch::Receiver<bool>,
}

impl Follower {
    /// Sends the command and watches it until it has ended for good, or until waiting is over.
    pub async fn follow(mut self, thing: String, script: Script, delivery: Delivery) -> Followed {
        let mut followed =
            Followed { thing, script, delivery, end: Ok(Execution::default()), answered: None, settled: None };
        followed.end = self.run(&mut followed).await;
        self.board.settle();
        followed
    }

    async fn run(&mut self, followed: &mut Followed) -> Result<Execution, ApiError> {
        let thing = followed.thing.clone();
        // Every thing of the fleet is on the board.
        let mut heard = self.board.listen(&thing).unwrap_or_else(|| watch::channel(Heard::default()).1);
        let Deadlines { ttl, heartbeat } = self.deadlines;
        let (command, start) = self.api.create(&thing, followed.delivery, ttl, heartbeat).await?;
        self.board.show(&thing, "CREATED");
        let late = followed.script.expected(heartbeat.is_some()).late;
        let mut look = FIRST_LOOK;
        loop {
            if heard.borrow_and_update().verdicts > 0 {
                followed.answered.get_or_insert_with(|| start.elapsed());
            } else {
                let over = *self.time.borrow_and_update();
                if !over {
                    self.wait(&mut heard).await;
                    if heard.borrow().verdicts > 0 {
                        continue;
                    }
                }
            }
            let execution = self.api.execution(&command, &thing).await?;
            self.board.show(&thing, &execution.status);
            // The cloud's own verdict on a late thing is not the end: the thing's is.
            if execution.is_terminal() && (execution.late || !late) {
                followed.settled = Some(start.elapsed());
                return Ok(execution);
            }
            if *self.time.borrow() {
                return Ok(execution);
            }
            if followed.answered.is_some() {
                tokio::time::sleep(look).await;
                look = (look * 2).min(SLOWEST_LOOK);
            }
        }
    }

    /// Until the thing is heard, the clock was moved, or a while has passed.
    async fn wait(&mut self, heard: &mut watch::Receiver<Heard>) {
        let waited = tokio::time::timeout(LOOK_EVERY, async {
            loop {
                tokio::select! {
                    changed = heard.changed() => {
                        if changed.is_err() || heard.borrow_and_update().verdicts > 0 {
                            return;
                        }
                    }
                    _ = self.time.changed() => return,
                }
            }
        });
        // Having waited long enough is as good a reason to look as any.
        let _ = waited.await;
    }
}
