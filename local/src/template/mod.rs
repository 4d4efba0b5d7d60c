//! CloudFormation and SAM: `template.yaml` as typed resources, every intrinsic function resolved.

mod error;
mod function;
mod globals;
mod intrinsics;
mod names;
mod node;
mod parameters;
mod queue;
mod resource;
mod rule;
mod stream;
mod table;
#[cfg(test)]
mod tests;
mod yaml;

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use crate::streams::Pattern;

pub use error::TemplateError;
use intrinsics::Resolver;
use names::Kind;
use node::Node;
use resource::Resource;

pub use rule::Permission;

/// What the template declares, ready to be run.
#[derive(Clone, Debug)]
pub struct Template {
    /// In the order of their logical ids.
    pub functions: Vec<Function>,
    /// Disabled ones included.
    pub rules: Vec<TopicRule>,
    /// Every table.
    pub tables: Vec<Table>,
    /// Every queue.
    pub queues: Vec<Queue>,
    /// Of all HTTP APIs: on one machine they share one port.
    pub routes: Vec<Route>,
    /// Those that are enabled.
    pub schedules: Vec<Schedule>,
    /// Those that are enabled.
    pub event_sources: Vec<EventSource>,
    /// Those that are enabled.
    pub stream_sources: Vec<StreamSource>,
    /// Who may invoke what; [`Action::Lambda`] already says it of each rule.
    pub permissions: Vec<Permission>,
    /// Output name to value.
    pub outputs: BTreeMap<String, String>,
}

/// `AWS::Serverless::Function`, Globals applied.
#[derive(Clone, Debug)]
pub struct Function {
    /// Its key in the template.
    pub logical_id: String,
    /// Its physical name.
    pub name: String,
    /// Its ARN.
    pub arn: String,
    /// `Metadata.BuildProperties.Binary`.
    pub binary: String,
    /// `MemorySize`.
    pub memory_mb: u32,
    /// `Timeout`.
    pub timeout_s: u32,
    /// `Environment.Variables`.
    pub environment: BTreeMap<String, String>,
    /// `ReservedConcurrentExecutions`.
    pub reserved_concurrency: Option<usize>,
    /// From `EventInvokeConfig`; AWS's default otherwise (2).
    pub retries: u8,
    /// From `EventInvokeConfig`; AWS's default otherwise (21600).
    pub event_age_s: u32,
    /// ARN of the queue for asynchronous events that failed for good.
    pub on_failure: Option<String>,
}

/// `AWS::IoT::TopicRule`.
#[derive(Clone, Debug)]
pub struct TopicRule {
    /// Its key in the template.
    pub logical_id: String,
    /// Its physical name, as Basic Ingest uses it.
    pub name: String,
    /// The statement.
    pub sql: String,
    /// `2015-10-08` where the template does not say.
    pub sql_version: String,
    /// Whether it never runs.
    pub disabled: bool,
    /// At least one.
    pub actions: Vec<Action>,
    /// What happens to a message that an action failed on.
    pub error_action: Option<Action>,
}

/// What a rule does with a message.
#[derive(Clone, Debug)]
pub enum Action {
    /// Invokes a function with what was selected.
    Lambda {
        /// Which.
        function_arn: String,
        /// Whether the template has a permission for this rule, this function and this account.
        permitted: bool,
    },
    /// Publishes what was selected.
    Republish {
        /// With `${expressions}`.
        topic: String,
        /// 0 or 1.
        qos: u8,
        /// `Headers` as the template has them (`ContentType`, `UserProperties`, ...), or null.
        headers: Value,
    },
    /// Puts what was selected on a queue.
    Sqs {
        /// As `!Ref Queue` gives it.
        queue_url: String,
        /// Whether the body is base64.
        use_base64: bool,
    },
}

/// `AWS::DynamoDB::Table`.
#[derive(Clone, Debug)]
pub struct Table {
    /// Its key in the template.
    pub logical_id: String,
    /// Its physical name.
    pub name: String,
    /// The input of CreateTable, as the DynamoDB API takes it.
    pub create: Value,
    /// `TimeToLiveSpecification`, where enabled.
    pub ttl_attribute: Option<String>,
    /// `StreamSpecification`.
    pub stream: Option<TableStream>,
}

/// The change stream of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableStream {
    /// Its ARN.
    pub arn: String,
    /// What its records hold.
    pub view: StreamView,
}

/// `StreamViewType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamView {
    /// Only the item's key.
    KeysOnly,
    /// The item as it is.
    NewImage,
    /// The item as it was.
    OldImage,
    /// Both.
    NewAndOldImages,
}

/// One route of the HTTP API.
#[derive(Clone, Debug)]
pub struct Route {
    /// Upper case, or `ANY`.
    pub method: String,
    /// With `{parameters}`, as API Gateway writes them.
    pub path: String,
    /// What it invokes.
    pub function_arn: String,
    /// Whether the route asks for IAM authorization.
    pub iam: bool,
}

/// A `ScheduleV2` event of a function.
#[derive(Clone, Debug)]
pub struct Schedule {
    /// Its physical name.
    pub name: String,
    /// What it invokes.
    pub function_arn: String,
    /// `rate(1 minute)`, in seconds. Other expressions are an error at start.
    pub every_s: u64,
    /// The event, with `<aws.scheduler.scheduled-time>` and its like still to be filled in.
    pub input: Option<String>,
}

/// `AWS::SQS::Queue`.
#[derive(Clone, Debug)]
pub struct Queue {
    /// Its physical name.
    pub name: String,
    /// `VisibilityTimeout`.
    pub visibility_s: u32,
    /// `DelaySeconds`.
    pub delay_s: u32,
    /// `MessageRetentionPeriod`.
    pub retention_s: u32,
}

