//! CloudFormation and SAM: reads `template.yaml` into the resources of the crate `local-resources`, with every
//! intrinsic function resolved.
//!
//! | module | holds |
//! |---|---|
//! | [`yaml`] | YAML as JSON, short tags such as `!Ref` in their long form |
//! | [`node`] | a resolved value with its path in the template, and typed reads |
//! | [`parameters`] | the template's parameters: defaults, overrides, checks |
//! | [`intrinsics`] | `Ref`, `Fn::Sub`, `Fn::GetAtt`, `Fn::If` and the other intrinsic functions |
//! | [`names`] | the supported resource types, and the values of `Ref` and `GetAtt` |
//! | [`globals`] | SAM's `Globals`, merged into functions and APIs |
//! | [`resource`] | the resources that exist under the template's conditions |
//! | [`function`] | functions and their events |
//! | [`rule`] | topic rules, and the permissions to invoke a function |
//! | [`iot_policy`] | policies of devices |
//! | [`table`] | tables as input of `CreateTable` |
//! | [`queue`] | queues, and their event source mappings |
//! | [`stream`] | change streams, and their event source mappings |
//! | [`error`] | the error type |

mod error;
mod function;
mod globals;
mod intrinsics;
mod iot_policy;
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

pub use error::TemplateError;
use intrinsics::Resolver;
pub use local_resources::{
    Action, EventSource, Function, IotPolicy, Pattern, Place, Queue, Route, Schedule, StreamSource, StreamView, Table,
    TableStream, TopicRule,
};
use names::ResourceKind;
use node::Node;
use resource::Resource;
pub use rule::Permission;

/// Resources of a template, with all intrinsic functions resolved.
#[derive(Clone, Debug)]
pub struct Template {
    /// Functions in the order of their logical ids.
    pub functions: Vec<Function>,
    /// Topic rules, disabled ones included.
    pub rules: Vec<TopicRule>,
    /// Policies of devices.
    pub iot_policies: Vec<IotPolicy>,
    /// DynamoDB tables.
    pub tables: Vec<Table>,
    /// SQS queues.
    pub queues: Vec<Queue>,
    /// Routes of all HTTP APIs, which share one port in the local stack.
    pub routes: Vec<Route>,
    /// Enabled schedules.
    pub schedules: Vec<Schedule>,
    /// Enabled event source mappings of queues.
    pub event_sources: Vec<EventSource>,
    /// Enabled event source mappings of table streams.
    pub stream_sources: Vec<StreamSource>,
    /// Permissions to invoke functions. `permitted` of [`Action::Lambda`] holds their result for each rule.
    pub permissions: Vec<Permission>,
    /// Output name to value; outputs whose condition is false are left out.
    pub outputs: BTreeMap<String, String>,
}

impl Template {
    /// Reads a template file; `parameters` (name to value) override the defaults.
    ///
    /// # Errors
    /// The file cannot be read, is not YAML, or declares what the local stack does not support.
    pub fn read(path: &Path, parameters: &BTreeMap<String, String>, place: &Place) -> Result<Self, TemplateError> {
        let text = std::fs::read_to_string(path).map_err(TemplateError::File)?;
        Self::parse(&text, parameters, place)
    }

    /// As [`Template::read`], from the text of the template.
    ///
    /// # Errors
    /// The text is not YAML, or declares what the local stack does not support.
    pub fn parse(text: &str, parameters: &BTreeMap<String, String>, place: &Place) -> Result<Self, TemplateError> {
        let value = yaml::parse(text)?;
        let template = Node::new(&value, "template");
        if let Some(transform) = template.get("Transform").filter(|t| t.value != "AWS::Serverless-2016-10-31") {
            return Err(transform.invalid("only AWS::Serverless-2016-10-31 is supported by the local stack"));
        }
        template.required("Resources")?;
        // From here on, errors name paths of the template: `Resources.X.Properties.Y`.
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
        let of_kind = |kind| resources.iter().filter(move |resource| resource.kind == kind);
        let apis: Vec<&Resource> = of_kind(ResourceKind::HttpApi).collect();
        let permissions = of_kind(ResourceKind::Permission).map(rule::permission).collect::<Result<Vec<_>, _>>()?;
        let mut template = Template {
            functions: of_kind(ResourceKind::Function).map(|r| function::read(r, place)).collect::<Result<_, _>>()?,
            rules: of_kind(ResourceKind::TopicRule)
                .map(|r| rule::read(r, &permissions, place))
                .collect::<Result<_, _>>()?,
            iot_policies: of_kind(ResourceKind::IotPolicy).map(iot_policy::read).collect::<Result<_, _>>()?,
            tables: of_kind(ResourceKind::Table).map(|r| table::read(r, place)).collect::<Result<_, _>>()?,
            queues: of_kind(ResourceKind::Queue).map(queue::read).collect::<Result<_, _>>()?,
            routes: Vec::new(),
            schedules: Vec::new(),
            event_sources: Vec::new(),
            stream_sources: Vec::new(),
            permissions,
            outputs,
        };
        for (resource, function) in of_kind(ResourceKind::Function).zip(&template.functions) {
            let events = function::events(resource, function, &apis, &template.queues, &template.tables, place)?;
            template.routes.extend(events.routes);
            template.schedules.extend(events.schedules);
            template.event_sources.extend(events.sources);
            template.stream_sources.extend(events.streams);
        }
        for resource in of_kind(ResourceKind::EventInvokeConfig) {
            let config = resource.properties();
            let name = config.required("FunctionName")?;
            let wanted = name.text()?;
            let function = template.functions.iter_mut().find(|f| f.name == wanted || f.arn == wanted);
            function::invoke_config(
                function.ok_or_else(|| name.invalid("is not a function of this template"))?,
                &config,
            )?;
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
        let value = output.required("Value")?;
        if let Some(resolved) = resolver.resolve(value.value, &value.at)? {
            outputs.insert(name.to_owned(), Node::new(&resolved, value.at).text()?);
        }
    }
    Ok(outputs)
}
