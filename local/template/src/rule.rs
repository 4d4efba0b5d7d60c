//! `AWS::IoT::TopicRule`, and whether the rules engine may invoke the functions that its actions name.

use serde_json::Value;

use super::error::TemplateError;
use super::names::Kind;
use super::node::Node;
use super::resource::Resource;
use super::{Action, Place, TopicRule};

/// `AWS::Lambda::Permission`: who may invoke a function.
#[derive(Clone, Debug)]
pub struct Permission {
    /// Name or ARN.
    pub function: String,
    /// A service, such as `iot.amazonaws.com`.
    pub principal: String,
    /// ARN of the one resource that it holds for.
    pub source_arn: Option<String>,
    /// Account that this resource has to be in.
    pub source_account: Option<String>,
}

pub fn permission(resource: &Resource) -> Result<Permission, TemplateError> {
    let properties = resource.properties();
    let action = properties.need("Action")?;
    if action.value != "lambda:InvokeFunction" {
        return Err(action.bad("lambda:InvokeFunction would be right"));
    }
    let optional = |key| properties.get(key).map(|value: Node<'_>| value.text()).transpose();
    Ok(Permission {
        function: properties.need("FunctionName")?.text()?,
        principal: properties.need("Principal")?.text()?,
        source_arn: optional("SourceArn")?,
        source_account: optional("SourceAccount")?,
    })
}

pub fn read(resource: &Resource, permissions: &[Permission], place: &Place) -> Result<TopicRule, TemplateError> {
    let payload = resource.properties().need("TopicRulePayload")?;
    let arn = Kind::TopicRule.attribute(&resource.name, "Arn", place).unwrap_or_default();
    let read = |node: &Node<'_>| action(node, |function| may_invoke(permissions, function, &arn, &place.account));
    Ok(TopicRule {
        logical_id: resource.logical_id.clone(),
        name: resource.name.clone(),
        sql: payload.need("Sql")?.text()?,
        // What AWS takes when a template leaves it out.
        sql_version: payload.get("AwsIotSqlVersion").map_or(Ok("2015-10-08".to_owned()), |version| version.text())?,
        disabled: payload.get("RuleDisabled").map_or(Ok(false), |disabled| disabled.flag())?,
        actions: payload.need("Actions")?.items()?.iter().map(read).collect::<Result<_, _>>()?,
        error_action: payload.get("ErrorAction").as_ref().map(read).transpose()?,
    })
}

fn action(node: &Node<'_>, may_invoke: impl Fn(&str) -> bool) -> Result<Action, TemplateError> {
    let (kind, action) = node.only()?;
    Ok(match kind {
        "Lambda" => {
            let function_arn = action.need("FunctionArn")?.text()?;
            Action::Lambda { permitted: may_invoke(&function_arn), function_arn }
        }
        "Republish" => {
            action.need("RoleArn")?;
            Action::Republish {
                topic: action.need("Topic")?.text()?,
                qos: action.get("Qos").map_or(Ok(0), |qos| qos.whole(0..=1))? as u8,
                headers: action.get("Headers").map_or(Value::Null, |headers| headers.value.clone()),
            }
        }
        "Sqs" => {
            action.need("RoleArn")?;
            Action::Sqs {
                queue_url: action.need("QueueUrl")?.text()?,
                use_base64: action.get("UseBase64").map_or(Ok(false), |flag| flag.flag())?,
            }
        }
        other => {
            return Err(node.bad(format!("{other} is not stood in for; Lambda, Republish or Sqs would be right")));
        }
    })
}

/// Without SourceArn and SourceAccount any account's rule could invoke the function: not what we call permitted.
fn may_invoke(permissions: &[Permission], function_arn: &str, rule_arn: &str, account: &str) -> bool {
    permissions.iter().any(|permission| {
        (permission.function == function_arn || function_arn.ends_with(&format!(":function:{}", permission.function)))
            && permission.principal == "iot.amazonaws.com"
            && permission.source_arn.as_deref() == Some(rule_arn)
            && permission.source_account.as_deref() == Some(account)
    })
}
