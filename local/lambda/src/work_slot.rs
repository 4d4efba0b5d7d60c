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

    /// Puts work down for a process that has none.
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

    /// Hands over the reply to the work that is running; false when it is not the one of this id.
    pub fn answer(&self, id: &str, answer: Reply) -> bool {
        let mut state = self.state();
        match std::mem::replace(&mut *state, State::Empty) {
            State::Running(running, reply) if running == id => {
                // Whoever invoked may have given up on it.
                let _ = reply.send(answer);
                true
            }
            other => {
                *state = other;
                false
            }
        }
    }

    /// The process has ended.
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
