//! Whether a channel can carry a command: checked before anything is stored.

use crate::command::row::Command;
use crate::execution::channel::Channel;
use crate::execution::row::Execution;
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
            Self::Payload(_) => "payload",
        }
    }
}

impl Command {
    /// Checks that `channel` can carry this command to `thing`. `tick_seconds` is the interval of the reconciler,
    /// which cleans up shadows.
    ///
    /// # Errors
    /// The lane, the ttl or the payload does not go with the shadow of the channel.
    pub fn check_channel(
        &self,
        thing: &ThingName,
        channel: &Channel,
        tick_seconds: u32,
        now: Timestamp,
    ) -> Result<(), ChannelError> {
        let Some(route) = channel.shadow() else { return Ok(()) };
        if self.definition.lane.is_some() && !matches!(route, ShadowRoute::Map(_)) {
            return Err(ChannelError::OwnLane(route.clone()));
        }
        let min_ttl_seconds = route.min_ttl_seconds(tick_seconds);
        if self.definition.deadlines.ttl_seconds() < min_ttl_seconds {
            return Err(ChannelError::TtlTooShort { route: route.clone(), min_ttl_seconds });
        }
        let row = Execution::create(self, thing, channel.clone(), tick_seconds);
        route.delivery_update(self, &row, now)?;
        Ok(())
    }

    /// Checks the channel of a fleet command. Its things are not known yet, and a thing that declares another shadow
    /// is checked when its request is sent.
    ///
    /// # Errors
    /// See [`Command::check_channel`].
    pub fn check_fleet_channel(&self, tick_seconds: u32, now: Timestamp) -> Result<(), ChannelError> {
        // No limit depends on the thing's name.
        let Ok(thing) = ThingName::parse("thing") else { return Ok(()) };
        self.check_channel(&thing, &Channel::of(self, None), tick_seconds, now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::command::delivery::Delivery;
    use crate::command::lane::{Lane, LaneName, OnFailure};
    use crate::command::payload::Payload;
    use crate::execution::fixtures::{CREATED_AT, command, thing};
    use crate::names::ShadowName;

    const TICK_SECONDS: u32 = 20;

    fn refused_field(command: &Command, channel: &Channel) -> Option<&'static str> {
        let checked = command.check_channel(&thing(), channel, TICK_SECONDS, CREATED_AT);
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
        // The ttl of the fixture is 60 seconds; the dialect needs twice the tick and ten seconds.
        let command = command(Delivery::Shadow, None);
        let atlas = Channel::Shadow(ShadowRoute::Atlas);
        for (tick_seconds, refused) in [(25, false), (26, true)] {
            let checked = command.check_channel(&thing(), &atlas, tick_seconds, CREATED_AT);
            assert_eq!(checked.is_err_and(|error| error.field() == "ttl"), refused, "{tick_seconds}");
        }
        assert!(command.check_channel(&thing(), &Channel::Shadow(ShadowRoute::default()), 3600, CREATED_AT).is_ok());
    }

    #[test]
    fn payload_that_the_shadow_cannot_hold_is_refused_for_things_and_fleets() {
        let mut command = command(Delivery::Shadow, None);
        command.definition.payload = Payload::parse("7").ok();
        command.definition.shadow = Some(ShadowRoute::State(None));
        assert_eq!(refused_field(&command, &Channel::of(&command, None)), Some("payload"));
        let of_fleet = command.check_fleet_channel(TICK_SECONDS, CREATED_AT);
        assert_eq!(of_fleet.err().map(|error| error.field()), Some("payload"));
        assert_eq!(refused_field(&command, &Channel::Topic), None);
    }
}
