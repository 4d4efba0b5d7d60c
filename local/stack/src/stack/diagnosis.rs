//! What a stack waits for, in words: the report of a test that makes no progress.

use std::fmt;
use std::sync::PoisonError;

use local_broker::Broker;
use local_clock::Clock;
use local_dynamodb::DynamoDb;
use local_event_source::{QueueMappings, StreamMappings};
use local_faults::Faults;
use local_journal::Journal;
use local_lambda::Lambda;
use local_scheduler::Scheduler;

use super::{Clients, Stack};

/// The number of journal entries that are shown.
const SHOWN_ENTRIES: usize = 20;
/// The number of characters that are shown of each entry.
const ENTRY_CHARS: usize = 400;

/// A view of a stack, for use on any thread. Its [`Display`](fmt::Display) says what [`Stack::settle`] waits for now.
///
/// It keeps the stack's services alive: drop it together with the stack.
pub struct Diagnosis {
    clock: Clock,
    broker: Broker,
    lambda: Lambda,
    dynamodb: DynamoDb,
    scheduler: Scheduler,
    event_sources: QueueMappings,
    mappings: StreamMappings,
    faults: Faults,
    journal: Journal,
    clients: Clients,
}

impl Stack {
    /// A view of the stack that says what it waits for.
    pub fn diagnosis(&self) -> Diagnosis {
        Diagnosis {
            clock: self.clock.clone(),
            broker: self.broker.clone(),
            lambda: self.lambda.clone(),
            dynamodb: self.dynamodb.clone(),
            scheduler: self.scheduler.clone(),
            event_sources: self.event_sources.clone(),
            mappings: self.mappings.clone(),
            faults: self.faults.clone(),
            journal: self.journal.clone(),
            clients: self.clients.clone(),
        }
    }
}

impl Diagnosis {
    /// A number that grows whenever something happens: the number of journal entries. 0 if the journal is off.
    pub fn progress(&self) -> usize {
        self.journal.len()
    }

    /// What the stack's services wait for, one line each; empty when every service is idle.
    pub fn pending(&self) -> Vec<String> {
        let mut pending = self.lambda.pending();
        pending.extend(self.faults.active_calls());
        pending.extend(self.scheduler.pending());
        pending.extend(self.dynamodb.pending());
        pending.extend(self.event_sources.pending());
        pending.extend(self.mappings.pending());
        pending
    }

    fn in_hand(&self) -> usize {
        self.clients.lock().unwrap_or_else(PoisonError::into_inner).iter().map(|in_hand| in_hand()).sum()
    }
}

impl fmt::Display for Diagnosis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "the stack's clock shows {} ms", self.clock.now_ms())?;
        let pending = self.pending();
        if pending.is_empty() {
            writeln!(f, "  every service is idle")?;
        }
        pending.iter().try_for_each(|line| writeln!(f, "  {line}"))?;
        for (client, messages) in self.broker.unacknowledged() {
            writeln!(f, "  client {client} is connected and has not acknowledged {messages} messages")?;
        }
        let in_hand = self.in_hand();
        if in_hand > 0 {
            writeln!(f, "  the attended clients have {in_hand} things in hand")?;
        }
        let (held, planned) = (self.faults.held(), self.faults.pending());
        if held + planned > 0 {
            writeln!(f, "  faults: {held} events are held, {planned} faults are planned and not used")?;
        }
        let entries = self.journal.newest(SHOWN_ENTRIES);
        writeln!(f, "the newest {} entries of the journal:", entries.len())?;
        for entry in entries {
            let text: String = format!("{:?}", entry.event).chars().take(ENTRY_CHARS).collect();
            writeln!(f, "  {} {text}", entry.at_ms)?;
        }
        Ok(())
    }
}
