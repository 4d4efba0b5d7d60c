//! What a fleet command costs on AWS at list prices, for the dry run.
//!
//! The prices are those of us-east-1 without the free tier, as of November 2026. Each thing gets one request, is
//! connected, and answers once, on an ordinary topic or in its shadow.

use domain::{Definition, Delivery};

/// Cost of one thing, in billionths of a USD: the cost of a million things is this many thousandths of a USD.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cost {
    /// MQTT messages and shadow operations.
    pub messages: u64,
    /// Rules with their actions.
    pub rules: u64,
    /// Lambda functions with their logs, and the delayed messages that start them.
    pub functions: u64,
    /// DynamoDB writes and reads.
    pub tables: u64,
}

/// 1.00 USD per million messages of 5 KB (aws.amazon.com/iot-core/pricing). A device's PUBACK is a message too; a
/// PUBACK of the service is free.
const MESSAGE: u64 = 1000;
/// 1.25 USD per million shadow operations of 1 KB (same page).
const SHADOW_OPERATION: u64 = 1250;
/// 0.15 USD per million triggered rules, and 0.15 USD per million actions (same page).
const RULE_WITH_ACTION: u64 = 150 + 150;
/// 0.20 USD per million invocations, and 30 ms of 256 MB on arm64 at 0.0000133334 USD per GB-second
/// (aws.amazon.com/lambda/pricing).
const INVOCATION: u64 = 200 + 100;
/// 0.5 KB per invocation at 0.50 USD per GB (aws.amazon.com/cloudwatch/pricing).
const LOG: u64 = 250;
/// 0.625 USD per million write units (aws.amazon.com/dynamodb/pricing/on-demand).
const WRITE_UNIT: u64 = 625;
/// 0.125 USD per million read units (same page).
const READ_UNIT: u64 = 125;

/// A thing's share of the functions that plan, dispatch and count, which handle hundreds of things per invocation.
const SHARED_FUNCTIONS: u64 = 20;
/// A thing's share of the writes of its batch and of the counts, in hundredths of a write unit.
const SHARED_WRITE_HUNDREDTHS: u64 = 15;

/// Writes of one step of a rollout with a rate: its plan twice, a batch and the counts three times each. Counted by
/// `tests/fleet/costs.rs`, at five things a step.
const STEP_WRITES: u64 = 8;
/// Invocations of one step, counted there too: fan-out-command twice, reconcile-commands and dispatch-commands once or
/// twice each, and tally-command once for each shard of the stream that has executions.
const STEP_INVOCATIONS: u64 = 8;
/// Two messages, counted there too: the one that brings the step, and one for the entry of its batch in the due index.
/// 0.40 USD per million requests of SQS (aws.amazon.com/sqs/pricing); a message is sent, received and deleted.
const STEP_MESSAGES: u64 = 2 * 3 * 400;

/// AWS counts one message for each started step of this size.
const MESSAGE_STEP_BYTES: u64 = 5 * 1024;
/// AWS counts one shadow operation for each started step of this size.
const SHADOW_STEP_BYTES: u64 = 1024;
/// Size of a request without its payload.
const ENVELOPE_BYTES: u64 = 300;

/// The size of a request.
fn request_bytes(definition: &Definition) -> u64 {
    let (payload, envelope) = match &definition.form.raw {
        Some(raw) => (raw.bytes().len(), 0),
        None => (definition.payload.as_ref().map_or(0, |payload| payload.as_json().get().len()), ENVELOPE_BYTES),
    };
    u64::try_from(payload).unwrap_or(u64::MAX).saturating_add(envelope)
}

