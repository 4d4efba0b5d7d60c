//! The parts, each given what it needs.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::serve::ListenerExt;
use jiff::Timestamp;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::ports::Listeners;
use super::tls::{self, Front, Kind};
use super::{Addresses, Config, Keeper, Pump, Stack, StackError, StateDir};
use crate::broker::{Ask, Authorizer, Broker, Peer};
use crate::dynamodb::DynamoDb;
use crate::event_source::EventSources;
use crate::faults::Faults;
use crate::gateway::sigv4::Credentials;
use crate::gateway::{self, Caller, Guard, Services};
use crate::http_api;
use crate::journal::Journal;
use crate::lambda::{self, Lambda};
use crate::pki::Pki;
use crate::registry::{Connections, Connectivity, Registry};
use crate::rules::Rules;
use crate::scheduler::Scheduler;
use crate::shadows::Shadows;
use crate::sqs::Sqs;
use crate::streams::Mappings;
use crate::template::{self, Place, Template};

/// What devices are told to connect to: the name in the server's certificate.
const DATA_ENDPOINT: &str = "localhost";

pub(super) async fn start(config: Config) -> Result<Stack, StackError> {
    let clock = &config.clock;
    let faults = Faults::default();
    let journal = if config.journal { Journal::on(clock.clone()) } else { Journal::default() };
    let listeners = Listeners::bind(&config.ports).await?;
    let addresses = listeners.addresses;
    let place = place(&config, &addresses);
    let template = Template::read(&config.template, &config.parameters, &place)
        .map_err(|source| StackError::Template { path: config.template.clone(), source })?;
    let credentials = Credentials::from_environment();
    // Where nobody checks signatures, there is no need to hand on what may be somebody's keys to AWS.
    let theirs = if config.authorize { credentials.clone() } else { Credentials::test() };
    let functions = functions(&config, &template, &addresses, &theirs).await?;

    let directory = config.state_dir.clone().map(StateDir::open).transpose()?;
    let database = directory.as_ref().map(StateDir::database);
    let dynamodb = DynamoDb::start_with(clock.clone(), &template.tables, database.as_deref(), journal.clone()).await?;
    let unusable = |source| StackError::Certificates { path: config.certificates.clone(), source };
    let pki = Pki::load_or_create(&config.certificates).map_err(unusable)?;
    let registry = Registry::new(clock.clone(), pki.clone(), &place.region, &place.account, DATA_ENDPOINT);
    let authorizer = config.authorize.then(|| authorizer(registry.clone()));
    let broker = Broker::with(clock.clone(), authorizer, faults.clone(), journal.clone());
    let shadows = Shadows::with_journal(clock.clone(), broker.clone(), journal.clone());
    let sqs = Sqs::new(clock.clone(), &place.region, &place.account, template.queues.clone());
    let keeper = directory.map(|directory| {
        let (broker, shadows, registry, sqs) = (broker.clone(), shadows.clone(), registry.clone(), sqs.clone());
        let streams = dynamodb.streams().clone();
        Arc::new(Keeper { directory, broker, shadows, registry, sqs, streams, saving: Arc::default() })
    });
    if let Some(keeper) = &keeper {
        keeper.restore()?;
    }

    let lambda = Lambda::start_with(clock.clone(), functions, sqs.clone(), faults.clone(), journal.clone());
    let lambda = lambda.await.map_err(StackError::Lambda)?;
    let rules = Rules::new(&place.account, &template.rules, broker.clone(), lambda.clone(), sqs.clone())?;
    let pump = Pump::start(broker.tap(), shadows.clone(), rules.clone());
    let sources = template.event_sources.clone();
    let event_sources = EventSources::start(clock.clone(), lambda.clone(), sqs.clone(), sources, place.clone());
    let (streams, sources) = (dynamodb.streams().clone(), template.stream_sources.clone());
    let mappings = Mappings::start(clock.clone(), lambda.clone(), sqs.clone(), faults.clone(), &streams, sources);
    let scheduler = Scheduler::start(clock.clone(), lambda.clone(), template.schedules.clone(), place.clone());

    let stop = CancellationToken::new();
    let closing = stop.child_token();
    let services = Services {
        dynamodb: dynamodb.router(),
        sqs: sqs.router(),
        lambda: lambda.router(),
        data_plane: crate::data_plane::router(clock.clone(), broker.clone(), shadows.clone()),
        registry: registry.router().merge(registry.index(connections(broker.clone()))),
        account: place.account.clone(),
        about: about(&addresses, &template),
        faults: faults.clone(),
        journal: journal.clone(),
    };
    let guard = config.authorize.then(|| guard(credentials.clone(), registry.clone()));
    let options = http_api::Options {
        account: place.account.clone(),
        authorize: guard.as_ref().map(|_| http_authorizer(credentials)),
        ..http_api::Options::default()
    };
    let api = http_api::router(clock.clone(), lambda.clone(), template.routes.clone(), options);
    let endpoint = gateway::router(services, guard);
    let front = |https| Front { broker: broker.clone(), registry: registry.clone(), https, stop: closing.clone() };
    serve(listeners, &pki, api, endpoint, front, &stop).map_err(unusable)?;
    if let Some(keeper) = &keeper {
        tokio::spawn(keeper.clone().run(stop.clone()));
    }
    let _stop_on_drop = stop.clone().drop_guard();
    let clock = clock.clone();
    Ok(Stack {
        addresses,
        template,
        clock,
        broker,
        shadows,
        registry,
        pki,
        rules,
        lambda,
        sqs,
        dynamodb,
        scheduler,
        event_sources,
        streams,
        mappings,
        faults,
        journal,
        pump,
        keeper,
        closing,
        stop,
        _stop_on_drop,
    })
}

