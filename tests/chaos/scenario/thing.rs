//! The things of a scenario: how each device behaves, reports, and takes commands in its shadow.

use super::{CLOCK_TOLERANCE_MS, START_MS};
use crate::random::Random;

/// The format of a device's reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReportFormat {
    /// JSON, as in AWS IoT Commands.
    Json,
    /// Text: a word and the execution id.
    Text,
    /// Text: a word and the request.
    Echo,
    /// Text: a word, on a topic that contains the execution id.
    IdInTopic,
    /// Text: a word, without the execution.
    WordOnly,
}

/// How a thing takes commands in its shadow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    Map,
    Atlas,
}

/// The shadow of a thing's desired states.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StateShadow {
    /// The classic shadow, in which commands of the Atlas dialect are too.
    Classic,
    /// The shadow `config`.
    Config,
}

/// A time in which a device is offline.
#[derive(Clone, Copy, Debug)]
pub struct Absence {
    pub at_ms: i64,
    pub duration_ms: i64,
    pub loses_power: bool,
}

/// Probabilities are in a thousand.
#[derive(Clone, Debug)]
pub struct ThingConfig {
    pub name: String,
    /// The group whose broadcasts it gets.
    pub group: Option<&'static str>,
    pub report_format: ReportFormat,
    /// `None` if it takes no commands in a shadow.
    pub dialect: Option<Dialect>,
    pub reports_in_shadow: bool,
    /// The shadow whose desired state it adopts.
    pub state_shadow: Option<StateShadow>,
    /// How far its clock is ahead.
    pub clock_skew_ms: i64,
    /// Probability of a report before the last one: accepted, heartbeats.
    pub sends_progress: usize,
    pub succeeds: usize,
    pub rejects: usize,
    /// Probability that it never reports the end.
    pub omits_final_report: usize,
    pub max_run_ms: i64,
    pub absences: Vec<Absence>,
}

impl ThingConfig {
    pub fn draw(seed: u64, number: usize, random: &mut Random) -> Self {
        let formats = [
            ReportFormat::Json,
            ReportFormat::Json,
            ReportFormat::Json,
            ReportFormat::Text,
            ReportFormat::Echo,
            ReportFormat::IdInTopic,
            ReportFormat::WordOnly,
        ];
        let absences = (0..random.below(3))
            .map(|_| Absence {
                at_ms: START_MS + random.between(0, 200_000),
                duration_ms: random.between(1_000, 120_000),
                loses_power: random.chance(500),
            })
            .collect();
        let dialect = *random.pick(&[None, None, Some(Dialect::Map), Some(Dialect::Map), Some(Dialect::Atlas)]);
        let state_shadow = match dialect {
            // Both dialects in one shadow.
            Some(Dialect::Atlas) if random.chance(600) => Some(StateShadow::Classic),
            _ if random.chance(300) => {
                Some(*random.pick(&[StateShadow::Config, StateShadow::Config, StateShadow::Classic]))
            }
            _ => None,
        };
        Self {
            name: format!("pump-{seed}-{number}"),
            group: None,
            report_format: *random.pick(&formats),
            dialect,
            reports_in_shadow: random.chance(500),
            state_shadow,
            clock_skew_ms: random.between(-CLOCK_TOLERANCE_MS, CLOCK_TOLERANCE_MS),
            sends_progress: *random.pick(&[0, 500, 1000]),
            succeeds: *random.pick(&[0, 500, 1000, 1000]),
            rejects: *random.pick(&[0, 0, 300]),
            omits_final_report: *random.pick(&[0, 0, 300]),
            max_run_ms: *random.pick(&[100, 5_000, 60_000, 400_000]),
            absences,
        }
    }
}
