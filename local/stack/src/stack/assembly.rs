//! Starts every service with what it depends on.

use std::sync::Arc;

use axum::serve::ListenerExt;
use local_broker::Broker;
use local_dynamodb::DynamoDb;
use local_event_source::{QueueMappings, StreamMappings};
use local_faults::Faults;
use local_gateway::sigv4::Credentials;
use local_gateway::{AcceptedConnections, Caller, Services};
use local_greengrass::Greengrass;
use local_jobs::Jobs;
use local_journal::Journal;
use local_lambda::Lambda;
use local_pki::Pki;
use local_registry::{Connectivity, ConnectivityLookup, Registry};
use local_rules::Rules;
use local_scheduler::Scheduler;
use local_shadows::Shadows;
use local_sqs::Sqs;
use local_template::{Place, Template};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::ports::Listeners;
use super::state::StateDir;
use super::tls::{self, Front, Kind};
use super::{Addresses, Clients, Config, Keeper, Pump, Stack, StackError, access, functions, rule_actions};

/// The answer of DescribeEndpoint: a name in the server's certificate.
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
    // Without checks of signatures, functions do not need the credentials of the environment, which may be real ones.
    let function_credentials = if config.authorize { credentials.clone() } else { Credentials::test() };
    let functions = functions::functions(&config, &template, &addresses, &function_credentials).await?;

    let directory = config.state_dir.clone().map(StateDir::open).transpose()?;
    let database = directory.as_ref().map(StateDir::database);
    let dynamodb = DynamoDb::start_with(clock.clone(), &template.tables, database.as_deref(), journal.clone()).await?;
    let unusable = |source| StackError::Certificates { path: config.certificates.clone(), source };
    let pki = Pki::load_or_create(&config.certificates).map_err(unusable)?;
    let registry = Registry::new(clock.clone(), pki.clone(), &place.region, &place.account, DATA_ENDPOINT);
    let authorizer = config.authorize.then(|| access::authorizer(registry.clone()));
    let broker = Broker::with_faults_and_journal(clock.clone(), authorizer, faults.clone(), journal.clone());
    let shadows = Shadows::with_journal(clock.clone(), broker.clone(), journal.clone());
    let sqs = Sqs::new(clock.clone(), &place.region, &place.account, template.queues.clone());
    let greengrass = Greengrass::new(clock.clone(), registry.clone(), pki.clone(), addresses.mqtts);
    let jobs = Jobs::new(clock.clone(), broker.clone(), registry.clone());
    let keeper = directory.map(|directory| {
        let (broker, shadows, registry, sqs) = (broker.clone(), shadows.clone(), registry.clone(), sqs.clone());
        let (streams, greengrass, jobs) = (dynamodb.streams().clone(), greengrass.clone(), jobs.clone());
        Arc::new(Keeper {
            directory,
            broker,
            shadows,
            registry,
            greengrass,
            jobs,
            sqs,
            streams,
            saving: Arc::default(),
        })
    });
    if let Some(keeper) = &keeper {
        keeper.restore()?;
    }
    // After the saved state: the template may have changed since.
    for policy in &template.iot_policies {
        registry.declare_policy(&policy.name, &policy.document)?;
    }

    let lambda = Lambda::start_with(clock.clone(), functions, sqs.clone(), faults.clone(), journal.clone());
    let lambda = lambda.await.map_err(StackError::Lambda)?;
    let rules = {
        let (broker, lambda, sqs) = (broker.clone(), lambda.clone(), sqs.clone());
        let perform = move |effect| rule_actions::perform(effect, &broker, &lambda, &sqs);
        Rules::new(&place.account, &template.rules, perform)?
    };
    let pump = Pump::start(broker.tap(), shadows.clone(), jobs.clone(), rules.clone());
    let sources = template.event_sources.clone();
    let event_sources = QueueMappings::start(clock.clone(), lambda.clone(), sqs.clone(), sources, place.clone());
    let (streams, sources) = (dynamodb.streams().clone(), template.stream_sources.clone());
    let mappings = StreamMappings::start(clock.clone(), lambda.clone(), sqs.clone(), faults.clone(), &streams, sources);
    let scheduler = Scheduler::start(clock.clone(), lambda.clone(), template.schedules.clone(), place.clone());

    let stop = CancellationToken::new();
    let closing = stop.child_token();
    let services = Services {
        dynamodb: dynamodb.router(),
        sqs: sqs.router(),
        lambda: lambda.router(),
        data_plane: local_data_plane::router(clock.clone(), broker.clone(), shadows.clone()),
        mqtt: local_websocket::router(broker.clone(), &place.account, closing.clone()),
        registry: registry.router().merge(registry.index_router(connections(broker.clone()))),
        jobs: jobs.router(),
        jobs_data: jobs.device_router(),
        greengrass: greengrass.router(),
        account: place.account.clone(),
        about: about(&addresses, &template),
        faults: faults.clone(),
        journal: journal.clone(),
    };
    // The credentials `test` are customary where nothing is checked but MQTT over WebSocket.
    let customary = (!config.authorize).then(Credentials::test);
    let accepted = [credentials.clone()].into_iter().chain(customary).collect();
    let guard = access::guard(accepted, &place.region, registry.clone(), config.authorize);
    let options = local_http_api::Options {
        account: place.account.clone(),
        authorize: config.authorize.then(|| access::http_authorizer(credentials, &place.region)),
        ..local_http_api::Options::default()
    };
    let api = local_http_api::router(clock.clone(), lambda.clone(), template.routes.clone(), options);
    let endpoint = local_gateway::router(services, Some(guard));
    let front = |https| Front { broker: broker.clone(), registry: registry.clone(), https, stop: closing.clone() };
    serve(listeners, &pki, api, endpoint, front, &stop).map_err(unusable)?;
    if let Some(keeper) = &keeper {
        tokio::spawn(keeper.clone().run(stop.clone()));
    }
    tokio::spawn({
        let (jobs, stop) = (jobs.clone(), stop.clone());
        async move { stop.run_until_cancelled(jobs.run()).await }
    });
    let _stop_on_drop = stop.clone().drop_guard();
    let clock = clock.clone();
    Ok(Stack {
        addresses,
        template,
        clock,
        broker,
        shadows,
        jobs,
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
        clients: Clients::default(),
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

/// Looks up the connectivity of a client, for the index of things.
fn connections(broker: Broker) -> ConnectivityLookup {
    Arc::new(move |client_id| {
        broker.connection(client_id).map(|connection| Connectivity {
            connected: connection.connected,
            timestamp_ms: connection.connected_since_ms.or(connection.disconnected_since_ms),
            disconnect_reason: connection.disconnect_reason.filter(|_| !connection.connected),
        })
    })
}

/// Serves the listeners; `end` stops the endpoint, and the stop of `front` all others.
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
    // Functions use the endpoint until they end.
    serve_http(plain, endpoint.clone(), end.clone());
    let secured = AcceptedConnections::new(connections, addresses.https);
    let service = endpoint.into_make_service_with_connect_info::<Caller>();
    tokio::spawn(async move { stop.run_until_cancelled(axum::serve(secured, service).into_future()).await });
    Ok(())
}

fn serve_http(listener: TcpListener, router: axum::Router, stop: CancellationToken) {
    let listener = listener.tap_io(|stream| {
        // Answers are small: waiting to fill packets would delay them.
        let _ = stream.set_nodelay(true);
    });
    let service = router.into_make_service_with_connect_info::<std::net::SocketAddr>();
    tokio::spawn(async move { stop.run_until_cancelled(axum::serve(listener, service).into_future()).await });
}

fn about(addresses: &Addresses, template: &Template) -> serde_json::Value {
    let names = |names: &mut dyn Iterator<Item = &String>| names.cloned().collect::<Vec<_>>();
    json!({
        "httpApi": format!("http://{}", addresses.http_api),
        "endpoint": format!("http://{}", addresses.endpoint),
        "endpointWithTls": format!("https://{}", addresses.https),
        "mqtt": addresses.mqtt.to_string(),
        "mqttWithTls": addresses.mqtts.to_string(),
        "mqttOverWebSocket": format!("wss://{}/mqtt", addresses.https),
        "alpn": addresses.alpn.map(|address| address.to_string()),
        "functions": names(&mut template.functions.iter().map(|function| &function.name)),
        "tables": names(&mut template.tables.iter().map(|table| &table.name)),
        "queues": names(&mut template.queues.iter().map(|queue| &queue.name)),
        "rules": names(&mut template.rules.iter().map(|rule| &rule.name)),
    })
}
