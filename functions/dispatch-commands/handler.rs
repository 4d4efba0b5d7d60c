//! Which of its two events it is: batches that are ready, or a device that is back.

use std::{collections::BTreeSet, sync::Arc};

use aws::Changed;
use domain::Timestamp;
use tokio::task::JoinSet;

use super::{
    back,
    batch::{Dispatcher, Summary},
    throttle::Throttle,
};
use crate::{
    cloud::Cloud,
    failure::{Failure, chain},
    stopwatch::Stopwatch,
    stream::{Answer, Event},
    telemetry,
};

/// Handles one event. `now`: when its handling began. `request_id` is the same when the event is handled again.
pub async fn handle(
    cloud: &Cloud,
    throttle: &Throttle,
    event: &str,
    now: Timestamp,
    request_id: &str,
) -> Result<Answer, Failure> {
    match Event::decode(event) {
        Ok(event) => Ok(batches(cloud, throttle, &event, now, request_id).await),
        Err(_) => back::handle(cloud, event, request_id).await.map(|()| Answer::default()),
    }
}

/// Sees to the batches that a part of the stream is about, all at once.
async fn batches(cloud: &Cloud, throttle: &Throttle, event: &Event, now: Timestamp, request_id: &str) -> Answer {
    let dispatcher = Arc::new(Dispatcher {
        cloud: cloud.clone(),
        now,
        since: Stopwatch::start(),
        token: request_id.to_owned(),
        throttle: throttle.clone(),
    });
    let mut under_way = JoinSet::new();
    let mut seen = BTreeSet::new();
    for record in &event.records {
        let Some(Changed::Batch(id, number)) = Changed::of(&record.dynamodb.keys) else { continue };
        if !seen.insert((id.clone(), number)) {
            continue;
        }
        let (me, sequence) = (dispatcher.clone(), record.dynamodb.sequence_number.clone());
        under_way.spawn(async move {
            let done = me.see_to(&id, number).await;
            done.map_err(|error| {
                tracing::warn!(error = chain(&error), command = %id, number, "a batch has to wait");
                sequence
            })
        });
    }
    let (mut summary, mut failed) = (Summary::default(), Vec::new());
    while let Some(done) = under_way.join_next().await {
        match done {
            Ok(Ok(done)) => summary += done,
            Ok(Err(sequence)) => failed.push(sequence),
            Err(error) => tracing::error!(%error, "a batch was given up in the middle"),
        }
    }
    report(now, &summary);
    Answer::failed(failed.iter().map(String::as_str))
}

fn report(now: Timestamp, summary: &Summary) {
    let counted = [
        ("BatchesSeenTo", summary.batches),
        ("ExecutionsStored", summary.stored),
        ("ThingsInSeveralBatches", summary.duplicates),
        ("ThingsPutOff", summary.failed),
        ("ExecutionsWatched", summary.watched),
        ("ExecutionsCalledOff", summary.called_off),
    ];
    if summary.batches > 0 {
        telemetry::count(now, &counted, &[]);
    }
}
