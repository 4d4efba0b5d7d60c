//! What executions and notes of duplicates go through, from their first write to their last: executions by the crate's own state machine.

use domain::{
    Asked, By, Command, CommandId, CommandName, Contribution, Control, Deadlines, Definition, Delivery, Execution,
    Fingerprint, Owed, Reason, Report, Retry, Target, ThingName, Timestamp, Topic, Via,
};
use fastrand::Rng;

const BORN: Timestamp = Timestamp::from_seconds(1_700_000_000);
const TTL: u32 = 60;

/// What an item adds to its command's counts after each of its writes.
pub type Life = Vec<Contribution>;

/// Lives to choose from.
pub struct Lives {
    pub executions: Vec<Life>,
    pub duplicates: Vec<Life>,
}

impl Lives {
    pub fn various() -> Self {
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
    let asked = Asked { on, wait: Some(10), base: Some(0), cap: Some(0), ..Asked::default() };
    Command {
        id: CommandId::from_request(BORN, "request"),
        definition: Definition {
            name: CommandName::parse("reboot").unwrap(),
            payload: None,
            target: Target::Thing(thing()),
            delivery: if rng.bool() { Delivery::Direct } else { Delivery::Topic },
            shadow: None,
            retry: rng.bool().then(|| Retry::new(&asked, TTL).unwrap()),
            lane: None,
            supersede: false,
            deadlines: Deadlines::new(Some(TTL.into()), Some(600), rng.bool().then_some(5)).unwrap(),
        },
        created_at: BORN,
        created_by: By::caller("operator"),
        fingerprint: Fingerprint::from_stored("fingerprint"),
        control: Control::default(),
    }
}

fn execution(rng: &mut Rng) -> Life {
    let command = command(rng);
    let mut row = Execution::create(&command, &thing(), Via::of(&command, None), 60);
    let mut life = vec![Contribution::of(&row)];
    let mut now = BORN;
    for _ in 0..rng.usize(0..10) {
        now = now.plus_seconds(*rng.choice(&[0, 1, 5, 10, 20, 60, 600]).unwrap());
        if let Some(next) = step(&row, now, rng) {
            row = next;
            life.push(Contribution::of(&row));
        }
    }
    life
}

/// The row after something that may happen to it at this time.
fn step(row: &Execution, now: Timestamp, rng: &mut Rng) -> Option<Execution> {
    let change = match rng.u8(0..10) {
        0..=4 => return hears(row, now, rng),
        5..=7 => match row.owed(now) {
            Owed::Change(change) | Owed::Conclude { then: change, .. } => *change,
            Owed::Send if rng.bool() => row.claim(now, "me")?,
            Owed::Send => row.sent(now, By::device()),
            Owed::Nothing | Owed::Turn => return None,
        },
        8 => match rng.u8(0..3) {
            0 => row.queued(now, By::device()),
            1 => row.delivered(now, By::device()),
            _ => row.sent(now, By::device()),
        },
        _ => {
            let reason = *rng.choice(&[Reason::CanceledByOperator, Reason::AbortCriteria, Reason::Superseded]).unwrap();
            row.cancel(reason, now, rng.bool(), By::caller("operator")).ok()?
        }
    };
    row.apply(&change)
}

/// The row after its device has said something, perhaps late, and perhaps of an earlier attempt.
fn hears(row: &Execution, now: Timestamp, rng: &mut Rng) -> Option<Execution> {
    let word = rng.choice(["IN_PROGRESS", "RUNNING", "SUCCEEDED", "FAILED", "REJECTED", "TIMED_OUT"]).unwrap();
    let code = rng.choice(["LOW_BATTERY", "BUSY", "NO_RESPONSE", "OTHER", ""]).unwrap();
    let text = format!(
        r#"{{"status":"{word}","attempt":{},"statusReason":{{"reasonCode":"{code}"}}}}"#,
        rng.u16(1..=row.attempt)
    );
    let report = Report::decode(Topic::response(&row.key.thing).as_str(), text.as_bytes()).unwrap();
    let report = row.takes_up(&report).unwrap_or(report);
    let change = report.change(row.key.clone(), now);
    let change = if change.is_terminal() { row.finish(&report, now, false)? } else { change };
    row.apply(&change)
}

fn duplicate(rng: &mut Rng) -> Life {
    // Whoever finds it again writes the same.
    vec![Contribution::Duplicate; rng.usize(1..4)]
}

#[test]
fn lives_are_as_various_as_the_state_machine() {
    let executions = Lives::various().executions;
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
        let pairs = executions.iter().flat_map(|life| life.windows(2));
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
