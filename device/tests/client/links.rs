//! Tests of acknowledgements on a link.

use device::link::{Event, Link, Receipt};

use crate::broker::Broker;
use crate::{request, within_timeout};

const REQUEST_TOPIC: &str = "cmd/pump-7/req";

fn open_link(broker: &Broker) -> Link {
    Link::open(&broker.endpoint(), "pump-7", vec![REQUEST_TOPIC.to_owned()])
}

async fn next_receipt(link: &mut Link) -> Receipt {
    loop {
        if let Event::Message { receipt, .. } = within_timeout(link.next()).await.unwrap() {
            return receipt;
        }
    }
}

#[tokio::test]
async fn message_is_acknowledged_only_when_the_owner_does_so() {
    let broker = Broker::start().await;
    let mut link = open_link(&broker);
    let mut connection = broker.accept_and_subscribe(false).await;
    connection.send_without_ack(REQUEST_TOPIC, request("e1", "reboot")).await;
    let receipt = next_receipt(&mut link).await;
    assert!(link.publish("cmd/pump-7/resp", br#"{"status":"FIRST"}"#.to_vec()));
    assert_eq!(connection.expect_report().await, "FIRST");
    link.acknowledge(receipt);
    connection.expect_ack().await;
}

#[tokio::test]
async fn receipt_of_a_lost_connection_acknowledges_nothing() {
    let broker = Broker::start().await;
    let mut link = open_link(&broker);
    let mut connection = broker.accept_and_subscribe(false).await;
    connection.send_without_ack(REQUEST_TOPIC, request("e1", "reboot")).await;
    let old = next_receipt(&mut link).await;
    drop(connection);
    let mut connection = broker.accept_and_subscribe(false).await;
    connection.packet_id = 6;
    connection.send_without_ack(REQUEST_TOPIC, request("e2", "reboot")).await;
    let new = next_receipt(&mut link).await;
    link.acknowledge(old);
    link.acknowledge(new);
    connection.expect_ack().await;
}
