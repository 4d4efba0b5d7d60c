//! `POST /commands`: stored first, then sent. A request that is repeated goes on where the first one stopped: at once when
//! the device is known not to have it, or when it is the very same event; after ten seconds when nobody wrote how the first
//! one went, since until then that one may still be sending. Otherwise it answers how the execution stands. A device that is
//! sent the same request twice knows it by its execution id.

use std::{
    pin::{Pin, pin},
    time::Duration,
};

use crate::failure::chain;
use aws::{Acknowledgement, Advanced, Error, Put};
use domain::{Change, Command, CommandId, Definition, Delivery, DeliveryStatus, Execution, Fingerprint, Timestamp};
use tokio::time::{Sleep, sleep};

use super::{
    body,
    handler::Cloud,
    http::{Request, Response},
    problem::Problem,
    view::Created,
};

/// What is asked for.
#[derive(Debug)]
pub struct Order {
    id: CommandId,
    definition: Definition,
    at: Timestamp,
    wait: Duration,
}

/// What this request asks for.
pub fn decode(request: &Request) -> Result<Order, Problem> {
    let [] = request.query([])?;
    let id = match request.header("idempotency-key") {
        Some(token) => CommandId::from_token(request.caller(), valid_token(token)?),
        None => CommandId::from_request(request.at(), request.id()),
    };
    let (definition, wait) = body::decode(&request.body()?)?;
    Ok(Order { id, definition, at: request.at(), wait })
}

fn valid_token(token: &str) -> Result<&str, Problem> {
    let right = (1..=255).contains(&token.len()) && token.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    let wrong =
        || Problem::bad_request("Idempotency-Key", "Idempotency-Key must be 1 to 255 printable ASCII characters");
    right.then_some(token).ok_or_else(wrong)
}

/// Does it, and answers how far it has come.
pub async fn create(cloud: &Cloud, order: Order) -> Result<Response, Problem> {
    let Order { id, definition, at: now, wait } = order;
    let fingerprint = Fingerprint::of(&definition);
    // What delivery takes counts as waiting too: API Gateway does not wait longer for the two of them.
    let patience = pin!(sleep(wait));
    let asked = Command { id, definition, created_at: now, fingerprint };
    let command = match cloud.commands.put_new(&asked).await? {
        Put::Stored => asked,
        Put::Exists(first) if first.fingerprint == asked.fingerprint => *first,
        Put::Exists(_) => {
            return Err(Problem::conflict(
                "Idempotency-Key",
                "this Idempotency-Key belongs to a command that was asked for with another body",
            ));
        }
    };
    let mut execution = Execution::create(&command);
    let unsent = match cloud.executions.put_new(&execution).await? {
        Put::Stored => !execution.observe(now).is_terminal(),
        Put::Exists(row) => {
            execution = *row;
            execution.is_to_be_sent(now)
        }
    };
    if unsent {
        execution = deliver(cloud, &command, execution, now).await?;
    }
    let execution =
        if wait.is_zero() { execution.observe(now) } else { outcome_within(cloud, execution, now, patience).await? };
    let status = if execution.is_terminal() { 200 } else { 202 };
    let answer = Response::json(status, &Created::new(&command, &execution));
    Ok(answer.with("location", format!("/commands/{}", command.id)))
}

/// Sends the request, and writes what is known of it. A message that could not be sent is no error of the command's: it is
/// PENDING where it was refused, SENT where nobody knows, and so it is answered.
async fn deliver(cloud: &Cloud, command: &Command, execution: Execution, now: Timestamp) -> Result<Execution, Problem> {
    let request = domain::Request::new(command, &execution, now).map_err(|error| {
        tracing::error!(%error, "a request could not be written");
        Problem::internal()
    })?;
    let change = match command.definition.delivery {
        Delivery::Direct | Delivery::Auto => {
            match cloud.messages.send_direct(&execution.key.thing, &request).await {
                Ok(Acknowledgement::Delivered) => Some(execution.delivered(now)),
                // It is queued already, from an earlier try: nothing has changed.
                Ok(Acknowledgement::NotConnected) if execution.delivery_status == DeliveryStatus::Queued => None,
                Ok(Acknowledgement::NotConnected) => Some(execution.queued()),
                Ok(Acknowledgement::Missing) => Some(execution.unacknowledged()),
                Err(error) => failed(&execution, &error),
            }
        }
        Delivery::Topic => match cloud.messages.publish_request(&request).await {
            Ok(()) if execution.delivery_status == DeliveryStatus::Sent => None,
            Ok(()) => Some(execution.unacknowledged()),
            Err(error) => failed(&execution, &error),
        },
    };
    let Some(change) = change else { return Ok(execution) };
    Ok(match cloud.executions.advance(&change).await? {
        Advanced::Written => execution.apply(&change).unwrap_or(execution),
        // The device was faster.
        Advanced::OldNews(row) => *row,
        Advanced::Unknown => execution,
    })
}

fn failed(execution: &Execution, error: &Error) -> Option<Change> {
    let refused = error.is_refusal();
    tracing::warn!(error = chain(error), refused, "a request could not be sent");
    execution.sending_failed(refused)
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
