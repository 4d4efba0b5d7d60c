//! The table's condition is the transition: random changes go through `Execution::apply` and through the real expressions on the DynamoDB
//! front, and the rows afterwards are equal.
//!
//! A pair is a row and a change. Rows come from random walks that begin with a created row; changes are decisions made on the current row or on
//! an earlier one of the walk, and the same with random progress, conditions, times and effects. `TRANSITION_PAIRS` sets the number of pairs.

mod changes;
mod rows;
mod table;

use aws::WriteOutcome;
use domain::{Execution, Status};
use fastrand::Rng;

use crate::deadline::waiting;

/// Pairs of a row and a change in each run of the tests; CI runs 50,000.
const PAIRS: usize = 2_500;
/// Changes in one walk.
const WALK: usize = 25;

/// What a run has covered: a walk that never conflicts, or never ends an execution, proves little.
#[derive(Debug, Default)]
struct Coverage {
    pairs: usize,
    applied: usize,
    statuses: std::collections::BTreeMap<&'static str, usize>,
    effects: std::collections::BTreeMap<String, [usize; 2]>,
}

impl Coverage {
    fn count(&mut self, row: &Execution, effect: &domain::Effect, applied: bool) {
        self.pairs += 1;
        self.applied += usize::from(applied);
        *self.statuses.entry(row.status.as_str()).or_default() += 1;
        let name = format!("{effect:?}");
        let name = name.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default().to_owned();
        self.effects.entry(name).or_default()[usize::from(applied)] += 1;
    }

    fn check(&self) {
        for status in Status::ALL {
            assert!(self.statuses.contains_key(status.as_str()), "no row was {status}: {self:?}");
        }
        assert!(self.effects.len() >= 12, "some effects never occurred: {self:?}");
        for (effect, [conflicts, applied]) in &self.effects {
            assert!(*conflicts > 0 && *applied > 0, "{effect}: {conflicts} conflicts, {applied} applied");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2, crate = "crate::deadline")]
async fn the_tables_condition_decides_what_apply_decides() {
    let pairs = std::env::var("TRANSITION_PAIRS").ok().map_or(PAIRS, |pairs| pairs.parse().expect("a number of pairs"));
    let executions = table::start().await;
    let mut coverage = Coverage::default();
    for seed in 0.. {
        if coverage.pairs >= pairs {
            break;
        }
        waiting(format!("the walk of seed {seed}"), walk(&executions, seed, &mut coverage)).await;
    }
    println!("{} pairs, {} applied: {:?} {:?}", coverage.pairs, coverage.applied, coverage.statuses, coverage.effects);
    coverage.check();
}

async fn walk(executions: &aws::Executions, seed: u64, coverage: &mut Coverage) {
    let mut rng = Rng::with_seed(seed);
    let created = rows::created(&mut rng, seed);
    executions.put_new(&created).await.expect("stored");
    let mut row = executions.get(&created.key).await.expect("read").expect("the row");
    // DynamoDB's TTL attribute has whole seconds.
    assert_eq!(row, Execution { purge_at: row.purge_at, ..created }, "seed {seed}: as created");
    let mut earlier = vec![row.clone()];
    for step in 0..WALK {
        let change = changes::random(&mut rng, &row, &earlier);
        let expected = row.apply(&change);
        let outcome = executions.write(&change).await.expect("an answer");
        let context = || format!("seed {seed}, step {step}\nchange: {change:#?}\nrow: {row:#?}");
        match (&expected, outcome) {
            (Some(_), WriteOutcome::Applied(_)) => {}
            (None, WriteOutcome::Conflict(stored)) => {
                assert_eq!(stored, row, "the row that conflicts: {}", context());
            }
            (expected, outcome) => panic!("apply: {}, the table: {outcome:?}\n{}", expected.is_some(), context()),
        }
        coverage.count(&row, &change.effect, expected.is_some());
        if let Some(next) = expected {
            let stored = executions.get(&row.key).await.expect("read").expect("the row");
            assert_eq!(stored, next, "the row after it: {}", context());
            earlier.push(row);
            row = next;
        }
    }
}
