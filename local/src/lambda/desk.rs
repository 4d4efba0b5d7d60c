//! What passes between an invoke and a process: at most one piece of work, and its reply.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::{Notify, oneshot, watch};

/// Work for a process, as `GET next` hands it over.
#[derive(Clone, Debug)]
pub(super) struct Work {
    pub id: String,
    pub payload: Bytes,
    pub deadline_ms: u64,
    pub trace: String,
}

/// What became of a piece of work.
#[derive(Debug)]
pub(super) enum Reply {
    Answered(Bytes),
    /// The function reported an error.
    Failed(Bytes),
    /// The process ended before it took the work, which another process can do instead.
    NotTaken,
    /// The process ended with the work; the text says how.
    Exited(String),
}

/// How far a process has got with its start.
#[derive(Clone, Debug)]
pub(super) enum Phase {
    Starting,
    /// It asked for work; the time is what that took.
    Ready(Duration),
    /// It reported that it cannot start.
    Failed(Bytes),
    /// It ended; the text says how.
    Exited(String),
}

/// The place where work is put down and taken up.
pub(super) struct Desk {
    started: Instant,
    slot: Mutex<Slot>,
    filled: Notify,
    pub phase: watch::Sender<Phase>,
}

enum Slot {
    Empty,
    Waiting(Work, oneshot::Sender<Reply>),
    Running(String, oneshot::Sender<Reply>),
    Closed,
}

impl Desk {
    pub fn new() -> Self {
        Self {
            started: Instant::now(),
            slot: Mutex::new(Slot::Empty),
            filled: Notify::new(),
            phase: watch::Sender::new(Phase::Starting),
        }
    }

    /// Puts work down for a process that has none.
    pub fn assign(&self, work: Work) -> oneshot::Receiver<Reply> {
        let (reply, receiver) = oneshot::channel();
        let mut slot = self.slot();
        match &*slot {
            Slot::Closed => drop(reply.send(Reply::NotTaken)),
            _ => {
                *slot = Slot::Waiting(work, reply);
                self.filled.notify_one();
            }
        }
        receiver
    }

    /// Waits for work and takes it up. Whoever asks is ready.
    pub async fn take(&self) -> Work {
        self.phase.send_if_modified(|phase| {
            let starting = matches!(phase, Phase::Starting);
            if starting {
                *phase = Phase::Ready(self.started.elapsed());
            }
            starting
        });
        loop {
            if let Some(work) = self.try_take() {
                return work;
            }
            self.filled.notified().await;
        }
    }

    fn try_take(&self) -> Option<Work> {
        let mut slot = self.slot();
        match std::mem::replace(&mut *slot, Slot::Empty) {
            Slot::Waiting(work, reply) => {
                *slot = Slot::Running(work.id.clone(), reply);
                Some(work)
            }
            other => {
                *slot = other;
                None
            }
        }
    }

    /// Hands over the reply to the work that is running; false when it is not the one of this id.
    pub fn answer(&self, id: &str, answer: Reply) -> bool {
        let mut slot = self.slot();
        match std::mem::replace(&mut *slot, Slot::Empty) {
            Slot::Running(running, reply) if running == id => {
                // Whoever invoked may have given up on it.
                let _ = reply.send(answer);
                true
            }
            other => {
                *slot = other;
                false
            }
        }
    }

    /// The process has ended.
    pub fn close(&self, how: &str) {
        match std::mem::replace(&mut *self.slot(), Slot::Closed) {
            Slot::Waiting(_, reply) => drop(reply.send(Reply::NotTaken)),
            Slot::Running(_, reply) => drop(reply.send(Reply::Exited(how.to_owned()))),
            Slot::Empty | Slot::Closed => {}
        }
        self.phase.send_replace(Phase::Exited(how.to_owned()));
    }

    fn slot(&self) -> MutexGuard<'_, Slot> {
        self.slot.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
