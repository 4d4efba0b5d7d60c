//! The journal alone; what a service records is tested with that service.

use super::*;

fn event(table: &str) -> Event {
    Event::Published { topic: table.to_owned(), payload: "x".into(), client: None }
}

#[test]
fn event_is_not_made_when_the_journal_is_off() {
    let journal = Journal::default();
    journal.record(|| panic!("called although the journal is off"));
    assert!(!journal.is_on() && journal.entries().is_empty());
}

#[tokio::test]
async fn entries_have_a_time_and_an_origin() {
    let clock = Clock::manual(1);
    let journal = Journal::on(clock.clone());
    journal.record(|| event("a"));
    clock.advance(std::time::Duration::from_millis(1));
    let origin = Origin { function: "f".into(), invoke: "1".into() };
    origin.clone().scope(async { journal.clone().record(|| event("b")) }).await;
    let seen: Vec<_> = journal.entries().into_iter().map(|entry| (entry.at_ms, entry.origin)).collect();
    assert_eq!(seen, [(1, None), (2, Some(origin))]);
}
