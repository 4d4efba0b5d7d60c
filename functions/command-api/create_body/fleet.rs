//! The fields `target` and `broadcast`, and whether the command is for one thing or for a fleet.

use std::borrow::Cow;

use domain::{
    Broadcast, Delivery, Fleet, Rollout, Target,
    fleet::{Selection, SelectionNames, SelectionOptions, SharedTopic},
};
use serde_json::value::RawValue;

use super::pacing::{ABORT, ROLLOUT, SCHEDULE};
use super::pacing::{decode_abort, decode_rollout, decode_schedule};
use crate::command_api::{fields::Fields, problem::Problem};

const ROLLOUT_FIELD: &str = "rollout";
/// The name that AWS IoT Jobs gives the rollout. Its configuration is accepted unchanged.
const JOBS_ROLLOUT_FIELD: &str = "jobExecutionsRolloutConfig";
const BROADCAST: &str = r#"{"topic": "device_status/request", "spread": 30}"#;
const THINGS: &str = "a list such as [\"pump-7\"]";

/// Fields that only a fleet command has, not decoded yet.
pub struct FleetFields<'a> {
    /// With the name under which the caller gave it.
    rollout: Option<(&'static str, &'a RawValue)>,
    abort: Option<&'a RawValue>,
    schedule: Option<&'a RawValue>,
    broadcast: Option<&'a RawValue>,
}

impl<'a> FleetFields<'a> {
    pub fn take(fields: &mut Fields<'a>) -> Result<Self, Problem> {
        Ok(Self {
            rollout: take_rollout(fields, ROLLOUT)?,
            abort: fields.take("abortConfig", ABORT)?,
            schedule: fields.take("schedule", SCHEDULE)?,
            broadcast: fields.take("broadcast", BROADCAST)?,
        })
    }

    /// Decodes `target` with these fields. `delivery` is what the caller names, if anything.
    pub fn decode_target(
        self,
        target: &RawValue,
        delivery: Option<Delivery>,
        ttl_seconds: u32,
        dry_run: bool,
        shared_topic: Option<&SharedTopic>,
    ) -> Result<(Target, SelectionNames), Problem> {
        let selection = decode_selection(target)?;
        let broadcast = delivery == Some(Delivery::Broadcast);
        let has_fleet_options = self.rollout.is_some() || self.abort.is_some() || self.schedule.is_some();
        if !(has_fleet_options || broadcast || dry_run)
            && let Some(thing) = selection.single_thing()?
        {
            return Ok((Target::Thing(thing), SelectionNames::default()));
        }
        let (selection, names) = selection.validate()?;
        let fleet = Fleet {
            broadcast: self.decode_broadcast(&selection, broadcast, ttl_seconds, shared_topic)?,
            selection,
            rollout: match self.rollout {
                None => Rollout::default(),
                Some((name, value)) => decode_rollout(name, value)?,
            },
            abort: self.abort.map(decode_abort).transpose()?.unwrap_or_default(),
            schedule: self.schedule.map(decode_schedule).transpose()?.unwrap_or_default(),
        };
        Ok((Target::Fleet(Box::new(fleet)), names))
    }

    fn decode_broadcast(
        &self,
        selection: &Selection,
        broadcast: bool,
        ttl_seconds: u32,
        shared_topic: Option<&SharedTopic>,
    ) -> Result<Option<Broadcast>, Problem> {
        let (topic, spread): (Option<Cow<str>>, _) = match self.broadcast {
            Some(_) if !broadcast => {
                let detail = "broadcast needs delivery broadcast: choose that delivery, or leave broadcast out";
                return Err(Problem::unprocessable("broadcast", detail));
            }
            None if !broadcast => return Ok(None),
            None => (None, None),
            Some(value) => {
                let mut fields = Fields::of_object("broadcast", value, BROADCAST)?;
                let taken =
                    (fields.take("topic", "a topic")?, fields.take_whole("spread", "a whole number of seconds")?);
                fields.refuse_unknown("topic, spread")?;
                taken
            }
        };
        Ok(Some(Broadcast::new(topic.as_deref(), selection, spread, ttl_seconds, shared_topic)?))
    }
}

/// Takes the rollout, with the name under which the caller gave it. `example` is such an object.
pub fn take_rollout<'a>(
    fields: &mut Fields<'a>,
    example: &str,
) -> Result<Option<(&'static str, &'a RawValue)>, Problem> {
    let rollout = fields.take(ROLLOUT_FIELD, example)?;
    let jobs_rollout = fields.take(JOBS_ROLLOUT_FIELD, example)?;
    if rollout.is_some() && jobs_rollout.is_some() {
        let detail = format!("{JOBS_ROLLOUT_FIELD} is another name of {ROLLOUT_FIELD}: leave one of them out");
        return Err(Problem::unprocessable(JOBS_ROLLOUT_FIELD, detail));
    }
    let rollout = rollout.map(|value| (ROLLOUT_FIELD, value));
    Ok(rollout.or(jobs_rollout.map(|value| (JOBS_ROLLOUT_FIELD, value))))
}

fn decode_selection(target: &RawValue) -> Result<SelectionOptions, Problem> {
    let mut fields = Fields::of_object("target", target, SelectionOptions::EXAMPLE)?;
    let options = SelectionOptions {
        things: fields.take("things", THINGS)?,
        groups: fields.take("groups", "a list such as [\"pumps\"]")?,
        query: fields.take("query", "a text such as \"attributes.model:p1\"")?,
        exclude: fields.take("exclude", THINGS)?,
    };
    fields.refuse_unknown("things, groups, query, exclude")?;
    Ok(options)
}
