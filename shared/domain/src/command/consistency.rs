//! Which fields of a definition go together: checked once, when a command is created.

use crate::command::definition::Definition;
use crate::command::delivery::Delivery;
use crate::fleet::target::Target;

/// Two fields of a definition that contradict each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DefinitionError {
    /// A broadcast that a rollout or a schedule would split up.
    #[error(
        "a broadcast is one message to all things at once: leave rollout and schedule out, or choose another delivery"
    )]
    PacedBroadcast,
    /// A broadcast in a lane.
    #[error(
        "a broadcast is one message to all things, and a lane belongs to one thing: leave it out, or choose another \
         delivery"
    )]
    LaneOfBroadcast,
    /// A broadcast with a retry.
    #[error("a broadcast goes out once: leave retry out, or choose another delivery")]
    RetryOfBroadcast,
    /// The delivery is `broadcast`, and its topic and spread are missing.
    #[error("delivery broadcast needs the topic of the broadcast")]
    BroadcastWithoutTopic,
    /// A shadow is named, and the delivery is not `shadow`.
    #[error("shadow names the shadow of delivery shadow: choose that delivery, or leave shadow out")]
    ShadowWithoutDelivery,
    /// A raw request in a broadcast or a shadow.
    #[error(
        "a raw request goes to one thing in a message of its own, and a broadcast or a shadow has to name its command: \
         choose delivery topic, direct or auto, or leave format out"
    )]
    RawWithoutMessage,
    /// A topic for a broadcast or a shadow.
    #[error(
        "topic is where one thing receives a message: leave it out with delivery shadow or broadcast, or choose delivery \
         topic, direct or auto"
    )]
    TopicWithoutMessage,
    /// `supersede` without a lane.
    #[error("supersede cancels the executions that wait in a lane: name a lane, or leave supersede out")]
    SupersedeWithoutLane,
}

impl DefinitionError {
    /// The field that is reported as wrong.
    pub const fn field(self) -> &'static str {
        match self {
            Self::PacedBroadcast => "delivery",
            Self::LaneOfBroadcast => "lane",
            Self::RetryOfBroadcast => "retry",
            Self::BroadcastWithoutTopic => "broadcast",
            Self::ShadowWithoutDelivery => "shadow",
            Self::RawWithoutMessage => "format",
            Self::TopicWithoutMessage => "topic",
            Self::SupersedeWithoutLane => "supersede",
        }
    }
}

impl Definition {
    /// Checks that no two fields contradict each other. Whether the channel can carry the command is checked by
    /// [`Command::check_channel`](crate::Command::check_channel).
    ///
    /// # Errors
    /// The first contradiction found.
    pub fn check(&self) -> Result<(), DefinitionError> {
        let broadcast = self.delivery == Delivery::Broadcast;
        let fleet = self.target.fleet();
        let has_message = !matches!(self.delivery, Delivery::Broadcast | Delivery::Shadow);
        let is_raw = self.form.raw.is_some();
        let found = [
            (is_raw && !has_message, DefinitionError::RawWithoutMessage),
            (self.form.topic.is_some() && !has_message, DefinitionError::TopicWithoutMessage),
            (broadcast && fleet.is_some_and(|fleet| !fleet.is_immediate()), DefinitionError::PacedBroadcast),
            (broadcast && self.lane.is_some(), DefinitionError::LaneOfBroadcast),
            (broadcast && self.retry.is_some(), DefinitionError::RetryOfBroadcast),
            (broadcast && fleet.is_none_or(|fleet| fleet.broadcast.is_none()), DefinitionError::BroadcastWithoutTopic),
            (self.shadow.is_some() && self.delivery != Delivery::Shadow, DefinitionError::ShadowWithoutDelivery),
            (self.supersede && self.lane.is_none(), DefinitionError::SupersedeWithoutLane),
        ];
        found.into_iter().find_map(|(contradicts, error)| contradicts.then_some(error)).map_or(Ok(()), Err)
    }