fn place(config: &Config, addresses: &Addresses) -> Place {
    let Config { region, account, stack_name, .. } = config.clone();
    Place { region, account, stack_name, endpoint: format!("http://{}", addresses.endpoint) }
}

/// Who is connected, for the index of things.
fn connections(broker: Broker) -> Connections {
    Arc::new(move |client_id| {
        broker.connection(client_id).map(|connection| Connectivity {
            connected: connection.connected,
            timestamp_ms: connection.connected_since_ms.or(connection.disconnected_since_ms),
            disconnect_reason: connection.disconnect_reason.filter(|_| !connection.connected),
        })
    })
}

/// Starts the listeners.
fn serve(
    listeners: Listeners,
    pki: &Pki,
    api: axum::Router,
    endpoint: axum::Router,
    front: impl Fn(mpsc::Sender<(tokio_rustls::server::TlsStream<tokio::net::TcpStream>, Caller)>) -> Front,
    end: &CancellationToken,
) -> std::io::Result<()> {
    let Listeners { http_api, endpoint: plain, mqtt, mqtts, https, alpn, addresses } = listeners;
    let (secured, connections) = mpsc::channel(64);
    let front = front(secured);
    let (broker, stop) = (front.broker.clone(), front.stop.clone());
    tokio::spawn(tls::run_plain(mqtt, broker, stop.clone()));
    for (listener, kind) in [(Some(mqtts), Kind::Mqtt), (Some(https), Kind::Https), (alpn, Kind::ByAlpn)] {
        if let Some(listener) = listener {
            tokio::spawn(front.clone().run(listener, kind, kind.config(pki)?));
        }
    }
    serve_http(http_api, api, stop.clone());
    // Functions use it until they are done.
    serve_http(plain, endpoint.clone(), end.clone());
    let secured = tls::Https { connections, address: addresses.https };
    let service = endpoint.into_make_service_with_connect_info::<Caller>();
    tokio::spawn(async move { stop.run_until_cancelled(axum::serve(secured, service).into_future()).await });
    Ok(())
}

fn serve_http(listener: TcpListener, router: axum::Router, stop: CancellationToken) {
    let listener = listener.tap_io(|stream| {
        // Answers are small and wait for nothing.
        let _ = stream.set_nodelay(true);
    });
    let service = router.into_make_service_with_connect_info::<std::net::SocketAddr>();
    tokio::spawn(async move { stop.run_until_cancelled(axum::serve(listener, service).into_future()).await });
}

