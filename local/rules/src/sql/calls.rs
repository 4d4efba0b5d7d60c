//! Evaluates function calls. Unusable arguments make the result `Undefined`.

use std::borrow::Cow;

use data_encoding::{BASE64, HEXLOWER};
use md5::Md5;
use serde_json::value::RawValue;
use sha1::Sha1;
use sha2::{Digest, Sha224, Sha256, Sha384, Sha512};

use super::SQL_VERSION;
use super::eval::{Incoming, number_or_undefined};
use super::functions::Function;
use super::number::Number;
use super::patterns;
use super::value::Value;

pub fn call<'a>(function: Function, arguments: &[Value<'a>], message: &Incoming<'a>) -> Value<'a> {
    try_call(function, arguments, message).unwrap_or(Value::Undefined)
}

fn try_call<'a>(function: Function, arguments: &[Value<'a>], message: &Incoming<'a>) -> Option<Value<'a>> {
    let value = |i: usize| arguments.get(i).cloned().unwrap_or(Value::Undefined);
    let text = |i: usize| arguments.get(i).and_then(Value::to_text);
    let n = |i: usize| arguments.get(i).and_then(Value::to_number);
    let whole = |i: usize| n(i).map(|n| n.to_i64());
    let context = &message.context;
    Some(match function {
        Function::AccountId => Value::text(context.account.to_owned()),
        Function::ClientId => Value::text(context.client_id.unwrap_or("n/a")),
        Function::Principal => Value::text(context.principal?),
        Function::Timestamp => Value::Number(context.at_ms.into()),
        Function::NewUuid => Value::text(uuid::Uuid::new_v4().to_string()),
        Function::SqlVersion => Value::text(SQL_VERSION),
        // Only messages published over MQTT have a trace id.
        Function::TraceId => context.client_id.map(|_| Value::text(context.trace_id))?,
        Function::Topic if arguments.is_empty() => Value::text(message.topic),
        Function::Topic => {
            let level = usize::try_from(whole(0)?).ok()?.checked_sub(1)?;
            Value::text(message.topic.split('/').nth(level)?)
        }

        Function::IsNull => Value::Bool(matches!(value(0).parse_shallow(), Value::Null)),
        Function::IsUndefined => Value::Bool(value(0).parse_shallow().is_undefined()),
        Function::Nanvl => match value(0).parse_shallow() {
            Value::Null | Value::Undefined => value(1),
            first => first,
        },
        Function::Get => get_element(value(0), &value(1), whole(1))?,
        Function::Concat => concat(arguments)?,
        Function::Transform => transform(&text(0)?, value(1).parse_shallow(), value(2).parse_shallow())?,
        Function::Encode => Value::text(match value(0) {
            // The payload's bytes as published, JSON or not.
            Value::Bytes(bytes) => BASE64.encode(bytes),
            Value::Json(Cow::Borrowed(json)) if message.json() == Some(json) => BASE64.encode(message.payload),
            other => BASE64.encode(other.to_text()?.as_bytes()),
        }),
        Function::Decode => decode(&text(0)?),

        Function::Lower => Value::text(text(0)?.to_lowercase()),
        Function::Upper => Value::text(text(0)?.to_uppercase()),
        Function::Trim => Value::text(text(0)?.trim().to_owned()),
        Function::Ltrim => Value::text(text(0)?.trim_start_matches([' ', '\t']).to_owned()),
        Function::Rtrim => Value::text(text(0)?.trim_end_matches([' ', '\t']).to_owned()),
        Function::Lpad => Value::text(format!("{}{}", spaces(whole(1)?), text(0)?)),
        Function::Rpad => Value::text(format!("{}{}", text(0)?, spaces(whole(1)?))),
        Function::Length => count(text(0)?.chars().count()),
        Function::NumBytes => count(text(0)?.len()),
        Function::StartsWith => Value::Bool(text(0)?.starts_with(text(1)?.as_ref())),
        Function::EndsWith => Value::Bool(text(0)?.ends_with(text(1)?.as_ref())),
        Function::IndexOf => {
            let (haystack, needle) = (text(0)?, text(1)?);
            match haystack.split_once(needle.as_ref()) {
                Some((before, _)) => count(before.chars().count()),
                None => Value::Number((-1).into()),
            }
        }
        Function::Replace => {
            let (source, from, to) = (text(0)?, text(1)?, text(2)?);
            if from.is_empty() { Value::Text(source) } else { Value::text(source.replace(from.as_ref(), &to)) }
        }
        Function::Substring => {
            let end = if arguments.len() > 2 { whole(2)? } else { i64::MAX };
            substring(&text(0)?, whole(1)?, end)
        }
        Function::Chr => {
            let code = u8::try_from(whole(0)?).ok().filter(u8::is_ascii)?;
            Value::text(char::from(code).to_string())
        }
        Function::Md5 => digest::<Md5>(&text(0)?),
        Function::Sha1 => digest::<Sha1>(&text(0)?),
        Function::Sha224 => digest::<Sha224>(&text(0)?),
        Function::Sha256 => digest::<Sha256>(&text(0)?),
        Function::Sha384 => digest::<Sha384>(&text(0)?),
        Function::Sha512 => digest::<Sha512>(&text(0)?),
        Function::RegexpMatches => Value::Bool(patterns::matches(&text(0)?, &text(1)?)?),
        Function::RegexpSubstr => Value::text(patterns::first_match(&text(0)?, &text(1)?)?),
        Function::RegexpReplace => Value::text(patterns::replace(&text(0)?, &text(1)?, &text(2)?)?),

        Function::Abs => Value::Number(n(0)?.abs()),
        Function::Sign => Value::Number(n(0)?.sign()),
        Function::Floor => Value::Number(n(0)?.floor()),
        Function::Ceil => Value::Number(n(0)?.ceil()),
        Function::Round => Value::Number(n(0)?.round()),
        Function::Trunc => Value::Number(n(0)?.truncated(whole(1)?.clamp(0, 34))),
        Function::Mod => number_or_undefined(n(0)?.remainder(&n(1)?)),
        Function::Acos => real(n(0)?.to_f64().acos()),
        Function::Asin => real(n(0)?.to_f64().asin()),
        Function::Atan => real(n(0)?.to_f64().atan()),
        Function::Atan2 => real(n(0)?.to_f64().atan2(n(1)?.to_f64())),
        Function::Cos => real(n(0)?.to_f64().cos()),
        Function::Cosh => real(n(0)?.to_f64().cosh()),
        Function::Sin => real(n(0)?.to_f64().sin()),
        Function::Sinh => real(n(0)?.to_f64().sinh()),
        Function::Tan => real(n(0)?.to_f64().tan()),
        Function::Tanh => real(n(0)?.to_f64().tanh()),
        Function::Exp => real(n(0)?.to_f64().exp()),
        Function::Ln => real(n(0)?.to_f64().ln()),
        Function::Log => real(n(0)?.to_f64().log10()),
        Function::Rand => real(rand::random::<f64>()),
        Function::Power => real(n(0)?.to_f64().powf(n(1)?.to_f64())),
        Function::Sqrt => real(n(0)?.to_f64().sqrt()),
        Function::BitAnd => Value::Number((whole(0)? & whole(1)?).into()),
        Function::BitOr => Value::Number((whole(0)? | whole(1)?).into()),
        Function::BitXor => Value::Number((whole(0)? ^ whole(1)?).into()),
        Function::BitNot => Value::Number((!whole(0)?).into()),
    })
}