    /// Whether the thing's own declaration says in which shadow it takes the command, because the caller names none.
    pub fn needs_declared_shadow(&self) -> bool {
        self.delivery == Delivery::Shadow && self.shadow.is_none()
    }
}

impl Delivery {
    /// The delivery of a command whose caller names none: a fleet gets one publish per thing, which needs no answer.
    pub fn default_for(target: &Target) -> Self {
        match target {
            Target::Thing(_) => Self::Auto,
            Target::Fleet(_) => Self::Topic,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::command::lane::{Lane, LaneName, OnFailure};
    use crate::command::retry::{Retry, RetryOptions};
    use crate::execution::fixtures::command;
    use crate::fleet::broadcast::Broadcast;
    use crate::fleet::schedule::config::Schedule;
    use crate::fleet::selection::Selection;
    use crate::fleet::target::Fleet;
    use crate::messages::shadow::route::ShadowRoute;
    use crate::names::GroupName;
    use crate::timestamp::Timestamp;

    fn lane() -> Option<Lane> {
        Some(Lane { name: LaneName::parse("valve").unwrap(), on_failure: OnFailure::Stop })
    }

    fn one_thing(delivery: Delivery) -> Definition {
        command(delivery, None).definition
    }

    fn broadcast() -> Definition {
        let groups = vec![GroupName::parse("sirens").unwrap()];
        let selection = Selection::new(&[], groups, None, &[]);
        let broadcast = Broadcast::new(None, &selection, None, 60, None).ok();
        let (rollout, schedule, abort) = Default::default();
        let fleet = Fleet { selection, rollout, schedule, abort, broadcast };
        Definition { target: Target::Fleet(Box::new(fleet)), ..one_thing(Delivery::Broadcast) }
    }

    #[test]
    fn contradicting_fields_are_refused_by_name() {
        let mut paced = broadcast();
        if let Target::Fleet(fleet) = &mut paced.target {
            fleet.schedule = Schedule { not_before: Some(Timestamp::from_seconds(1)), ..Schedule::default() };
        }
        let mut without_topic = broadcast();
        if let Target::Fleet(fleet) = &mut without_topic.target {
            fleet.broadcast = None;
        }
        let retry = Retry::new(&RetryOptions { wait: Some(10), ..RetryOptions::default() }, 60).ok();
        for (definition, field) in [
            (paced, "delivery"),
            (Definition { lane: lane(), ..broadcast() }, "lane"),
            (Definition { retry, ..broadcast() }, "retry"),
            (without_topic, "broadcast"),
            (Definition { shadow: Some(ShadowRoute::Atlas), ..one_thing(Delivery::Direct) }, "shadow"),
            (Definition { supersede: true, ..one_thing(Delivery::Direct) }, "supersede"),
        ] {
            assert_eq!(definition.check().unwrap_err().field(), field, "{definition:?}");
        }
        for definition in [
            one_thing(Delivery::Auto),
            broadcast(),
            Definition { shadow: Some(ShadowRoute::Atlas), ..one_thing(Delivery::Shadow) },
            Definition { lane: lane(), supersede: true, retry, ..one_thing(Delivery::Topic) },
        ] {
            assert_eq!(definition.check(), Ok(()), "{definition:?}");
        }
    }

    #[test]
    fn only_a_shadow_delivery_without_a_shadow_needs_the_declaration() {
        assert!(one_thing(Delivery::Shadow).needs_declared_shadow());
        let named = Definition { shadow: Some(ShadowRoute::Atlas), ..one_thing(Delivery::Shadow) };
        assert!(!named.needs_declared_shadow());
        assert!(!one_thing(Delivery::Auto).needs_declared_shadow());
    }

    #[test]
    fn default_delivery_depends_on_the_target() {
        assert_eq!(Delivery::default_for(&one_thing(Delivery::Direct).target), Delivery::Auto);
        assert_eq!(Delivery::default_for(&broadcast().target), Delivery::Topic);
    }
}
