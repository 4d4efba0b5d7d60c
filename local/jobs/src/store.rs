//! Everything that the service holds: jobs with their executions, timers, and the configuration of events.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::error::Error;
use super::events::EventConfigurations;
use super::execution::Execution;
use super::job::Job;

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Store {
    pub(super) jobs: BTreeMap<String, Job>,
    /// The number of jobs and executions that have been created.
    last_sequence: u64,
    pub(super) events: EventConfigurations,
    /// Deadlines of executions, with job and thing. One whose execution has another deadline by now is without effect.
    #[serde(skip)]
    pub(super) timers: BTreeSet<(i64, String, String)>,
    /// The state of the registry that the executions reflect; none after a restart.
    #[serde(skip)]
    pub(super) registry_seen: Option<u64>,
}

/// A job execution that a thing has not finished.
pub(super) struct Pending<'a> {
    pub(super) job_id: &'a str,
    pub(super) job: &'a Job,
    pub(super) execution: &'a Execution,
}

impl Store {
    pub(super) fn next_sequence(&mut self) -> u64 {
        self.last_sequence += 1;
        self.last_sequence
    }

    pub(super) fn job(&self, id: &str) -> Result<&Job, Error> {
        self.jobs.get(id).ok_or_else(|| Error::not_found(format!("Job {id} cannot be found")))
    }

    /// The pending executions of a thing: those IN_PROGRESS first, each kind in the order of creation.
    pub(super) fn pending(&self, thing: &str) -> Vec<Pending<'_>> {
        let latest = self.jobs.iter().filter_map(|(job_id, job)| {
            let execution = job.latest(thing).filter(|execution| !execution.status.is_terminal())?;
            Some(Pending { job_id, job, execution })
        });
        let mut pending: Vec<_> = latest.collect();
        // QUEUED is the first of the statuses, and IN_PROGRESS the next.
        pending.sort_by_key(|pending| (std::cmp::Reverse(pending.execution.status), pending.execution.sequence));
        pending
    }

    /// Restores the timers, which a snapshot does not hold.
    pub(super) fn rebuild_timers(&mut self) {
        let executions = self.jobs.iter().flat_map(|(job_id, job)| {
            let latest = job.executions.iter().filter_map(|(thing, executions)| Some((thing, executions.last()?)));
            latest.filter_map(move |(thing, execution)| Some((execution.deadline_ms()?, job_id.clone(), thing.clone())))
        });
        self.timers = executions.collect();
    }
}
