//! `AWS::Serverless::Function` and its events: HTTP API routes, schedules, queues and streams.

use std::collections::BTreeMap;

use super::error::TemplateError;
use super::names::Kind;
use super::node::Node;
use super::resource::Resource;
use super::{EventSource, Function, Place, Queue, Route, Schedule, StreamSource, Table, queue, stream};

/// Everything but the events.
pub fn read(resource: &Resource, place: &Place) -> Result<Function, TemplateError> {
    let properties = resource.properties();
    let number = |key, range, default| properties.get(key).map_or(Ok(default), |value| value.whole(range));
    let mut function = Function {
        logical_id: resource.logical_id.clone(),
        name: resource.name.clone(),
        arn: Kind::Function.attribute(&resource.name, "Arn", place).unwrap_or_default(),
        binary: resource.metadata().need("BuildProperties")?.need("Binary")?.text()?,
        memory_mb: number("MemorySize", 128..=10_240, 128)? as u32,
        timeout_s: number("Timeout", 1..=900, 3)? as u32,
        environment: environment(&properties)?,
        reserved_concurrency: properties
            .get("ReservedConcurrentExecutions")
            .map(|n| n.whole(0..=100_000).map(|n| n as usize))
            .transpose()?,
        retries: 2,
        event_age_s: 21_600,
        on_failure: None,
    };
    if let Some(config) = properties.get("EventInvokeConfig") {
        invoke_config(&mut function, &config)?;
    }
    Ok(function)
}

/// What becomes of asynchronous events: the property of a function, or an `AWS::Lambda::EventInvokeConfig`.
pub fn invoke_config(function: &mut Function, config: &Node<'_>) -> Result<(), TemplateError> {
    if let Some(retries) = config.get("MaximumRetryAttempts") {
        function.retries = retries.whole(0..=2)? as u8;
    }
    if let Some(age) = config.get("MaximumEventAgeInSeconds") {
        function.event_age_s = age.whole(60..=21_600)? as u32;
    }
    if let Some(destination) = config.find(&["DestinationConfig", "OnFailure"]) {
        if let Some(kind) = destination.get("Type").filter(|kind| kind.value != "SQS") {
            return Err(kind.bad("only SQS is stood in for; SQS would be right"));
        }
        function.on_failure = Some(destination.need("Destination")?.text()?);
    }
    Ok(())
}

fn environment(properties: &Node<'_>) -> Result<BTreeMap<String, String>, TemplateError> {
    let Some(variables) = properties.find(&["Environment", "Variables"]) else {
        return Ok(BTreeMap::new());
    };
    variables.entries()?.into_iter().map(|(name, value)| Ok((name.to_owned(), value.text()?))).collect()
}

/// What invokes a function.
#[derive(Default)]
pub struct Events {
    pub routes: Vec<Route>,
    pub schedules: Vec<Schedule>,
    pub sources: Vec<EventSource>,
    pub streams: Vec<StreamSource>,
}

pub fn events(
    resource: &Resource,
    function: &Function,
    apis: &[&Resource],
    queues: &[Queue],
    tables: &[Table],
    place: &Place,
) -> Result<Events, TemplateError> {
    let mut all = Events::default();
    let events = resource.properties().get("Events").map_or(Ok(Vec::new()), |events| events.entries())?;
    for (name, event) in events {
        let kind = event.need("Type")?;
        let empty = Node::new(event.value, format!("{}.Properties", event.at));
        let properties = event.get("Properties").unwrap_or(empty);
        match kind.text()?.as_str() {
            "HttpApi" => all.routes.push(route(&properties, function, apis)?),
            "ScheduleV2" => {
                let default_name = format!("{}-{}{name}", place.stack_name, resource.logical_id);
                all.schedules.extend(schedule(&properties, function, default_name)?);
            }
            "SQS" => all.sources.extend(queue::source(&properties, function, queues, place)?),
            "DynamoDB" => all.streams.extend(stream::source(&properties, function, tables, queues, place)?),
            other => {
                return Err(kind
                    .bad(format!("{other} is not stood in for; DynamoDB, HttpApi, ScheduleV2 or SQS would be right")));
            }
        }
    }
    Ok(all)
}

fn route(event: &Node<'_>, function: &Function, apis: &[&Resource]) -> Result<Route, TemplateError> {
    let path = event.need("Path")?;
    if !path.text()?.starts_with('/') {
        return Err(path.bad("must begin with /"));
    }
    let api = match event.get("ApiId") {
        None => apis.iter().find(|api| api.logical_id == "ServerlessHttpApi"),
        Some(id) => {
            let wanted = id.text()?;
            let api = apis.iter().find(|api| api.name == wanted);
            Some(api.ok_or_else(|| id.bad(format!("{wanted} is not an HttpApi of this template; !Ref one")))?)
        }
    };
    Ok(Route {
        method: event.need("Method")?.text()?.to_ascii_uppercase(),
        path: path.text()?,
        function_arn: function.arn.clone(),
        iam: is_iam(event, api.copied())?,
    })
}

fn is_iam(event: &Node<'_>, api: Option<&Resource>) -> Result<bool, TemplateError> {
    let own = event.find(&["Auth", "Authorizer"]);
    let default = api.and_then(|api| api.properties().find(&["Auth", "DefaultAuthorizer"]).map(|d| (d.text(), d.at)));
    let (authorizer, at) = match (own, default) {
        (Some(own), _) => (own.text()?, own.at),
        (None, Some((default, at))) => (default?, at),
        (None, None) => return Ok(false),
    };
    match authorizer.as_str() {
        "AWS_IAM" => Ok(true),
        "NONE" => Ok(false),
        other => Err(super::error::bad(&at, format!("{other} is not stood in for; AWS_IAM or NONE would be right"))),
    }
}

/// `None` for a schedule that is switched off.
fn schedule(event: &Node<'_>, function: &Function, default_name: String) -> Result<Option<Schedule>, TemplateError> {
    let expression = event.need("ScheduleExpression")?;
    let every_s = rate(&expression.text()?).ok_or_else(|| {
        expression.bad("only rate(<whole number> minutes|hours|days) is stood in for, such as rate(1 minute)")
    })?;
    if event.get("State").is_some_and(|state| state.value == "DISABLED") {
        return Ok(None);
    }
    Ok(Some(Schedule {
        name: event.get("Name").map_or(Ok(default_name), |name| name.text())?,
        function_arn: function.arn.clone(),
        every_s,
        input: event.get("Input").map(|input| input.text()).transpose()?,
    }))
}

fn rate(expression: &str) -> Option<u64> {
    let (count, unit) = expression.trim().strip_prefix("rate(")?.strip_suffix(')')?.trim().split_once(' ')?;
    let seconds: u64 = match unit.trim() {
        "minute" | "minutes" => 60,
        "hour" | "hours" => 3_600,
        "day" | "days" => 86_400,
        _ => return None,
    };
    count.parse::<u64>().ok().filter(|n| *n > 0)?.checked_mul(seconds)
}
