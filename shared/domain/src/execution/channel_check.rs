//! Whether a channel can carry a command: checked before anything is stored.

use crate::command::failure::AttemptFailure;
use crate::command::row::Command;
use crate::execution::channel::Channel;
use crate::execution::row::Execution;
use crate::execution::shadow_expiry::SHADOW_CUT_SECONDS;
use crate::messages::shadow::error::ShadowError;
use crate::messages::shadow::route::ShadowRoute;
use crate::names::ThingName;
use crate::timestamp::Timestamp;

/// Why a channel cannot carry a command. Only shadows have such limits.
#[derive(Debug, thiserror::Error)]
pub enum ChannelError {
    /// The command names a lane, and executions in this shadow have a lane of their own.
    #[error("shadow {0} has a lane of its own: leave lane out, or choose another shadow or delivery")]
    OwnLane(ShadowRoute),
    /// The shadow could not be cleaned up before the ttl ends, and its device would execute an expired command.
    #[error(
        "a command in shadow {route} needs a ttl of at least {min_ttl_seconds} seconds: its device cannot tell how old \
         a command is, and executes any that it finds"
    )]
    TtlTooShort {
        /// The shadow.
        route: ShadowRoute,
        /// The shortest ttl that is accepted.
        min_ttl_seconds: u32,
    },
    /// A missing response would be noticed only when the time in the shadow is over.
    #[error(
        "retry.wait must be less than the time that a request is in a shadow, where retry.on names NO_RESPONSE: it is \
         removed {SHADOW_CUT_SECONDS} seconds before its ttl ends, after {left} seconds, and {wait} is not less"
    )]
    WaitBeyondTtl {
        /// The refused wait, in seconds.
        wait: u32,
        /// How long the request is in the shadow, in seconds.
        left: u32,
    },
    /// The shadow cannot hold the payload.
    #[error(transparent)]
    Payload(#[from] ShadowError),
}

impl ChannelError {
    /// The field of the command that is reported as wrong.
    pub const fn field(&self) -> &'static str {
        match self {
            Self::OwnLane(_) => "lane",
            Self::TtlTooShort { .. } => "ttl",
            Self::WaitBeyondTtl { .. } => "retry.wait",
            Self::Payload(_) => "payload",
        }
    }
}

impl Command {
    /// Checks that `channel` can carry this command to `thing`.
    ///
    /// # Errors
    /// The lane, the ttl or the payload does not go with the shadow of the channel.
    pub fn check_channel(&self, thing: &ThingName, channel: &Channel, now: Timestamp) -> Result<(), ChannelError> {
        let Some(route) = channel.shadow() else { return Ok(()) };
        if self.definition.lane.is_some() && !matches!(route, ShadowRoute::Map(_)) {
            return Err(ChannelError::OwnLane(route.clone()));
        }
        let min_ttl_seconds = route.min_ttl_seconds();
        if self.definition.deadlines.ttl_seconds() < min_ttl_seconds {
            return Err(ChannelError::TtlTooShort { route: route.clone(), min_ttl_seconds });
        }
        let row = Execution::create(self, thing, channel.clone());
        let left = row.created_at.seconds_until(row.start_by);
        if let Some(retry) = self.definition.retry.filter(|retry| retry.names(AttemptFailure::NoResponse))
            && retry.wait_seconds() >= left
        {
            return Err(ChannelError::WaitBeyondTtl { wait: retry.wait_seconds(), left });
        }
        route.delivery_update(self, &row, now)?;
        Ok(())
    }

    /// Checks the channel of a fleet command. Its things are not known yet, and a thing that declares another shadow
    /// is checked when its request is sent.
    ///
    /// # Errors
    /// See [`Command::check_channel`].
    pub fn check_fleet_channel(&self, now: Timestamp) -> Result<(), ChannelError> {
        // No limit depends on the thing's name.
        let Ok(thing) = ThingName::parse("thing") else { return Ok(()) };
        self.check_channel(&thing, &Channel::of(self, None), now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::command::deadlines::Deadlines;
    use crate::command::delivery::Delivery;
    use crate::command::lane::{Lane, LaneName, OnFailure};
    use crate::command::payload::Payload;
    use crate::command::retry::{Retry, RetryOptions};
    use crate::execution::fixtures::{CREATED_AT, command, thing};
    use crate::names::ShadowName;

    fn refused_field(command: &Command, channel: &Channel) -> Option<&'static str> {
        let checked = command.check_channel(&thing(), channel, CREATED_AT);
        checked.err().map(|error| error.field())
    }

    #[test]
    fn only_the_map_dialect_accepts_a_lane() {
        let mut laned = command(Delivery::Shadow, None);
        laned.definition.payload = Payload::parse(r#"{"light":"on"}"#).ok();
        laned.definition.lane = Some(Lane { name: LaneName::parse("valve").unwrap(), on_failure: OnFailure::Stop });
        for (route, field) in [
            (ShadowRoute::Atlas, Some("lane")),
            (ShadowRoute::State(None), Some("lane")),
            (ShadowRoute::Map(ShadowName::commands()), None),
        ] {
            assert_eq!(refused_field(&laned, &Channel::Shadow(route.clone())), field, "{route}");
        }
        assert_eq!(refused_field(&laned, &Channel::Direct), None);
    }

    #[test]
    fn atlas_needs_a_ttl_that_leaves_time_for_the_clean_up() {
        let atlas = Channel::Shadow(ShadowRoute::Atlas);
        for (ttl, refused) in [(10, None), (9, Some("ttl"))] {
            let mut command = command(Delivery::Shadow, None);
            command.definition.deadlines = Deadlines::new(Some(ttl), None, None).unwrap();
            assert_eq!(refused_field(&command, &atlas), refused, "{ttl}");
            assert_eq!(refused_field(&command, &Channel::Shadow(ShadowRoute::default())), None);
        }
    }

    #[test]
    fn a_wait_that_is_longer_than_the_time_in_a_shadow_is_refused() {
        let shadow = Channel::Shadow(ShadowRoute::default());
        for (wait, refused) in [(54, None), (55, Some("retry.wait")), (59, Some("retry.wait"))] {
            let mut command = command(Delivery::Shadow, None);
            let options = RetryOptions { wait: Some(wait), ..RetryOptions::default() };
            command.definition.retry = Some(Retry::new(&options, 60).unwrap());
            assert_eq!(refused_field(&command, &shadow), refused, "{wait}");
            assert_eq!(refused_field(&command, &Channel::Topic), None, "{wait}: the whole ttl is left");
            let options = RetryOptions { on: Some(vec!["FAILED"]), ..options };
            command.definition.retry = Some(Retry::new(&options, 60).unwrap());
            assert_eq!(refused_field(&command, &shadow), None, "{wait}: no response is not retried");
        }
    }

    #[test]
    fn payload_that_the_shadow_cannot_hold_is_refused_for_things_and_fleets() {
        let mut command = command(Delivery::Shadow, None);
        command.definition.payload = Payload::parse("7").ok();
        command.definition.shadow = Some(ShadowRoute::State(None));
        assert_eq!(refused_field(&command, &Channel::of(&command, None)), Some("payload"));
        let of_fleet = command.check_fleet_channel(CREATED_AT);
        assert_eq!(of_fleet.err().map(|error| error.field()), Some("payload"));
        assert_eq!(refused_field(&command, &Channel::Topic), None);
    }
}
