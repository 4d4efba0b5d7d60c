//! The way from an SDK client in a test to a stack's endpoint.

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

/// A status, an exception and its message.
pub type Instead = (u16, &'static str, &'static str);

/// The way from an SDK to a stack's endpoint, wherever the SDK thinks that it goes.
#[derive(Clone, Debug)]
pub struct Way {
    pub client: reqwest::Client,
    pub endpoint: String,
    /// What is answered in place of the stack.
    pub instead: Option<Instead>,
}

impl HttpClient for Way {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        self.clone().into_shared()
    }
}

impl HttpConnector for Way {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let way = self.clone();
        HttpConnectorFuture::new(async move {
            let answer = way.go(request).await.map_err(ConnectorError::io)?;
            HttpResponse::try_from(answer.map(SdkBody::from)).map_err(|error| ConnectorError::user(error.into()))
        })
    }
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

impl Way {
    async fn go(&self, request: HttpRequest) -> Result<http::Response<bytes::Bytes>, Failure> {
        if let Some((status, exception, message)) = self.instead {
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
        let asked = self.client.request(parts.method, format!("http://{}{path}", self.endpoint)).headers(headers);
        let answer = asked.body(body).send().await?;
        let mut told = http::Response::builder().status(answer.status());
        if let Some(headers) = told.headers_mut() {
            headers.extend(answer.headers().clone());
        }
        Ok(told.body(answer.bytes().await?)?)
    }
}
