//! What is kept from one schedule to the next, since making it takes long: the database, the SDK clients, the template.

use std::{path::Path, sync::Arc};

use local::template::{Action, Place, Template};
use tokio::sync::Notify;

use crate::{
    engine::Engine,
    lambda::Lambda,
    wire::{Call, Desk},
};

/// A rule of the template that invokes a function of the simulation.
pub struct Rule {
    pub filter: String,
    pub sql: String,
    pub function: usize,
}

pub struct Machine {
    pub engine: Engine,
    pub lambda: Lambda,
    pub rules: Vec<Rule>,
    /// What the schedule sends.
    pub tick: String,
    pub calls: Arc<Desk<Call>>,
    pub calls_made: u64,
    pub bell: Arc<Notify>,
}

impl Machine {
    pub fn new() -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").join("template.yaml");
        let place = Place {
            region: "us-east-1".into(),
            account: "000000000000".into(),
            stack_name: "chaos".into(),
            endpoint: "http://localhost".into(),
        };
        let template = Template::read(&path, &Default::default(), &place).expect("the template");
        let bell = Arc::new(Notify::new());
        let calls = Desk::new(&bell);
        let lambda = Lambda::new(&template, &calls);
        let engine = Engine::start(&template, lambda.executions_table());
        let rules = rules(&template, &lambda);
        let tick = template.schedules.first().and_then(|schedule| schedule.input.clone()).expect("a schedule's input");
        Self { engine, lambda, rules, tick, calls, calls_made: 0, bell }
    }

    /// As at the beginning.
    pub fn clear(&mut self) {
        self.engine.clear();
        self.lambda.clear();
        self.calls.take();
    }
}

fn rules(template: &Template, lambda: &Lambda) -> Vec<Rule> {
    let mut rules = Vec::new();
    for rule in template.rules.iter().filter(|rule| !rule.disabled) {
        let filter = rule.sql.split("FROM").nth(1).and_then(|from| from.split('\'').nth(1)).expect("FROM '...'");
        for action in &rule.actions {
            if let Action::Lambda { function_arn, .. } = action
                && let Some(function) = lambda.find(function_arn)
            {
                rules.push(Rule { filter: filter.to_owned(), sql: rule.sql.clone(), function });
            }
        }
    }
    rules
}
