//! `POST /commands`: the command and its execution are stored first, then the request is sent. A repeated request goes
//! on where the first one stopped, as `domain` decides, and otherwise answers with the state of the execution.

use std::pin::pin;

use domain::{
    Actor, Channel, Command, CommandId, Control, Fingerprint, IdempotencyKey, LaneQueue, ShadowName, ShadowRoute,
    Target, ThingName, Timestamp,
};
use driver::create::CreateOutcome;
use driver::transmit::Unsendable;
use runtime::event_calls::Driver;
use runtime::handler_error::chain;
use tokio::time::sleep;

use super::{
    context::ApiContext,
    create_body::{self, CreateBody, Topics},
    fleet, known_things,
    problem::Problem,
    request::Request,
    response::Response,
    stored_command,
    view::CreatedView,
    wait::wait_for_end,
};

/// A decoded request.
#[derive(Debug)]
pub struct CreateCommand {
    id: CommandId,
    body: CreateBody,
    received_at: Timestamp,
    actor: Actor,
}

/// Decodes a request.
pub fn decode(request: &Request, topics: Topics<'_>) -> Result<CreateCommand, Problem> {
    let [] = request.query([])?;
    let id = match request.header("idempotency-key") {
        Some(key) => CommandId::from_token(request.caller(), IdempotencyKey::parse(key)?.as_str()),
        None => CommandId::from_request(request.received_at(), request.id()),
    };
    let body = create_body::decode(&request.body()?, topics)?;
    Ok(CreateCommand { id, body, received_at: request.received_at(), actor: request.actor() })
}

/// Creates a command, and answers with how far its execution has come.
pub async fn create(driver: &Driver<'_>, context: &ApiContext, create: CreateCommand) -> Result<Response, Problem> {
    let CreateCommand { id, body, received_at: now, actor } = create;
    let CreateBody { definition, names, wait, dry_run, strict } = body;
    // Started before the request is sent: API Gateway does not wait longer because the device acknowledges late.
    let time_is_up = pin!(sleep(wait));
    let (fingerprint, control) = (Fingerprint::of(&definition), Control::default());
    let audit = Vec::new();
    let command = Command { id, definition, created_at: now, created_by: actor, fingerprint, control, audit };
    let thing = match &command.definition.target {
        Target::Thing(thing) => thing.clone(),
        // Boxed, so that the future of every other request does not have to hold it.
        Target::Fleet(_) => {
            if strict {
                known_things::require(context, &names.things).await?;
            }
            return Box::pin(fleet::create(driver, context, command, names, dry_run)).await;
        }
    };
    if strict {
        known_things::require(context, std::slice::from_ref(&thing)).await?;
    }
    let channel = select_channel(driver, &command, &thing).await?;
    let (command, row) = match driver.create(command, &thing, channel).await? {
        CreateOutcome::Created(command, row) => (command, *row),
        CreateOutcome::IdTaken => return Err(stored_command::id_taken()),
        CreateOutcome::LaneFull => return Err(lane_full()),
        CreateOutcome::Unsendable(reason) => return Err(unsendable(reason)),
    };
    let execution = match wait.is_zero() {
        true => row.observe(now),
        false => wait_for_end(driver.calls.clients, row, now, time_is_up).await?,
    };
    let status = if execution.is_terminal() { 200 } else { 202 };
    let notes = if strict { None } else { known_things::note(context, &execution).await };
    let answer = Response::json(status, &CreatedView::new(&command, &execution, notes.into_iter().collect(), now));
    Ok(answer.with_header("location", format!("/commands/{}", command.id)))
}

/// The channel of the first attempt, which can carry the command.
async fn select_channel(driver: &Driver<'_>, command: &Command, thing: &ThingName) -> Result<Channel, Problem> {
    let declared = match command.definition.needs_declared_shadow() {
        true => driver.calls.clients.shadows.get(thing, Some(&ShadowName::commands())).await?,
        false => None,
    };
    let channel = Channel::of(command, declared.as_deref().map(ShadowRoute::declared));
    command.check_channel(thing, &channel, driver.event_time())?;
    Ok(channel)
}

fn lane_full() -> Problem {
    let max = LaneQueue::MAX_LENGTH;
    Problem::lane_full(format!("the lane is full, with {max} commands: send the same request again later"))
}

fn unsendable(reason: Unsendable) -> Problem {
    match reason {
        Unsendable::Full => {
            Problem::too_large("payload", "the thing's shadow is full: it holds 8 KB, desired and reported together")
        }
        Unsendable::Unwritable(error) => Problem::unprocessable("payload", chain(&error)),
        Unsendable::NotForShadows(error) => Problem::unprocessable("payload", chain(&error)),
        Unsendable::Refused(error) => Problem::unprocessable("payload", chain(&error)),
    }
}

#[cfg(test)]
impl CreateCommand {
    pub fn id(&self) -> &CommandId {
        &self.id
    }
}
