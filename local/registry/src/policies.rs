//! Policies and their versions: create, get, list, set default, delete.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::certificates::creation_sort_key;
use super::check;
use super::document::Document;
use super::error::{Error, ErrorKind};
use super::http::Outcome;
use super::paging::Paging;
use super::store::{Context, Store, new_id, seconds};

const MAX_VERSIONS: usize = 5;

#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Policy {
    /// Number of the default version, which is the one that is evaluated.
    default: u32,
    /// Highest version number so far; numbers of deleted versions are not reused.
    latest: u32,
    versions: BTreeMap<u32, Version>,
    generation: String,
    created_ms: i64,
    modified_ms: i64,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Version {
    document: Document,
    created_ms: i64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CreatePolicy {
    policy_name: String,
    policy_document: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PolicyNamed {
    policy_name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ListPolicies {
    #[serde(default)]
    is_ascending_order: bool,
    #[serde(flatten)]
    paging: Paging,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CreatePolicyVersion {
    policy_name: String,
    policy_document: String,
    #[serde(default)]
    set_as_default: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PolicyVersionOf {
    policy_name: String,
    policy_version_id: String,
}

impl Policy {
    /// A policy with this version only.
    fn new(version: Version) -> Self {
        let created_ms = version.created_ms;
        Self {
            default: 1,
            latest: 1,
            versions: BTreeMap::from([(1, version)]),
            generation: new_id(),
            created_ms,
            modified_ms: created_ms,
        }
    }

    /// The document of the default version.
    pub(super) fn document(&self) -> Option<&Document> {
        self.versions.get(&self.default).map(|version| &version.document)
    }

    fn version(&self, id: &str) -> Result<(u32, &Version), Error> {
        let number: Option<u32> = id.parse().ok();
        let found = number.and_then(|number| Some((number, self.versions.get(&number)?)));
        found.ok_or_else(|| Error::not_found(format!("Policy version {id} not found")))
    }
}

fn parse(text: String) -> Result<Document, Error> {
    Document::try_from(text).map_err(|error| Error::new(ErrorKind::MalformedPolicy, error.to_string()))
}

impl Store {
    pub(super) fn policy(&self, name: &str) -> Result<&Policy, Error> {
        check::policy_name(name)?;
        self.policies.get(name).ok_or_else(|| no_policy(name))
    }

    fn policy_mut(&mut self, name: &str) -> Result<&mut Policy, Error> {
        check::policy_name(name)?;
        self.policies.get_mut(name).ok_or_else(|| no_policy(name))
    }

    pub(super) fn create_policy(&mut self, context: &Context<'_>, request: CreatePolicy) -> Outcome {
        let name = request.policy_name;
        check::policy_name(&name)?;
        let arn = context.scope.arn("policy", &name);
        if self.policies.contains_key(&name) {
            let message = format!("Policy cannot be created - name already exists (name={name})");
            return Err(Error::already_exists(message, &name, arn));
        }
        let answer = json!({
            "policyName": name,
            "policyArn": arn,
            "policyDocument": request.policy_document,
            "policyVersionId": "1",
        });
        let version = Version { document: parse(request.policy_document)?, created_ms: context.now_ms };
        self.policies.insert(name, Policy::new(version));
        Ok(answer)
    }

    /// Makes `document` the default version of a policy, as CloudFormation does: creates the policy, or a version if the
    /// document differs from the default one, in place of the oldest other one if there are as many as there may be.
    pub(super) fn declare_policy(&mut self, context: &Context<'_>, name: &str, document: &Document) {
        let version = Version { document: document.clone(), created_ms: context.now_ms };
        let Some(policy) = self.policies.get_mut(name) else {
            self.policies.insert(name.to_owned(), Policy::new(version));
            return;
        };
        if policy.document() == Some(document) {
            return;
        }
        let replaceable = policy.versions.keys().copied().find(|number| *number != policy.default);
        if let Some(oldest) = replaceable.filter(|_| policy.versions.len() >= MAX_VERSIONS) {
            policy.versions.remove(&oldest);
        }
        policy.latest += 1;
        policy.versions.insert(policy.latest, version);
        policy.default = policy.latest;
        policy.modified_ms = context.now_ms;
    }

    pub(super) fn get_policy(&self, context: &Context<'_>, request: PolicyNamed) -> Outcome {
        let name = request.policy_name;
        let policy = self.policy(&name)?;
        Ok(json!({
            "policyName": name,
            "policyArn": context.scope.arn("policy", &name),
            "policyDocument": policy.document().map(Document::text),
            "defaultVersionId": policy.default.to_string(),
            "creationDate": seconds(policy.created_ms),
            "lastModifiedDate": seconds(policy.modified_ms),
            "generationId": policy.generation,
        }))
    }

    /// In order of creation, the latest first unless `isAscendingOrder` is set.
    pub(super) fn list_policies(&self, context: &Context<'_>, request: ListPolicies) -> Outcome {
        let in_order: BTreeMap<_, _> = self
            .policies
            .iter()
            .map(|(name, policy)| (creation_sort_key(policy.created_ms, name, request.is_ascending_order), name))
            .collect();
        let (names, next) = request.paging.page(in_order)?;
        let policies: Vec<_> = names
            .into_iter()
            .map(|name| json!({ "policyName": name, "policyArn": context.scope.arn("policy", name) }))
            .collect();
        Ok(json!({ "policies": policies, "nextMarker": next }))
    }

    pub(super) fn delete_policy(&mut self, _: &Context<'_>, request: PolicyNamed) -> Outcome {
        let name = request.policy_name;
        if self.policy(&name)?.versions.len() > 1 {
            return Err(Error::new(
                ErrorKind::DeleteConflict,
                format!(
                    "Cannot delete the policy because it has one or more policy versions attached to it (name={name})"
                ),
            ));
        }
        if self.targets(&name).next().is_some() {
            return Err(Error::new(
                ErrorKind::DeleteConflict,
                format!(
                    "The policy cannot be deleted as the policy is attached to one or more principals (name={name})"
                ),
            ));
        }
        self.policies.remove(&name);
        Ok(json!({}))
    }

    pub(super) fn create_policy_version(&mut self, context: &Context<'_>, request: CreatePolicyVersion) -> Outcome {
        let name = request.policy_name;
        let policy = self.policy_mut(&name)?;
        let document = parse(request.policy_document.clone())?;
        if policy.versions.len() >= MAX_VERSIONS {
            let message = format!("The policy {name} already has the maximum number of versions ({MAX_VERSIONS})");
            return Err(Error::new(ErrorKind::VersionsLimitExceeded, message));
        }
        policy.latest += 1;
        policy.versions.insert(policy.latest, Version { document, created_ms: context.now_ms });
        policy.modified_ms = context.now_ms;
        if request.set_as_default {
            policy.default = policy.latest;
        }
        Ok(json!({
            "policyArn": context.scope.arn("policy", &name),
            "policyDocument": request.policy_document,
            "policyVersionId": policy.latest.to_string(),
            "isDefaultVersion": request.set_as_default,
        }))
    }

    pub(super) fn list_policy_versions(&self, _: &Context<'_>, request: PolicyNamed) -> Outcome {
        let policy = self.policy(&request.policy_name)?;
        let versions = policy.versions.iter().rev().map(|(number, version)| {
            json!({
                "versionId": number.to_string(),
                "isDefaultVersion": *number == policy.default,
                "createDate": seconds(version.created_ms),
            })
        });
        Ok(json!({ "policyVersions": versions.collect::<Vec<_>>() }))
    }

    pub(super) fn get_policy_version(&self, context: &Context<'_>, request: PolicyVersionOf) -> Outcome {
        let policy = self.policy(&request.policy_name)?;
        let (number, version) = policy.version(&request.policy_version_id)?;
        Ok(json!({
            "policyArn": context.scope.arn("policy", &request.policy_name),
            "policyName": request.policy_name,
            "policyDocument": version.document.text(),
            "policyVersionId": number.to_string(),
            "isDefaultVersion": number == policy.default,
            "creationDate": seconds(version.created_ms),
            "lastModifiedDate": seconds(version.created_ms),
            "generationId": policy.generation,
        }))
    }

    pub(super) fn set_default_policy_version(&mut self, context: &Context<'_>, request: PolicyVersionOf) -> Outcome {
        let policy = self.policy_mut(&request.policy_name)?;
        policy.default = policy.version(&request.policy_version_id)?.0;
        policy.modified_ms = context.now_ms;
        Ok(json!({}))
    }

    pub(super) fn delete_policy_version(&mut self, _: &Context<'_>, request: PolicyVersionOf) -> Outcome {
        let policy = self.policy_mut(&request.policy_name)?;
        let number = policy.version(&request.policy_version_id)?.0;
        if number == policy.default {
            return Err(Error::new(ErrorKind::DeleteConflict, "Cannot delete the default version of a policy"));
        }
        policy.versions.remove(&number);
        Ok(json!({}))
    }
}

fn no_policy(name: &str) -> Error {
    Error::not_found(format!("Policy not found (name={name})"))
}
