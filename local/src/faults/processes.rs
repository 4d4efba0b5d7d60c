//! The functions' processes: whose call it is, and how to kill it.

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
    /// The invoke that it works on, or did last.
    invoke: String,
    /// The calls of that invoke: what the SDK calls each, and how often it has tried.
    calls: Vec<(String, u32)>,
    kill: CancellationToken,
    gone: CancellationToken,
}

impl Processes {
    pub(super) fn enter(&mut self, function: &str, kill: CancellationToken) -> u64 {
        self.last += 1;
        let (function, invoke, calls, gone) =
            (function.to_owned(), String::new(), Vec::new(), CancellationToken::new());
        self.alive.insert(self.last, Process { function, invoke, calls, kill, gone });
        self.last
    }

    fn begin(&mut self, number: u64, invoke: &str) {
        if let Some(process) = self.alive.get_mut(&number) {
            invoke.clone_into(&mut process.invoke);
            process.calls.clear();
        }
    }

    fn leave(&mut self, number: u64) {
        if let Some(process) = self.alive.remove(&number) {
            process.gone.cancel();
        }
    }

    /// Whose request it is; counts it.
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

    /// One of a function's processes, the oldest first and counted round and round.
    pub(super) fn pick(&self, function: &str, pick: usize) -> Option<u64> {
        let of_function = self.alive.iter().filter(|(_, process)| process.function == function);
        let mut numbers: Vec<u64> = of_function.map(|(number, _)| *number).collect();
        numbers.sort_unstable();
        pick.checked_rem(numbers.len()).and_then(|at| numbers.get(at).copied())
    }

    /// Kills a process; what is returned is cancelled when it is gone. `None` when it is gone already.
    pub(super) fn kill(&mut self, number: u64) -> Option<CancellationToken> {
        let process = self.alive.get(&number)?;
        process.kill.cancel();
        Some(process.gone.clone())
    }
}

/// A process's place among those that run.
#[derive(Clone)]
pub(crate) struct Seat {
    faults: Faults,
    function: String,
    number: u64,
}

impl Seat {
    pub(super) fn new(faults: Faults, function: &str, number: u64) -> Self {
        Self { faults, function: function.to_owned(), number }
    }

    /// The access key that tells its calls from those of others; what it is made from stays its beginning.
    pub(crate) fn access_key(&self, stem: &str) -> String {
        format!("{stem}.{}.{}", self.function, self.number)
    }

    /// It takes up an invoke: its calls count from 1 again.
    pub(crate) fn begin(&self, invoke: &str) {
        self.faults.locked_processes().begin(self.number, invoke);
    }

    /// It has ended.
    pub(crate) fn leave(&self) {
        self.faults.locked_processes().leave(self.number);
    }
}