impl Cost {
    /// The cost of one thing of a command with this definition.
    pub(super) fn of(definition: &Definition) -> Self {
        let bytes = request_bytes(definition);
        // A message without bytes is one all the same.
        let request = bytes.div_ceil(MESSAGE_STEP_BYTES).max(1) * MESSAGE;
        // The row is written when the request is sent and when the execution ends. It is read for the report and by the
        // monitor of its batch.
        let (row_writes, row_reads) = (2, 2);
        let (messages, reports, writes) = match definition.delivery {
            // The request into and out of the broker, its PUBACK, and the report.
            Delivery::Topic => (2 * request + 2 * MESSAGE, 1, row_writes),
            // The same, and a write of DELIVERED.
            Delivery::Direct | Delivery::Auto => (2 * request + 2 * MESSAGE, 1, row_writes + 1),
            // The request out of the broker, its PUBACK, and the report. One publish is shared by all things.
            Delivery::Broadcast => (request + 2 * MESSAGE, 1, row_writes),
            // The request is put into the shadow, answered there and removed: three shadow operations. Messages are the
            // delta and its PUBACK, the device's update and its acceptance. Each update has a document, and the delta
            // is trimmed: four invocations.
            Delivery::Shadow => {
                let operations = bytes.div_ceil(SHADOW_STEP_BYTES) + 2;
                (operations * SHADOW_OPERATION + request + 3 * MESSAGE, 4, row_writes + 2)
            }
        };
        let has_lane = definition.lane.is_some();
        // An entry in the due index is written and removed; an execution in a shadow has one already.
        let has_due_entry =
            has_lane || definition.retry.is_some() || definition.deadlines.heartbeat_seconds().is_some();
        let index_writes = if has_due_entry && definition.delivery != Delivery::Shadow { 2 } else { 0 };
        // The execution joins its lane and leaves it.
        let lane_writes = if has_lane { 2 } else { 0 };
        // It is noted which execution the request is of, with a read before, and read with its row for a report that
        // echoes the request.
        let (raw_writes, raw_reads) = if definition.form.raw.is_some() { (1, 3) } else { (0, 0) };
        // A thing's share of a step, by the rate at the beginning: a step has a second's worth of things, one at least.
        let rate = definition.target.fleet().and_then(|fleet| fleet.rollout.rate(0, 0));
        let share = |step: u64| rate.map_or(0, |rate| step / u64::from(rate / 60).max(1));
        Self {
            messages,
            rules: reports * RULE_WITH_ACTION,
            functions: reports * (INVOCATION + LOG)
                + SHARED_FUNCTIONS
                + share(STEP_INVOCATIONS * (INVOCATION + LOG) + STEP_MESSAGES),
            tables: (writes + index_writes + lane_writes + raw_writes) * WRITE_UNIT
                + SHARED_WRITE_HUNDREDTHS * WRITE_UNIT / 100
                + (row_reads + raw_reads) * READ_UNIT
                + share(STEP_WRITES * WRITE_UNIT),
        }
    }

    /// The sum.
    pub(super) const fn total(&self) -> u64 {
        self.messages + self.rules + self.functions + self.tables
    }
}

/// The USD for this many things that cost `each` billionths of a USD, rounded up to a millionth.
pub(super) fn usd(each: u64, things: u64) -> f64 {
    let millionths = (u128::from(each) * u128::from(things)).div_ceil(1000);
    millionths as f64 / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    use domain::{
        Abort, CommandName, Deadlines, Fleet, Lane, LaneName, OnFailure, Payload, RequestForm, Retry, RetryOptions,
        Rollout, Schedule, Selection, Target, ThingName, fleet::RolloutOptions,
    };

    fn definition(delivery: Delivery) -> Definition {
        Definition {
            name: CommandName::parse("reboot").unwrap(),
            payload: None,
            form: RequestForm::default(),
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
    fn the_cost_of_a_million_things_is_the_sum_of_list_prices() {
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
    fn a_request_above_5_kb_costs_several_messages() {
        let mut definition = definition(Delivery::Topic);
        let mut costs = |bytes: usize| {
            definition.payload = Payload::parse(&format!("\"{}\"", "x".repeat(bytes - 2))).ok();
            Cost::of(&definition).messages
        };
        assert_eq!(costs(5120 - 300), 4000);
        assert_eq!(costs(5120 - 299), 6000);
    }

    #[test]
    fn retries_and_lanes_cost_more_writes() {
        let plain = Cost::of(&definition(Delivery::Topic)).tables;
        let retried =
            Definition { retry: Retry::new(&RetryOptions::default(), 300).ok(), ..definition(Delivery::Topic) };
        let lane = Lane { name: LaneName::parse("valve").unwrap(), on_failure: OnFailure::default() };
        let with_lane = Definition { lane: Some(lane), ..definition(Delivery::Topic) };
        assert_eq!(Cost::of(&retried).tables - plain, 2 * WRITE_UNIT);
        assert_eq!(Cost::of(&with_lane).tables - plain, 4 * WRITE_UNIT);
    }

    #[test]
    fn a_thing_has_its_share_of_the_steps_of_a_rate() {
        let with_rate = |per_minute| {
            let options = RolloutOptions { maximum_per_minute: per_minute, ..RolloutOptions::default() };
            let rollout = Rollout::new(&options).unwrap();
            let (schedule, abort) = (Schedule::default(), Abort::default());
            let fleet = Fleet { selection: Selection::default(), rollout, schedule, abort, broadcast: None };
            let cost = Cost::of(&Definition { target: Target::Fleet(Box::new(fleet)), ..definition(Delivery::Topic) });
            (cost.tables, cost.functions)
        };
        let (tables, functions) = with_rate(None);
        let added = |per_minute| {
            let (with_tables, with_functions) = with_rate(Some(per_minute));
            (with_tables - tables, with_functions - functions)
        };
        assert_eq!([added(1), added(300), added(60_000)], [(5000, 6800), (1000, 1360), (5, 6)]);
    }

    #[test]
    fn a_cost_above_zero_is_never_shown_as_zero() {
        assert_eq!(usd(6463, 0), 0.0);
        assert_eq!(usd(6463, 1), 0.000_007);
        assert!(usd(u64::MAX, u64::MAX) > 1e20);
    }
}