/// An `SQS` event of a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventSource {
    /// Where messages come from.
    pub queue_arn: String,
    /// What it invokes.
    pub function_arn: String,
    /// At most so many messages at a time.
    pub batch_size: usize,
    /// Whether the function says which messages of a batch failed (`ReportBatchItemFailures`).
    pub partial_failures: bool,
}

/// A `DynamoDB` event of a function.
#[derive(Clone, Debug, PartialEq)]
pub struct StreamSource {
    /// Where records come from.
    pub stream_arn: String,
    /// What it invokes.
    pub function_arn: String,
    /// `TRIM_HORIZON`; `LATEST` otherwise.
    pub from_the_oldest: bool,
    /// At most so many records at a time.
    pub batch_size: usize,
    /// `MaximumBatchingWindowInSeconds`.
    pub window_s: u32,
    /// `MaximumRetryAttempts`; `None` is without bound.
    pub retries: Option<u32>,
    /// `MaximumRecordAgeInSeconds`; `None` is without bound.
    pub record_age_s: Option<u32>,
    /// `BisectBatchOnFunctionError`.
    pub bisect: bool,
    /// `ParallelizationFactor`.
    pub parallel: u64,
    /// `TumblingWindowInSeconds`.
    pub tumbling_s: Option<u32>,
    /// Whether the function says from where on a batch failed (`ReportBatchItemFailures`).
    pub partial_failures: bool,
    /// ARN of the queue for what was given up.
    pub on_failure: Option<String>,
    /// `FilterCriteria`: one of them has to match, where there are any.
    pub filters: Vec<Pattern>,
}

/// The pseudo parameters of the stack.
#[derive(Clone, Debug)]
pub struct Place {
    /// `AWS::Region`.
    pub region: String,
    /// `AWS::AccountId`.
    pub account: String,
    /// `AWS::StackName`.
    pub stack_name: String,
    /// Where the gateway listens, such as `http://127.0.0.1:4566`: queue URLs begin with it.
    pub endpoint: String,
}

impl Template {
    /// Reads a template; `parameters` override its defaults.
    pub fn read(path: &Path, parameters: &BTreeMap<String, String>, place: &Place) -> Result<Self, TemplateError> {
        let text =
            std::fs::read_to_string(path).map_err(|source| TemplateError::File { path: path.to_owned(), source })?;
        Self::parse(&text, parameters, place)
    }

    /// As [`Template::read`], from the template's text.
    pub fn parse(text: &str, parameters: &BTreeMap<String, String>, place: &Place) -> Result<Self, TemplateError> {
        let value = yaml::parse(text)?;
        let template = Node::new(&value, "template");
        if let Some(transform) = template.get("Transform").filter(|t| t.value != "AWS::Serverless-2016-10-31") {
            return Err(transform.bad("only AWS::Serverless-2016-10-31 is stood in for"));
        }
        template.need("Resources")?;
        // From here on places are given as the template's own paths: `Resources.X.Properties.Y`.
        let template = Node::new(&value, "");
        let resolver = Resolver::new(place, parameters::read(&template, parameters)?, &value);
        let resources = resource::read_all(&template, &resolver)?;
        let outputs = outputs(&template, &resolver)?;
        Self::assemble(&resources, outputs, place)
    }

    fn assemble(
        resources: &[Resource],
        outputs: BTreeMap<String, String>,
        place: &Place,
    ) -> Result<Self, TemplateError> {
        let of = |kind| resources.iter().filter(move |resource| resource.kind == kind);
        let apis: Vec<&Resource> = of(Kind::HttpApi).collect();
        let permissions = of(Kind::Permission).map(rule::permission).collect::<Result<Vec<_>, _>>()?;
        let mut template = Template {
            functions: of(Kind::Function).map(|r| function::read(r, place)).collect::<Result<_, _>>()?,
            rules: of(Kind::TopicRule).map(|r| rule::read(r, &permissions, place)).collect::<Result<_, _>>()?,
            tables: of(Kind::Table).map(|r| table::read(r, place)).collect::<Result<_, _>>()?,
            queues: of(Kind::Queue).map(queue::read).collect::<Result<_, _>>()?,
            routes: Vec::new(),
            schedules: Vec::new(),
            event_sources: Vec::new(),
            stream_sources: Vec::new(),
            permissions,
            outputs,
        };
        for (resource, function) in of(Kind::Function).zip(&template.functions) {
            let events = function::events(resource, function, &apis, &template.queues, &template.tables, place)?;
            template.routes.extend(events.routes);
            template.schedules.extend(events.schedules);
            template.event_sources.extend(events.sources);
            template.stream_sources.extend(events.streams);
        }
        for resource in of(Kind::EventInvokeConfig) {
            let config = resource.properties();
            let name = config.need("FunctionName")?;
            let wanted = name.text()?;
            let function = template.functions.iter_mut().find(|f| f.name == wanted || f.arn == wanted);
            function::invoke_config(function.ok_or_else(|| name.bad("is not a function of this template"))?, &config)?;
        }
        Ok(template)
    }
}

fn outputs(template: &Node<'_>, resolver: &Resolver<'_>) -> Result<BTreeMap<String, String>, TemplateError> {
    let mut outputs = BTreeMap::new();
    let declared = template.get("Outputs").map_or(Ok(Vec::new()), |outputs| outputs.entries())?;
    for (name, output) in declared {
        if let Some(condition) = output.get("Condition")
            && !resolver.condition(&condition.text()?, &condition.at)?
        {
            continue;
        }
        let value = output.need("Value")?;
        if let Some(resolved) = resolver.resolve(value.value, &value.at)? {
            outputs.insert(name.to_owned(), Node::new(&resolved, value.at).text()?);
        }
    }
    Ok(outputs)
}
