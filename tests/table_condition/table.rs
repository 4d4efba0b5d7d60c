//! The table of executions on the DynamoDB front, reached by the real SDK client without a socket.

use aws::{Connection, Executions};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::shared::IntoShared;
use aws_smithy_types::body::SdkBody;
use domain::DueShards;
use local::{clock::Clock, dynamodb::DynamoDb, template::Template};
use tower::ServiceExt;

use crate::world::EXECUTIONS;

/// A client of an empty table of executions, as template.yaml declares it.
pub async fn start() -> Executions {
    let place = local::template::Place {
        region: "us-east-1".into(),
        account: "000000000000".into(),
        stack_name: "flaghoist".into(),
        endpoint: "http://localhost".into(),
    };
    let template = Template::read(&crate::world::template(), &Default::default(), &place).expect("the template");
    let front = DynamoDb::start(Clock::manual(1_700_000_000_000), &template.tables, None).await.expect("the tables");
    Connection::over(Front(front)).executions(EXECUTIONS.to_owned(), DueShards::new(64).expect("shards"))
}

#[derive(Clone)]
struct Front(DynamoDb);

impl std::fmt::Debug for Front {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Front")
    }
}

impl HttpClient for Front {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        self.clone().into_shared()
    }
}

impl HttpConnector for Front {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let router = self.0.router();
        HttpConnectorFuture::new(async move {
            let request = request.try_into_http1x().map_err(|error| ConnectorError::user(error.into()))?;
            let request = request.map(|body| axum::body::Body::from(body.bytes().expect("a body in memory").to_vec()));
            let response = router.oneshot(request).await.map_err(|never| match never {})?;
            let (parts, body) = response.into_parts();
            let body =
                axum::body::to_bytes(body, usize::MAX).await.map_err(|error| ConnectorError::io(error.into()))?;
            HttpResponse::try_from(http::Response::from_parts(parts, SdkBody::from(body)))
                .map_err(|error| ConnectorError::user(error.into()))
        })
    }
}
