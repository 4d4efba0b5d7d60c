//! `AWS::IoT::Policy`.

use super::IotPolicy;
use super::error::TemplateError;
use super::resource::Resource;

pub fn read(resource: &Resource) -> Result<IotPolicy, TemplateError> {
    let properties = resource.properties();
    let document = properties.required("PolicyDocument")?;
    if !document.value.is_object() {
        return Err(document.invalid("must be a policy document, an object"));
    }
    Ok(IotPolicy { name: resource.name.clone(), document: document.value.clone() })
}
