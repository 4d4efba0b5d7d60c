//! `POST /commands`: stored first, then sent. A request that is repeated goes on where the first one stopped: at once when
//! the device is known not to have it, or when it is the very same event; after ten seconds when nobody wrote how the first
//! one went, since until then that one may still be sending. Otherwise it answers how the execution stands. A device that is
//! sent the same request twice knows it by its execution id.

use std::{
    pin::{Pin, pin},
    time::Duration,
};

use aws::Put;
use domain::{
    By, Command, CommandId, Control, Delivery, Execution, Fingerprint, ShadowName, ShadowRoute, Target, ThingName,
    Timestamp, Via,
};
use tokio::time::{Sleep, sleep};

use super::{
    body::{self, Asked},
    fleet,
    handler::Site,
    http::{Request, Response},
    problem::Problem,
    view::Created,
};
use crate::{cloud::Cloud, failure::chain, lane::Place, send::Unfit, turn::Turn};

/// What is asked for.
#[derive(Debug)]
pub struct Order {
    id: CommandId,
    asked: Asked,
    at: Timestamp,
    by: By,
}

/// What this request asks for.
pub fn decode(request: &Request, broadcast_topic: Option<&str>) -> Result<Order, Problem> {
    let [] = request.query([])?;
    let id = match request.header("idempotency-key") {
        Some(token) => CommandId::from_token(request.caller(), valid_token(token)?),
        None => CommandId::from_request(request.at(), request.id()),
    };
    let asked = body::decode(&request.body()?, broadcast_topic)?;
    Ok(Order { id, asked, at: request.at(), by: request.by() })
}

fn valid_token(token: &str) -> Result<&str, Problem> {
    let right = (1..=255).contains(&token.len()) && token.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    let wrong =
        || Problem::bad_request("Idempotency-Key", "Idempotency-Key must be 1 to 255 printable ASCII characters");
    right.then_some(token).ok_or_else(wrong)
}

/// Does it, and answers how far it has come.
pub async fn create(turn: &Turn<'_>, site: &Site, order: Order) -> Result<Response, Problem> {
    let Order { id, asked: Asked { definition, names, wait, dry_run }, at: now, by } = order;
    let fingerprint = Fingerprint::of(&definition);
    let control = Control::default();
    // What delivery takes counts as waiting too: API Gateway does not wait longer for the two of them.
    let patience = pin!(sleep(wait));
    let asked = Command { id, definition, created_at: now, created_by: by, fingerprint, control };
    let thing = match &asked.definition.target {
        Target::Thing(thing) => thing.clone(),
        // In a box, since not every request has to make room for it.
        Target::Fleet(_) => return Box::pin(fleet::create(turn, site, asked, names, dry_run)).await,
    };
    let via = way(turn, &asked, &thing).await?;
    let command = match turn.cloud.commands.put_new(&asked).await? {
        Put::Stored => asked,
        Put::Exists(first) if first.fingerprint == asked.fingerprint => *first,
        Put::Exists(_) => {
            return Err(Problem::conflict(
                "Idempotency-Key",
                "this Idempotency-Key belongs to a command that was asked for with another body",
            ));
        }
    };
    let row = Execution::create(&command, &thing, via, turn.cloud.tick);
    let execution = match turn.cloud.executions.put_new(&row).await? {
        Put::Stored if row.observe(now).is_terminal() => row,
        Put::Stored => first(turn, &command, row).await?,
        Put::Exists(row) => again(turn, &command, *row).await?,
    };
    let execution = match wait.is_zero() {
        true => execution.observe(now),
        false => outcome_within(turn.cloud, execution, now, patience).await?,
    };
    let status = if execution.is_terminal() { 200 } else { 202 };
    let answer = Response::json(status, &Created::new(&command, &execution, now));
    Ok(answer.with("location", format!("/commands/{}", command.id)))
}

/// The way that it goes, once it is known to fit it.
async fn way(turn: &Turn<'_>, command: &Command, thing: &ThingName) -> Result<Via, Problem> {
    let definition = &command.definition;
    let declared = match (definition.delivery, &definition.shadow) {
        (Delivery::Shadow, None) => {
            let document = turn.cloud.shadows.get(thing, Some(&ShadowName::commands())).await?;
            document.as_deref().map(ShadowRoute::declared)
        }
        _ => None,
    };
    let via = Via::of(command, declared);
    fits(turn, command, thing, &via)?;
    Ok(via)
}

