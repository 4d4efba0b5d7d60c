//! What schedules share because it is slow to build: the database, the SDK clients and the template.

use std::{path::Path, sync::Arc};

use local::{
    pki::Pki,
    template::{Action, Place, StreamSource, Table, Template},
};
use tokio::sync::Notify;

use crate::{dynamodb::SimulatedDynamoDb, lambda::Lambda, mailbox::Mailbox, transport::PendingCall};

/// A topic rule of the template that invokes a function of the simulation.
pub struct LambdaRule {
    /// Topic filter of the rule's FROM clause.
    pub filter: String,
    pub sql: String,
    /// Index of the function.
    pub function: usize,
}

pub struct Fixture {
    pub dynamodb: SimulatedDynamoDb,
    pub lambda: Lambda,
    pub rules: Vec<LambdaRule>,
    /// The tables of the template.
    pub table_definitions: Vec<Table>,
    /// Their names.
    pub tables: Vec<String>,
    /// The mappings of streams, each with the index of its function.
    pub stream_sources: Vec<(usize, StreamSource)>,
    /// The authority of the registry's certificates, of which there are none.
    pub pki: Pki,
    /// Event of the template's schedule, with a placeholder for the time.
    pub tick_event: String,
    pub calls: Arc<Mailbox<PendingCall>>,
    /// Number of calls in all schedules.
    pub call_count: u64,
    /// Notified when a mailbox gets an item.
    pub wakeup: Arc<Notify>,
}

impl Fixture {
    pub fn new() -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../template.yaml");
        let place = Place {
            region: "us-east-1".into(),
            account: "000000000000".into(),
            stack_name: "chaos".into(),
            endpoint: "http://localhost".into(),
        };
        let template = Template::read(&path, &Default::default(), &place).expect("template.yaml is valid");
        let wakeup = Arc::new(Notify::new());
        let calls = Mailbox::new(&wakeup);
        let lambda = Lambda::new(&template, &calls);
        let dynamodb = SimulatedDynamoDb::start(&template);
        let rules = lambda_rules(&template, &lambda);
        let tick_event = template.schedules.first().and_then(|schedule| schedule.input.clone());
        let tick_event = tick_event.expect("template.yaml has a schedule with an input");
        let tables = template.tables.iter().map(|table| table.name.clone()).collect();
        let source_of = |source: &StreamSource| Some((lambda.find(&source.function_arn)?, source.clone()));
        let stream_sources = template.stream_sources.iter().filter_map(source_of).collect();
        let directory = tempfile::tempdir().expect("a temporary directory");
        let pki = Pki::load_or_create(directory.path()).expect("certificates");
        Self {
            dynamodb,
            lambda,
            rules,
            table_definitions: template.tables,
            tables,
            stream_sources,
            pki,
            tick_event,
            calls,
            call_count: 0,
            wakeup,
        }
    }

    /// Removes everything that a schedule has left.
    pub fn clear(&mut self) {
        self.dynamodb.clear();
        self.lambda.clear();
        self.calls.take_all();
    }
}

fn lambda_rules(template: &Template, lambda: &Lambda) -> Vec<LambdaRule> {
    let mut rules = Vec::new();
    for rule in template.rules.iter().filter(|rule| !rule.disabled) {
        let filter = rule.sql.split("FROM").nth(1).and_then(|from| from.split('\'').nth(1));
        let filter = filter.expect("the rule's SQL has FROM '<filter>'");
        for action in &rule.actions {
            if let Action::Lambda { function_arn, .. } = action
                && let Some(function) = lambda.find(function_arn)
            {
                rules.push(LambdaRule { filter: filter.to_owned(), sql: rule.sql.clone(), function });
            }
        }
    }
    rules
}
