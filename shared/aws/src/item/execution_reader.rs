//! Reads an execution from its item.

use aws_sdk_dynamodb::types::AttributeValue;
use domain::{
    Actor, AttemptEnd, Channel, CommandId, CommandName, CreatorToken, DeliveryStatus, Execution, HistoryEntry,
    InterimReport, Outcome, Progress, Reason, ReasonCode, ReportChannel, ReportResult, Retry, Status, Timestamp,
    Verdict,
};

use super::attributes::{Item, Reader, Unreadable, needed};
use super::command::lane_of;
use super::key::key_from_item;

pub(crate) fn execution_from_item(item: &Item) -> Result<Execution, Unreadable> {
    let read = Reader(item);
    let instant = |attribute| needed::<Timestamp>(attribute, read.millis(attribute)?);
    let heartbeat_seconds: Option<u32> = read.number("heartbeat_seconds")?;
    Ok(Execution {
        key: key_from_item(item)?,
        command: read.parsed("command_id", CommandId::parse)?,
        name: read.parsed("name", CommandName::parse)?,
        progress: Progress::from_stored(needed("progress", read.number("progress")?)?),
        status: read.parsed("status", Status::parse)?,
        delivery_status: read.parsed("delivery_status", DeliveryStatus::parse)?,
        attempt: needed("attempt", read.number("attempt")?)?,
        channel: read.parsed("channel", Channel::from_stored)?,
        created_at: instant("created_at")?,
        created_by: Actor::caller(needed("created_by", read.text("created_by")?)?),
        start_by: instant("start_by")?,
        finish_by: instant("finish_by")?,
        heartbeat_seconds,
        retry: read.text("retry")?.map(|text| needed("retry", Retry::from_stored(text))).transpose()?,
        lane: lane_of(&read)?,
        in_lane: read.flag("in_lane"),
        shadow_cleanup_pending: read.flag("shadow_cleanup_pending"),
        next_send_at: read.millis("next_send_at")?,
        creator: read.text("creator")?.map(CreatorToken::from_stored),
        claim: read.text("claim")?.map(str::to_owned),
        maybe_delivered: read.flag("maybe_delivered"),
        sent_at: read.millis("sent_at")?,
        delivered_at: read.millis("delivered_at")?,
        started_at: read.millis("started_at")?,
        last_active_at: read.millis("last_active_at")?,
        runs_attempt: read.number("runs_attempt")?,
        // Without heartbeats, the stored deadline is one that never comes.
        heartbeat_deadline: read.millis("heartbeat_deadline")?.filter(|_| heartbeat_seconds.is_some()),
        interim: read.text("interim")?.map(|text| needed("interim", InterimReport::from_stored(text))).transpose()?,
        verdict: verdict(&read)?,
        stopped_at: read.millis("stopped_at")?,
        outcome: outcome(&read)?,
        last_failure: last_failure(&read)?,
        history: history(item)?,
        due_at: read.number("due_at")?,
        purge_at: read.purge_at()?,
        batch: read.number("batch")?,
    })
}

fn verdict(read: &Reader<'_>) -> Result<Option<Verdict>, Unreadable> {
    let Some(at) = read.millis("verdict_at")? else { return Ok(None) };
    Ok(Some(Verdict { reason: read.parsed("verdict", Reason::parse)?, at }))
}

fn outcome(read: &Reader<'_>) -> Result<Option<Outcome>, Unreadable> {
    let Some(at) = read.millis("finished_at")? else { return Ok(None) };
    let result = read.text("result")?;
    Ok(Some(Outcome {
        attempt: needed("finished_attempt", read.number("finished_attempt")?)?,
        code: read.text("reason_code")?.and_then(ReasonCode::clean),
        description: read.text("reason_description")?.map(str::to_owned),
        result: result.map(|text| ReportResult { text: text.to_owned(), truncated: read.flag("result_truncated") }),
        at,
        channel: ReportChannel::from_stored(needed("finished_channel", read.text("finished_channel")?)?),
    }))
}

fn last_failure(read: &Reader<'_>) -> Result<Option<AttemptEnd>, Unreadable> {
    let Some(at) = read.millis("failed_at")? else { return Ok(None) };
    let result = read.text("failed_result")?;
    let outcome = Outcome {
        attempt: needed("failed_attempt", read.number("failed_attempt")?)?,
        code: read.text("failed_code")?.and_then(ReasonCode::clean),
        description: read.text("failed_description")?.map(str::to_owned),
        result: result
            .map(|text| ReportResult { text: text.to_owned(), truncated: read.flag("failed_result_truncated") }),
        at,
        channel: ReportChannel::from_stored(needed("failed_channel", read.text("failed_channel")?)?),
    };
    Ok(Some(AttemptEnd { status: read.parsed("failed_status", Status::parse)?, outcome }))
}

fn history(item: &Item) -> Result<Vec<HistoryEntry>, Unreadable> {
    let Some(list) = item.get("history") else { return Ok(Vec::new()) };
    let unreadable = || Unreadable::new("history");
    let entry = |value: &AttributeValue| value.as_s().ok().and_then(|text| HistoryEntry::from_stored(text));
    let entries = list.as_l().map_err(|_| unreadable())?;
    entries.iter().map(|value| entry(value).ok_or_else(unreadable)).collect()
}
