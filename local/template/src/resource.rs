//! The resources whose conditions hold, with resolved properties.

use serde_json::Value;

use super::error::{TemplateError, invalid};
use super::globals;
use super::intrinsics::{Resolver, kind};
use super::names::ResourceKind;
use super::node::Node;

/// A resource with resolved properties.
#[derive(Debug)]
pub struct Resource {
    pub logical_id: String,
    pub kind: ResourceKind,
    /// Physical name.
    pub name: String,
    properties: Value,
    metadata: Value,
}

impl Resource {
    pub fn properties(&self) -> Node<'_> {
        Node::new(&self.properties, format!("Resources.{}.Properties", self.logical_id))
    }

    pub fn metadata(&self) -> Node<'_> {
        Node::new(&self.metadata, format!("Resources.{}.Metadata", self.logical_id))
    }
}

/// Resolves all resources, including those that the local stack ignores, so that a mistake in any of them is an error.
pub fn read_all(template: &Node<'_>, resolver: &Resolver<'_>) -> Result<Vec<Resource>, TemplateError> {
    let mut all = Vec::new();
    for (logical_id, resource) in template.required("Resources")?.entries()? {
        let at = &resource.at;
        let kind = kind(resource.value, at)?;
        if let Some(condition) = resource.get("Condition")
            && !resolver.condition(&condition.text()?, &condition.at)?
        {
            continue;
        }
        let globals = match kind {
            ResourceKind::Function => template.find(&["Globals", "Function"]),
            ResourceKind::HttpApi => template.find(&["Globals", "HttpApi"]),
            _ => None,
        };
        let own = resource.get("Properties").map_or_else(|| Value::Object(Default::default()), |p| p.value.clone());
        let merged = globals.map_or_else(|| own.clone(), |globals| globals::merge(globals.value, &own));
        let properties = resolver.resolve(&merged, &format!("{at}.Properties"))?.unwrap_or_default();
        let (_, name) = resolver.physical_name(logical_id, at)?.ok_or_else(|| invalid(at, "has no name"))?;
        let metadata = resource.get("Metadata").map(|m| m.value.clone()).unwrap_or_default();
        all.push(Resource { logical_id: logical_id.to_owned(), kind, name, properties, metadata });
    }
    Ok(all)
}