/// The template's functions, as the host runs them.
async fn functions(
    config: &Config,
    template: &Template,
    addresses: &Addresses,
    credentials: &Credentials,
) -> Result<Vec<lambda::Function>, StackError> {
    let workspace = config.template.parent().filter(|folder| !folder.as_os_str().is_empty());
    let programs = config.programs.find(workspace.unwrap_or(Path::new(".")), &template.functions).await?;
    let ours = environment(config, addresses, credentials);
    template.functions.iter().map(|function| host(function, &programs, &ours)).collect()
}

fn host(
    function: &template::Function,
    programs: &BTreeMap<String, PathBuf>,
    ours: &BTreeMap<String, String>,
) -> Result<lambda::Function, StackError> {
    let program = programs.get(&function.binary).cloned().ok_or_else(|| StackError::Program {
        function: function.logical_id.clone(),
        binary: function.binary.clone(),
        known: programs.keys().map(String::as_str).collect::<Vec<_>>().join(", "),
    })?;
    Ok(lambda::Function {
        name: function.name.clone(),
        arn: function.arn.clone(),
        program,
        memory_mb: function.memory_mb,
        timeout: Duration::from_secs(function.timeout_s.into()),
        environment: function.environment.clone(),
        added_environment: ours.clone(),
        concurrency: function.reserved_concurrency,
        retries: function.retries,
        event_age: Duration::from_secs(function.event_age_s.into()),
        on_failure: function.on_failure.clone(),
    })
}

/// What makes an AWS SDK talk to this stack.
fn environment(config: &Config, addresses: &Addresses, credentials: &Credentials) -> BTreeMap<String, String> {
    let region = &config.region;
    [
        ("AWS_ENDPOINT_URL", format!("http://{}", addresses.endpoint)),
        ("AWS_REGION", region.clone()),
        ("AWS_DEFAULT_REGION", region.clone()),
        ("AWS_ACCESS_KEY_ID", credentials.access_key.clone()),
        ("AWS_SECRET_ACCESS_KEY", credentials.secret_key.clone()),
        ("AWS_EC2_METADATA_DISABLED", "true".into()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}

/// Asks the policies of the certificate. Connections without TLS come from this machine's own programs, as does
/// everything that is behind an endpoint without signatures: they have no certificate, and no policy binds them.
fn authorizer(registry: Registry) -> Authorizer {
    Arc::new(move |peer: &Peer, ask: &Ask<'_>| match &peer.principal {
        Some(certificate) => registry.allows(certificate, ask.client_id, ask.action, ask.resource),
        None => true,
    })
}

fn guard(credentials: Credentials, registry: Registry) -> Guard {
    Guard {
        credentials,
        policies: Arc::new(move |certificate, action, resource| registry.allows(certificate, "", action, resource)),
    }
}

fn http_authorizer(credentials: Credentials) -> http_api::Authorize {
    Arc::new(move |parts, body| {
        credentials.verify(parts, body, Timestamp::now()).map_err(|error| format!("{}: {error}", error.code()))
    })
}

fn about(addresses: &Addresses, template: &Template) -> serde_json::Value {
    let names = |names: &mut dyn Iterator<Item = &String>| names.cloned().collect::<Vec<_>>();
    json!({
        "httpApi": format!("http://{}", addresses.http_api),
        "endpoint": format!("http://{}", addresses.endpoint),
        "endpointWithTls": format!("https://{}", addresses.https),
        "mqtt": addresses.mqtt.to_string(),
        "mqttWithTls": addresses.mqtts.to_string(),
        "alpn": addresses.alpn.map(|address| address.to_string()),
        "functions": names(&mut template.functions.iter().map(|function| &function.name)),
        "tables": names(&mut template.tables.iter().map(|table| &table.name)),
        "queues": names(&mut template.queues.iter().map(|queue| &queue.name)),
        "rules": names(&mut template.rules.iter().map(|rule| &rule.name)),
    })
}
