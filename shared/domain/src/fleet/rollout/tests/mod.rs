//! Tests of rollouts, with the helpers that they share.

mod duration;
mod gates;
mod options;
mod properties;
mod rates;
mod schedules;
mod step_wakes;

use proptest::prelude::*;

use crate::fleet::outcome_counts::OutcomeCounts;
use crate::fleet::rollout::config::Rollout;
use crate::fleet::rollout::options::{CanaryOptions, IncreaseOptions, RateOptions, RolloutOptions, WavesOptions};
use crate::fleet::rollout::progress::RolloutProgress;
use crate::fleet::rollout::snapshot::RolloutSnapshot;
use crate::fleet::schedule::config::Schedule;
use crate::timestamp::Timestamp;

const ALWAYS: Schedule = Schedule { not_before: None, not_after: None, window: None };

/// Seconds after midnight UTC of a fixed day.
fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(20_000 * 86_400 + seconds)
}

/// Milliseconds after the same midnight.
fn millis(millis: i64) -> Timestamp {
    Timestamp::from_millis(at(0).as_millis() + millis)
}

fn constant_rate(maximum: i64) -> Rollout {
    Rollout::new(&RolloutOptions { maximum_per_minute: Some(maximum), ..RolloutOptions::default() }).unwrap()
}

fn growing(base: i64, factor: f64, notified: Option<i64>, succeeded: Option<i64>) -> RateOptions {
    RateOptions {
        base_rate_per_minute: base,
        increment_factor: factor,
        rate_increase_criteria: IncreaseOptions {
            number_of_notified_things: notified,
            number_of_succeeded_things: succeeded,
        },
    }
}

fn with_rate(rate: RateOptions, maximum: Option<i64>) -> RolloutOptions {
    RolloutOptions { maximum_per_minute: maximum, exponential_rate: Some(rate), ..RolloutOptions::default() }
}

fn gated(canary: Option<(i64, i64)>, waves: Option<(&[i64], i64)>) -> Rollout {
    let canary = canary.map(|(things, success)| CanaryOptions { things, success_percentage: Some(success) });
    let waves = waves.map(|(percentages, success)| WavesOptions {
        percentages: percentages.to_vec(),
        success_percentage: Some(success),
    });
    Rollout::new(&RolloutOptions { canary, waves, ..RolloutOptions::default() }).unwrap()
}

fn planned(planned: u64) -> RolloutSnapshot {
    RolloutSnapshot { planned, planning_complete: true, ..RolloutSnapshot::default() }
}

/// A fleet of `of` things, of which `executed` have ended and `succeeded` succeeded.
fn ended(of: u64, executed: u64, succeeded: u64) -> RolloutSnapshot {
    let outcomes = OutcomeCounts { executed, succeeded, failed: executed - succeeded, ..OutcomeCounts::default() };
    RolloutSnapshot { outcomes, ..planned(of) }
}

fn progress(released: u64) -> RolloutProgress {
    RolloutProgress { released, rate_used_until: None }
}

prop_compose! {
    pub(in crate::fleet) fn any_rate(max_rate: i64)(
        base in 1..=max_rate, tenths in 11..=50u8, things in 1..=50i64, notified: bool, maximum in 1..=max_rate,
        is_limited: bool, is_growing: bool,
    ) -> RolloutOptions {
        let rate = growing(
            if is_limited { base.min(maximum) } else { base },
            f64::from(tenths) / 10.0,
            notified.then_some(things),
            (!notified).then_some(things),
        );
        RolloutOptions {
            maximum_per_minute: is_limited.then_some(maximum),
            exponential_rate: is_growing.then_some(rate),
            ..RolloutOptions::default()
        }
    }
}

prop_compose! {
    pub(in crate::fleet) fn any_rollout(max_rate: i64)(
        rate in any_rate(max_rate),
        canary in proptest::option::of((1..40i64, proptest::option::of(1..=100i64))),
        waves in proptest::option::of((
            proptest::collection::btree_set(1..=100i64, 1..5), proptest::option::of(1..=100i64),
        )),
    ) -> RolloutOptions {
        RolloutOptions {
            canary: canary.map(|(things, success_percentage)| CanaryOptions { things, success_percentage }),
            waves: waves.map(|(percentages, success_percentage)| {
                WavesOptions { percentages: percentages.into_iter().collect(), success_percentage }
            }),
            ..rate
        }
    }
}
