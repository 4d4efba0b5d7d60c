//! CloudFormation and SAM: reads `template.yaml` into the resources of the crate `local-resources`, with every intrinsic
//! function resolved.
//!
//! | module | holds |
//! |---|---|
//! | [`yaml`] | YAML as JSON, short tags such as `!Ref` in their long form |
//! | [`node`] | a resolved value and its path in the template, for errors that name the path |
//! | [`parameters`] | the template's parameters: defaults, overrides, checks |
//! | [`intrinsics`] | `Ref`, `Fn::Sub`, `Fn::GetAtt`, `Fn::If` and the other intrinsic functions |
//! | [`names`] | the resource types that may appear, and what `Ref` and `GetAtt` give for each |
//! | [`globals`] | SAM's `Globals`, merged into functions and APIs |
//! | [`resource`] | the resources that exist under the template's conditions |
//! | [`function`] | functions and their events |
//! | [`rule`] | topic rules, and the permissions to invoke a function |
//! | [`table`] | tables as CreateTable takes them |
//! | [`queue`] | queues, and their event source mappings |
//! | [`stream`] | change streams, and their event source mappings |
//! | [`error`] | why a template cannot be run |

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

pub use error::TemplateError;
use intrinsics::Resolver;
pub use local_resources::{
    Action, EventSource, Function, Pattern, Place, Queue, Route, Schedule, StreamSource, StreamView, Table,
    TableStream, TopicRule,
};
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
