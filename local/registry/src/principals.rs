//! Attachments of certificates (principals) to things: attach, detach, list.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::error::Error;
use super::http::Outcome;
use super::paging::{Page, Paging};
use super::store::{Context, Scope, Store};

/// The `thingPrincipalType` of an attachment: whether the certificate may be attached to other things as well.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum PrincipalType {
    #[serde(rename = "EXCLUSIVE_THING")]
    Exclusive,
    #[default]
    #[serde(rename = "NON_EXCLUSIVE_THING")]
    Shared,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ThingPrincipal {
    thing_name: String,
    principal: String,
    thing_principal_type: Option<PrincipalType>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ListThingPrincipals {
    thing_name: String,
    thing_principal_type: Option<PrincipalType>,
    #[serde(flatten)]
    paging: Paging,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ListPrincipalThings {
    principal: String,
    thing_principal_type: Option<PrincipalType>,
    #[serde(flatten)]
    paging: Paging,
}

/// The certificate id in a principal's ARN. Certificates are the only principals that the local stack supports.
pub(super) fn certificate_in<'a>(scope: &Scope, arn: &'a str) -> Result<&'a str, Error> {
    scope
        .name_in("cert", arn)
        .ok_or_else(|| Error::invalid(format!("{arn} is not the ARN of a certificate in this region and account")))
}

impl Store {
    pub(super) fn attach_thing_principal(&mut self, context: &Context<'_>, request: ThingPrincipal) -> Outcome {
        let name = request.thing_name;
        self.thing(&name)?;
        let id = certificate_in(context.scope, &request.principal)?;
        let certificate = self.certificate_mut(id)?;
        let principal_type = request.thing_principal_type.unwrap_or_default();
        let is_exclusive_elsewhere = |things: &BTreeMap<String, PrincipalType>| {
            things.iter().any(|(other, principal_type)| *principal_type == PrincipalType::Exclusive && *other != name)
        };
        let is_attached_elsewhere = certificate.things.keys().any(|other| *other != name);
        if is_exclusive_elsewhere(&certificate.things)
            || (principal_type == PrincipalType::Exclusive && is_attached_elsewhere)
        {
            let message =
                format!("Principal {id} is attached to another thing, and one of the two attachments is exclusive");
            return Err(Error::invalid(message));
        }
        certificate.things.insert(name.clone(), principal_type);
        let id = id.to_owned();
        self.thing_mut(&name)?.certificates.insert(id);
        Ok(json!({}))
    }

    pub(super) fn detach_thing_principal(&mut self, context: &Context<'_>, request: ThingPrincipal) -> Outcome {
        let name = request.thing_name;
        let id = certificate_in(context.scope, &request.principal)?;
        if !self.thing_mut(&name)?.certificates.remove(id) {
            return Err(Error::not_found(format!("Principal {id} is not attached to thing {name}")));
        }
        self.certificate_mut(id)?.things.remove(&name);
        Ok(json!({}))
    }

    pub(super) fn list_thing_principals(&self, context: &Context<'_>, request: ListThingPrincipals) -> Outcome {
        let (found, next_token) = self.principals(context, &request)?;
        let arns: Vec<_> = found.into_iter().map(|(arn, _)| arn).collect();
        Ok(json!({ "principals": arns, "nextToken": next_token }))
    }

    pub(super) fn list_thing_principals_v2(&self, context: &Context<'_>, request: ListThingPrincipals) -> Outcome {
        let (found, next_token) = self.principals(context, &request)?;
        let objects = found
            .into_iter()
            .map(|(arn, principal_type)| json!({ "principal": arn, "thingPrincipalType": principal_type }));
        Ok(json!({ "thingPrincipalObjects": objects.collect::<Vec<_>>(), "nextToken": next_token }))
    }

    fn principals(&self, context: &Context<'_>, request: &ListThingPrincipals) -> Page<(String, PrincipalType)> {
        let name = &request.thing_name;
        let attachments = self.thing(name)?.certificates.iter().filter_map(|id| {
            let principal_type = *self.certificates.get(id)?.things.get(name)?;
            request.thing_principal_type.is_none_or(|wanted| wanted == principal_type).then_some((id, principal_type))
        });
        request
            .paging
            .page(attachments.map(|(id, principal_type)| (id, (context.scope.arn("cert", id), principal_type))))
    }

    pub(super) fn list_principal_things(&self, context: &Context<'_>, request: ListPrincipalThings) -> Outcome {
        let (found, next_token) = self.things_of(context, &request)?;
        let names: Vec<_> = found.into_iter().map(|(name, _)| name).collect();
        Ok(json!({ "things": names, "nextToken": next_token }))
    }

    pub(super) fn list_principal_things_v2(&self, context: &Context<'_>, request: ListPrincipalThings) -> Outcome {
        let (found, next_token) = self.things_of(context, &request)?;
        let objects = found
            .into_iter()
            .map(|(name, principal_type)| json!({ "thingName": name, "thingPrincipalType": principal_type }));
        Ok(json!({ "principalThingObjects": objects.collect::<Vec<_>>(), "nextToken": next_token }))
    }

    fn things_of(&self, context: &Context<'_>, request: &ListPrincipalThings) -> Page<(&String, PrincipalType)> {
        let certificate = self.certificate(certificate_in(context.scope, &request.principal)?)?;
        let things = certificate.things.iter();
        let things = things
            .filter(|(_, principal_type)| request.thing_principal_type.is_none_or(|wanted| wanted == **principal_type));
        request.paging.page(things.map(|(name, principal_type)| (name, (name, *principal_type))))
    }
}
