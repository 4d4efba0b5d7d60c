//! Injected faults: lost messages, duplicated messages, lost PUBACKs; and the journal.

use std::time::Duration;

use local_clock::Clock;
use local_faults::{Faults, Transit};
use local_journal::{Event, Journal};

use super::NOW_MS;
use super::raw_client::{RawClient, persistent_connect};
use crate::codec::Version::V311;
use crate::{Broker, DirectError, Message};

/// Confirmation timeout of a direct message, far longer than the test waits.
const CONFIRM_TIMEOUT: Option<Duration> = Some(Duration::from_secs(3_600));
/// Time within which the failure must be returned.
const MAX_WAIT: Duration = Duration::from_secs(20);

struct Bench {
    broker: Broker,
    faults: Faults,
    journal: Journal,
    clock: Clock,
}

impl Bench {
    fn new() -> Self {
        let clock = Clock::manual(NOW_MS);
        let (faults, journal) = (Faults::default(), Journal::on(clock.clone()));
        let broker = Broker::with_faults_and_journal(clock.clone(), None, faults.clone(), journal.clone());
        Self { broker, faults, journal, clock }
    }

    /// Sets the transit of messages on topic `t`.
    fn set_transit(&self, transit: Transit) {
        self.faults.messages(move |message| {
            assert_eq!(message.client, "device");
            if message.topic == "t" { transit } else { Transit::Delivered }
        });
    }

    async fn device(&self) -> RawClient {
        RawClient::connect(&self.broker, &persistent_connect(V311, "device")).await
    }

    fn publish(&self, qos: u8) {
        self.broker.publish(Message { qos, ..Message::new("t", "go") }).expect("published");
    }
}

#[tokio::test]
async fn lost_qos_1_message_is_redelivered_after_reconnect() {
    let bench = Bench::new();
    let mut device = bench.device().await;
    device.subscribe("t", 1).await;
    bench.set_transit(Transit::Lost);
    bench.publish(1);
    bench.publish(0);
    // It is lost until the device reconnects.
    bench.clock.advance(Duration::from_secs(60));
    device.expect_nothing_more().await;
    device.expect_nothing_more().await;
    bench.faults.clear();
    device.drop_connection().await;
    let mut device = bench.device().await;
    let received = device.receive_publish().await;
    assert_eq!((received.qos, received.duplicate), (1, true));
    device.send_puback(received.packet_id).await;
    device.expect_nothing_more().await;
}

#[tokio::test]
async fn lost_puback_causes_redelivery() {
    let bench = Bench::new();
    let mut device = bench.device().await;
    device.subscribe("t", 1).await;
    bench.set_transit(Transit::Unacknowledged);
    bench.publish(1);
    let received = device.receive_publish().await;
    device.send_puback(received.packet_id).await;
    bench.faults.clear();
    device.drop_connection().await;
    let mut device = bench.device().await;
    let again = device.receive_publish().await;
    assert_eq!((again.packet_id, again.duplicate), (received.packet_id, true));
    device.send_puback(again.packet_id).await;
    device.drop_connection().await;
    bench.device().await.expect_nothing_more().await;
}

#[tokio::test]
async fn duplicated_qos_1_message_arrives_twice() {
    let bench = Bench::new();
    let mut device = bench.device().await;
    device.subscribe("t", 1).await;
    bench.set_transit(Transit::Twice);
    bench.publish(1);
    let (first, second) = (device.receive_publish().await, device.receive_publish().await);
    assert_eq!((first.packet_id, first.duplicate), (second.packet_id, false));
    assert!(second.duplicate);
    device.send_puback(first.packet_id).await;
    device.send_puback(second.packet_id).await;
    device.expect_nothing_more().await;
}

#[tokio::test]
async fn lost_direct_message_fails_without_waiting() {
    let bench = Bench::new();
    let mut device = bench.device().await;
    for transit in [Transit::Lost, Transit::Unacknowledged] {
        bench.set_transit(transit);
        let sending = bench.broker.send_direct("device", Message::new("t", "go"), CONFIRM_TIMEOUT);
        let error = tokio::time::timeout(MAX_WAIT, sending)
            .await
            .expect("a failure before the confirmation timeout")
            .expect_err("lost");
        assert!(matches!(error, DirectError::NoAcknowledgement(_)), "{error}");
    }
    let received = device.receive_publish().await;
    device.send_puback(received.packet_id).await;
    device.expect_nothing_more().await;
    device.drop_connection().await;
    bench.device().await.expect_nothing_more().await;
}

#[tokio::test]
async fn journal_records_published_delivered_and_direct_messages() {
    let bench = Bench::new();
    let mut device = bench.device().await;
    device.subscribe("t", 1).await;
    bench.publish(1);
    let received = device.receive_publish().await;
    device.send_puback(received.packet_id).await;
    bench.broker.send_direct("device", Message::new("d", "go"), None).await.expect("sent");
    assert!(bench.broker.send_direct("absent", Message::new("d", "go"), None).await.is_err());
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
        "d to absent: Err(\"client absent is not connected\")",
    ];
    assert_eq!(events.collect::<Vec<_>>(), expected);
}
