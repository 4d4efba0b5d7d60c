//! `Target`: the one thing or the fleet that a command is for, and how a fleet command is rolled out.

use crate::fleet::abort::criteria::Abort;
use crate::fleet::broadcast::Broadcast;
use crate::fleet::rollout::config::Rollout;
use crate::fleet::schedule::config::Schedule;
use crate::fleet::selection::Selection;
use crate::names::ThingName;

/// The things that a command is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// One thing.
    Thing(ThingName),
    /// A selection of things, which may turn out to be one or none.
    Fleet(Box<Fleet>),
}

/// The things of a fleet command, and how it is rolled out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fleet {
    /// Which things.
    pub selection: Selection,
    /// At which rate, and in which order.
    pub rollout: Rollout,
    /// At which times.
    pub schedule: Schedule,
    /// With how many failures the command pauses or cancels itself.
    pub abort: Abort,
    /// The one message for all things, if the command is delivered by broadcast.
    pub broadcast: Option<Broadcast>,
}

impl Target {
    /// The thing of a command for one thing.
    pub fn thing(&self) -> Option<&ThingName> {
        match self {
            Self::Thing(thing) => Some(thing),
            Self::Fleet(_) => None,
        }
    }

    /// The fleet of a fleet command.
    pub fn fleet(&self) -> Option<&Fleet> {
        match self {
            Self::Thing(_) => None,
            Self::Fleet(fleet) => Some(fleet),
        }
    }
}

impl Fleet {
    /// Whether each batch may be sent as soon as it is planned: no rate, no canary, no waves and no schedule.
    pub fn is_immediate(&self) -> bool {
        self.rollout.is_immediate() && self.schedule == Schedule::default()
    }
}
