//! Messages that are lost on the way, come twice, or whose PUBACK is lost.

use std::time::Duration;

use local_clock::Clock;
use local_faults::{Faults, Transit};
use local_journal::{Event, Journal};

use super::NOW_MS;
use super::wire::{Wire, persistent};
use crate::codec::Version::V311;
use crate::{Broker, DirectError, Message};

/// What the sender of a direct message would wait, and what the test does.
const LONG: Option<Duration> = Some(Duration::from_secs(3_600));
const PATIENCE: Duration = Duration::from_secs(20);

struct Bench {
    broker: Broker,
    faults: Faults,
    journal: Journal,
}

impl Bench {
    fn new() -> Self {
        let clock = Clock::manual(NOW_MS);
        let (faults, journal) = (Faults::default(), Journal::on(clock.clone()));
        Self { broker: Broker::with(clock, None, faults.clone(), journal.clone()), faults, journal }
    }

    /// Lets the messages on topic `t` go this way.
    fn all_are(&self, transit: Transit) {
        self.faults.messages(move |message| {
            assert_eq!(message.client, "device");
            if message.topic == "t" { transit } else { Transit::Delivered }
        });
    }

    async fn device(&self) -> Wire {
        Wire::connect(&self.broker, &persistent(V311, "device")).await
    }

    fn publish(&self, qos: u8) {
        self.broker.publish(Message { qos, ..Message::new("t", "go") }).expect("published");
    }
}

#[tokio::test]
async fn a_lost_message_comes_with_the_next_connection_at_qos_1() {
    let bench = Bench::new();
    let mut device = bench.device().await;
    device.subscribe("t", 1).await;
    bench.all_are(Transit::Lost);
    bench.publish(1);
    bench.publish(0);
    device.nothing_more().await;
    bench.faults.clear();
    device.vanish().await;
    let mut device = bench.device().await;
    let got = device.got().await;
    assert_eq!((got.qos, got.duplicate), (1, true));
    device.ack(got.packet_id).await;
    device.nothing_more().await;
}

#[tokio::test]
async fn a_lost_puback_makes_a_redelivery() {
    let bench = Bench::new();
    let mut device = bench.device().await;
    device.subscribe("t", 1).await;
    bench.all_are(Transit::Unacknowledged);
    bench.publish(1);
    let got = device.got().await;
    device.ack(got.packet_id).await;
    bench.faults.clear();
    device.vanish().await;
    let mut device = bench.device().await;
    let again = device.got().await;
    assert_eq!((again.packet_id, again.duplicate), (got.packet_id, true));
    device.ack(again.packet_id).await;
    device.vanish().await;
    bench.device().await.nothing_more().await;
}

#[tokio::test]
async fn a_message_may_come_twice() {
    let bench = Bench::new();
    let mut device = bench.device().await;
    device.subscribe("t", 1).await;
    bench.all_are(Transit::Twice);
    bench.publish(1);
    let (first, second) = (device.got().await, device.got().await);
    assert_eq!((first.packet_id, first.duplicate), (second.packet_id, false));
    assert!(second.duplicate);
    device.ack(first.packet_id).await;
    device.ack(second.packet_id).await;
    device.nothing_more().await;
}

#[tokio::test]
async fn the_sender_of_a_direct_message_hears_at_once_of_what_is_lost() {
    let bench = Bench::new();
    let mut device = bench.device().await;
    for transit in [Transit::Lost, Transit::Unacknowledged] {
        bench.all_are(transit);
        let sending = bench.broker.send_direct("device", Message::new("t", "go"), LONG);
        let error = tokio::time::timeout(PATIENCE, sending).await.expect("at once").expect_err("lost");
        assert!(matches!(error, DirectError::NoAcknowledgement(_)), "{error}");
    }
    let got = device.got().await;
    device.ack(got.packet_id).await;
    device.nothing_more().await;
    device.vanish().await;
    bench.device().await.nothing_more().await;
}

#[tokio::test]
async fn the_journal_has_what_was_published_handed_out_and_sent_directly() {
    let bench = Bench::new();
    let mut device = bench.device().await;
    device.subscribe("t", 1).await;
    bench.publish(1);
    let got = device.got().await;
    device.ack(got.packet_id).await;
    bench.broker.send_direct("device", Message::new("d", "go"), None).await.expect("sent");
    assert!(bench.broker.send_direct("nobody", Message::new("d", "go"), None).await.is_err());
    let events = bench.journal.entries().into_iter().filter_map(|entry| match entry.event {
        Event::Published { topic, client, .. } if !topic.starts_with('$') => Some(format!("{topic} by {client:?}")),
        Event::Handed { client, topic, qos, duplicate, transit, .. } => {
            Some(format!("{topic} to {client} at {qos} {duplicate} {transit:?}"))
        }
        Event::Direct { client, topic, outcome, .. } => Some(format!("{topic} to {client}: {outcome:?}")),
        _ => None,
    });
    let expected = [
        "t by None",
        "t to device at 1 false Delivered",
        "d to device at 0 false Delivered",
        "d to device: Ok(())",
        "d to nobody: Err(\"client nobody is not connected\")",
    ];
    assert_eq!(events.collect::<Vec<_>>(), expected);
}
