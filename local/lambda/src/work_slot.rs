//! Transfer of one invoke at a time to a process, and of its reply.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::{Notify, oneshot, watch};

/// An invoke as `GET next` returns it.
#[derive(Clone, Debug)]
pub(super) struct Work {
    pub id: String,
    pub payload: Bytes,
    pub deadline_ms: u64,
    pub trace: String,
}

/// Result of an invoke on a process.
#[derive(Debug)]
pub(super) enum Reply {
    Answered(Bytes),
    /// The function reported an error.
    Failed(Bytes),
    /// The process exited before it took the invoke, which another process can run.
    NotTaken,
    /// The process exited during the invoke; the text describes its exit status.
    Exited(String),
}

/// Phase of the start of a process.
#[derive(Clone, Debug)]
pub(super) enum Phase {
    Starting,
    /// The process requested its first invoke after this time.
    Ready(Duration),
    /// The process reported an initialization error.
    Failed(Bytes),
    /// The process exited; the text describes its exit status.
    Exited(String),
}

/// Holds at most one invoke, which waits for the process or runs on it.
pub(super) struct WorkSlot {
    started: Instant,
    state: Mutex<State>,
    filled: Notify,
    pub phase: watch::Sender<Phase>,
}

enum State {
    Empty,
    Waiting(Work, oneshot::Sender<Reply>),
    Running(String, oneshot::Sender<Reply>),
    Closed,
}

impl WorkSlot {
    pub fn new() -> Self {
        Self {
            started: Instant::now(),
            state: Mutex::new(State::Empty),
            filled: Notify::new(),
            phase: watch::Sender::new(Phase::Starting),
        }
    }

    /// Assigns an invoke to the process, which must have none.
    pub fn assign(&self, work: Work) -> oneshot::Receiver<Reply> {
        let (reply, receiver) = oneshot::channel();
        let mut state = self.state();
        match &*state {
            State::Closed => drop(reply.send(Reply::NotTaken)),
            _ => {
                *state = State::Waiting(work, reply);
                self.filled.notify_one();
            }
        }
        receiver
    }

    /// Waits for an invoke and takes it. The first call ends the start of the process.
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
        let mut state = self.state();
        match std::mem::replace(&mut *state, State::Empty) {
            State::Waiting(work, reply) => {
                *state = State::Running(work.id.clone(), reply);
                Some(work)
            }
            other => {
                *state = other;
                None
            }
        }
    }

    /// Sends the reply of the running invoke; false if it has another id.
    pub fn answer(&self, id: &str, answer: Reply) -> bool {
        let mut state = self.state();
        match std::mem::replace(&mut *state, State::Empty) {
            State::Running(running, reply) if running == id => {
                // The send fails if the invoke has timed out.
                let _ = reply.send(answer);
                true
            }
            other => {
                *state = other;
                false
            }
        }
    }

    /// Ends the pending or running invoke, because the process has exited.
    pub fn close(&self, how: &str) {
        match std::mem::replace(&mut *self.state(), State::Closed) {
            State::Waiting(_, reply) => drop(reply.send(Reply::NotTaken)),
            State::Running(_, reply) => drop(reply.send(Reply::Exited(how.to_owned()))),
            State::Empty | State::Closed => {}
        }
        self.phase.send_replace(Phase::Exited(how.to_owned()));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
