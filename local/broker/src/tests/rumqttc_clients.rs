//! Interoperability with the client library rumqttc (MQTT 3.1.1 and 5) over TCP.

use std::net::SocketAddr;
use std::time::Duration;

use rumqttc::v5::mqttbytes::v5::{Packet as Packet5, PublishProperties};
use tokio::net::TcpListener;
use tokio::time::timeout;

use super::broker;
use crate::{Broker, Peer};

const MAX_WAIT: Duration = Duration::from_secs(60);

async fn listen(broker: &Broker) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    let broker = broker.clone();
    tokio::spawn(async move {
        while let Ok((stream, address)) = listener.accept().await {
            let broker = broker.clone();
            tokio::spawn(async move { broker.serve(stream, Peer { address: Some(address), principal: None }).await });
        }
    });
    address
}

async fn next_packet_v4(events: &mut rumqttc::EventLoop) -> rumqttc::Packet {
    loop {
        let event = timeout(MAX_WAIT, events.poll()).await.expect("in time").expect("connected");
        if let rumqttc::Event::Incoming(packet) = event {
            return packet;
        }
    }
}

async fn next_packet_v5(events: &mut rumqttc::v5::EventLoop) -> Packet5 {
    loop {
        let event = timeout(MAX_WAIT, events.poll()).await.expect("in time").expect("connected");
        if let rumqttc::v5::Event::Incoming(packet) = event {
            return packet;
        }
    }
}

#[tokio::test]
async fn rumqttc_v4_and_v5_clients_exchange_messages() {
    let (broker, _) = broker();
    let address = listen(&broker).await;
    let options = rumqttc::MqttOptions::new("old", "127.0.0.1", address.port());
    let (old, mut old_events) = rumqttc::AsyncClient::new(options, 10);
    let mut options = rumqttc::v5::MqttOptions::new("new", "127.0.0.1", address.port());
    options.set_clean_start(false).set_session_expiry_interval(Some(600));
    let (new, mut new_events) = rumqttc::v5::AsyncClient::new(options, 10);

    assert!(matches!(next_packet_v4(&mut old_events).await, rumqttc::Packet::ConnAck(_)));
    old.subscribe("answers/+", rumqttc::QoS::AtLeastOnce).await.expect("queued");
    assert!(matches!(next_packet_v4(&mut old_events).await, rumqttc::Packet::SubAck(_)));
    let Packet5::ConnAck(ack) = next_packet_v5(&mut new_events).await else { panic!("CONNACK first") };
    assert_eq!(ack.properties.and_then(|properties| properties.max_qos), Some(1));
    new.subscribe("requests", rumqttc::v5::mqttbytes::QoS::AtLeastOnce).await.expect("queued");
    assert!(matches!(next_packet_v5(&mut new_events).await, Packet5::SubAck(_)));

    old.publish("requests", rumqttc::QoS::AtLeastOnce, false, "request").await.expect("queued");
    assert!(matches!(next_packet_v4(&mut old_events).await, rumqttc::Packet::PubAck(_)));
    let Packet5::Publish(request) = next_packet_v5(&mut new_events).await else { panic!("the request") };
    assert_eq!(request.payload, "request");
    let properties = PublishProperties { content_type: Some("text/plain".into()), ..PublishProperties::default() };
    let qos = rumqttc::v5::mqttbytes::QoS::AtLeastOnce;
    new.publish_with_properties("answers/new", qos, false, "answer", properties).await.expect("queued");
    assert!(matches!(next_packet_v5(&mut new_events).await, Packet5::PubAck(_)));
    let rumqttc::Packet::Publish(answer) = next_packet_v4(&mut old_events).await else { panic!("the answer") };
    assert_eq!((answer.topic.as_str(), answer.payload.as_ref()), ("answers/new", &b"answer"[..]));

    // rumqttc sends acknowledgements at its next poll.
    new.disconnect().await.expect("queued");
    while timeout(MAX_WAIT, new_events.poll()).await.expect("in time").is_ok() {}
    old.publish("requests", rumqttc::QoS::AtLeastOnce, false, "later").await.expect("queued");
    assert!(matches!(next_packet_v4(&mut old_events).await, rumqttc::Packet::PubAck(_)));
    let Packet5::ConnAck(ack) = next_packet_v5(&mut new_events).await else { panic!("CONNACK first") };
    assert!(ack.session_present);
    let Packet5::Publish(later) = next_packet_v5(&mut new_events).await else { panic!("the queued message") };
    assert_eq!(later.payload, "later");
}
