//! Actions of a rule: invoke a Lambda function, republish a message, send to an SQS queue.

use bytes::Bytes;
use data_encoding::BASE64;
use local_broker::{Message, Properties};
use serde_json::Value;

use super::sql::{EvalError, Incoming, Selected, SqlError, Template};

/// The call to another service that an action makes for one message.
#[derive(Debug)]
pub enum ServiceCall {
    /// Invoke a Lambda function asynchronously.
    Invoke {
        /// The function's ARN.
        function_arn: String,
        /// The event as JSON.
        event: Bytes,
    },
    /// Publish a message.
    Publish(Message),
    /// Send a message to an SQS queue.
    Send {
        /// The queue's URL.
        queue_url: String,
        /// The message's body.
        body: String,
    },
}

/// Executes a [`ServiceCall`]; the error text goes into the error action's message.
pub type ServiceCaller = dyn Fn(ServiceCall) -> Result<(), String> + Send + Sync;

/// An action with parsed templates.
#[derive(Clone, Debug)]
pub enum Action {
    Lambda { function_arn: String, permitted: bool },
    Republish { topic: Template, qos: u8, headers: HeaderTemplates },
    Sqs { queue_url: String, use_base64: bool },
}

/// Templates of the MQTT 5 properties of a republished message.
#[derive(Clone, Debug, Default)]
pub struct HeaderTemplates {
    content_type: Option<Template>,
    response_topic: Option<Template>,
    correlation_data: Option<Template>,
    message_expiry: Option<Template>,
    payload_format: Option<Template>,
    user: Vec<(Template, Template)>,
}

/// A failed action: the entry in the error action's message.
#[derive(Debug)]
pub struct ActionFailure {
    pub action: &'static str,
    pub resource: String,
    pub message: String,
}

impl Action {
    /// Parses the templates. The error names the invalid field.
    pub fn new(action: &local_resources::Action) -> Result<Self, String> {
        Ok(match action {
            local_resources::Action::Lambda { function_arn, permitted } => {
                Action::Lambda { function_arn: function_arn.clone(), permitted: *permitted }
            }
            local_resources::Action::Sqs { queue_url, use_base64 } => {
                Action::Sqs { queue_url: queue_url.clone(), use_base64: *use_base64 }
            }
            local_resources::Action::Republish { topic, qos, headers } => {
                let reserved = topic.strip_prefix("$$").map(|rest| format!("${rest}"));
                if reserved.is_none() && topic.starts_with("$aws") {
                    return Err(format!("republish topic {topic}: a reserved topic is written ${topic}"));
                }
                Action::Republish {
                    topic: parse_field("republish topic", &reserved.unwrap_or_else(|| topic.clone()))?,
                    qos: *qos,
                    headers: HeaderTemplates::new(headers)?,
                }
            }
        })
    }

    /// Runs the action with the SELECT result, or with the message of an error action.
    pub fn run(
        &self,
        selected: &Result<Selected<'_>, EvalError>,
        message: &Incoming<'_>,
        call_service: &ServiceCaller,
    ) -> Result<(), ActionFailure> {
        self.service_call(selected, message).and_then(call_service).map_err(|reason| self.failure(message, &reason))
    }

    fn service_call(
        &self,
        selected: &Result<Selected<'_>, EvalError>,
        message: &Incoming<'_>,
    ) -> Result<ServiceCall, String> {
        let selected = selected.as_ref().map_err(EvalError::to_string)?;
        let bytes = match selected {
            Selected::Json(json) => json.as_bytes(),
            Selected::Bytes(bytes) => bytes,
        };
        Ok(match self {
            Action::Lambda { function_arn, permitted } => {
                if !permitted {
                    return Err("no permission allows iot.amazonaws.com to invoke it for this rule".into());
                }
                if matches!(selected, Selected::Bytes(_)) {
                    return Err("the payload is not JSON; select encode(*, 'base64')".into());
                }
                ServiceCall::Invoke { function_arn: function_arn.clone(), event: Bytes::copy_from_slice(bytes) }
            }
            Action::Republish { topic, qos, headers } => {
                let topic = topic.fill(message).map_err(|error| error.to_string())?;
                let mut publish = Message::new(topic, Bytes::copy_from_slice(bytes));
                publish.qos = *qos;
                publish.properties = headers.fill(message)?;
                ServiceCall::Publish(publish)
            }
            Action::Sqs { queue_url, use_base64 } => {
                let body = match use_base64 {
                    true => BASE64.encode(bytes),
                    false => std::str::from_utf8(bytes)
                        .map_err(|_| "the payload is not text; set UseBase64".to_owned())?
                        .to_owned(),
                };
                ServiceCall::Send { queue_url: queue_url.clone(), body }
            }
        })
    }

    fn failure(&self, message: &Incoming<'_>, reason: &str) -> ActionFailure {
        let (action, verb, resource) = match self {
            Action::Lambda { function_arn, .. } => ("LambdaAction", "invoke lambda function", function_arn.clone()),
            Action::Republish { topic, .. } => {
                ("RepublishAction", "republish message", topic.fill(message).unwrap_or_default())
            }
            Action::Sqs { queue_url, .. } => ("SqsAction", "send message to SQS queue", queue_url.clone()),
        };
        let text = format!("Failed to {verb}. The error received was: {reason}. Message arrived on: {}", message.topic);
        ActionFailure { action, resource, message: text }
    }
}

impl HeaderTemplates {
    /// Parses `Headers` of a SAM template; null has none.
    fn new(headers: &Value) -> Result<Self, String> {
        let text = |value: &Value| match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let optional = |key: &str| headers.get(key).map(|value| parse_field(key, &text(value))).transpose();
        let mut user = Vec::new();
        for property in headers.get("UserProperties").and_then(Value::as_array).into_iter().flatten() {
            let part = |key| parse_field("UserProperties", &property.get(key).map(text).unwrap_or_default());
            user.push((part("Key")?, part("Value")?));
        }
        Ok(Self {
            content_type: optional("ContentType")?,
            response_topic: optional("ResponseTopic")?,
            correlation_data: optional("CorrelationData")?,
            message_expiry: optional("MessageExpiry")?,
            payload_format: optional("PayloadFormatIndicator")?,
            user,
        })
    }

    fn fill(&self, message: &Incoming<'_>) -> Result<Properties, String> {
        let one = |template: &Template| template.fill(message).map_err(|error| error.to_string());
        let filled = |template: &Option<Template>| template.as_ref().map(one).transpose();
        let correlation_data = filled(&self.correlation_data)?
            .map(|text| BASE64.decode(text.as_bytes()).map_err(|error| format!("CorrelationData: {error}")))
            .transpose()?;
        let message_expiry_s = filled(&self.message_expiry)?
            .map(|text| text.parse().map_err(|_| format!("MessageExpiry: {text:?} is not a number of seconds")))
            .transpose()?;
        Ok(Properties {
            content_type: filled(&self.content_type)?,
            response_topic: filled(&self.response_topic)?,
            correlation_data: correlation_data.map(Into::into),
            message_expiry_s,
            utf8: filled(&self.payload_format)?.as_deref() == Some("UTF8_DATA"),
            user: self.user.iter().map(|(key, value)| Ok((one(key)?, one(value)?))).collect::<Result<_, String>>()?,
        })
    }
}

fn parse_field(name: &str, text: &str) -> Result<Template, String> {
    Template::parse(text).map_err(|error: SqlError| format!("{name} {text:?}, {error}"))
}
