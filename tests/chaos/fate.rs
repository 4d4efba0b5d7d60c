//! What becomes of a call, and how AWS words it.

use bytes::Bytes;

use crate::dice::Dice;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    Through,
    /// Refused: too much.
    Throttled,
    /// An error of AWS's, and nothing was done.
    Broken,
    /// An error of AWS's, though it was done.
    BrokenAfter,
    /// It never arrives.
    Lost,
    /// It is done, and the answer never arrives.
    Unanswered,
    /// It is done much later, when nobody waits for the answer any more.
    Late,
    /// Whoever called dies before it goes out.
    KilledBefore,
    /// Whoever called dies when it has been done.
    KilledAfter,
}

impl Fate {
    pub fn draw(bad: usize, dice: &mut Dice) -> Self {
        const BAD: [Fate; 11] = [
            Fate::Throttled,
            Fate::Throttled,
            Fate::Broken,
            Fate::BrokenAfter,
            Fate::Lost,
            Fate::Unanswered,
            Fate::Unanswered,
            Fate::Late,
            Fate::KilledBefore,
            Fate::KilledAfter,
            Fate::KilledAfter,
        ];
        if dice.chance(bad) { *dice.pick(&BAD) } else { Self::Through }
    }
}

pub fn throttled(dynamodb: bool) -> http::Response<Bytes> {
    error(dynamodb, if dynamodb { 400 } else { 429 }, "ThrottlingException")
}

pub fn broken(dynamodb: bool) -> http::Response<Bytes> {
    error(dynamodb, 500, if dynamodb { "InternalServerError" } else { "InternalFailureException" })
}

fn error(dynamodb: bool, status: u16, code: &str) -> http::Response<Bytes> {
    let body = match dynamodb {
        true => format!(r#"{{"__type":"com.amazonaws.dynamodb.v20120810#{code}","message":"by the simulation"}}"#),
        false => r#"{"message":"by the simulation"}"#.to_owned(),
    };
    http::Response::builder()
        .status(status)
        .header("content-type", "application/json")
        .header("x-amzn-errortype", code)
        .body(body.into())
        .expect("a response")
}
