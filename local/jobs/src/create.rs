//! `CreateJob` and `AssociateTargetsWithJob`.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::check;
use super::config::Configuration;
use super::error::{Error, Outcome};
use super::job::Job;
use super::membership;
use super::rollout;
use super::status::JobStatus;
use super::transaction::Transaction;

/// Maximum bytes of a document (AWS IoT Device Management quotas).
const MAX_DOCUMENT_BYTES: usize = 32 * 1024;
/// Maximum targets of a job.
const MAX_TARGETS: usize = 100;
const MAX_TAGS: usize = 50;
/// What a document may have replaced on AWS, by URLs of S3 that are signed for the device.
const PRESIGNED_URL: &str = "${aws:iot:s3-presigned-url";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CreateJob {
    job_id: String,
    targets: Vec<String>,
    document: Option<String>,
    description: Option<String>,
    target_selection: Option<TargetSelection>,
    tags: Option<Vec<Tag>>,
    #[serde(flatten)]
    configuration: Configuration,
    /// Members that are not followed here.
    #[serde(flatten)]
    others: Map<String, Value>,
}

#[derive(Clone, Copy, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum TargetSelection {
    Continuous,
    Snapshot,
}

/// Tags are accepted and not kept: the local stack has no operation that shows them.
#[derive(Deserialize)]
struct Tag {
    #[serde(rename = "Key")]
    key: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AssociateTargetsWithJob {
    job_id: String,
    targets: Vec<String>,
    comment: Option<String>,
    namespace_id: Option<Value>,
}

/// `CreateJob`
pub(super) fn create_job(transaction: &mut Transaction<'_>, request: CreateJob) -> Outcome {
    let id = request.job_id.clone();
    check::job_id(&id)?;
    refuse_others(&request.others)?;
    check::text("description", request.description.as_deref())?;
    check_tags(request.tags.as_deref().unwrap_or_default())?;
    request.configuration.check()?;
    let document = checked_document(request.document)?;
    check_target_count(request.targets.len())?;
    membership::check_targets(transaction.registry, &request.targets)?;
    let arn = transaction.registry.arn("job", &id);
    if transaction.store.jobs.contains_key(&id) {
        return Err(Error::already_exists(&id, arn));
    }
    let waiting = membership::members(transaction.registry, &request.targets);
    let job = Job {
        sequence: transaction.store.next_sequence(),
        status: JobStatus::InProgress,
        continuous: request.target_selection == Some(TargetSelection::Continuous),
        targets: request.targets,
        document,
        description: request.description.clone(),
        comment: None,
        reason_code: None,
        force_canceled: false,
        configuration: request.configuration,
        created_ms: transaction.now_ms,
        updated_ms: transaction.now_ms,
        completed_ms: None,
        waiting: waiting.into_iter().collect(),
        next_release_ms: transaction.now_ms,
        rate_increases: 0,
        executions: BTreeMap::new(),
        counts: BTreeMap::new(),
    };
    transaction.store.jobs.insert(id.clone(), job);
    rollout::release(transaction, &id);
    Ok(json!({ "jobArn": arn, "jobId": id, "description": request.description }))
}

/// `AssociateTargetsWithJob`
pub(super) fn associate(transaction: &mut Transaction<'_>, request: AssociateTargetsWithJob) -> Outcome {
    let id = request.job_id;
    check::job_id(&id)?;
    if request.namespace_id.is_some() {
        return Err(Error::not_served("namespaceId"));
    }
    check::text("comment", request.comment.as_deref())?;
    let job = transaction.store.job(&id)?;
    if !job.continuous || !job.is_active() {
        return Err(Error::invalid(format!("Job {id} is not a CONTINUOUS job that is IN_PROGRESS")));
    }
    if let Some(other) =
        request.targets.iter().find(|arn| transaction.registry.name_in_arn("thinggroup", arn).is_none())
    {
        return Err(Error::invalid(format!("{other} is not the ARN of a thing group of this Region and account")));
    }
    membership::check_targets(transaction.registry, &request.targets)?;
    let added: Vec<String> = request.targets.into_iter().filter(|target| !job.targets.contains(target)).collect();
    check_target_count(job.targets.len() + added.len())?;
    let (arn, now_ms) = (transaction.registry.arn("job", &id), transaction.now_ms);
    let mut description = None;
    if let Some(job) = transaction.store.jobs.get_mut(&id) {
        job.targets.extend(added);
        job.comment = request.comment.or(job.comment.take());
        job.updated_ms = now_ms;
        description.clone_from(&job.description);
    }
    membership::follow_registry(transaction);
    Ok(json!({ "jobArn": arn, "jobId": id, "description": description }))
}

/// Refuses a member that the local stack does not follow, by its name.
pub(super) fn refuse_others(others: &Map<String, Value>) -> Result<(), Error> {
    match others.iter().find(|(_, value)| !value.is_null()) {
        Some((name, _)) => Err(Error::not_served(name)),
        None => Ok(()),
    }
}

fn checked_document(document: Option<String>) -> Result<String, Error> {
    let document = document.ok_or_else(|| Error::invalid("document is missing"))?;
    if document.len() > MAX_DOCUMENT_BYTES {
        let bytes = document.len();
        return Err(Error::invalid(format!("document has {bytes} bytes: at most {MAX_DOCUMENT_BYTES} are allowed")));
    }
    if document.contains(PRESIGNED_URL) {
        return Err(Error::not_served("a presigned URL of S3 in document"));
    }
    // As a value: not every number and text that JSON may write can be handed to a device.
    match serde_json::from_str::<Value>(&document) {
        Ok(_) => Ok(document),
        Err(error) => Err(Error::invalid(format!("document is not JSON: {error}"))),
    }
}

fn check_target_count(count: usize) -> Result<(), Error> {
    match count {
        0 => Err(Error::invalid("targets is empty")),
        1..=MAX_TARGETS => Ok(()),
        _ => Err(Error::limit_exceeded(format!("A job has at most {MAX_TARGETS} targets, not {count}"))),
    }
}

fn check_tags(tags: &[Tag]) -> Result<(), Error> {
    let is_valid = |tag: &Tag| (1..=128).contains(&tag.key.chars().count());
    match tags.len() <= MAX_TAGS && tags.iter().all(is_valid) {
        true => Ok(()),
        false => Err(Error::invalid(format!("tags has at most {MAX_TAGS} members, with keys of 1 to 128 characters"))),
    }
}