/// Undefined if the result is not a number.
fn real<'a>(n: f64) -> Value<'a> {
    number_or_undefined(Number::from_f64(n))
}

fn digest<'a, D: Digest>(text: &str) -> Value<'a> {
    Value::text(HEXLOWER.encode(&D::digest(text.as_bytes())))
}

fn count<'a>(n: usize) -> Value<'a> {
    Value::Number(i64::try_from(n).unwrap_or(i64::MAX).into())
}

fn spaces(n: i64) -> String {
    " ".repeat(usize::try_from(n.clamp(0, 1_000)).unwrap_or_default())
}

fn get_element<'a>(of: Value<'a>, key: &Value<'a>, index: Option<i64>) -> Option<Value<'a>> {
    let at = || usize::try_from(index?).ok();
    match of.parse_shallow() {
        Value::Array(items) => items.into_iter().nth(at()?),
        Value::Text(text) => text.chars().nth(at()?).map(|c| Value::text(c.to_string())),
        object @ Value::Object(_) => match key.clone().parse_shallow() {
            Value::Text(key) => Some(object.member(&key)),
            _ => None,
        },
        _ => None,
    }
}

fn concat<'a>(arguments: &[Value<'a>]) -> Option<Value<'a>> {
    let parsed: Vec<Value<'a>> = arguments.iter().map(|argument| argument.clone().parse_shallow()).collect();
    match parsed.as_slice() {
        [] => None,
        [_] => arguments.first().cloned(),
        several if several.iter().any(|one| matches!(one, Value::Array(_))) => {
            let mut all = Vec::new();
            for one in parsed {
                match one {
                    Value::Array(items) => all.extend(items),
                    other => all.push(other),
                }
            }
            Some(Value::Array(all))
        }
        several if several.iter().any(|one| matches!(one, Value::Text(_))) => {
            Some(Value::text(several.iter().map(Value::to_text).collect::<Option<String>>()?))
        }
        _ => None,
    }
}

/// `enrichArray`: adds the attributes of an object to every object of an array.
fn transform<'a>(mode: &str, attributes: Value<'a>, items: Value<'a>) -> Option<Value<'a>> {
    let (Value::Object(attributes), Value::Array(items), "enrichArray") = (attributes, items, mode) else {
        return None;
    };
    let enriched = items.into_iter().map(|item| match item.parse_shallow() {
        Value::Object(mut members) => {
            for (key, value) in &attributes {
                Value::set(&mut members, std::slice::from_ref(key), value.clone());
            }
            Some(Value::Object(members))
        }
        _ => None,
    });
    enriched.collect::<Option<Vec<_>>>().map(Value::Array)
}

/// Decodes base64: a JSON object or array becomes JSON, other UTF-8 becomes text, anything else becomes null.
fn decode<'a>(encoded: &str) -> Value<'a> {
    let Some(text) = BASE64.decode(encoded.as_bytes()).ok().and_then(|bytes| String::from_utf8(bytes).ok()) else {
        return Value::Null;
    };
    match text.trim_start().starts_with(['{', '[']) && serde_json::from_str::<&RawValue>(&text).is_ok() {
        true => Value::Json(text.trim().to_owned().into()),
        false => Value::text(text),
    }
}

/// The characters from index `from` to before `to`; both are limited to the text.
fn substring<'a>(text: &str, from: i64, to: i64) -> Value<'a> {
    let from = usize::try_from(from.max(0)).unwrap_or(usize::MAX);
    let to = usize::try_from(to.max(0)).unwrap_or(usize::MAX);
    Value::text(text.chars().skip(from).take(to.saturating_sub(from)).collect::<String>())
}
