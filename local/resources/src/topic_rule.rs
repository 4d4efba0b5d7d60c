//! `AWS::IoT::TopicRule` and its actions.

use serde_json::Value;

/// `AWS::IoT::TopicRule`.
#[derive(Clone, Debug)]
pub struct TopicRule {
    /// The resource's key in the template.
    pub logical_id: String,
    /// Physical name, as Basic Ingest topics contain it.
    pub name: String,
    /// The SQL statement.
    pub sql: String,
    /// `AwsIotSqlVersion`; `2015-10-08` where the template has none.
    pub sql_version: String,
    /// Whether the rule never runs.
    pub disabled: bool,
    /// At least one.
    pub actions: Vec<Action>,
    /// What happens to a message for which an action failed.
    pub error_action: Option<Action>,
}

/// What a rule does with a message.
#[derive(Clone, Debug)]
pub enum Action {
    /// Invokes a function with the selected JSON.
    Lambda {
        /// The function's ARN.
        function_arn: String,
        /// Whether the template has a permission for this rule, this function and this account.
        permitted: bool,
    },
    /// Publishes the selected payload.
    Republish {
        /// Topic with `${expressions}`.
        topic: String,
        /// Quality of service, 0 or 1.
        qos: u8,
        /// `Headers` as the template has them (`ContentType`, `UserProperties`, ...), or null.
        headers: Value,
    },
    /// Sends the selected payload to a queue.
    Sqs {
        /// URL, as `!Ref Queue` gives it.
        queue_url: String,
        /// Whether the body is base64.
        use_base64: bool,
    },
}
