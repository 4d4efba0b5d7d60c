//! CloudFormation's intrinsic functions: resolves `Ref`, `Fn::Sub`, `Fn::GetAtt`, `Fn::If` and others to plain values.

use std::cell::RefCell;
use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::Place;
use super::error::{TemplateError, invalid};
use super::names::ResourceKind;
use super::node::Node;

type Resolved<T> = Result<T, TemplateError>;

/// Resolves references to parameters, resources, mappings and conditions of a template.
pub struct Resolver<'a> {
    pub place: &'a Place,
    pub parameters: BTreeMap<String, Value>,
    pub template: &'a Value,
    /// Paths of the names and conditions that are being resolved, to detect cycles.
    in_progress: RefCell<Vec<String>>,
}

impl<'a> Resolver<'a> {
    pub fn new(place: &'a Place, parameters: BTreeMap<String, Value>, template: &'a Value) -> Self {
        Self { place, parameters, template, in_progress: RefCell::default() }
    }

    /// The plain value of an expression; `None` for `AWS::NoValue`.
    pub fn resolve(&self, value: &Value, at: &str) -> Resolved<Option<Value>> {
        Ok(Some(match value {
            Value::Object(map) => match intrinsic(map) {
                // `Condition` is a function only in the section `Conditions`; in a policy it is an ordinary key.
                Some((function, argument)) if function != "Condition" => return self.call(function, argument, at),
                _ => {
                    let mut resolved = Map::new();
                    for (key, value) in map {
                        if let Some(value) = self.resolve(value, &format!("{at}.{key}"))? {
                            resolved.insert(key.clone(), value);
                        }
                    }
                    Value::Object(resolved)
                }
            },
            Value::Array(items) => {
                let mut resolved = Vec::with_capacity(items.len());
                for (i, item) in items.iter().enumerate() {
                    resolved.extend(self.resolve(item, &format!("{at}[{i}]"))?);
                }
                Value::Array(resolved)
            }
            plain => plain.clone(),
        }))
    }

    /// Value of a condition of the template.
    pub fn condition(&self, name: &str, at: &str) -> Resolved<bool> {
        let condition = self
            .template
            .get("Conditions")
            .and_then(|conditions| conditions.get(name))
            .ok_or_else(|| invalid(at, format!("there is no condition {name}")))?;
        self.detect_cycle(&format!("Conditions.{name}"), |own| self.evaluate_condition(condition, own))
    }

    /// Type and physical name of a resource; `None` if the template has no such resource. A resource whose condition is
    /// false is an error.
    pub fn physical_name(&self, logical: &str, at: &str) -> Resolved<Option<(ResourceKind, String)>> {
        let Some(resource) = self.template.get("Resources").and_then(|r| r.get(logical)) else {
            return Ok(self.implicit_resource(logical));
        };
        let own = format!("Resources.{logical}");
        if let Some(condition) = resource.get("Condition").and_then(Value::as_str)
            && !self.condition(condition, &own)?
        {
            return Err(invalid(at, format!("{logical} does not exist: its condition {condition} is false")));
        }
        let kind = kind(resource, &own)?;
        let explicit =
            kind.name_property().and_then(|property| Some((property, resource.get("Properties")?.get(property)?)));
        let name = match explicit {
            Some((property, value)) => self.detect_cycle(&format!("{own}.Properties.{property}"), |own| {
                self.resolve(value, own)?.map(|name| Node::new(&name, own).text()).transpose()
            })?,
            None => None,
        };
        Ok(Some((kind, name.unwrap_or_else(|| kind.default_name(logical, self.place)))))
    }

    /// Type and name of a resource that SAM creates implicitly: the default HTTP API, and the roles of functions.
    fn implicit_resource(&self, logical: &str) -> Option<(ResourceKind, String)> {
        if logical == "ServerlessHttpApi" {
            return Some((ResourceKind::HttpApi, ResourceKind::HttpApi.default_name(logical, self.place)));
        }
        let function = self.template.get("Resources")?.get(logical.strip_suffix("Role")?)?;
        (function.get("Type")? == "AWS::Serverless::Function")
            .then(|| (ResourceKind::Role, ResourceKind::Role.default_name(logical, self.place)))
    }

