//! `AWS::Serverless::Function` and its events: HTTP API routes, schedules, queues and streams.

use std::collections::BTreeMap;

use super::error::TemplateError;
use super::names::ResourceKind;
use super::node::Node;
use super::resource::Resource;
use super::{EventSource, Function, Place, Queue, Route, Schedule, StreamSource, Table, queue, stream};

/// Reads a function without its events.
pub fn read(resource: &Resource, place: &Place) -> Result<Function, TemplateError> {
    let properties = resource.properties();
    let number = |key, range, default| properties.get(key).map_or(Ok(default), |value| value.integer(range));
    let mut function = Function {
        logical_id: resource.logical_id.clone(),
        name: resource.name.clone(),
        arn: ResourceKind::Function.attribute(&resource.name, "Arn", place).unwrap_or_default(),
        binary: resource.metadata().required("BuildProperties")?.required("Binary")?.text()?,
        memory_mb: number("MemorySize", 128..=10_240, 128)? as u32,
        timeout_s: number("Timeout", 1..=900, 3)? as u32,
        environment: environment(&properties)?,
        reserved_concurrency: properties
            .get("ReservedConcurrentExecutions")
            .map(|n| n.integer(0..=100_000).map(|n| n as usize))
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

/// Reads retries, event age and failure destination of asynchronous events, from `EventInvokeConfig` of a function or
/// from an `AWS::Lambda::EventInvokeConfig`.
pub fn invoke_config(function: &mut Function, config: &Node<'_>) -> Result<(), TemplateError> {
    if let Some(retries) = config.get("MaximumRetryAttempts") {
        function.retries = retries.integer(0..=2)? as u8;
    }
    if let Some(age) = config.get("MaximumEventAgeInSeconds") {
        function.event_age_s = age.integer(60..=21_600)? as u32;
    }
    if let Some(destination) = config.find(&["DestinationConfig", "OnFailure"]) {
        if let Some(kind) = destination.get("Type").filter(|kind| kind.value != "SQS") {
            return Err(kind.invalid("only SQS is supported by the local stack"));
        }
        function.on_failure = Some(destination.required("Destination")?.text()?);
    }
    Ok(())
}

fn environment(properties: &Node<'_>) -> Result<BTreeMap<String, String>, TemplateError> {
    let Some(variables) = properties.find(&["Environment", "Variables"]) else {
        return Ok(BTreeMap::new());
    };
    variables.entries()?.into_iter().map(|(name, value)| Ok((name.to_owned(), value.text()?))).collect()
}

/// The routes, schedules, queues and streams that invoke a function.
#[derive(Default)]
pub struct Events {
    pub routes: Vec<Route>,
    pub schedules: Vec<Schedule>,
    pub sources: Vec<EventSource>,
    pub streams: Vec<StreamSource>,
}

/// Reads the `Events` of a function; disabled ones are left out.
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
        let kind = event.required("Type")?;
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
                return Err(kind.invalid(format!(
                    "{other} is not supported by the local stack; use DynamoDB, HttpApi, ScheduleV2 or SQS"
                )));
            }
        }
    }
    Ok(all)
}

fn route(event: &Node<'_>, function: &Function, apis: &[&Resource]) -> Result<Route, TemplateError> {
    let path = event.required("Path")?;
    if !path.text()?.starts_with('/') {
        return Err(path.invalid("must start with /"));
    }
    let api = match event.get("ApiId") {
        None => apis.iter().find(|api| api.logical_id == "ServerlessHttpApi"),
        Some(id) => {
            let wanted = id.text()?;
            let api = apis.iter().find(|api| api.name == wanted);
            Some(api.ok_or_else(|| id.invalid(format!("{wanted} is not an HttpApi of this template; !Ref one")))?)
        }
    };
    Ok(Route {
        method: event.required("Method")?.text()?.to_ascii_uppercase(),
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
        other => {
            Err(super::error::invalid(&at, format!("{other} is not supported by the local stack; use AWS_IAM or NONE")))
        }
    }
}

/// Reads a schedule; `None` if it is disabled.
fn schedule(event: &Node<'_>, function: &Function, default_name: String) -> Result<Option<Schedule>, TemplateError> {
    let expression = event.required("ScheduleExpression")?;
    let every_s = rate(&expression.text()?).ok_or_else(|| {
        expression.invalid(
            "only rate(<whole number> minutes|hours|days) is supported by the local stack, such as rate(1 minute)",
        )
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

/// Seconds of a rate expression.
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
