//! The things of a batch that go out: their executions are stored and sent, many at once.

use std::{collections::HashMap, sync::Arc};

use aws::Error;
use domain::{Batch, Command, ThingName, Via, Worked};
use tokio::task::{Id, JoinError, JoinSet};

use super::{
    batch::{Dispatcher, Summary},
    begin::{Begun, begin},
};
use crate::failure::chain;

/// Nothing is begun after so many seconds: what is under way then ends before the claim does.
const PATIENCE: u32 = 35;

type Done = Result<(Id, Result<Begun, Error>), JoinError>;

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
        let (mut under_way, mut places) = (JoinSet::new(), HashMap::new());
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
            let (me, command, thing, via) = (self.clone(), command.clone(), thing.clone(), via.clone());
            let number = batch.number;
            let task = under_way.spawn(async move {
                let begun = begin(&me.turn(), &command, number, &thing, via).await;
                drop(permit);
                begun
            });
            places.insert(task.id(), place);
            while let Some(done) = under_way.try_join_next_with_id() {
                self.note(done, &places, work, summary);
            }
        }
        while let Some(done) = under_way.join_next_with_id().await {
            self.note(done, &places, work, summary);
        }
        work.left.sort_unstable();
        work.upto = Some(reached);
    }

    fn note(&self, done: Done, places: &HashMap<Id, u16>, work: &mut Worked, summary: &mut Summary) {
        match done {
            Ok((_, Ok(Begun::Stored { throttled }))) => {
                summary.stored += 1;
                match throttled {
                    true => self.throttle.was_too_much(),
                    false => self.throttle.went_well(),
                }
            }
            Ok((_, Ok(Begun::Duplicate))) => {
                summary.duplicates += 1;
                work.duplicates += 1;
            }
            Ok((id, Err(error))) => {
                tracing::warn!(error = chain(&error), "a thing of a batch has to wait");
                if error.kind() == aws::Kind::Throttled {
                    self.throttle.was_too_much();
                }
                summary.failed += 1;
                work.left.extend(places.get(&id));
            }
            Err(error) => {
                tracing::error!(%error, "a thing of a batch was given up in the middle");
                summary.failed += 1;
                work.left.extend(places.get(&error.id()));
            }
        }
    }
}
