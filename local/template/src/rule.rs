//! `AWS::IoT::TopicRule` and `AWS::Lambda::Permission`, and whether a rule may invoke the functions of its actions.

use serde_json::Value;

use super::error::TemplateError;
use super::names::ResourceKind;
use super::node::Node;
use super::resource::Resource;
use super::{Action, Place, TopicRule};

/// `AWS::Lambda::Permission`: allows a service to invoke a function.
#[derive(Clone, Debug)]
pub struct Permission {
    /// Function name or ARN.
    pub function: String,
    /// Service that is allowed to invoke the function, such as `iot.amazonaws.com`.
    pub principal: String,
    /// ARN of the only resource that the permission applies to.
    pub source_arn: Option<String>,
    /// Account id that the resource must belong to.
    pub source_account: Option<String>,
}

pub fn permission(resource: &Resource) -> Result<Permission, TemplateError> {
    let properties = resource.properties();
    let action = properties.required("Action")?;
    if action.value != "lambda:InvokeFunction" {
        return Err(action.invalid("must be lambda:InvokeFunction"));
    }
    let optional = |key| properties.get(key).map(|value: Node<'_>| value.text()).transpose();
    Ok(Permission {
        function: properties.required("FunctionName")?.text()?,
        principal: properties.required("Principal")?.text()?,
        source_arn: optional("SourceArn")?,
        source_account: optional("SourceAccount")?,
    })
}

pub fn read(resource: &Resource, permissions: &[Permission], place: &Place) -> Result<TopicRule, TemplateError> {
    let payload = resource.properties().required("TopicRulePayload")?;
    let arn = ResourceKind::TopicRule.attribute(&resource.name, "Arn", place).unwrap_or_default();
    let read = |node: &Node<'_>| action(node, |function| may_invoke(permissions, function, &arn, &place.account));
    Ok(TopicRule {
        logical_id: resource.logical_id.clone(),
        name: resource.name.clone(),
        sql: payload.required("Sql")?.text()?,
        // Default of AWS IoT.
        sql_version: payload.get("AwsIotSqlVersion").map_or(Ok("2015-10-08".to_owned()), |version| version.text())?,
        disabled: payload.get("RuleDisabled").map_or(Ok(false), |disabled| disabled.boolean())?,
        actions: payload.required("Actions")?.items()?.iter().map(read).collect::<Result<_, _>>()?,
        error_action: payload.get("ErrorAction").as_ref().map(read).transpose()?,
    })
}

fn action(node: &Node<'_>, may_invoke: impl Fn(&str) -> bool) -> Result<Action, TemplateError> {
    let (kind, action) = node.single_entry()?;
    Ok(match kind {
        "Lambda" => {
            let function_arn = action.required("FunctionArn")?.text()?;
            Action::Lambda { permitted: may_invoke(&function_arn), function_arn }
        }
        "Republish" => {
            action.required("RoleArn")?;
            Action::Republish {
                topic: action.required("Topic")?.text()?,
                qos: action.get("Qos").map_or(Ok(0), |qos| qos.integer(0..=1))? as u8,
                headers: action.get("Headers").map_or(Value::Null, |headers| headers.value.clone()),
            }
        }
        "Sqs" => {
            action.required("RoleArn")?;
            Action::Sqs {
                queue_url: action.required("QueueUrl")?.text()?,
                use_base64: action.get("UseBase64").map_or(Ok(false), |flag| flag.boolean())?,
            }
        }
        other => {
            return Err(
                node.invalid(format!("{other} is not supported by the local stack; use Lambda, Republish or Sqs"))
            );
        }
    })
}

/// Whether a permission for this very rule and account exists. A permission without SourceArn and SourceAccount does
/// not count: it would let rules of any account invoke the function.
fn may_invoke(permissions: &[Permission], function_arn: &str, rule_arn: &str, account: &str) -> bool {
    permissions.iter().any(|permission| {
        (permission.function == function_arn || function_arn.ends_with(&format!(":function:{}", permission.function)))
            && permission.principal == "iot.amazonaws.com"
            && permission.source_arn.as_deref() == Some(rule_arn)
            && permission.source_account.as_deref() == Some(account)
    })
}
