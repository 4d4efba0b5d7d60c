//! Reroutes a request through a shadow, because its device is not connected.

use crate::actor::Actor;
use crate::execution::change::{Change, Effect, Reroute};
use crate::execution::channel::Channel;
use crate::execution::create::lane_of;
use crate::execution::row::Execution;
use crate::execution::send::MAX_SEND_SECONDS;
use crate::execution::shadow_expiry::in_shadow_until;
use crate::messages::shadow::route::ShadowRoute;
use crate::status::DeliveryStatus;
use crate::timestamp::Timestamp;

impl Execution {
    /// Reroutes the request through a shadow. None if it goes through a shadow already; if the shadow needs a lane of
    /// its own and the execution is in another; if too little of the ttl is left; or if the device may have the
    /// request and would not recognize it in the shadow.
    pub fn reroute(&self, route: &ShadowRoute, now: Timestamp, actor: Actor) -> Option<Change> {
        let channel = Channel::Shadow(route.clone());
        let own_lane = lane_of(&channel);
        let late = now.seconds_until(self.start_by) < route.min_ttl_seconds();
        let elsewhere = self.channel.shadow().is_some() || (own_lane.is_some() && self.lane.is_some());
        // Only the dialect `map` names the execution: a device of another dialect would run the request a second
        // time.
        let again = self.may_be_delivered() && !matches!(route, ShadowRoute::Map(_));
        if self.overdue_verdict(now).is_some() || elsewhere || late || again {
            return None;
        }
        let start_by = in_shadow_until(self.start_by, now);
        let lane = self.lane.clone().or(own_lane);
        let history_entry = self.send_entry(now, "PENDING", actor, &channel);
        let next_send_at = now.plus_seconds(MAX_SEND_SECONDS);
        let reroute = Box::new(Reroute { channel, start_by, next_send_at, lane });
        let mut change = self.tried(DeliveryStatus::Pending, Effect::Rerouted(reroute));
        change.history_entry = history_entry;
        change.due = self.due_after(&change, now);
        Some(change)
    }
}
