//! The supported resource types: their names, and the values of `Ref` and `GetAtt`.

use super::Place;

/// A supported resource type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResourceKind {
    Function,
    HttpApi,
    TopicRule,
    IotPolicy,
    Table,
    Queue,
    QueuePolicy,
    Permission,
    EventInvokeConfig,
    LogGroup,
    MetricFilter,
    Alarm,
    Role,
    Policy,
    ManagedPolicy,
}

/// Type name, type, and the property with the physical name.
const KINDS: [(&str, ResourceKind, Option<&str>); 15] = [
    ("AWS::Serverless::Function", ResourceKind::Function, Some("FunctionName")),
    ("AWS::Serverless::HttpApi", ResourceKind::HttpApi, None),
    ("AWS::IoT::TopicRule", ResourceKind::TopicRule, Some("RuleName")),
    ("AWS::IoT::Policy", ResourceKind::IotPolicy, Some("PolicyName")),
    ("AWS::DynamoDB::Table", ResourceKind::Table, Some("TableName")),
    ("AWS::SQS::Queue", ResourceKind::Queue, Some("QueueName")),
    ("AWS::SQS::QueuePolicy", ResourceKind::QueuePolicy, None),
    ("AWS::Lambda::Permission", ResourceKind::Permission, None),
    ("AWS::Lambda::EventInvokeConfig", ResourceKind::EventInvokeConfig, None),
    ("AWS::Logs::LogGroup", ResourceKind::LogGroup, Some("LogGroupName")),
    ("AWS::Logs::MetricFilter", ResourceKind::MetricFilter, Some("FilterName")),
    ("AWS::CloudWatch::Alarm", ResourceKind::Alarm, Some("AlarmName")),
    ("AWS::IAM::Role", ResourceKind::Role, Some("RoleName")),
    ("AWS::IAM::Policy", ResourceKind::Policy, Some("PolicyName")),
    ("AWS::IAM::ManagedPolicy", ResourceKind::ManagedPolicy, Some("ManagedPolicyName")),
];

impl ResourceKind {
    /// The type of a CloudFormation type name; `None` if it is not supported.
    pub fn of(type_name: &str) -> Option<Self> {
        KINDS.iter().find(|(name, ..)| *name == type_name).map(|(_, kind, _)| *kind)
    }

    /// All supported type names, for error messages.
    pub fn all() -> String {
        KINDS.map(|(name, ..)| name).join(", ")
    }

    /// The property that contains the physical name.
    pub fn name_property(self) -> Option<&'static str> {
        KINDS.iter().find(|(_, kind, _)| *kind == self).and_then(|(.., property)| *property)
    }

    /// The physical name of a resource whose properties contain none.
    pub fn default_name(self, logical: &str, place: &Place) -> String {
        match self {
            // Rule names contain letters, digits and underscores only.
            ResourceKind::TopicRule => {
                format!("{}_{logical}", place.stack_name).replace(|c: char| !c.is_ascii_alphanumeric(), "_")
            }
            // API Gateway generates a random id; the logical id is unique within the template and recognizable.
            ResourceKind::HttpApi => logical.to_ascii_lowercase(),
            _ => format!("{}-{logical}", place.stack_name),
        }
    }

    /// The value of `Ref`.
    pub fn reference(self, name: &str, place: &Place) -> String {
        match self {
            ResourceKind::Queue => format!("{}/{}/{name}", place.endpoint.trim_end_matches('/'), place.account),
            ResourceKind::ManagedPolicy => arn("iam", "", &place.account, &format!("policy/{name}")),
            _ => name.to_owned(),
        }
    }

    /// The value of `GetAtt`; `None` if the type has no such attribute.
    pub fn attribute(self, name: &str, attribute: &str, place: &Place) -> Option<String> {
        let Place { region, account, .. } = place;
        Some(match (self, attribute) {
            (ResourceKind::Function, "Arn") => arn("lambda", region, account, &format!("function:{name}")),
            (ResourceKind::HttpApi, "ApiId") => name.to_owned(),
            (ResourceKind::HttpApi, "ApiEndpoint") => format!("https://{name}.execute-api.{region}.amazonaws.com"),
            (ResourceKind::TopicRule, "Arn") => arn("iot", region, account, &format!("rule/{name}")),
            (ResourceKind::IotPolicy, "Arn") => arn("iot", region, account, &format!("policy/{name}")),
            (ResourceKind::Table, "Arn") => arn("dynamodb", region, account, &format!("table/{name}")),
            // On AWS, the label is the creation time of the stream.
            (ResourceKind::Table, "StreamArn") => {
                arn("dynamodb", region, account, &format!("table/{name}/stream/1970-01-01T00:00:00.000"))
            }
            (ResourceKind::Queue, "Arn") => arn("sqs", region, account, name),
            (ResourceKind::Queue, "QueueName") => name.to_owned(),
            (ResourceKind::Queue, "QueueUrl") => self.reference(name, place),
            (ResourceKind::LogGroup, "Arn") => arn("logs", region, account, &format!("log-group:{name}:*")),
            (ResourceKind::Alarm, "Arn") => arn("cloudwatch", region, account, &format!("alarm:{name}")),
            (ResourceKind::Role, "Arn") => arn("iam", "", account, &format!("role/{name}")),
            (ResourceKind::ManagedPolicy, "PolicyArn") => self.reference(name, place),
            _ => return None,
        })
    }
}

fn arn(service: &str, region: &str, account: &str, rest: &str) -> String {
    format!("arn:aws:{service}:{region}:{account}:{rest}")
}
