//! HTTP transport of an AWS SDK client in a test: sends each request to the stack's endpoint, or returns an error.

use aws_smithy_runtime_api::{
    client::{
        http::{HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector},
        orchestrator::{HttpRequest, HttpResponse},
        result::ConnectorError,
        runtime_components::RuntimeComponents,
    },
    shared::IntoShared,
};
use aws_smithy_types::body::SdkBody;

/// HTTP status, exception name and message of an AWS error.
pub type AwsError = (u16, &'static str, &'static str);

#[derive(Clone, Debug)]
pub struct SdkTransport {
    pub client: reqwest::Client,
    /// Host and port; they replace the host of the SDK's URL.
    pub endpoint: String,
    /// Error to answer with; no request reaches the stack then.
    pub error: Option<AwsError>,
}

impl HttpClient for SdkTransport {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        self.clone().into_shared()
    }
}

impl HttpConnector for SdkTransport {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let transport = self.clone();
        HttpConnectorFuture::new(async move {
            let response = transport.send(request).await.map_err(ConnectorError::io)?;
            HttpResponse::try_from(response.map(SdkBody::from)).map_err(|error| ConnectorError::user(error.into()))
        })
    }
}

type BoxError = Box<dyn std::error::Error + Send + Sync>;

impl SdkTransport {
    async fn send(&self, request: HttpRequest) -> Result<http::Response<bytes::Bytes>, BoxError> {
        if let Some((status, exception, message)) = self.error {
            let body = serde_json::json!({ "message": message }).to_string();
            return Ok(http::Response::builder()
                .status(status)
                .header("x-amzn-errortype", exception)
                .body(body.into())?);
        }
        let (parts, body) = request.try_into_http1x()?.into_parts();
        let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
        let body = body.bytes().map(<[u8]>::to_vec).unwrap_or_default();
        let mut headers = parts.headers;
        headers.remove(http::header::HOST);
        let request = self.client.request(parts.method, format!("http://{}{path}", self.endpoint)).headers(headers);
        let received = request.body(body).send().await?;
        let mut response = http::Response::builder().status(received.status());
        if let Some(headers) = response.headers_mut() {
            headers.extend(received.headers().clone());
        }
        Ok(response.body(received.bytes().await?)?)
    }
}
