//! Which policies are attached to which certificates and groups.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::json;

use super::error::{Error, Kind};
use super::http::Outcome;
use super::paging::Paging;
use super::store::{Call, Site, Store};

const MOST_ON_CERTIFICATE: usize = 10;
const MOST_ON_GROUP: usize = 2;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Attachment {
    policy_name: String,
    /// Called `principal` by the older operations of the same effect.
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

/// What a policy is attached to.
#[derive(Clone, Copy)]
pub(super) enum Target<'a> {
    Certificate(&'a str),
    Group(&'a str),
}

impl<'a> Target<'a> {
    fn parse(site: &Site, arn: &'a str) -> Result<Self, Error> {
        let certificate = site.name_in("cert", arn).map(Target::Certificate);
        let target = certificate.or_else(|| site.name_in("thinggroup", arn).map(Target::Group));
        target.ok_or_else(|| Error::invalid(format!("{arn} is not the ARN of a certificate or thing group here")))
    }

    fn arn(self, site: &Site) -> String {
        match self {
            Self::Certificate(id) => site.arn("cert", id),
            Self::Group(name) => site.arn("thinggroup", name),
        }
    }
}

impl Store {
    /// What the policy is attached to.
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

    pub(super) fn attach_policy(&mut self, call: &Call<'_>, request: Attachment) -> Outcome {
        self.policy(&request.policy_name)?;
        let target = Target::parse(call.site, &request.target)?;
        let most = match target {
            Target::Certificate(_) => MOST_ON_CERTIFICATE,
            Target::Group(_) => MOST_ON_GROUP,
        };
        let attached = self.attached_to(target)?;
        if attached.len() >= most && !attached.contains(&request.policy_name) {
            let message = format!("{} has {most} policies attached: the limit", request.target);
            return Err(Error::new(Kind::LimitExceeded, message));
        }
        attached.insert(request.policy_name);
        Ok(json!({}))
    }

    /// Detaching what is not attached succeeds.
    pub(super) fn detach_policy(&mut self, call: &Call<'_>, request: Attachment) -> Outcome {
        self.policy(&request.policy_name)?;
        let target = Target::parse(call.site, &request.target)?;
        self.attached_to(target)?.remove(&request.policy_name);
        Ok(json!({}))
    }

    /// The target's own policies; `recursive`ly also those of the groups above it.
    pub(super) fn list_attached_policies(&self, call: &Call<'_>, request: ListAttachedPolicies) -> Outcome {
        let mut names = BTreeSet::new();
        match Target::parse(call.site, &request.target)? {
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
            .map(|name| (name, json!({ "policyName": name, "policyArn": call.site.arn("policy", name) })));
        let (policies, next) = request.paging.of(policies)?;
        Ok(json!({ "policies": policies, "nextMarker": next }))
    }

    pub(super) fn list_targets_for_policy(&self, call: &Call<'_>, request: ListTargetsForPolicy) -> Outcome {
        self.policy(&request.policy_name)?;
        let arns: BTreeSet<_> = self.targets(&request.policy_name).map(|target| target.arn(call.site)).collect();
        let (targets, next) = request.paging.of(arns.iter().map(|arn| (arn, arn)))?;
        Ok(json!({ "targets": targets, "nextMarker": next }))
    }
}
