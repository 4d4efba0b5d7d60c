//! The table of SQL functions, and the functions of AWS IoT that this stack does not support.

use super::ast::Expr;

/// A supported SQL function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Function {
    Abs,
    AccountId,
    Acos,
    Asin,
    Atan,
    Atan2,
    BitAnd,
    BitNot,
    BitOr,
    BitXor,
    Ceil,
    Chr,
    ClientId,
    Concat,
    Cos,
    Cosh,
    Decode,
    Encode,
    EndsWith,
    Exp,
    Floor,
    Get,
    IndexOf,
    IsNull,
    IsUndefined,
    Length,
    Ln,
    Log,
    Lower,
    Lpad,
    Ltrim,
    Md5,
    Mod,
    Nanvl,
    NewUuid,
    NumBytes,
    Power,
    Principal,
    Rand,
    RegexpMatches,
    RegexpReplace,
    RegexpSubstr,
    Replace,
    Round,
    Rpad,
    Rtrim,
    Sha1,
    Sha224,
    Sha256,
    Sha384,
    Sha512,
    Sign,
    Sin,
    Sinh,
    SqlVersion,
    Sqrt,
    StartsWith,
    Substring,
    Tan,
    Tanh,
    Timestamp,
    Topic,
    TraceId,
    Transform,
    Trim,
    Trunc,
    Upper,
}

const MAX_ARGUMENTS: usize = 100;

/// Name, function, minimum and maximum number of arguments.
const FUNCTIONS: [(&str, Function, usize, usize); 68] = [
    ("abs", Function::Abs, 1, 1),
    ("accountid", Function::AccountId, 0, 0),
    ("acos", Function::Acos, 1, 1),
    ("asin", Function::Asin, 1, 1),
    ("atan", Function::Atan, 1, 1),
    ("atan2", Function::Atan2, 2, 2),
    ("bitand", Function::BitAnd, 2, 2),
    ("bitnot", Function::BitNot, 1, 1),
    ("bitor", Function::BitOr, 2, 2),
    ("bitxor", Function::BitXor, 2, 2),
    ("ceil", Function::Ceil, 1, 1),
    ("chr", Function::Chr, 1, 1),
    ("clientid", Function::ClientId, 0, 0),
    ("concat", Function::Concat, 0, MAX_ARGUMENTS),
    ("cos", Function::Cos, 1, 1),
    ("cosh", Function::Cosh, 1, 1),
    ("decode", Function::Decode, 2, 2),
    ("encode", Function::Encode, 2, 2),
    ("endswith", Function::EndsWith, 2, 2),
    ("exp", Function::Exp, 1, 1),
    ("floor", Function::Floor, 1, 1),
    ("get", Function::Get, 2, 2),
    ("indexof", Function::IndexOf, 2, 2),
    ("isnull", Function::IsNull, 1, 1),
    ("isundefined", Function::IsUndefined, 1, 1),
    ("length", Function::Length, 1, 1),
    ("ln", Function::Ln, 1, 1),
    ("log", Function::Log, 1, 1),
    ("lower", Function::Lower, 1, 1),
    ("lpad", Function::Lpad, 2, 2),
    ("ltrim", Function::Ltrim, 1, 1),
    ("md5", Function::Md5, 1, 1),
    ("mod", Function::Mod, 2, 2),
    ("nanvl", Function::Nanvl, 2, 2),
    ("newuuid", Function::NewUuid, 0, 0),
    ("numbytes", Function::NumBytes, 1, 1),
    ("power", Function::Power, 2, 2),
    ("principal", Function::Principal, 0, 0),
    ("rand", Function::Rand, 0, 0),
    ("regexp_matches", Function::RegexpMatches, 2, 2),
    ("regexp_replace", Function::RegexpReplace, 3, 3),
    ("regexp_substr", Function::RegexpSubstr, 2, 2),
    ("remainder", Function::Mod, 2, 2),
    ("replace", Function::Replace, 3, 3),
    ("round", Function::Round, 1, 1),
    ("rpad", Function::Rpad, 2, 2),
    ("rtrim", Function::Rtrim, 1, 1),
    ("sha1", Function::Sha1, 1, 1),
    ("sha224", Function::Sha224, 1, 1),
    ("sha256", Function::Sha256, 1, 1),
    ("sha384", Function::Sha384, 1, 1),
    ("sha512", Function::Sha512, 1, 1),
    ("sign", Function::Sign, 1, 1),
    ("sin", Function::Sin, 1, 1),
    ("sinh", Function::Sinh, 1, 1),
    ("sql_version", Function::SqlVersion, 0, 0),
    ("sqrt", Function::Sqrt, 1, 1),
    ("startswith", Function::StartsWith, 2, 2),
    ("substring", Function::Substring, 2, 3),
    ("tan", Function::Tan, 1, 1),
    ("tanh", Function::Tanh, 1, 1),
    ("timestamp", Function::Timestamp, 0, 0),
    ("topic", Function::Topic, 0, 1),
    ("traceid", Function::TraceId, 0, 0),
    ("transform", Function::Transform, 3, 3),
    ("trim", Function::Trim, 1, 1),
    ("trunc", Function::Trunc, 2, 2),
    ("upper", Function::Upper, 1, 1),
];

const UNSUPPORTED: [&str; 13] = [
    "aws_lambda",
    "get_dynamodb",
    "get_mqtt_property",
    "get_or_default",
    "get_registry_data",
    "get_secret",
    "get_thing_shadow",
    "get_user_properties",
    "machinelearning_predict",
    "md2",
    "parse_time",
    "sourceip",
    "time_to_epoch",
];

impl Function {
    /// Finds a function by its name; case is ignored.
    pub fn by_name(name: &str) -> Result<Self, String> {
        let lower = name.to_ascii_lowercase();
        if let Some((_, function, ..)) = FUNCTIONS.iter().find(|(known, ..)| *known == lower) {
            return Ok(*function);
        }
        Err(if UNSUPPORTED.contains(&lower.as_str()) {
            format!("{name}() is not supported by the local stack")
        } else {
            format!("there is no function {name}()")
        })
    }

    /// The error of arguments that are invalid for every message: wrong number, unsupported encoding scheme.
    pub fn argument_error(self, arguments: &[Expr]) -> Option<String> {
        let (name, _, min, max) = FUNCTIONS.iter().find(|(_, function, ..)| *function == self)?;
        let count = arguments.len();
        if !(*min..=*max).contains(&count) {
            let expected = if min == max { min.to_string() } else { format!("{min} to {max}") };
            return Some(format!("{name}() takes {expected} arguments, not {count}"));
        }
        let scheme = matches!(self, Function::Encode | Function::Decode).then(|| arguments.get(1)).flatten();
        scheme
            .filter(|scheme| !matches!(scheme, Expr::Text(scheme) if scheme == "base64"))
            .map(|_| format!("{name}() supports only the scheme 'base64'"))
    }
}
