//! Attachments of policies to certificates and thing groups.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::json;

use super::error::{Error, ErrorKind};
use super::http::Outcome;
use super::paging::Paging;
use super::store::{Context, Scope, Store};

const MAX_POLICIES_PER_CERTIFICATE: usize = 10;
const MAX_POLICIES_PER_GROUP: usize = 2;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Attachment {
    policy_name: String,
    /// ARN of a certificate or thing group. The older operations, such as `AttachPrincipalPolicy`, name it `principal`.
    #[serde(alias = "principal")]
    target: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ListAttachedPolicies {
    #[serde(alias = "principal")]
    target: String,
    #[serde(default)]
    recursive: bool,
    #[serde(flatten)]
    paging: Paging,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ListTargetsForPolicy {
    policy_name: String,
    #[serde(flatten)]
    paging: Paging,
}

/// Certificate or thing group that a policy is attached to.
#[derive(Clone, Copy)]
pub(super) enum Target<'a> {
    Certificate(&'a str),
    Group(&'a str),
}

impl<'a> Target<'a> {
    fn parse(scope: &Scope, arn: &'a str) -> Result<Self, Error> {
        let certificate = scope.name_in("cert", arn).map(Target::Certificate);
        let target = certificate.or_else(|| scope.name_in("thinggroup", arn).map(Target::Group));
        target.ok_or_else(|| {
            Error::invalid(format!("{arn} is not the ARN of a certificate or thing group in this region and account"))
        })
    }

    fn arn(self, scope: &Scope) -> String {
        match self {
            Self::Certificate(id) => scope.arn("cert", id),
            Self::Group(name) => scope.arn("thinggroup", name),
        }
    }
}

impl Store {
    /// The certificates and thing groups that the policy is attached to.
    pub(super) fn targets<'a>(&'a self, policy: &'a str) -> impl Iterator<Item = Target<'a>> {
        let certificates =
            self.certificates.iter().filter(move |(_, certificate)| certificate.policies.contains(policy));
        let groups = self.groups.iter().filter(move |(_, group)| group.policies.contains(policy));
        let certificates = certificates.map(|(id, _)| Target::Certificate(id));
        certificates.chain(groups.map(|(name, _)| Target::Group(name)))
    }

    fn attached_to(&mut self, target: Target<'_>) -> Result<&mut BTreeSet<String>, Error> {
        match target {
            Target::Certificate(id) => Ok(&mut self.certificate_mut(id)?.policies),
            Target::Group(name) => Ok(&mut self.group_mut(name)?.policies),
        }
    }

    pub(super) fn attach_policy(&mut self, context: &Context<'_>, request: Attachment) -> Outcome {
        self.policy(&request.policy_name)?;
        let target = Target::parse(context.scope, &request.target)?;
        let max = match target {
            Target::Certificate(_) => MAX_POLICIES_PER_CERTIFICATE,
            Target::Group(_) => MAX_POLICIES_PER_GROUP,
        };
        let attached = self.attached_to(target)?;
        if attached.len() >= max && !attached.contains(&request.policy_name) {
            let message = format!("{} has {max} policies attached, which is the limit", request.target);
            return Err(Error::new(ErrorKind::LimitExceeded, message));
        }
        attached.insert(request.policy_name);
        Ok(json!({}))
    }

    /// Succeeds as well if the policy is not attached to the target.
    pub(super) fn detach_policy(&mut self, context: &Context<'_>, request: Attachment) -> Outcome {
        self.policy(&request.policy_name)?;
        let target = Target::parse(context.scope, &request.target)?;
        self.attached_to(target)?.remove(&request.policy_name);
        Ok(json!({}))
    }

    /// The target's own policies; with `recursive`, also those of the parent groups.
    pub(super) fn list_attached_policies(&self, context: &Context<'_>, request: ListAttachedPolicies) -> Outcome {
        let mut names = BTreeSet::new();
        match Target::parse(context.scope, &request.target)? {
            Target::Certificate(id) => names.extend(&self.certificate(id)?.policies),
            Target::Group(name) => {
                let group = self.group(name)?;
                names.extend(&group.policies);
                if request.recursive {
                    names.extend(self.ancestors(group).flat_map(|(_, group)| &group.policies));
                }
            }
        }
        let policies = names
            .into_iter()
            .map(|name| (name, json!({ "policyName": name, "policyArn": context.scope.arn("policy", name) })));
        let (policies, next) = request.paging.page(policies)?;
        Ok(json!({ "policies": policies, "nextMarker": next }))
    }

    pub(super) fn list_targets_for_policy(&self, context: &Context<'_>, request: ListTargetsForPolicy) -> Outcome {
        self.policy(&request.policy_name)?;
        let arns: BTreeSet<_> = self.targets(&request.policy_name).map(|target| target.arn(context.scope)).collect();
        let (targets, next) = request.paging.page(arns.iter().map(|arn| (arn, arn)))?;
        Ok(json!({ "targets": targets, "nextMarker": next }))
    }
}
