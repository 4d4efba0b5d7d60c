//! `PATCH /commands/{commandId}`: changes the rate of a fleet command that is being rolled out. The record of the write
//! in the stream of commands starts fan-out-command, which releases at the new rate from then on.

use domain::{
    Actor, CommandId, Target,
    fleet::{NewRate, RateChangeError},
};
use runtime::conflict::ConflictRetries;
use runtime::event_calls::Driver;

use super::show::FleetSnapshot;
use crate::command_api::{
    change_body::take_why,
    create_body::{RATE, decode_rate, take_rollout},
    fields::Fields,
    problem::Problem,
    request::Request,
    response::Response,
    stored_command,
};

/// A change of the rate.
#[derive(Debug)]
pub struct ChangeRate {
    command: CommandId,
    rate: NewRate,
    actor: Actor,
    why: Option<String>,
}

impl ChangeRate {
    /// Decodes a request. Its body has the new rate, and may say why.
    pub fn decode(command: CommandId, request: &Request) -> Result<Self, Problem> {
        let [] = request.query([])?;
        let body = request.body()?;
        let mut fields = Fields::of_body(&body)?;
        let rollout = take_rollout(&mut fields, RATE)?;
        let why = take_why(&mut fields)?;
        fields.refuse_unknown("rollout, why")?;
        let missing =
            || Problem::bad_request("rollout", format!("rollout is missing: it must be an object such as {RATE}"));
        let (name, value) = rollout.ok_or_else(missing)?;
        Ok(Self { command, rate: decode_rate(name, value)?, actor: request.actor(), why })
    }
}

/// Changes the rate, and answers with the command.
pub async fn change_rate(driver: &Driver<'_>, change: ChangeRate) -> Result<Response, Problem> {
    let ChangeRate { command: id, rate, actor, why } = change;
    let (clients, now) = (driver.calls.clients, driver.event_time());
    let mut retries = ConflictRetries::new("changing the rate of a command", id.clone());
    loop {
        let mut command = stored_command::read(clients, &id).await?;
        if command.definition.target.fleet().is_none() {
            return Err(RateChangeError::OneThing.into());
        }
        let snapshot = FleetSnapshot::read(clients, &command).await?;
        let current = snapshot.state(&command, now)?;
        // An earlier request may have made the same change, and its answer was lost.
        let Some(change) = command.change_rate(&rate, current, now, actor.clone(), why.clone())? else {
            return snapshot.show(&command, now);
        };
        if clients.commands.write_rate(&id, &change).await? {
            command.audit.push(change.entry);
            if let Target::Fleet(fleet) = &mut command.definition.target {
                fleet.rollout = change.rollout;
            }
            let snapshot = FleetSnapshot::read(clients, &command).await?;
            snapshot.publish(clients, &command, now).await?;
            return snapshot.show(&command, now);
        }
        retries.wait().await?;
    }
}
