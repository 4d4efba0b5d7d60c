//! What of a body is about many things: its target, and how they are asked.

use std::{borrow::Cow, collections::HashSet};

use domain::{
    Abort, Broadcast, Delivery, Fleet, FleetQuery, GroupName, Rollout, Schedule, Selection, Target, ThingName,
    fleet::{AskedCriterion, AskedRollout, Window},
};
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use crate::{
    command_api::{body::TARGET, fields::Fields, problem::Problem},
    time,
};

const ROLLOUT_NAME: &str = "rollout";
/// AWS IoT Jobs' name of the same.
const OF_JOBS: &str = "jobExecutionsRolloutConfig";
const ROLLOUT: &str =
    r#"{"maximumPerMinute": 1000, "canary": {"things": 10}, "waves": {"percentages": [10, 50, 100]}}"#;
const ABORT: &str = r#"{"criteriaList": [{"failureType": "FAILED", "action": "CANCEL", "thresholdPercentage": 10, "minNumberOfExecutedThings": 100}]}"#;
const SCHEDULE: &str = r#"{"notBefore": "2030-01-01T22:00:00Z", "window": {"start": "22:00", "end": "04:00"}}"#;
const BROADCAST: &str = r#"{"topic": "device_status/request", "spread": 30}"#;
const NAMES: &str = "a list such as [\"pump-7\"]";

/// The names of a target, which are stored apart from the command.
#[derive(Debug, Default)]
pub struct Names {
    /// Those that are meant.
    pub things: Vec<ThingName>,
    /// Those that are left out.
    pub excluded: Vec<ThingName>,
}

/// How many things are asked, as it was sent.
pub struct FleetBody<'a> {
    /// Under the name that the caller has for it.
    rollout: Option<(&'static str, &'a RawValue)>,
    abort: Option<&'a RawValue>,
    schedule: Option<&'a RawValue>,
    broadcast: Option<&'a RawValue>,
}

impl<'a> FleetBody<'a> {
    /// Takes what is there. AWS Jobs' name of a rollout is understood too.
    pub fn take(fields: &mut Fields<'a>) -> Result<Self, Problem> {
        let rollout = fields.take(ROLLOUT_NAME, ROLLOUT)?;
        let of_jobs = fields.take(OF_JOBS, ROLLOUT)?;
        if rollout.is_some() && of_jobs.is_some() {
            let why = format!("{OF_JOBS} is another name of {ROLLOUT_NAME}: leave one of them out");
            return Err(Problem::unprocessable(OF_JOBS, why));
        }
        Ok(Self {
            rollout: rollout.map(|value| (ROLLOUT_NAME, value)).or(of_jobs.map(|value| (OF_JOBS, value))),
            abort: fields.take("abortConfig", ABORT)?,
            schedule: fields.take("schedule", SCHEDULE)?,
            broadcast: fields.take("broadcast", BROADCAST)?,
        })
    }

    /// Whom it is for, and how they are asked.
    pub fn decode(
        self,
        target: &RawValue,
        delivery: Option<Delivery>,
        ttl: u32,
        dry_run: bool,
        broadcast_topic: Option<&str>,
    ) -> Result<(Target, Names), Problem> {
        let mut fields = Fields::of("target", target, TARGET)?;
        let things: Option<Vec<Cow<str>>> = fields.take("things", NAMES)?;
        let groups: Option<Vec<Cow<str>>> = fields.take("groups", "a list such as [\"pumps\"]")?;
        let query: Option<Cow<str>> = fields.take("query", "a text such as \"attributes.model:p1\"")?;
        let exclude: Option<Vec<Cow<str>>> = fields.take("exclude", NAMES)?;
        fields.end("things, groups, query, exclude")?;
        let alone = groups.is_none() && query.is_none() && exclude.is_none();
        let broadcast = delivery == Some(Delivery::Broadcast);
        let of_fleet = self.rollout.is_some() || self.abort.is_some() || self.schedule.is_some();
        if let (Some([thing]), true, false) = (things.as_deref(), alone, broadcast || of_fleet || dry_run) {
            let thing =
                ThingName::parse(thing).map_err(|error| Problem::unprocessable("target.things", error.to_string()))?;
            return Ok((Target::Thing(thing), Names::default()));
        }
        let names = Names {
            things: parsed("target.things", things, Selection::MOST_LISTED)?,
            excluded: parsed("target.exclude", exclude, Selection::MOST_EXCLUDED)?,
        };
        let groups = decode_groups(groups)?;
        let query = query.as_deref().map(FleetQuery::parse).transpose();
        let query = query.map_err(|error| Problem::unprocessable("target.query", error.to_string()))?;
        if names.things.is_empty() && groups.is_empty() && query.is_none() {
            return Err(Problem::unprocessable("target", format!("target must be an object such as {TARGET}")));
        }
        let fleet = Fleet {
            broadcast: self.decode_broadcast(&groups, broadcast, ttl, broadcast_topic)?,
            selection: Selection::new(&names.things, groups, query, &names.excluded),
            rollout: match self.rollout {
                None => Rollout::default(),
                Some((name, value)) => decode_rollout(name, value)?,
            },
            abort: self.abort.map(decode_abort).transpose()?.unwrap_or_default(),
            schedule: self.schedule.map(decode_schedule).transpose()?.unwrap_or_default(),
        };
        if broadcast && !fleet.is_immediate() {
            let why = "one message goes to all things at once: leave rollout and schedule out, or deliver otherwise";
            return Err(Problem::unprocessable("delivery", why));
        }
        Ok((Target::Fleet(Box::new(fleet)), names))
    }

