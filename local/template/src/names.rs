//! The resource types that may appear, and what `Ref` and `GetAtt` say of each.

use super::Place;

/// A resource type of the template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Function,
    HttpApi,
    TopicRule,
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

const KINDS: [(&str, Kind, Option<&str>); 14] = [
    ("AWS::Serverless::Function", Kind::Function, Some("FunctionName")),
    ("AWS::Serverless::HttpApi", Kind::HttpApi, None),
    ("AWS::IoT::TopicRule", Kind::TopicRule, Some("RuleName")),
    ("AWS::DynamoDB::Table", Kind::Table, Some("TableName")),
    ("AWS::SQS::Queue", Kind::Queue, Some("QueueName")),
    ("AWS::SQS::QueuePolicy", Kind::QueuePolicy, None),
    ("AWS::Lambda::Permission", Kind::Permission, None),
    ("AWS::Lambda::EventInvokeConfig", Kind::EventInvokeConfig, None),
    ("AWS::Logs::LogGroup", Kind::LogGroup, Some("LogGroupName")),
    ("AWS::Logs::MetricFilter", Kind::MetricFilter, Some("FilterName")),
    ("AWS::CloudWatch::Alarm", Kind::Alarm, Some("AlarmName")),
    ("AWS::IAM::Role", Kind::Role, Some("RoleName")),
    ("AWS::IAM::Policy", Kind::Policy, Some("PolicyName")),
    ("AWS::IAM::ManagedPolicy", Kind::ManagedPolicy, Some("ManagedPolicyName")),
];

impl Kind {
    /// By CloudFormation's type name.
    pub fn of(type_name: &str) -> Option<Self> {
        KINDS.iter().find(|(name, ..)| *name == type_name).map(|(_, kind, _)| *kind)
    }

    /// Every type name, for the error that an unknown one gets.
    pub fn all() -> String {
        KINDS.map(|(name, ..)| name).join(", ")
    }

    /// The property that names the resource explicitly.
    pub fn name_property(self) -> Option<&'static str> {
        KINDS.iter().find(|(_, kind, _)| *kind == self).and_then(|(.., property)| *property)
    }

    /// The name of a resource that does not name itself.
    pub fn default_name(self, logical: &str, place: &Place) -> String {
        match self {
            // A rule's name is letters, digits and underscores.
            Kind::TopicRule => {
                format!("{}_{logical}", place.stack_name).replace(|c: char| !c.is_ascii_alphanumeric(), "_")
            }
            // API Gateway makes up ten small letters and digits; this is as unique and easier to recognise.
            Kind::HttpApi => logical.to_ascii_lowercase(),
            _ => format!("{}-{logical}", place.stack_name),
        }
    }

    /// What `Ref` gives.
    pub fn reference(self, name: &str, place: &Place) -> String {
        match self {
            Kind::Queue => format!("{}/{}/{name}", place.endpoint.trim_end_matches('/'), place.account),
            Kind::ManagedPolicy => arn("iam", "", &place.account, &format!("policy/{name}")),
            _ => name.to_owned(),
        }
    }

    /// What `GetAtt` gives, for the attributes that exist.
    pub fn attribute(self, name: &str, attribute: &str, place: &Place) -> Option<String> {
        let Place { region, account, .. } = place;
        Some(match (self, attribute) {
            (Kind::Function, "Arn") => arn("lambda", region, account, &format!("function:{name}")),
            (Kind::HttpApi, "ApiId") => name.to_owned(),
            (Kind::HttpApi, "ApiEndpoint") => format!("https://{name}.execute-api.{region}.amazonaws.com"),
            (Kind::TopicRule, "Arn") => arn("iot", region, account, &format!("rule/{name}")),
            (Kind::Table, "Arn") => arn("dynamodb", region, account, &format!("table/{name}")),
            // On AWS the label is the stream's birthday.
            (Kind::Table, "StreamArn") => {
                arn("dynamodb", region, account, &format!("table/{name}/stream/1970-01-01T00:00:00.000"))
            }
            (Kind::Queue, "Arn") => arn("sqs", region, account, name),
            (Kind::Queue, "QueueName") => name.to_owned(),
            (Kind::Queue, "QueueUrl") => self.reference(name, place),
            (Kind::LogGroup, "Arn") => arn("logs", region, account, &format!("log-group:{name}:*")),
            (Kind::Alarm, "Arn") => arn("cloudwatch", region, account, &format!("alarm:{name}")),
            (Kind::Role, "Arn") => arn("iam", "", account, &format!("role/{name}")),
            (Kind::ManagedPolicy, "PolicyArn") => self.reference(name, place),
            _ => return None,
        })
    }
}

fn arn(service: &str, region: &str, account: &str, rest: &str) -> String {
    format!("arn:aws:{service}:{region}:{account}:{rest}")
}
