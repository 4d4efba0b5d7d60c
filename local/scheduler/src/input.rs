//! The event of an invoke: the schedule's `Input` with its context attributes filled in, or Scheduler's own event.

use local_resources::{Place, Schedule};
use serde_json::json;

pub(super) fn event(schedule: &Schedule, due_ms: i64, place: &Place) -> String {
    let Place { region, account, .. } = place;
    let arn = format!("arn:aws:scheduler:{region}:{account}:schedule/default/{}", schedule.name);
    let time = jiff::Timestamp::from_millisecond(due_ms).unwrap_or_default();
    let time = time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let id = uuid::Uuid::new_v4().to_string();
    match &schedule.input {
        Some(input) => input
            .replace("<aws.scheduler.schedule-arn>", &arn)
            .replace("<aws.scheduler.scheduled-time>", &time)
            .replace("<aws.scheduler.execution-id>", &id)
            .replace("<aws.scheduler.attempt-number>", "1"),
        None => json!({
            "version": "0",
            "id": id,
            "detail-type": "Scheduled Event",
            "source": "aws.scheduler",
            "account": account,
            "time": time,
            "region": region,
            "resources": [arn],
            "detail": "{}",
        })
        .to_string(),
    }
}
