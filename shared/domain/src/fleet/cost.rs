//! What a fleet command costs on AWS, as far as that can be known before: list prices, and the usual life of an execution.
//!
//! The prices are those of us-east-1 without any free tier, as they were known in November 2026. Each thing is asked once, is
//! connected, and answers once, on an ordinary topic or in its shadow.

use crate::{Definition, Delivery};

/// Of one thing, in billionths of a USD: thousandths of a USD for a million things.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// Messages, and operations on shadows.
    pub messages: u64,
    /// Rules that are triggered, and their actions.
    pub rules: u64,
    /// Functions, with their logs.
    pub functions: u64,
    /// Writes and reads of tables.
    pub tables: u64,
}

/// 1.00 USD a million, each 5 KB (aws.amazon.com/iot-core/pricing). A device's PUBACK is one too; the service's own is free.
const MESSAGE: u64 = 1000;
/// 1.25 USD a million operations on shadows, each KB (the same page).
const SHADOW_OPERATION: u64 = 1250;
/// 0.15 USD a million rules triggered, and 0.15 a million actions (the same page).
const RULE_WITH_ACTION: u64 = 150 + 150;
/// 0.20 USD a million invocations, and 30 ms of 256 MB on arm64 at 0.0000133334 USD a GB-second (aws.amazon.com/lambda/pricing).
const INVOCATION: u64 = 200 + 100;
/// Half a KB for each invocation, at 0.50 USD a GB (aws.amazon.com/cloudwatch/pricing).
const LOG: u64 = 250;
/// 0.625 USD a million units (aws.amazon.com/dynamodb/pricing/on-demand).
const WRITE: u64 = 625;
/// 0.125 USD a million units (the same page).
const READ: u64 = 125;

/// What the functions cost that plan, dispatch and count, which see to hundreds of things at a time.
const SHARED_FUNCTIONS: u64 = 20;
/// What a batch of a hundred things and the counts cost, in hundredths of a write: the names, the batch and its steps.
const SHARED_WRITES: u64 = 15;

/// A message is counted for each so many bytes.
const MESSAGE_STEP: u64 = 5 * 1024;
/// An operation on a shadow is counted for each so many bytes.
const SHADOW_STEP: u64 = 1024;
/// What a request has besides its payload, in bytes.
const ENVELOPE: u64 = 300;

impl Cost {
    /// What one thing costs that is asked for this.
    pub fn of(definition: &Definition) -> Self {
        let bytes = definition.payload.as_ref().map_or(0, |payload| payload.as_json().get().len());
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX).saturating_add(ENVELOPE);
        let request = bytes.div_ceil(MESSAGE_STEP) * MESSAGE;
        // A row is written when it goes out, and when it has ended. It is read when the answer comes, and when its batch is looked at.
        let (rows, reads) = (2, 2);
        let (messages, reports, writes) = match definition.delivery {
            // In and out, the PUBACK, and the answer.
            Delivery::Topic => (2 * request + 2 * MESSAGE, 1, rows),
            // The same; that it was delivered is written too.
            Delivery::Direct | Delivery::Auto => (2 * request + 2 * MESSAGE, 1, rows + 1),
            // Out, the PUBACK, and the answer: what goes in goes in once.
            Delivery::Broadcast => (request + 2 * MESSAGE, 1, rows),
            // It is put in, answered and taken out. The delta and its PUBACK, what the device writes and what it is answered; a document
            // for each, and the delta is trimmed.
            Delivery::Shadow => {
                let operations = bytes.div_ceil(SHADOW_STEP) + 2;
                (operations * SHADOW_OPERATION + request + 3 * MESSAGE, 4, rows + 2)
            }
        };
        let laned = definition.lane.is_some();
        // An entry in the index of what is due comes and goes; one in a shadow has it already.
        let indexed = laned || definition.retry.is_some() || definition.deadlines.heartbeat().is_some();
        let indexed = if indexed && definition.delivery != Delivery::Shadow { 2 } else { 0 };
        // It enters its lane, and leaves it.
        let lane = if laned { 2 } else { 0 };
        Self {
            messages,
            rules: reports * RULE_WITH_ACTION,
            functions: reports * (INVOCATION + LOG) + SHARED_FUNCTIONS,
            tables: (writes + indexed + lane) * WRITE + SHARED_WRITES * WRITE / 100 + reads * READ,
        }
    }

    /// All of it.
    pub const fn total(&self) -> u64 {
        self.messages + self.rules + self.functions + self.tables
    }
}

/// So many USD for so many things that cost this much each, to the millionth.
pub fn usd(each: u64, things: u64) -> f64 {
    let millionths = (u128::from(each) * u128::from(things)).div_ceil(1000);
    millionths as f64 / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CommandName, Deadlines, Lane, LaneName, OnFailure, Payload, Retry, Target, ThingName};

    fn definition(delivery: Delivery) -> Definition {
        Definition {
            name: CommandName::parse("reboot").unwrap(),
            payload: None,
            target: Target::Thing(ThingName::parse("pump-7").unwrap()),
            delivery,
            shadow: None,
            deadlines: Deadlines::new(None, None, None).unwrap(),
            retry: None,
            lane: None,
            supersede: false,
        }
    }

    #[test]
    fn a_million_things_cost_a_few_usd() {
        let each = |delivery| {
            let cost = Cost::of(&definition(delivery));
            [cost.messages, cost.rules, cost.functions, cost.tables, cost.total()].map(|each| usd(each, 1_000_000))
        };
        assert_eq!(each(Delivery::Topic), [4.0, 0.3, 0.57, 1.593, 6.463]);
        assert_eq!(each(Delivery::Direct), [4.0, 0.3, 0.57, 2.218, 7.088]);
        assert_eq!(each(Delivery::Broadcast), [3.0, 0.3, 0.57, 1.593, 5.463]);
        assert_eq!(each(Delivery::Shadow), [7.75, 1.2, 2.22, 2.843, 14.013]);
    }

    #[test]
    fn a_large_request_is_several_messages() {
        let mut asked = definition(Delivery::Topic);
        let mut costs = |bytes: usize| {
            asked.payload = Payload::parse(&format!("\"{}\"", "x".repeat(bytes - 2))).ok();
            Cost::of(&asked).messages
        };
        assert_eq!(costs(5120 - 300), 4000);
        assert_eq!(costs(5120 - 299), 6000);
    }

    #[test]
    fn what_has_to_be_looked_at_by_itself_costs_more_writes() {
        let plain = Cost::of(&definition(Delivery::Topic)).tables;
        let retried =
            Definition { retry: Retry::new(&crate::Asked::default(), 300).ok(), ..definition(Delivery::Topic) };
        let lane = Lane { name: LaneName::parse("valve").unwrap(), on_failure: OnFailure::default() };
        let laned = Definition { lane: Some(lane), ..definition(Delivery::Topic) };
        assert_eq!(Cost::of(&retried).tables - plain, 2 * WRITE);
        assert_eq!(Cost::of(&laned).tables - plain, 4 * WRITE);
    }

    #[test]
    fn what_costs_anything_is_not_shown_as_nothing() {
        assert_eq!(usd(6463, 0), 0.0);
        assert_eq!(usd(6463, 1), 0.000_007);
        assert!(usd(u64::MAX, u64::MAX) > 1e20);
    }
}