    fn call(&self, function: &str, argument: &Value, at: &str) -> Resolved<Option<Value>> {
        let wrong = |form: &str| invalid(at, format!("{function} must have the form {form}"));
        Ok(Some(match function {
            "Ref" => {
                let name = argument.as_str().ok_or_else(|| wrong("!Ref Name"))?;
                if name == "AWS::NoValue" {
                    return Ok(None);
                }
                self.reference(name, at)?
            }
            "Fn::GetAtt" => {
                let dotted = argument.as_str().and_then(|both| both.split_once('.'));
                match (dotted, argument.as_array().map(Vec::as_slice)) {
                    (Some((logical, attribute)), _) => self.attribute(logical, attribute, at)?.into(),
                    (None, Some([Value::String(logical), attribute])) => {
                        self.attribute(logical, &self.text(attribute, at)?, at)?.into()
                    }
                    _ => return Err(wrong("!GetAtt Resource.Attribute")),
                }
            }
            "Fn::Sub" => match argument {
                Value::String(text) => self.substitute(text, &Map::new(), at)?.into(),
                Value::Array(both) => match both.as_slice() {
                    [Value::String(text), Value::Object(names)] => self.substitute(text, names, at)?.into(),
                    _ => return Err(wrong("!Sub [text, {name: value}]")),
                },
                _ => return Err(wrong("!Sub text or !Sub [text, {name: value}]")),
            },
            "Fn::Join" => match argument.as_array().map(Vec::as_slice) {
                Some([Value::String(between), items]) => self.texts(items, at)?.join(between).into(),
                _ => return Err(wrong("!Join [between, [texts]]")),
            },
            "Fn::Split" => match argument.as_array().map(Vec::as_slice) {
                Some([Value::String(between), text]) if !between.is_empty() => {
                    self.text(text, at)?.split(between.as_str()).collect()
                }
                _ => return Err(wrong("!Split [between, text]")),
            },
            "Fn::Select" => match argument.as_array().map(Vec::as_slice) {
                Some([index, items]) => {
                    let items = self.list(items, at)?;
                    let index = self.text(index, at)?;
                    index.parse().ok().and_then(|i: usize| items.get(i).cloned()).ok_or_else(|| {
                        invalid(at, format!("Fn::Select: there is no item {index} in a list of {}", items.len()))
                    })?
                }
                _ => return Err(wrong("!Select [index, [values]]")),
            },
            "Fn::FindInMap" => match argument.as_array().map(Vec::as_slice) {
                Some([map, first, second]) => {
                    let keys = [self.text(map, at)?, self.text(first, at)?, self.text(second, at)?];
                    let mappings = self.template.get("Mappings");
                    keys.iter()
                        .fold(mappings, |value, key| value?.get(key))
                        .cloned()
                        .ok_or_else(|| invalid(at, format!("there is no Mappings.{}", keys.join("."))))?
                }
                _ => return Err(wrong("!FindInMap [map, first key, second key]")),
            },
            "Fn::If" => match argument.as_array().map(Vec::as_slice) {
                Some([Value::String(condition), then, otherwise]) => {
                    let chosen = if self.condition(condition, at)? { then } else { otherwise };
                    return self.resolve(chosen, at);
                }
                _ => return Err(wrong("!If [condition, then, otherwise]")),
            },
            "Fn::Base64" => data_encoding::BASE64.encode(self.text(argument, at)?.as_bytes()).into(),
            "Fn::Equals" | "Fn::Not" | "Fn::And" | "Fn::Or" => {
                return Err(invalid(at, format!("{function} belongs in Conditions; refer to one with !If")));
            }
            _ => {
                return Err(invalid(
                    at,
                    format!(
                        "{function} is not supported; Ref, Fn::Sub, Fn::GetAtt, Fn::Join, Fn::Split, Fn::Select, \
                         Fn::FindInMap, Fn::If and Fn::Base64 are"
                    ),
                ));
            }
        }))
    }

    fn evaluate_condition(&self, value: &Value, at: &str) -> Resolved<bool> {
        let wrong = || invalid(at, "must be Fn::Equals, Fn::Not, Fn::And, Fn::Or or Condition");
        let (function, argument) = value.as_object().and_then(intrinsic).ok_or_else(wrong)?;
        let arguments = argument.as_array().map(Vec::as_slice);
        match (function, arguments) {
            ("Condition", _) => self.condition(argument.as_str().ok_or_else(wrong)?, at),
            ("Fn::Equals", Some([a, b])) => Ok(self.text(a, at)? == self.text(b, at)?),
            ("Fn::Not", Some([one])) => Ok(!self.evaluate_condition(one, at)?),
            ("Fn::And", Some(all @ [_, _, ..])) => {
                all.iter().try_fold(true, |so_far, one| Ok(so_far & self.evaluate_condition(one, at)?))
            }
            ("Fn::Or", Some(all @ [_, _, ..])) => {
                all.iter().try_fold(false, |so_far, one| Ok(so_far | self.evaluate_condition(one, at)?))
            }
            _ => Err(wrong()),
        }
    }