/// Whether it fits the way that it goes.
pub fn fits(turn: &Turn<'_>, command: &Command, thing: &ThingName, via: &Via) -> Result<(), Problem> {
    let definition = &command.definition;
    if let Some(route) = via.shadow() {
        if definition.lane.is_some() && !matches!(route, ShadowRoute::Map(_)) {
            return Err(Problem::unprocessable("lane", format!("what goes through {route} has a lane of its own")));
        }
        let least = route.least_ttl(turn.cloud.tick);
        if definition.deadlines.ttl() < least {
            let why = "its device can't tell how old a command is, and finds it as long as it is there";
            return Err(Problem::unprocessable(
                "ttl",
                format!("what goes through {route} needs a ttl of {least} seconds here: {why}"),
            ));
        }
        let row = Execution::create(command, thing, via.clone(), turn.cloud.tick);
        route.delivery(command, &row, turn.now).map_err(|error| unfit(Unfit::NotForShadows(error)))?;
    }
    Ok(())
}

/// Sends what has just been stored. Nothing is left of what its shadow does not take.
async fn first(turn: &Turn<'_>, command: &Command, row: Execution) -> Result<Execution, Problem> {
    let place = if row.in_lane { turn.enter_lane(&row, command).await? } else { Place::First };
    let sent = match (place, row.in_lane) {
        (Place::Full, _) => {
            undo(turn, command, &row).await?;
            return Err(full());
        }
        (Place::Behind, _) => return Ok(row),
        (Place::First, true) => match turn.claim(row.clone()).await? {
            Some(row) => turn.send(row, command).await?,
            // Whoever left the lane last has; or it has ended meanwhile, and is in nobody's way.
            None => {
                let row = turn.read(&row.key).await?.unwrap_or(row);
                if row.is_terminal() && !row.in_lane {
                    turn.leave_lane(&row).await?;
                }
                return Ok(row);
            }
        },
        (Place::First, false) => turn.send_first(row, command).await?,
    };
    match sent.refused {
        Some(refused) if sent.row.via.shadow().is_some() && command.definition.delivery == Delivery::Shadow => {
            undo(turn, command, &sent.row).await?;
            Err(unfit(refused))
        }
        _ => Ok(sent.row),
    }
}

/// Goes on where an earlier request stopped: see above.
async fn again(turn: &Turn<'_>, command: &Command, row: Execution) -> Result<Execution, Problem> {
    if row.waits_in_lane() && row.is_to_be_sent(turn.now) {
        match turn.enter_lane(&row, command).await? {
            Place::First => {}
            Place::Behind => return Ok(row),
            Place::Full => return Err(full()),
        }
    }
    // The very same event: it goes on as the one that stored it, and needs no claim.
    let same = row.is_untouched() && row.sent_at.is_some() && turn.now == row.created_at;
    let claimed = if same { Some(row.clone()) } else { turn.claim(row.clone()).await? };
    match claimed {
        Some(row) => Ok(turn.send(row, command).await?.row),
        None => Ok(row),
    }
}

/// Takes back what was stored: first what could be sent.
async fn undo(turn: &Turn<'_>, command: &Command, row: &Execution) -> Result<(), Problem> {
    turn.cloud.executions.forget(row).await?;
    // Someone may have come in behind it.
    for ended in turn.leave_lane(row).await? {
        turn.drive(ended).await?;
    }
    turn.cloud.commands.forget(command).await?;
    Ok(())
}

fn full() -> Problem {
    let detail = format!("{} commands wait in this lane: try the same again later", domain::Queue::LONGEST);
    Problem::too_many("lane", detail)
}

fn unfit(unfit: Unfit) -> Problem {
    match unfit {
        Unfit::Full => {
            Problem::too_large("payload", "the thing's shadow is full: it holds 8 KB, desired and reported together")
        }
        Unfit::Unwritable(error) => Problem::unprocessable("payload", chain(&error)),
        Unfit::NotForShadows(error) => Problem::unprocessable("payload", chain(&error)),
        Unfit::Refused(error) => Problem::unprocessable("payload", chain(&error)),
    }
}

/// Waits until the execution has ended or patience has, if someone waits for that.
async fn outcome_within(
    cloud: &Cloud,
    mut execution: Execution,
    now: Timestamp,
    mut patience: Pin<&mut Sleep>,
) -> Result<Execution, Problem> {
    let mut waited = Duration::ZERO;
    let mut pause = Duration::from_millis(25);
    loop {
        let millis = i64::try_from(waited.as_millis()).unwrap_or(i64::MAX);
        let seen = execution.observe(Timestamp::from_millis(now.as_millis().saturating_add(millis)));
        if seen.is_terminal() || patience.is_elapsed() {
            return Ok(seen);
        }
        // Soon at first, since most devices answer at once; then ever less often, since each look costs a read.
        pause = (pause * 3 / 2).min(Duration::from_secs(1));
        tokio::select! {
            () = &mut patience => {}
            () = sleep(pause) => waited += pause,
        }
        if let Some(row) = cloud.executions.get(&execution.key).await? {
            execution = row;
        }
    }
}

#[cfg(test)]
impl Order {
    pub fn id(&self) -> &CommandId {
        &self.id
    }
}
