//! The definition of a command: what the caller asked for, validated.

use crate::command::deadlines::Deadlines;
use crate::command::delivery::Delivery;
use crate::command::lane::Lane;
use crate::command::payload::Payload;
use crate::command::request_form::RequestForm;
use crate::command::retry::Retry;
use crate::fleet::target::Target;
use crate::messages::shadow::route::ShadowRoute;
use crate::names::CommandName;

/// What the caller asks one thing, or a fleet, to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definition {
    /// The operation that the device executes.
    pub name: CommandName,
    /// The arguments of the operation. None where the request is raw.
    pub payload: Option<Payload>,
    /// What its requests look like.
    pub form: RequestForm,
    /// The thing or the fleet.
    pub target: Target,
    /// How requests reach the devices.
    pub delivery: Delivery,
    /// The shadow and its dialect, where the caller names them.
    pub shadow: Option<ShadowRoute>,
    /// Ttl, timeout and heartbeat.
    pub deadlines: Deadlines,
    /// When a failed attempt is retried; none: never.
    pub retry: Option<Retry>,
    /// The queue of its thing that the command joins.
    pub lane: Option<Lane>,
    /// Whether it cancels the executions of its lane that were never sent.
    pub supersede: bool,
}
