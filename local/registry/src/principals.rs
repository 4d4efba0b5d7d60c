//! Which certificates are attached to which things.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::error::Error;
use super::http::Outcome;
use super::paging::{Page, Paging};
use super::store::{Call, Site, Store};

/// Whether a certificate may be attached to other things as well.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Hold {
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
    thing_principal_type: Option<Hold>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ListThingPrincipals {
    thing_name: String,
    thing_principal_type: Option<Hold>,
    #[serde(flatten)]
    paging: Paging,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ListPrincipalThings {
    principal: String,
    thing_principal_type: Option<Hold>,
    #[serde(flatten)]
    paging: Paging,
}

/// The certificate id in a principal's ARN: there are no other principals here.
pub(super) fn certificate_in<'a>(site: &Site, arn: &'a str) -> Result<&'a str, Error> {
    site.name_in("cert", arn).ok_or_else(|| Error::invalid(format!("{arn} is not the ARN of a certificate here")))
}

impl Store {
    pub(super) fn attach_thing_principal(&mut self, call: &Call<'_>, request: ThingPrincipal) -> Outcome {
        let name = request.thing_name;
        self.thing(&name)?;
        let id = certificate_in(call.site, &request.principal)?;
        let certificate = self.certificate_mut(id)?;
        let hold = request.thing_principal_type.unwrap_or_default();
        let exclusively = |things: &BTreeMap<String, Hold>| {
            things.iter().any(|(other, hold)| *hold == Hold::Exclusive && *other != name)
        };
        let elsewhere = certificate.things.keys().any(|other| *other != name);
        if exclusively(&certificate.things) || (hold == Hold::Exclusive && elsewhere) {
            let message = format!("Principal {id} is attached to another thing, and one of the two is exclusive");
            return Err(Error::invalid(message));
        }
        certificate.things.insert(name.clone(), hold);
        let id = id.to_owned();
        self.thing_mut(&name)?.certificates.insert(id);
        Ok(json!({}))
    }

    pub(super) fn detach_thing_principal(&mut self, call: &Call<'_>, request: ThingPrincipal) -> Outcome {
        let name = request.thing_name;
        let id = certificate_in(call.site, &request.principal)?;
        if !self.thing_mut(&name)?.certificates.remove(id) {
            return Err(Error::not_found(format!("Principal {id} is not attached to thing {name}")));
        }
        self.certificate_mut(id)?.things.remove(&name);
        Ok(json!({}))
    }

    pub(super) fn list_thing_principals(&self, call: &Call<'_>, request: ListThingPrincipals) -> Outcome {
        let (found, next_token) = self.principals(call, &request)?;
        let arns: Vec<_> = found.into_iter().map(|(arn, _)| arn).collect();
        Ok(json!({ "principals": arns, "nextToken": next_token }))
    }

    pub(super) fn list_thing_principals_v2(&self, call: &Call<'_>, request: ListThingPrincipals) -> Outcome {
        let (found, next_token) = self.principals(call, &request)?;
        let objects = found.into_iter().map(|(arn, hold)| json!({ "principal": arn, "thingPrincipalType": hold }));
        Ok(json!({ "thingPrincipalObjects": objects.collect::<Vec<_>>(), "nextToken": next_token }))
    }

    fn principals(&self, call: &Call<'_>, request: &ListThingPrincipals) -> Page<(String, Hold)> {
        let name = &request.thing_name;
        let held = self.thing(name)?.certificates.iter().filter_map(|id| {
            let hold = *self.certificates.get(id)?.things.get(name)?;
            request.thing_principal_type.is_none_or(|wanted| wanted == hold).then_some((id, hold))
        });
        request.paging.of(held.map(|(id, hold)| (id, (call.site.arn("cert", id), hold))))
    }

    pub(super) fn list_principal_things(&self, call: &Call<'_>, request: ListPrincipalThings) -> Outcome {
        let (found, next_token) = self.things_of(call, &request)?;
        let names: Vec<_> = found.into_iter().map(|(name, _)| name).collect();
        Ok(json!({ "things": names, "nextToken": next_token }))
    }

    pub(super) fn list_principal_things_v2(&self, call: &Call<'_>, request: ListPrincipalThings) -> Outcome {
        let (found, next_token) = self.things_of(call, &request)?;
        let objects = found.into_iter().map(|(name, hold)| json!({ "thingName": name, "thingPrincipalType": hold }));
        Ok(json!({ "principalThingObjects": objects.collect::<Vec<_>>(), "nextToken": next_token }))
    }

    fn things_of(&self, call: &Call<'_>, request: &ListPrincipalThings) -> Page<(&String, Hold)> {
        let certificate = self.certificate(certificate_in(call.site, &request.principal)?)?;
        let things = certificate.things.iter();
        let things = things.filter(|(_, hold)| request.thing_principal_type.is_none_or(|wanted| wanted == **hold));
        request.paging.of(things.map(|(name, hold)| (name, (name, *hold))))
    }
}