    fn decode_broadcast(
        &self,
        groups: &[GroupName],
        wanted: bool,
        ttl: u32,
        broadcast_topic: Option<&str>,
    ) -> Result<Option<Broadcast>, Problem> {
        let (topic, spread): (Option<Cow<str>>, _) = match self.broadcast {
            Some(_) if !wanted => {
                return Err(Problem::unprocessable(
                    "broadcast",
                    "broadcast says where to: it needs delivery broadcast",
                ));
            }
            None => (None, None),
            Some(value) => {
                let mut fields = Fields::of("broadcast", value, BROADCAST)?;
                let taken = (fields.take("topic", "a topic")?, fields.take("spread", "a whole number of seconds")?);
                fields.end("topic, spread")?;
                taken
            }
        };
        let broadcast = Broadcast::new(topic.as_deref(), groups, spread, ttl, broadcast_topic);
        Ok(if wanted { Some(broadcast?) } else { None })
    }
}

/// What has to be of this shape. It says itself what is wrong with it.
fn read<T: DeserializeOwned>(field: &str, value: &RawValue, example: &str) -> Result<T, Problem> {
    serde_json::from_str(value.get())
        .map_err(|error| Problem::bad_request(field, format!("{field} must be an object such as {example}: {error}")))
}

fn decode_rollout(name: &str, value: &RawValue) -> Result<Rollout, Problem> {
    Rollout::new(&read::<AskedRollout>(name, value, ROLLOUT)?).map_err(|error| {
        let named = |text: &str| text.replace("rollout.", &format!("{name}."));
        Problem::unprocessable(&named(error.field()), named(&error.to_string()))
    })
}

fn decode_abort(value: &RawValue) -> Result<Abort, Problem> {
    let mut fields = Fields::of("abortConfig", value, ABORT)?;
    let criteria: &RawValue = fields.need("criteriaList", ABORT)?;
    fields.end("criteriaList")?;
    Ok(Abort::new(&read::<Vec<AskedCriterion>>("abortConfig.criteriaList", criteria, ABORT)?)?)
}

fn decode_schedule(value: &RawValue) -> Result<Schedule, Problem> {
    let mut fields = Fields::of("schedule", value, SCHEDULE)?;
    let mut instant = |field: &'static str, path: &str| -> Result<_, Problem> {
        let text: Option<Cow<str>> = fields.take(field, "a time such as \"2030-01-01T22:00:00Z\"")?;
        let parse = |text: Cow<str>| {
            time::parse(&text).map_err(|_| {
                Problem::bad_request(
                    path,
                    format!("{path} must be a time such as \"2030-01-01T22:00:00Z\": it is {text:?}"),
                )
            })
        };
        text.map(parse).transpose()
    };
    let not_before = instant("notBefore", "schedule.notBefore")?;
    let not_after = instant("notAfter", "schedule.notAfter")?;
    let window: Option<&RawValue> = fields.take("window", SCHEDULE)?;
    fields.end("notBefore, notAfter, window")?;
    let window = match window {
        None => None,
        Some(value) => {
            let mut fields =
                Fields::of("schedule.window", value, r#"{"start": "22:00", "end": "04:00", "offset": "+02:00"}"#)?;
            let start: Cow<str> = fields.need("start", "a time of the day such as \"22:00\"")?;
            let end: Cow<str> = fields.need("end", "a time of the day such as \"04:00\"")?;
            let offset: Option<Cow<str>> = fields.take("offset", "an offset from UTC such as \"+02:00\"")?;
            fields.end("start, end, offset")?;
            Some(Window::parse(&start, &end, offset.as_deref())?)
        }
    };
    Ok(Schedule { not_before, not_after, window })
}

fn decode_groups(groups: Option<Vec<Cow<str>>>) -> Result<Vec<GroupName>, Problem> {
    let groups = groups.unwrap_or_default();
    if groups.len() > Selection::MOST_GROUPS {
        let (found, most) = (groups.len(), Selection::MOST_GROUPS);
        let why = format!("target.groups can name {most} groups: it names {found}. A group of groups counts as one");
        return Err(Problem::unprocessable("target.groups", why));
    }
    let mut known = HashSet::new();
    let mut parsed = Vec::new();
    for group in groups {
        let group =
            GroupName::parse(&group).map_err(|error| Problem::unprocessable("target.groups", error.to_string()))?;
        if known.insert(group.clone()) {
            parsed.push(group);
        }
    }
    Ok(parsed)
}

/// Names, each once.
fn parsed(field: &'static str, names: Option<Vec<Cow<str>>>, most: usize) -> Result<Vec<ThingName>, Problem> {
    let names = names.unwrap_or_default();
    if names.len() > most {
        let why = format!(
            "{field} can list {most} things: it lists {}. For more, name a thing group or a query",
            names.len()
        );
        return Err(Problem::unprocessable(field, why));
    }
    let mut known = HashSet::new();
    let mut parsed = Vec::new();
    for name in names {
        let name = ThingName::parse(&name).map_err(|error| Problem::unprocessable(field, error.to_string()))?;
        if known.insert(name.clone()) {
            parsed.push(name);
        }
    }
    Ok(parsed)
}
