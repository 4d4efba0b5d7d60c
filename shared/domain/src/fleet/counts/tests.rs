//! Tests of what is counted and what is shown: statuses, reasons, duplicates and shards.

use std::collections::BTreeMap;

use proptest::prelude::*;

use crate::actor::Actor;
use crate::execution::fixtures::{CREATED_AT, after_report, execution};
use crate::execution::row::Execution;
use crate::fleet::counts::contribution::Contribution;
use crate::fleet::counts::totals::Counts;
use crate::fleet::outcome_counts::OutcomeCounts;
use crate::status::{DeliveryStatus, Reason, Status};
use crate::timestamp::Timestamp;

pub(super) fn row(status: Status, delivery_status: DeliveryStatus, reason: Option<&str>) -> Contribution {
    Contribution::Execution { status, delivery_status, reason: reason.map(str::to_owned) }
}

pub(super) fn ended(status: Status, reason: &str) -> Contribution {
    row(status, DeliveryStatus::Delivered, Some(reason))
}

pub(super) fn sent() -> Contribution {
    row(Status::Created, DeliveryStatus::Sent, None)
}

pub(super) fn of(items: &[Contribution]) -> Counts {
    let mut counts = Counts::default();
    items.iter().for_each(|item| counts.fold(None, Some(item)));
    counts
}

fn reasons(counts: &Counts) -> Vec<(&str, u64)> {
    counts.reasons().collect()
}

/// How many reason codes of devices are counted by name.
const DEVICE_REASONS: usize = Counts::REASONS - Reason::ALL.len();

fn other_count(counts: &Counts) -> u64 {
    counts.reasons().find(|(word, _)| *word == Counts::OTHER).map_or(0, |(_, count)| count)
}

fn at(seconds: u32) -> Timestamp {
    CREATED_AT.plus_seconds(seconds)
}

