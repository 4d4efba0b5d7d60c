//! An operation of the control plane of AWS IoT, on the runtime of the SDK: its signing, its timeouts and its retries.
//!
//! The SDK's own client, aws-sdk-iot, has some 270 operations. The registry needs three, and no other crate took as long to
//! build. What such a client adds to a request (user agent, ids of the invocation and of the attempt, correction of the
//! clock) is added here too.

#[cfg(test)]
mod tests;

use std::fmt::Debug;

use aws_config::{Region, SdkConfig};
use aws_runtime::{
    auth::{SigV4OperationSigningConfig, sigv4},
    invocation_id::InvocationIdInterceptor,
    recursion_detection::RecursionDetectionInterceptor,
    request_info::RequestInfoInterceptor,
    retries::classifiers::AwsErrorCodeClassifier,
    service_clock_skew::{ServiceClockSkewClassifier, ServiceClockSkewInterceptor},
    user_agent::{ApiMetadata, UserAgentInterceptor},
};
use aws_sdk_dynamodb::{
    config::{http::HttpResponse, retry::RetryPartition},
    error::{ErrorMetadata, SdkError},
};
use aws_smithy_runtime::client::{
    orchestrator::operation::Operation,
    retries::classifiers::{HttpStatusCodeClassifier, TransientErrorClassifier},
};
use aws_smithy_runtime_api::{
    box_error::BoxError,
    client::{
        auth::{
            AuthSchemeOptionResolverParams, SharedAuthScheme, SharedAuthSchemeOptionResolver,
            static_resolver::StaticAuthSchemeOptionResolver,
        },
        orchestrator::{HttpRequest, OrchestratorError},
        runtime_components::RuntimeComponentsBuilder,
        runtime_plugin::StaticRuntimePlugin,
    },
};
use aws_smithy_types::{body::SdkBody, config_bag::Layer, retry::RetryConfig, timeout::TimeoutConfig};
use aws_types::{SigningName, region::SigningRegion, request_id::apply_request_id, service_config::ServiceConfigKey};
use serde::de::DeserializeOwned;
use serde_json::Value;

/// The input of an operation.
#[derive(Debug)]
pub struct IotRequest {
    /// Path and query, percent-encoded.
    pub path: String,
    /// The body of a POST; a request without one is a GET.
    pub body: Option<Value>,
}

/// An operation that answers with JSON of the type `T`.
#[derive(Debug)]
pub struct IotOperation<T>(Operation<IotRequest, T, ErrorMetadata>);

impl<T: DeserializeOwned + Debug + Send + Sync + 'static> IotOperation<T> {
    /// `quota`: the retry quota, if it must not be the one that all clients of a service share in a process.
    pub fn new(name: &'static str, config: &SdkConfig, quota: Option<&RetryPartition>) -> Self {
        let mut operation = Operation::builder()
            .service_name("IoT")
            .operation_name(name)
            .endpoint_url(&endpoint(config))
            .standard_retry(&config.retry_config().cloned().unwrap_or_else(RetryConfig::standard))
            .timeout_config(config.timeout_config().cloned().unwrap_or_else(TimeoutConfig::disabled))
            .retry_classifier(HttpStatusCodeClassifier::default())
            .retry_classifier(TransientErrorClassifier::<ErrorMetadata>::new())
            .retry_classifier(AwsErrorCodeClassifier::<ErrorMetadata>::new())
            .retry_classifier(ServiceClockSkewClassifier::<ErrorMetadata>::new())
            .with_connection_poisoning()
            .interceptor(ServiceClockSkewInterceptor::new())
            .interceptor(RequestInfoInterceptor::new())
            .interceptor(UserAgentInterceptor::new())
            .interceptor(InvocationIdInterceptor::new())
            .interceptor(RecursionDetectionInterceptor::new())
            .runtime_plugin(settings(config, quota))
            .serializer(serialize)
            .deserializer(deserialize);
        if let Some(version) = config.behavior_version() {
            operation = operation.behavior_version(version);
        }
        if let Some(client) = config.http_client() {
            operation = operation.http_client(client);
        }
        if config.credentials_provider().is_none() {
            operation = operation.no_auth();
        }
        Self(operation.build())
    }

    /// Sends a request.
    ///
    /// # Errors
    /// The request was not sent, not answered, or refused; the error has code and message of AWS.
    pub async fn send(&self, request: IotRequest) -> Result<T, SdkError<ErrorMetadata, HttpResponse>> {
        self.0.invoke(request).await
    }
}

