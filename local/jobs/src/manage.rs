//! `DescribeJob`, `GetJobDocument`, `ListJobs` and `UpdateJob`.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::check;
use super::config::Configuration;
use super::create::{TargetSelection, refuse_others};
use super::error::{Error, Outcome};
use super::job::Job;
use super::paging::Paging;
use super::status::JobStatus;
use super::transaction::Transaction;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct JobNamed {
    job_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ListJobs {
    status: Option<JobStatus>,
    target_selection: Option<TargetSelection>,
    thing_group_name: Option<String>,
    thing_group_id: Option<String>,
    namespace_id: Option<Value>,
    #[serde(flatten)]
    paging: Paging,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct UpdateJob {
    job_id: String,
    description: Option<String>,
    #[serde(flatten)]
    configuration: Configuration,
    /// Members that are not followed here.
    #[serde(flatten)]
    others: Map<String, Value>,
}

/// `DescribeJob`
pub(super) fn describe_job(transaction: &mut Transaction<'_>, request: JobNamed) -> Outcome {
    let id = request.job_id;
    check::job_id(&id)?;
    let job = transaction.store.job(&id)?;
    Ok(json!({ "job": job.shown(&id, transaction.registry.arn("job", &id)) }))
}

/// `GetJobDocument`
pub(super) fn get_document(transaction: &mut Transaction<'_>, request: JobNamed) -> Outcome {
    check::job_id(&request.job_id)?;
    Ok(json!({ "document": transaction.store.job(&request.job_id)?.document }))
}

/// `ListJobs`: the newest first.
pub(super) fn list_jobs(transaction: &mut Transaction<'_>, request: ListJobs) -> Outcome {
    if request.namespace_id.is_some() {
        return Err(Error::not_served("namespaceId"));
    }
    let registry = transaction.registry;
    let group = match (&request.thing_group_name, &request.thing_group_id) {
        (Some(name), _) => Some(registry.arn("thinggroup", name)),
        (None, Some(id)) => {
            let missing = || Error::not_found(format!("Thing group {id} not found"));
            Some(registry.arn("thinggroup", &registry.group_with_id(id).ok_or_else(missing)?))
        }
        (None, None) => None,
    };
    let is_wanted = |job: &Job| {
        request.status.is_none_or(|status| status == job.status)
            && request.target_selection.is_none_or(|wanted| (wanted == TargetSelection::Continuous) == job.continuous)
            && group.as_ref().is_none_or(|arn| job.targets.contains(arn))
    };
    let mut jobs: Vec<_> = transaction.store.jobs.iter().filter(|(_, job)| is_wanted(job)).collect();
    jobs.sort_by_key(|(_, job)| std::cmp::Reverse(job.sequence));
    let keyed = jobs.into_iter().map(|(id, job)| (newest_first(job.sequence), (id, job)));
    let (page, next_token) = request.paging.page(keyed)?;
    let page: Vec<Value> = page.into_iter().map(|(id, job)| job.summary(id, registry.arn("job", id))).collect();
    Ok(json!({ "jobs": page, "nextToken": next_token }))
}

/// `UpdateJob`
pub(super) fn update_job(transaction: &mut Transaction<'_>, request: UpdateJob) -> Outcome {
    let id = request.job_id;
    check::job_id(&id)?;
    refuse_others(&request.others)?;
    check::text("description", request.description.as_deref())?;
    request.configuration.check()?;
    if !transaction.store.job(&id)?.is_active() {
        return Err(Error::invalid(format!("Job {id} is not IN_PROGRESS")));
    }
    if let Some(job) = transaction.store.jobs.get_mut(&id) {
        job.description = request.description.or(job.description.take());
        job.configuration.update(request.configuration);
        job.updated_ms = transaction.now_ms;
    }
    Ok(json!({}))
}

/// A key of a page that sorts by descending numbers.
pub(super) fn newest_first(sequence: u64) -> String {
    format!("{:020}", u64::MAX - sequence)
}