fn reason_of(row: &Execution) -> Option<String> {
    match Contribution::of(row) {
        Contribution::Execution { status, delivery_status, reason } => {
            assert_eq!((status, delivery_status), (row.status, row.delivery_status));
            reason
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_execution_counts_under_the_reason_that_the_api_shows() {
    let row = execution(None);
    assert_eq!(reason_of(&row), None);
    let canceled = row.apply(&row.cancel(Reason::CanceledByOperator, at(1), false, Actor::device()).unwrap()).unwrap();
    assert_eq!(reason_of(&canceled).as_deref(), Some("CANCELED_BY_OPERATOR"));
    let why = r#"{"status":"FAILED","statusReason":{"reasonCode":"LOW_BATTERY"}}"#;
    assert_eq!(reason_of(&after_report(&canceled, 2, why).unwrap()).as_deref(), Some("LOW_BATTERY"));
    assert_eq!(
        reason_of(&after_report(&canceled, 2, "FAILED").unwrap()),
        None,
        "the device's report, though it has no reason code"
    );
}

#[test]
fn a_change_moves_the_count_of_an_item() {
    let mut counts = of(&[sent(), sent()]);
    assert_eq!((counts.executions(), counts.open(), counts.status(Status::Created)), (2, 2, 2));
    counts.fold(Some(&sent()), Some(&ended(Status::Failed, "LOW_BATTERY")));
    assert_eq!((counts.executions(), counts.open(), counts.status(Status::Failed)), (2, 1, 1));
    assert_eq!((counts.delivery(DeliveryStatus::Sent), counts.delivery(DeliveryStatus::Delivered)), (1, 1));
    assert_eq!(reasons(&counts), [("LOW_BATTERY", 1)]);
    counts.fold(
        Some(&ended(Status::Failed, "LOW_BATTERY")),
        Some(&row(Status::Succeeded, DeliveryStatus::Delivered, None)),
    );
    assert_eq!(reasons(&counts), []);
}

#[test]
fn a_removed_item_stays_counted() {
    let mut counts = of(&[sent()]);
    counts.fold(Some(&sent()), None);
    counts.fold(None, None);
    assert_eq!(counts, of(&[sent()]));
}

#[test]
fn a_thing_in_two_batches_has_one_execution() {
    let counts = of(&[sent(), Contribution::Duplicate, Contribution::Duplicate]);
    assert_eq!((counts.executions(), counts.duplicates(), counts.reached()), (1, 2, 3));
    assert_eq!(counts.outcomes(), OutcomeCounts::default());
}

#[test]
fn no_response_counts_silent_devices_only() {
    let counts = of(&[
        sent(),
        ended(Status::Succeeded, "FINE"),
        ended(Status::Failed, "NO_RESPONSE"),
        ended(Status::Rejected, "BUSY"),
        ended(Status::Canceled, "SUPERSEDED"),
        ended(Status::TimedOut, "NO_RESPONSE"),
        ended(Status::TimedOut, "HEARTBEAT_LOST"),
        ended(Status::TimedOut, "EXPIRED"),
        ended(Status::TimedOut, "EXECUTION_TIMEOUT"),
    ]);
    let outcomes =
        OutcomeCounts { executed: 8, succeeded: 1, failed: 1, rejected: 1, timed_out: 4, canceled: 1, no_response: 2 };
    assert_eq!((counts.outcomes(), counts.executions(), counts.open()), (outcomes, 9, 1));
}

#[test]
fn a_negative_count_is_shown_as_zero() {
    let mut counts = Counts::default();
    counts.fold(Some(&sent()), Some(&ended(Status::TimedOut, "NO_RESPONSE")));
    assert_eq!((counts.status(Status::Created), counts.status(Status::TimedOut), counts.executions()), (0, 1, 0));
    counts.fold(Some(&Contribution::Duplicate), None);
    assert_eq!((counts.duplicates(), counts.reached()), (0, 0));
}

#[test]
fn a_child_shard_subtracts_what_its_parent_has_added() {
    let mut parent = of(&[sent(), sent()]);
    let mut child = Counts::default();
    child.fold(Some(&sent()), Some(&ended(Status::TimedOut, "NO_RESPONSE")));
    child = Counts::from_stored(&child.to_stored()).unwrap();
    parent.merge(&child);
    assert_eq!(parent, of(&[sent(), ended(Status::TimedOut, "NO_RESPONSE")]));
}

#[test]
fn many_device_reason_codes_do_not_displace_cloud_reasons() {
    let words: Vec<_> = (0..100).map(|n| ended(Status::Failed, &format!("W{n:03}"))).collect();
    let mut counts = of(&words);
    counts.fold(None, Some(&ended(Status::TimedOut, "NO_RESPONSE")));
    assert_eq!(counts.reasons().count(), DEVICE_REASONS + 2);
    assert_eq!(other_count(&counts), 100 - DEVICE_REASONS as u64);
    assert_eq!((counts.outcomes().no_response, reasons(&counts)[0]), (1, ("NO_RESPONSE", 1)));
    for word in &words[..90] {
        counts.fold(Some(word), Some(&sent()));
        counts = Counts::from_stored(&counts.to_stored()).unwrap();
    }
    assert_eq!(reasons(&counts), [("NO_RESPONSE", 1), (Counts::OTHER, 10)], "each is subtracted where it was added");
}

#[test]
fn a_name_with_count_zero_keeps_its_place() {
    let words: Vec<_> = (0..DEVICE_REASONS).map(|n| ended(Status::Failed, &format!("W{n:03}"))).collect();
    let late = ended(Status::Failed, "LATE");
    let mut counts = of(&words);
    counts.fold(None, Some(&late));
    counts.fold(Some(&words[0]), Some(&sent()));
    counts.fold(None, Some(&late));
    assert_eq!((other_count(&counts), counts.reasons().count()), (2, DEVICE_REASONS), "it stays under OTHER");
}

#[test]
fn a_reason_counted_under_other_by_the_parent_is_subtracted_there() {
    let words: Vec<_> = (0..DEVICE_REASONS + 6).map(|n| ended(Status::Failed, &format!("W{n:03}"))).collect();
    let mut sum = of(&words);
    let mut child = Counts::default();
    child.fold(words.last(), Some(&sent()));
    sum.merge(&child);
    assert_eq!(other_count(&sum), 5);
}

fn any_row() -> impl Strategy<Value = Contribution> {
    let reason = prop_oneof![
        3 => Just(None),
        3 => proptest::sample::select(Reason::ALL).prop_map(|reason| Some(reason.to_string())),
        6 => (0..90_u8).prop_map(|n| Some(format!("W{n}"))),
        1 => Just(Some("OTHER".to_owned())),
    ];
    let (status, delivery) = (proptest::sample::select(Status::ALL), proptest::sample::select(DeliveryStatus::ALL));
    let row = (status, delivery, reason).prop_map(|(status, delivery_status, reason)| Contribution::Execution {
        status,
        delivery_status,
        reason,
    });
    prop_oneof![9 => row, 1 => Just(Contribution::Duplicate)]
}

/// All that is shown except the reasons.
fn figures(counts: &Counts) -> (Vec<u64>, Vec<u64>, OutcomeCounts, u64, u64, u64) {
    (
        Status::ALL.iter().map(|status| counts.status(*status)).collect(),
        DeliveryStatus::ALL.iter().map(|delivery| counts.delivery(*delivery)).collect(),
        counts.outcomes(),
        counts.duplicates(),
        counts.executions(),
        counts.open(),
    )
}

proptest! {
    /// With any reason codes: each name that has a place is counted exactly, all others together.
    #[test]
    fn folded_counts_equal_a_recount_of_the_last_states(
        steps in proptest::collection::vec((0..150_usize, any_row()), 1..400), restored in 1..40_usize,
    ) {
        let mut items: BTreeMap<usize, Contribution> = BTreeMap::new();
        let mut counts = Counts::default();
        for (n, (item, after)) in steps.into_iter().enumerate() {
            counts.fold(items.get(&item), Some(&after));
            items.insert(item, after);
            if n % restored == 0 {
                let stored = Counts::from_stored(&counts.to_stored()).unwrap();
                prop_assert_eq!(&stored, &counts);
                counts = stored;
            }
        }
        let last: Vec<_> = items.values().cloned().collect();
        prop_assert_eq!(figures(&counts), figures(&of(&last)));
        let mut truth: BTreeMap<&str, u64> = BTreeMap::new();
        for contribution in &last {
            if let Contribution::Execution { reason: Some(reason), .. } = contribution {
                *truth.entry(reason).or_default() += 1;
            }
        }
        let all: u64 = truth.values().sum();
        prop_assert_eq!(counts.reasons().map(|(_, count)| count).sum::<u64>(), all);
        for (word, count) in counts.reasons().filter(|(word, _)| *word != Counts::OTHER) {
            prop_assert_eq!(Some(&count), truth.get(word), "{}", word);
        }
        prop_assert!(counts.reasons().count() <= Counts::REASONS + 1);
    }

    #[test]
    fn the_sum_of_shards_does_not_depend_on_their_order(
        items in proptest::collection::vec((0..4_usize, any_row()), 0..40),
    ) {
        let mut shards = vec![Counts::default(); 4];
        items.iter().for_each(|(shard, item)| shards[*shard].fold(None, Some(item)));
        let sum = |shards: &mut dyn Iterator<Item = &Counts>| shards.fold(Counts::default(), |mut sum, shard| {
            sum.merge(shard);
            sum
        });
        let (there, back) = (sum(&mut shards.iter()), sum(&mut shards.iter().rev()));
        prop_assert_eq!(&there, &back);
        prop_assert_eq!(there, of(&items.into_iter().map(|(_, item)| item).collect::<Vec<_>>()));
    }
}
