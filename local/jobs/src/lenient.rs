//! Numbers and booleans that are written as text: those in a query, and those that the first device SDKs send.

use serde::Deserialize;
use serde::de::{Deserializer, Error};

#[derive(Deserialize)]
#[serde(untagged)]
enum NumberOrText {
    Number(i64),
    Text(String),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum FlagOrText {
    Flag(bool),
    Text(String),
}

/// An integer, or its digits as a string.
pub(super) fn number<'de, D: Deserializer<'de>>(from: D) -> Result<Option<i64>, D::Error> {
    let not_a_number = || D::Error::custom("a number is not an integer");
    match Option::<NumberOrText>::deserialize(from).map_err(|_| not_a_number())? {
        None => Ok(None),
        Some(NumberOrText::Number(number)) => Ok(Some(number)),
        Some(NumberOrText::Text(text)) => text.parse().map(Some).map_err(|_| not_a_number()),
    }
}

/// A boolean, or `true` or `false` as a string.
pub(super) fn flag<'de, D: Deserializer<'de>>(from: D) -> Result<Option<bool>, D::Error> {
    let not_a_flag = || D::Error::custom("a flag is neither true nor false");
    match Option::<FlagOrText>::deserialize(from).map_err(|_| not_a_flag())? {
        None => Ok(None),
        Some(FlagOrText::Flag(flag)) => Ok(Some(flag)),
        Some(FlagOrText::Text(text)) => text.parse().map(Some).map_err(|_| not_a_flag()),
    }
}
