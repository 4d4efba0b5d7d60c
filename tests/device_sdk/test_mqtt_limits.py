"""What MQTT clients of other kinds find: aliases, keep-alive, clean starts, messages that come again. With paho."""

import queue

import paho.mqtt.client as paho
import pytest
from conftest import MAX_WAIT_SECONDS
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

VERSIONS = [paho.MQTTv311, paho.MQTTv5]


class Client:
    """A connected client that keeps what it receives."""

    def __init__(self, stack, client_id, version=paho.MQTTv5, clean=True, keepalive=60, manual_ack=False):
        more = {"clean_session": clean} if version == paho.MQTTv311 else {}
        self.paho = paho.Client(paho.CallbackAPIVersion.VERSION2, client_id, protocol=version, manual_ack=manual_ack, **more)
        self.connected, self.received, self.ended, self.subscribed = (queue.Queue() for _ in range(4))
        self.paho.on_connect = lambda _client, _data, flags, reason, properties: self.connected.put((flags, reason, properties))
        self.paho.on_message = lambda _client, _data, message: self.received.put(message)
        self.paho.on_disconnect = lambda _client, _data, _flags, reason, _properties: self.ended.put(reason)
        self.paho.on_subscribe = lambda *_: self.subscribed.put(True)
        more = {}
        if version == paho.MQTTv5:
            properties = Properties(PacketTypes.CONNECT)
            properties.SessionExpiryInterval = 3600
            more = {"clean_start": clean, "properties": properties}
        self.paho.connect("127.0.0.1", stack.ports["mqtt"], keepalive=keepalive, **more)
        self.paho.loop_start()
        flags, self.reason, self.connack = self.connected.get(timeout=MAX_WAIT_SECONDS)
        self.session_present = flags.session_present

    def subscribe(self, topic, **more):
        self.paho.subscribe(topic, **({"qos": 1} | more))
        self.subscribed.get(timeout=MAX_WAIT_SECONDS)

    def stop(self):
        self.paho.disconnect()
        self.paho.loop_stop()


def alias(number):
    properties = Properties(PacketTypes.PUBLISH)
    properties.TopicAlias = number
    return properties


def publish(stack, topic, payload):
    stack.client("iot-data").publish(topic=topic, qos=1, payload=payload)


def test_connack_states_what_aws_states(stack):
    client = Client(stack, "limits-connack")
    stated = client.connack
    assert (stated.TopicAliasMaximum, stated.SubscriptionIdentifierAvailable, stated.MaximumQoS) == (8, 0, 1)
    assert (stated.ReceiveMaximum, stated.MaximumPacketSize, stated.SessionExpiryInterval) == (100, 149504, 3600)
    assert not hasattr(stated, "ServerKeepAlive")
    client.stop()


def test_a_client_publishes_by_aliases(stack):
    watcher = Client(stack, "limits-watcher", paho.MQTTv311)
    watcher.subscribe("limits/alias/+")
    client = Client(stack, "limits-alias")
    for number in range(1, 9):
        client.paho.publish(f"limits/alias/{number}", "with its topic", 1, properties=alias(number))
    for number in range(1, 9):
        client.paho.publish("", "by its alias", 1, properties=alias(number))
    received = [watcher.received.get(timeout=MAX_WAIT_SECONDS) for _ in range(16)]
    topics = [f"limits/alias/{number}" for number in range(1, 9)]
    assert [message.topic for message in received] == topics * 2
    client.paho.publish("limits/alias/9", "one too many", 1, properties=alias(9))
    # paho reads the reason code of a DISCONNECT only where properties follow it.
    client.ended.get(timeout=MAX_WAIT_SECONDS)
    client.stop()
    watcher.stop()


def test_a_subscription_identifier_ends_the_connection(stack):
    client = Client(stack, "limits-identifier")
    properties = Properties(PacketTypes.SUBSCRIBE)
    properties.SubscriptionIdentifier = 7
    client.paho.subscribe("limits/t", options=paho.SubscribeOptions(qos=1), properties=properties)
    client.ended.get(timeout=MAX_WAIT_SECONDS)
    client.stop()


@pytest.mark.parametrize("requested, given", [(5, 30), (30, None), (2000, 1200)])
def test_keep_alive_is_what_connack_says(stack, requested, given):
    client = Client(stack, "limits-keep-alive", keepalive=requested)
    assert getattr(client.connack, "ServerKeepAlive", None) == given
    client.stop()


@pytest.mark.parametrize("version", VERSIONS)
def test_a_clean_start_ends_the_old_session(stack, version):
    name = f"limits-clean-{version}"
    first = Client(stack, name, version, clean=False)
    assert not first.session_present
    first.subscribe(f"limits/{name}")
    first.stop()
    publish(stack, f"limits/{name}", "queued")
    second = Client(stack, name, version)
    assert not second.session_present
    second.subscribe(f"limits/{name}/other")
    publish(stack, f"limits/{name}", "to the old session")
    publish(stack, f"limits/{name}/other", "to the new one")
    assert second.received.get(timeout=MAX_WAIT_SECONDS).payload == b"to the new one"
    second.stop()


def test_empty_client_id_is_assigned(stack):
    client = Client(stack, "")
    assert client.connack.AssignedClientIdentifier.startswith("$GEN/")
    client.stop()


def test_an_unacknowledged_message_comes_again(stack):
    client = Client(stack, "limits-again", paho.MQTTv5, manual_ack=True)
    client.subscribe("limits/again")
    publish(stack, "limits/again", "x")
    first = client.received.get(timeout=MAX_WAIT_SECONDS)
    again = client.received.get(timeout=MAX_WAIT_SECONDS)
    assert (first.dup, again.dup, again.mid, again.payload) == (False, True, first.mid, b"x")
    client.paho.ack(again.mid, 1)
    client.stop()