    fn reference(&self, name: &str, at: &str) -> Resolved<Value> {
        let Place { region, account, stack_name, .. } = self.place;
        Ok(match name {
            "AWS::Region" => region.as_str().into(),
            "AWS::AccountId" => account.as_str().into(),
            "AWS::StackName" => stack_name.as_str().into(),
            "AWS::StackId" => format!("arn:aws:cloudformation:{region}:{account}:stack/{stack_name}/local").into(),
            "AWS::Partition" => "aws".into(),
            "AWS::URLSuffix" => "amazonaws.com".into(),
            _ => match (self.parameters.get(name), self.physical_name(name, at)?) {
                (Some(value), _) => value.clone(),
                (None, Some((kind, physical))) => kind.reference(&physical, self.place).into(),
                (None, None) => return Err(invalid(at, format!("{name} is neither a parameter nor a resource"))),
            },
        })
    }

    fn attribute(&self, logical: &str, attribute: &str, at: &str) -> Resolved<String> {
        let (kind, physical) =
            self.physical_name(logical, at)?.ok_or_else(|| invalid(at, format!("there is no resource {logical}")))?;
        kind.attribute(&physical, attribute, self.place)
            .ok_or_else(|| invalid(at, format!("{logical} has no attribute {attribute} that the local stack supports")))
    }

    /// Replaces `${Name}` and `${Name.Attribute}`; `${!Text}` becomes the literal `${Text}`.
    fn substitute(&self, text: &str, names: &Map<String, Value>, at: &str) -> Resolved<String> {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            let (name, after) =
                after.split_once('}').ok_or_else(|| invalid(at, format!("Fn::Sub: ${{{after} has no closing }}")))?;
            out.push_str(before);
            rest = after;
            match (name.strip_prefix('!'), names.get(name.trim()), name.trim().split_once('.')) {
                (Some(literal), ..) => {
                    out.push_str("${");
                    out.push_str(literal);
                    out.push('}');
                }
                (None, Some(value), _) => out.push_str(&self.text(value, at)?),
                (None, None, Some((logical, attribute))) => out.push_str(&self.attribute(logical, attribute, at)?),
                (None, None, None) => out.push_str(&Node::new(&self.reference(name.trim(), at)?, at).text()?),
            }
        }
        out.push_str(rest);
        Ok(out)
    }

    fn text(&self, value: &Value, at: &str) -> Resolved<String> {
        let resolved = self.resolve(value, at)?.unwrap_or(Value::Null);
        Node::new(&resolved, at).text()
    }

    fn list(&self, value: &Value, at: &str) -> Resolved<Vec<Value>> {
        match self.resolve(value, at)? {
            Some(Value::Array(items)) => Ok(items),
            _ => Err(invalid(at, "must be a list")),
        }
    }

    fn texts(&self, value: &Value, at: &str) -> Resolved<Vec<String>> {
        self.list(value, at)?.iter().map(|item| Node::new(item, at).text()).collect()
    }

    fn detect_cycle<T>(&self, what: &str, work: impl FnOnce(&str) -> Resolved<T>) -> Resolved<T> {
        if self.in_progress.borrow().iter().any(|in_progress| in_progress == what) {
            return Err(invalid(what, "refers to itself"));
        }
        self.in_progress.borrow_mut().push(what.to_owned());
        let done = work(what);
        self.in_progress.borrow_mut().pop();
        done
    }
}

/// The type of a resource.
///
/// # Errors
/// The type is missing or not supported.
pub fn kind(resource: &Value, at: &str) -> Resolved<ResourceKind> {
    let name = resource.get("Type").and_then(Value::as_str).ok_or_else(|| invalid(at, "Type is required"))?;
    ResourceKind::of(name).ok_or_else(|| {
        invalid(
            &format!("{at}.Type"),
            format!("the local stack does not support {name}; it supports {}", ResourceKind::all()),
        )
    })
}

fn intrinsic(map: &Map<String, Value>) -> Option<(&str, &Value)> {
    let (key, value) = map.iter().next().filter(|_| map.len() == 1)?;
    (key == "Ref" || key == "Condition" || key.starts_with("Fn::")).then_some((key.as_str(), value))
}
