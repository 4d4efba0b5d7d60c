//! CloudFormation and SAM: `template.yaml` as typed resources, every intrinsic function resolved.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

/// What the template declares, ready to be run.
#[derive(Clone, Debug)]
pub struct Template {
    pub functions: Vec<Function>,
    pub rules: Vec<TopicRule>,
    pub tables: Vec<Table>,
    /// Queue names.
    pub queues: Vec<String>,
    pub routes: Vec<Route>,
    pub schedules: Vec<Schedule>,
    /// Output name to value.
    pub outputs: BTreeMap<String, String>,
}

/// `AWS::Serverless::Function`, Globals applied.
#[derive(Clone, Debug)]
pub struct Function {
    pub logical_id: String,
    pub name: String,
    pub arn: String,
    /// `Metadata.BuildProperties.Binary`.
    pub binary: String,
    pub memory_mb: u32,
    pub timeout_s: u32,
    pub environment: BTreeMap<String, String>,
    pub reserved_concurrency: Option<usize>,
    /// From `EventInvokeConfig`; AWS's defaults otherwise (2 retries, 21600 s).
    pub retries: u8,
    pub event_age_s: u32,
    pub on_failure: Option<String>,
}

/// `AWS::IoT::TopicRule`.
#[derive(Clone, Debug)]
pub struct TopicRule {
    pub logical_id: String,
    pub name: String,
    pub sql: String,
    pub sql_version: String,
    pub disabled: bool,
    pub actions: Vec<Action>,
    pub error_action: Option<Action>,
}

/// What a rule does with a message.
#[derive(Clone, Debug)]
pub enum Action {
    Lambda { function_arn: String },
    Republish { topic: String, qos: u8, headers: Value },
    Sqs { queue_url: String, use_base64: bool },
}

/// `AWS::DynamoDB::Table`.
#[derive(Clone, Debug)]
pub struct Table {
    pub logical_id: String,
    pub name: String,
    /// The input of CreateTable, as the DynamoDB API takes it.
    pub create: Value,
    pub ttl_attribute: Option<String>,
}

/// One route of the HTTP API.
#[derive(Clone, Debug)]
pub struct Route {
    /// Upper case, or `ANY`.
    pub method: String,
    /// With `{parameters}`, as API Gateway writes them.
    pub path: String,
    pub function_arn: String,
    /// Whether the route asks for IAM authorization.
    pub iam: bool,
}

/// A `ScheduleV2` event of a function.
#[derive(Clone, Debug)]
pub struct Schedule {
    pub name: String,
    pub function_arn: String,
    /// `rate(1 minute)`, in seconds. Other expressions are an error at start.
    pub every_s: u64,
    /// The event, with `<aws.scheduler.scheduled-time>` and its like still to be filled in.
    pub input: Option<String>,
}

/// The pseudo parameters of the stack.
#[derive(Clone, Debug)]
pub struct Place {
    pub region: String,
    pub account: String,
    pub stack_name: String,
}

/// Why a template cannot be run. Names the resource and property.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    #[error("{0}")]
    Unusable(String),
}

#[allow(unused_variables)]
impl Template {
    /// Reads a template; `parameters` override its defaults.
    pub fn read(path: &Path, parameters: &BTreeMap<String, String>, place: &Place) -> Result<Self, TemplateError> {
        unimplemented!()
    }
}
