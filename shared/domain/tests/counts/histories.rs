//! The contributions of executions and of duplicates over time. Executions change by the crate's own state machine.

use domain::{
    Actor, Channel, Command, CommandId, CommandName, Contribution, Control, Deadlines, Definition, Delivery, Execution,
    Fingerprint, NextAction, Reason, Report, RequestForm, Retry, RetryOptions, Target, ThingName, Timestamp, Topic,
};
use fastrand::Rng;

const CREATED_AT: Timestamp = Timestamp::from_seconds(1_700_000_000);
const TTL_SECONDS: u32 = 60;

/// The contribution of an item after each of its writes.
pub type History = Vec<Contribution>;

/// Histories to choose from.
pub struct Histories {
    pub executions: Vec<History>,
    pub duplicates: Vec<History>,
}

impl Histories {
    pub fn random() -> Self {
        let mut rng = Rng::with_seed(1);
        Self {
            executions: (0..5000).map(|_| execution(&mut rng)).collect(),
            duplicates: (0..200).map(|_| duplicate(&mut rng)).collect(),
        }
    }
}

fn thing() -> ThingName {
    ThingName::parse("pump-7").unwrap()
}

fn command(rng: &mut Rng) -> Command {
    let on = Some(vec!["NO_RESPONSE", "HEARTBEAT_LOST", "FAILED"]);
    let options = RetryOptions { on, wait: Some(10), base: Some(0), cap: Some(0), ..RetryOptions::default() };
    Command {
        id: CommandId::from_request(CREATED_AT, "request"),
        definition: Definition {
            name: CommandName::parse("reboot").unwrap(),
            payload: None,
            form: RequestForm::default(),
            target: Target::Thing(thing()),
            delivery: if rng.bool() { Delivery::Direct } else { Delivery::Topic },
            shadow: None,
            retry: rng.bool().then(|| Retry::new(&options, TTL_SECONDS).unwrap()),
            lane: None,
            supersede: false,
            deadlines: Deadlines::new(Some(TTL_SECONDS.into()), Some(600), rng.bool().then_some(5)).unwrap(),
        },
        created_at: CREATED_AT,
        created_by: Actor::caller("operator"),
        fingerprint: Fingerprint::from_stored("fingerprint"),
        control: Control::default(),
        audit: Vec::new(),
    }
}

fn execution(rng: &mut Rng) -> History {
    let command = command(rng);
    let mut row = Execution::create(&command, &thing(), Channel::of(&command, None));
    let mut history = vec![Contribution::of(&row)];
    let mut now = CREATED_AT;
    for _ in 0..rng.usize(0..10) {
        now = now.plus_seconds(*rng.choice(&[0, 1, 5, 10, 20, 60, 600]).unwrap());
        if let Some(next) = random_change(&row, now, rng) {
            row = next;
            history.push(Contribution::of(&row));
        }
    }
    history
}

/// The row after a random change at this time.
fn random_change(row: &Execution, now: Timestamp, rng: &mut Rng) -> Option<Execution> {
    let change = match rng.u8(0..10) {
        0..=4 => return random_report(row, now, rng),
        5..=7 => match row.next_action(now, &Actor::function("test")) {
            NextAction::Write(change) | NextAction::CleanUp { then: change, .. } => *change,
            NextAction::Send if rng.bool() => row.claim(now, "me")?,
            NextAction::Send => row.sent(now, Actor::device()),
            NextAction::Nothing | NextAction::TryLane => return None,
        },
        8 => match rng.u8(0..3) {
            0 => row.queued(now, Actor::device()),
            1 => row.delivered(now, Actor::device()),
            _ => row.sent(now, Actor::device()),
        },
        _ => {
            let reason = *rng.choice(&[Reason::CanceledByOperator, Reason::AbortCriteria, Reason::Superseded]).unwrap();
            row.cancel(reason, now, rng.bool(), Actor::caller("operator")).ok()?
        }
    };
    row.apply(&change)
}

/// The row after a report of its device, which may be late or about an earlier attempt.
fn random_report(row: &Execution, now: Timestamp, rng: &mut Rng) -> Option<Execution> {
    let word = rng.choice(["IN_PROGRESS", "RUNNING", "SUCCEEDED", "FAILED", "REJECTED", "TIMED_OUT"]).unwrap();
    let code = rng.choice(["LOW_BATTERY", "BUSY", "NO_RESPONSE", "OTHER", ""]).unwrap();
    let text = format!(
        r#"{{"status":"{word}","attempt":{},"statusReason":{{"reasonCode":"{code}"}}}}"#,
        rng.u16(1..=row.attempt)
    );
    let report = Report::decode(Topic::response(&row.key.thing).as_str(), text.as_bytes()).unwrap();
    let report = row.as_current_attempt(&report).unwrap_or(report);
    let change = report.change(row.key.clone(), now);
    let change = if change.is_terminal() { row.finish(&report, now, false)? } else { change };
    row.apply(&change)
}

fn duplicate(rng: &mut Rng) -> History {
    // Each reader of the same page writes the same.
    vec![Contribution::Duplicate; rng.usize(1..4)]
}

#[test]
fn histories_have_every_status_and_the_important_transitions() {
    let executions = Histories::random().executions;
    let words = |contribution: &Contribution| match contribution {
        Contribution::Execution { status, delivery_status, reason } => {
            (status.to_string(), delivery_status.to_string(), reason.clone().unwrap_or_default())
        }
        Contribution::Duplicate => unreachable!(),
    };
    let all: Vec<_> = executions.iter().flatten().map(words).collect();
    for status in domain::Status::ALL {
        assert!(all.iter().any(|(word, ..)| word == status.as_str()), "{status}");
    }
    for delivery in domain::DeliveryStatus::ALL {
        assert!(all.iter().any(|(_, word, _)| word == delivery.as_str()), "{delivery}");
    }
    for reason in [Reason::Expired, Reason::NoResponse, Reason::HeartbeatLost, Reason::ExecutionTimeout] {
        assert!(all.iter().any(|(status, _, word)| status == "TIMED_OUT" && word == reason.as_str()), "{reason}");
    }
    let moved = |from: &str, to: &str| {
        let pairs = executions.iter().flat_map(|history| history.windows(2));
        pairs.filter(|pair| words(&pair[0]).0 == from && words(&pair[1]).0 == to).count()
    };
    for (from, to) in [
        ("TIMED_OUT", "SUCCEEDED"),
        ("TIMED_OUT", "FAILED"),
        ("CANCELED", "SUCCEEDED"),
        ("IN_PROGRESS", "CREATED"),
        ("IN_PROGRESS", "IN_PROGRESS"),
    ] {
        assert!(moved(from, to) > 20, "{from} to {to}: {}", moved(from, to));
    }
}
