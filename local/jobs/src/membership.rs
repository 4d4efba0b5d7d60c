//! Follows the registry: things that join a target of a CONTINUOUS job get it, and those that leave, or that are
//! deleted, are REMOVED from it.

use std::collections::BTreeSet;

use local_registry::Registry;

use super::error::Error;
use super::job::Job;
use super::status::ExecutionStatus;
use super::transaction::Transaction;
use super::transitions::Change;

/// What the registry asks of one job.
struct Difference {
    joined: Vec<String>,
    left: Vec<String>,
}

/// Makes the executions of all jobs reflect the registry.
pub(super) fn follow_registry(transaction: &mut Transaction<'_>) {
    let registry = transaction.registry;
    let is_concerned = |job: &Job| job.is_active() || job.count(|status| !status.is_terminal()) > 0;
    let jobs = transaction.store.jobs.iter().filter(|(_, job)| is_concerned(job));
    let differences: Vec<(String, Difference)> =
        jobs.map(|(id, job)| (id.clone(), difference(registry, job))).collect();
    for (job_id, Difference { joined, left }) in differences {
        for thing in left {
            match transaction.store.jobs.get_mut(&job_id).is_some_and(|job| job.latest(&thing).is_some()) {
                true => transaction.change(&job_id, &thing, Change::to(ExecutionStatus::Removed)),
                false => forget_waiting(transaction, &job_id, &thing),
            }
        }
        for thing in joined {
            // At once: the rate of a rollout holds for those that were targets when the job was created.
            transaction.queue(&job_id, &thing, 0);
        }
        transaction.complete_if_done(&job_id);
    }
}

fn forget_waiting(transaction: &mut Transaction<'_>, job_id: &str, thing: &str) {
    if let Some(job) = transaction.store.jobs.get_mut(job_id) {
        job.waiting.retain(|waiting| waiting != thing);
    }
}

fn difference(registry: &Registry, job: &Job) -> Difference {
    let open = job.things_in(|status| !status.is_terminal());
    let open = open.iter().chain(&job.waiting);
    if !(job.continuous && job.is_active()) {
        let left = open.filter(|thing| !registry.has_thing(thing)).cloned().collect();
        return Difference { joined: Vec::new(), left };
    }
    let members = members(registry, &job.targets);
    let left = open.filter(|thing| !members.contains(*thing)).cloned().collect();
    let waiting: BTreeSet<&String> = job.waiting.iter().collect();
    let joins = |thing: &String| match job.executions.get(thing) {
        Some(executions) => executions.last().is_some_and(|latest| latest.status == ExecutionStatus::Removed),
        None => !waiting.contains(thing),
    };
    let joined = members.iter().filter(|thing| joins(thing)).cloned().collect();
    Difference { joined, left }
}

/// The things of targets that exist; a group stands for its things and those of the groups below it.
pub(super) fn members(registry: &Registry, targets: &[String]) -> BTreeSet<String> {
    let mut members = BTreeSet::new();
    for target in targets {
        if let Some(thing) = registry.name_in_arn("thing", target) {
            members.extend(registry.has_thing(thing).then(|| thing.to_owned()));
        } else if let Some(group) = registry.name_in_arn("thinggroup", target) {
            members.extend(registry.things_below_group(group).unwrap_or_default());
        }
    }
    members
}

/// Checks that targets are things and groups that exist.
pub(super) fn check_targets(registry: &Registry, targets: &[String]) -> Result<(), Error> {
    for target in targets {
        let exists = match (registry.name_in_arn("thing", target), registry.name_in_arn("thinggroup", target)) {
            (Some(thing), _) => registry.has_thing(thing),
            (None, Some(group)) => registry.things_below_group(group).is_some(),
            (None, None) => {
                let message = format!("{target} is not the ARN of a thing or a thing group of this Region and account");
                return Err(Error::invalid(message));
            }
        };
        if !exists {
            return Err(Error::not_found(format!("Target {target} cannot be found")));
        }
    }
    Ok(())
}
