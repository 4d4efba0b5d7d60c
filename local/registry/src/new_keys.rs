//! CreateKeysAndCertificate. Its keys take a while to make, and the state is not locked meanwhile.

use axum::extract::State;
use axum::response::Response;
use local_pki::Issued;

use super::Registry;
use super::certificates::CreateKeysAndCertificate;
use super::error::{Error, ErrorKind};
use super::http::{Parameters, respond};

/// The common name that AWS puts into the certificates it issues.
const COMMON_NAME: &str = "AWS IoT Certificate";

pub(super) async fn create_keys_and_certificate(
    State(registry): State<Registry>,
    Parameters(request): Parameters<CreateKeysAndCertificate>,
) -> Response {
    let outcome = issue(&registry).await;
    let stored = |issued| registry.write(|store, context| store.add_keys_and_certificate(context, request, issued));
    respond(outcome.and_then(stored))
}

async fn issue(registry: &Registry) -> Result<Issued, Error> {
    let pki = registry.0.pki.clone();
    let issued = tokio::task::spawn_blocking(move || pki.issue(COMMON_NAME)).await;
    let failed = |error| Error::new(ErrorKind::InternalFailure, format!("Cannot issue a certificate: {error}"));
    issued.map_err(std::io::Error::other).flatten().map_err(failed)
}