/// The user agent, the retry quota, and signatures of Version 4 for the service `iot` in the client's Region.
fn settings(config: &SdkConfig, quota: Option<&RetryPartition>) -> StaticRuntimePlugin {
    let mut layer = Layer::new("iot");
    layer.store_put(ApiMetadata::new("iot", env!("CARGO_PKG_VERSION")));
    let mut components = RuntimeComponentsBuilder::new("iot");
    if let Some(quota) = quota {
        layer.store_put(quota.clone());
    }
    if let Some(credentials) = config.credentials_provider() {
        layer.store_put(AuthSchemeOptionResolverParams::new(()));
        layer.store_put(SigV4OperationSigningConfig::default());
        layer.store_put(SigningName::from_static("iot"));
        if let Some(region) = config.region() {
            layer.store_put(SigningRegion::from(region.clone()));
        }
        let schemes = StaticAuthSchemeOptionResolver::new(vec![sigv4::SCHEME_ID]);
        components = components
            .with_auth_scheme(SharedAuthScheme::new(sigv4::SigV4AuthScheme::new()))
            .with_auth_scheme_option_resolver(Some(SharedAuthSchemeOptionResolver::new(schemes)))
            .with_identity_resolver(sigv4::SCHEME_ID, credentials);
    }
    StaticRuntimePlugin::new().with_config(layer.freeze()).with_runtime_components(components)
}

/// The partitions beside that of most Regions: how their Regions begin, their domain, and that of dual-stack endpoints.
const PARTITIONS: [(&str, &str, &str); 6] = [
    ("cn-", "amazonaws.com.cn", "api.amazonwebservices.com.cn"),
    ("eusc-", "amazonaws.eu", "api.amazonwebservices.eu"),
    ("us-iso-", "c2s.ic.gov", "api.aws.ic.gov"),
    ("us-isob-", "sc2s.sgov.gov", "api.aws.scloud"),
    ("us-isof-", "csp.hci.ic.gov", "api.aws.hci.ic.gov"),
    ("eu-isoe-", "cloud.adc-e.uk", "api.cloud-aws.adc-e.uk"),
];

/// The URL of the control plane: AWS_ENDPOINT_URL_IOT, AWS_ENDPOINT_URL, or that of the Region.
///
/// Source: <https://docs.aws.amazon.com/general/latest/gr/iot-core.html>, and the partitions of the SDK.
fn endpoint(config: &SdkConfig) -> String {
    let key = ServiceConfigKey::builder().service_id("IoT").env("AWS_ENDPOINT_URL").profile("endpoint_url").build();
    let of_service = key.ok().zip(config.service_config()).and_then(|(key, services)| services.load_config(key));
    if let Some(url) = of_service.or_else(|| config.endpoint_url().map(str::to_owned)) {
        return url;
    }
    // Lambda sets AWS_REGION. Without a Region no request can be signed, and each fails with that error.
    let region = config.region().map_or("us-east-1", Region::as_ref);
    let host = if config.use_fips() == Some(true) { "iot-fips" } else { "iot" };
    let partition = PARTITIONS.iter().find(|(prefix, ..)| region.starts_with(prefix));
    let (_, domain, dual_stack_domain) = partition.unwrap_or(&("", "amazonaws.com", "api.aws"));
    let domain = if config.use_dual_stack() == Some(true) { dual_stack_domain } else { domain };
    format!("https://{host}.{region}.{domain}")
}

fn serialize(request: IotRequest) -> Result<HttpRequest, BoxError> {
    let mut http = HttpRequest::new(SdkBody::empty());
    http.set_uri(request.path)?;
    if let Some(body) = request.body {
        http.set_method("POST")?;
        let body = body.to_string();
        http.headers_mut().try_insert("content-type", "application/json")?;
        http.headers_mut().try_insert("content-length", body.len().to_string())?;
        *http.body_mut() = SdkBody::from(body);
    }
    Ok(http)
}

fn deserialize<T: DeserializeOwned>(response: &HttpResponse) -> Result<T, OrchestratorError<ErrorMetadata>> {
    let body = response.body().bytes().unwrap_or_default();
    if response.status().is_success() {
        let body = if body.is_empty() { b"{}" } else { body };
        return serde_json::from_slice(body).map_err(|error| OrchestratorError::response(error.into()));
    }
    Err(OrchestratorError::operation(error(response, body)))
}

/// Code, message and request id of an error response. The code is in a header or in the body, and may have the form
/// `prefix#Code:url`.
fn error(response: &HttpResponse, body: &[u8]) -> ErrorMetadata {
    // A proxy or a load balancer answers with something else than JSON; the status says what to do then.
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let text = |names: &[&str]| names.iter().find_map(|name| body.get(name)?.as_str());
    let mut error = apply_request_id(ErrorMetadata::builder(), response.headers());
    if let Some(code) = response.headers().get("x-amzn-errortype").or_else(|| text(&["code", "__type"])) {
        let code = code.split(':').next().unwrap_or_default();
        error = error.code(code.rsplit('#').next().unwrap_or_default());
    }
    if let Some(message) = text(&["message", "Message", "errorMessage"]) {
        error = error.message(message);
    }
    error.build()
}
