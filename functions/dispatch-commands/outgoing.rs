//! The things of a batch that go out: their executions are stored and sent, many at once.

use std::{collections::BTreeSet, sync::Arc};

use aws::Error;
use domain::{Batch, Command, ThingName, Via, Worked};
use tokio::task::{JoinError, JoinSet};

use super::{
    batch::{Dispatcher, Summary},
    begin::{Begun, begin},
};
use crate::failure::chain;

/// Nothing is begun after so many seconds: what is under way then ends before the claim does.
const PATIENCE: u32 = 35;

type Done = Result<(u16, Result<Begun, Error>), JoinError>;

impl Dispatcher {
    /// Stores and sends those that may go out, in the order of their places.
    pub(super) async fn send(
        self: &Arc<Self>,
        command: &Arc<Command>,
        batch: &Batch,
        things: &[ThingName],
        work: &mut Worked,
        summary: &mut Summary,
    ) {
        let via = Via::of(command, None);
        let mut under_way = JoinSet::new();
        // One whose task dies is tried again like one that failed.
        let mut open = BTreeSet::new();
        let mut reached = batch.done;
        for place in batch.to_go_out() {
            let Some(thing) = things.get(usize::from(place)) else { continue };
            let permit = self.throttle.enter().await;
            if self.since.seconds() > PATIENCE {
                // What was not reached is not left out: the batch goes on there.
                work.left.extend((place < batch.done).then_some(place));
                continue;
            }
            reached = reached.max(place + 1);
            open.insert(place);
            let (me, command, thing, via) = (self.clone(), command.clone(), thing.clone(), via.clone());
            let number = batch.number;
            under_way.spawn(async move {
                let begun = begin(&me.turn(), &command, number, &thing, via).await;
                drop(permit);
                (place, begun)
            });
            while let Some(done) = under_way.try_join_next() {
                self.note(done, &mut open, summary);
            }
        }
        while let Some(done) = under_way.join_next().await {
            self.note(done, &mut open, summary);
        }
        work.left.extend(open);
        work.left.sort_unstable();
        work.upto = Some(reached);
    }

    fn note(&self, done: Done, open: &mut BTreeSet<u16>, summary: &mut Summary) {
        match done {
            Ok((place, Ok(Begun::Stored { throttled }))) => {
                open.remove(&place);
                summary.stored += 1;
                match throttled {
                    true => self.throttle.was_too_much(),
                    false => self.throttle.went_well(),
                }
            }
            Ok((place, Ok(Begun::Duplicate))) => {
                open.remove(&place);
                summary.duplicates += 1;
            }
            Ok((place, Err(error))) => {
                tracing::warn!(error = chain(&error), place, "a thing of a batch has to wait");
                // What gets no answer in time may be too much as well.
                if error.is_retryable() {
                    self.throttle.was_too_much();
                }
                summary.failed += 1;
            }
            Err(error) => tracing::error!(%error, "a thing of a batch was given up in the middle"),
        }
    }
}
