//! Device certificates: create, register, describe, list, update status, delete.

use std::collections::{BTreeMap, BTreeSet};

use local_pki::Issued;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::certificate_variables;
use super::check;
use super::error::{Error, ErrorKind};
use super::http::Outcome;
use super::paging::Paging;
use super::principals::PrincipalType;
use super::store::{Context, Scope, Store, new_id, seconds};

#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Certificate {
    pub pem: String,
    pub status: Status,
    /// Signed by an authority other than the local one.
    pub foreign: bool,
    not_before_s: i64,
    not_after_s: i64,
    generation: String,
    created_ms: i64,
    modified_ms: i64,
    /// Names of the attached policies.
    pub policies: BTreeSet<String>,
    /// Names of the things that the certificate is attached to.
    pub things: BTreeMap<String, PrincipalType>,
    /// Its policy variables, by name; read from the certificate.
    #[serde(skip)]
    pub variables: BTreeMap<String, String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum Status {
    Active,
    Inactive,
    Revoked,
    PendingTransfer,
    RegisterInactive,
    PendingActivation,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CreateKeysAndCertificate {
    #[serde(default)]
    set_as_active: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CreateCertificateFromCsr {
    certificate_signing_request: String,
    #[serde(default)]
    set_as_active: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RegisterCertificate {
    certificate_pem: String,
    status: Option<Status>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CertificateOf {
    certificate_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ListCertificates {
    #[serde(default)]
    is_ascending_order: bool,
    #[serde(flatten)]
    paging: Paging,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct UpdateCertificate {
    certificate_id: String,
    new_status: Status,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DeleteCertificate {
    certificate_id: String,
    #[serde(default)]
    force_delete: bool,
}

impl Certificate {
    fn new(pem: String, status: Status, foreign: bool, now_ms: i64) -> Result<(String, Self), Error> {
        let bad = |error: String| Error::new(ErrorKind::CertificateValidation, format!("certificatePem: {error}"));
        let der = CertificateDer::from_pem_slice(pem.as_bytes()).map_err(|error| bad(error.to_string()))?;
        let (_, parsed) = x509_parser::parse_x509_certificate(&der).map_err(|error| bad(error.to_string()))?;
        let validity = parsed.validity();
        let certificate = Self {
            status: check_settable(status)?,
            foreign,
            not_before_s: validity.not_before.timestamp(),
            not_after_s: validity.not_after.timestamp(),
            generation: new_id(),
            created_ms: now_ms,
            modified_ms: now_ms,
            policies: BTreeSet::new(),
            things: BTreeMap::new(),
            variables: certificate_variables::read(&parsed),
            pem,
        };
        Ok((local_pki::certificate_id(&der), certificate))
    }

    /// Reads the policy variables of a certificate whose state was saved.
    pub(super) fn read_variables(&mut self) {
        let der = CertificateDer::from_pem_slice(self.pem.as_bytes()).ok();
        let parsed = der.as_deref().and_then(|der| x509_parser::parse_x509_certificate(der).ok());
        self.variables = parsed.map(|(_, parsed)| certificate_variables::read(&parsed)).unwrap_or_default();
    }

    fn summary(&self, scope: &Scope, id: &str) -> Value {
        json!({
            "certificateArn": scope.arn("cert", id),
            "certificateId": id,
            "status": self.status,
            "certificateMode": if self.foreign { "SNI_ONLY" } else { "DEFAULT" },
            "creationDate": seconds(self.created_ms),
        })
    }
}

/// Returns the status if a request may set it: only AWS itself sets the two PENDING states.
fn check_settable(status: Status) -> Result<Status, Error> {
    match status {
        Status::Active | Status::Inactive | Status::Revoked | Status::RegisterInactive => Ok(status),
        Status::PendingTransfer | Status::PendingActivation => {
            Err(Error::invalid("A certificate cannot be given the status PENDING_TRANSFER or PENDING_ACTIVATION"))
        }
    }
}

impl Store {
    pub(super) fn certificate(&self, id: &str) -> Result<&Certificate, Error> {
        check::certificate_id(id)?;
        self.certificates.get(id).ok_or_else(|| no_certificate(id))
    }

    pub(super) fn certificate_mut(&mut self, id: &str) -> Result<&mut Certificate, Error> {
        check::certificate_id(id)?;
        self.certificates.get_mut(id).ok_or_else(|| no_certificate(id))
    }

    pub(super) fn add_keys_and_certificate(
        &mut self,
        context: &Context<'_>,
        request: CreateKeysAndCertificate,
        issued: Issued,
    ) -> Outcome {
        let status = if request.set_as_active { Status::Active } else { Status::Inactive };
        let (id, certificate) = Certificate::new(issued.certificate_pem.clone(), status, false, context.now_ms)?;
        let arn = context.scope.arn("cert", &id);
        self.certificates.insert(id.clone(), certificate);
        Ok(json!({
            "certificateArn": arn,
            "certificateId": id,
            "certificatePem": issued.certificate_pem,
            "keyPair": { "PublicKey": issued.public_key_pem, "PrivateKey": issued.private_key_pem },
        }))
    }

    pub(super) fn create_certificate_from_csr(
        &mut self,
        context: &Context<'_>,
        request: CreateCertificateFromCsr,
    ) -> Outcome {
        let refused = |error| Error::invalid(format!("The certificate signing request is not valid: {error}"));
        let pem = context.pki.sign(&request.certificate_signing_request).map_err(refused)?;
        let status = if request.set_as_active { Status::Active } else { Status::Inactive };
        let (id, certificate) = Certificate::new(pem.clone(), status, false, context.now_ms)?;
        let arn = context.scope.arn("cert", &id);
        self.certificates.insert(id.clone(), certificate);
        Ok(json!({ "certificateArn": arn, "certificateId": id, "certificatePem": pem }))
    }

    /// Registers a certificate that another authority, or the device itself, has signed.
    pub(super) fn register_certificate_without_ca(
        &mut self,
        context: &Context<'_>,
        request: RegisterCertificate,
    ) -> Outcome {
        let status = request.status.unwrap_or(Status::Inactive);
        let (id, certificate) = Certificate::new(request.certificate_pem, status, true, context.now_ms)?;
        let arn = context.scope.arn("cert", &id);
        if self.certificates.contains_key(&id) {
            let message = format!("The certificate is already registered: {id}");
            return Err(Error::already_exists(message, &id, arn));
        }
        context.pki.trust(&id);
        self.certificates.insert(id.clone(), certificate);
        Ok(json!({ "certificateArn": arn, "certificateId": id }))
    }

    pub(super) fn describe_certificate(&self, context: &Context<'_>, request: CertificateOf) -> Outcome {
        let id = request.certificate_id;
        let certificate = self.certificate(&id)?;
        let mut description = certificate.summary(context.scope, &id);
        description["certificatePem"] = certificate.pem.clone().into();
        description["ownedBy"] = context.scope.account.clone().into();
        description["lastModifiedDate"] = seconds(certificate.modified_ms).into();
        description["customerVersion"] = 1.into();
        description["transferData"] = json!({});
        description["generationId"] = certificate.generation.clone().into();
        description["validity"] = json!({
            "notBefore": certificate.not_before_s,
            "notAfter": certificate.not_after_s,
        });
        Ok(json!({ "certificateDescription": description }))
    }

    /// In order of creation, the latest first unless `isAscendingOrder` is set.
    pub(super) fn list_certificates(&self, context: &Context<'_>, request: ListCertificates) -> Outcome {
        let ascending = request.is_ascending_order;
        let keyed = self.certificates.iter().map(|(id, certificate)| {
            (creation_sort_key(certificate.created_ms, id, ascending), certificate.summary(context.scope, id))
        });
        let in_order: BTreeMap<_, _> = keyed.collect();
        let (certificates, next) = request.paging.page(in_order)?;
        Ok(json!({ "certificates": certificates, "nextMarker": next }))
    }

    pub(super) fn update_certificate(&mut self, context: &Context<'_>, request: UpdateCertificate) -> Outcome {
        let certificate = self.certificate_mut(&request.certificate_id)?;
        let status = check_settable(request.new_status)?;
        if certificate.status != status {
            certificate.status = status;
            certificate.modified_ms = context.now_ms;
        }
        Ok(json!({}))
    }

    pub(super) fn delete_certificate(&mut self, context: &Context<'_>, request: DeleteCertificate) -> Outcome {
        let id = request.certificate_id;
        let certificate = self.certificate(&id)?;
        let arn = context.scope.arn("cert", &id);
        if certificate.status == Status::Active {
            let message = format!("Certificate must be deactivated (not ACTIVE) before deletion. id={id}");
            return Err(Error::new(ErrorKind::CertificateState, message));
        }
        if !certificate.things.is_empty() {
            let message = format!("Things must be detached before deletion (arn: {arn})");
            return Err(Error::new(ErrorKind::DeleteConflict, message));
        }
        if !certificate.policies.is_empty() && !request.force_delete {
            let message = format!("Certificate policies must be detached before deletion (arn: {arn})");
            return Err(Error::new(ErrorKind::DeleteConflict, message));
        }
        self.certificates.remove(&id);
        Ok(json!({}))
    }
}

/// A key that sorts by creation time, then by name; `ascending` puts the earliest first.
pub(super) fn creation_sort_key(created_ms: i64, name: &str, ascending: bool) -> String {
    let rank = if ascending { created_ms.max(0) } else { i64::MAX - created_ms.max(0) };
    format!("{rank:019} {name}")
}

fn no_certificate(id: &str) -> Error {
    Error::not_found(format!("Certificate {id} not found"))
}
