//! The functions' running processes: recognizes the caller of a call, and kills processes.

use std::collections::HashMap;

use bytes::Bytes;
use tokio_util::sync::CancellationToken;

use super::{Call, Faults};

#[derive(Default)]
pub(super) struct Processes {
    last: u64,
    alive: HashMap<u64, Process>,
}

struct Process {
    function: String,
    /// Request id of its current or last invoke.
    invoke: String,
    /// The calls of that invoke: the SDK's id of each, and the number of attempts.
    calls: Vec<(String, u32)>,
    kill: CancellationToken,
    ended: CancellationToken,
}

impl Processes {
    pub(super) fn add(&mut self, function: &str, kill: CancellationToken) -> u64 {
        self.last += 1;
        let (function, invoke, calls, ended) =
            (function.to_owned(), String::new(), Vec::new(), CancellationToken::new());
        self.alive.insert(self.last, Process { function, invoke, calls, kill, ended });
        self.last
    }

    fn start_invoke(&mut self, number: u64, invoke: &str) {
        if let Some(process) = self.alive.get_mut(&number) {
            invoke.clone_into(&mut process.invoke);
            process.calls.clear();
        }
    }

    fn remove(&mut self, number: u64) {
        if let Some(process) = self.alive.remove(&number) {
            process.ended.cancel();
        }
    }

    /// Recognizes the process by its access key, and counts the request.
    pub(super) fn call(&mut self, access_key: &str, sdk_invocation: Option<&str>) -> Option<Call> {
        let mut parts = access_key.rsplitn(3, '.');
        let (number, function) = (parts.next()?.parse().ok()?, parts.next()?);
        let process = self.alive.get_mut(&number).filter(|process| process.function == function)?;
        let calls = &mut process.calls;
        let known = sdk_invocation.and_then(|id| calls.iter().position(|(known, _)| known == id));
        let index = known.unwrap_or_else(|| {
            calls.push((sdk_invocation.unwrap_or_default().to_owned(), 0));
            calls.len() - 1
        });
        let (_, attempts) = calls.get_mut(index)?;
        *attempts += 1;
        Some(Call {
            function: function.to_owned(),
            invoke: process.invoke.clone(),
            nth: u32::try_from(index + 1).unwrap_or(u32::MAX),
            attempt: *attempts,
            operation: String::new(),
            path: String::new(),
            body: Bytes::new(),
            process: number,
        })
    }

    /// Number `pick` modulo the number of the function's processes, the oldest first.
    pub(super) fn pick(&self, function: &str, pick: usize) -> Option<u64> {
        let of_function = self.alive.iter().filter(|(_, process)| process.function == function);
        let mut numbers: Vec<u64> = of_function.map(|(number, _)| *number).collect();
        numbers.sort_unstable();
        pick.checked_rem(numbers.len()).and_then(|at| numbers.get(at).copied())
    }

    /// Kills a process; the returned token is cancelled when the process has ended. `None` if it has ended before.
    pub(super) fn kill(&mut self, number: u64) -> Option<CancellationToken> {
        let process = self.alive.get(&number)?;
        process.kill.cancel();
        Some(process.ended.clone())
    }
}

/// The registration of a running process.
#[derive(Clone)]
pub struct Registration {
    faults: Faults,
    function: String,
    number: u64,
}

impl Registration {
    pub(super) fn new(faults: Faults, function: &str, number: u64) -> Self {
        Self { faults, function: function.to_owned(), number }
    }

    /// The access key of this process: `stem`, the function's name and the process's number.
    pub fn access_key(&self, stem: &str) -> String {
        format!("{stem}.{}.{}", self.function, self.number)
    }

    /// The process starts an invoke: its calls are numbered from 1 again.
    pub fn start_invoke(&self, invoke: &str) {
        self.faults.locked_processes().start_invoke(self.number, invoke);
    }

    /// The process has ended.
    pub fn remove(&self) {
        self.faults.locked_processes().remove(self.number);
    }
}
