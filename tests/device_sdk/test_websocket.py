"""MQTT over WebSocket, signed with Signature Version 4, as both AWS IoT Device SDKs for Python speak it."""

import json
import queue
import socket

import pytest
from AWSIoTPythonSDK.MQTTLib import AWSIoTMQTTClient
from awscrt import auth, exceptions, mqtt, mqtt5
from awsiot import mqtt5_client_builder, mqtt_connection_builder

# Longest wait for one operation or message, in seconds.
MAX_WAIT_SECONDS = 30
# The first SDK takes the Region from a name of AWS, for which the stack has a certificate.
AWS_NAME = "abc-ats.iot.us-east-1.amazonaws.com"


def credentials(secret="test", token=None):
    return auth.AwsCredentialsProvider.new_static("test", secret, token)


def connection(stack, client_id, provider):
    return mqtt_connection_builder.websockets_with_default_aws_signing(
        region="us-east-1",
        credentials_provider=provider,
        endpoint="localhost",
        port=stack.ports["https"],
        ca_filepath=stack.ca,
        client_id=client_id,
        clean_session=True,
        keep_alive_secs=30,
    )


def answer(request):
    return json.dumps({"executionId": json.loads(request)["executionId"], "status": "SUCCEEDED"})


def test_a_command_succeeds_with_the_second_sdk(stack):
    device = connection(stack, "web-1", credentials())
    device.connect().result(MAX_WAIT_SECONDS)

    def on_request(topic, payload, **_):
        device.publish("cmd/web-1/resp", answer(payload), mqtt.QoS.AT_LEAST_ONCE)

    device.subscribe("cmd/web-1/req", mqtt.QoS.AT_LEAST_ONCE, on_request)[0].result(MAX_WAIT_SECONDS)
    # More than fits in a short frame.
    command = stack.command("web-1", payload={"text": "x" * 70_000})
    stack.settled(command, "web-1", "SUCCEEDED")
    device.disconnect().result(MAX_WAIT_SECONDS)


@pytest.mark.parametrize("token", [None, "a/token+of=a session"])
def test_a_user_that_signs_may_do_everything(strict_stack, token):
    client = connection(strict_stack, "web-user", credentials(token=token))
    client.connect().result(MAX_WAIT_SECONDS)
    received = queue.Queue()
    client.subscribe("any/+", mqtt.QoS.AT_LEAST_ONCE, lambda topic, payload, **_: received.put((topic, payload)))[0].result(MAX_WAIT_SECONDS)
    client.publish("any/topic", b"hello", mqtt.QoS.AT_LEAST_ONCE)[0].result(MAX_WAIT_SECONDS)
    assert received.get(timeout=MAX_WAIT_SECONDS) == ("any/topic", b"hello")
    client.disconnect().result(MAX_WAIT_SECONDS)


def test_a_command_succeeds_over_mqtt_5(stack):
    connected, stopped = queue.Queue(), queue.Queue()

    def on_request(received):
        packet = mqtt5.PublishPacket(topic="cmd/web-5/resp", payload=answer(received.publish_packet.payload), qos=mqtt5.QoS.AT_LEAST_ONCE)
        client.publish(packet)

    client = mqtt5_client_builder.websockets_with_default_aws_signing(
        region="us-east-1",
        credentials_provider=credentials(),
        endpoint="localhost",
        port=stack.ports["https"],
        ca_filepath=stack.ca,
        client_id="web-5",
        on_lifecycle_connection_success=connected.put,
        on_lifecycle_stopped=stopped.put,
        on_publish_received=on_request,
    )
    client.start()
    connected.get(timeout=MAX_WAIT_SECONDS)
    subscription = mqtt5.Subscription(topic_filter="cmd/web-5/req", qos=mqtt5.QoS.AT_LEAST_ONCE)
    client.subscribe(mqtt5.SubscribePacket(subscriptions=[subscription])).result(MAX_WAIT_SECONDS)
    command = stack.command("web-5")
    stack.settled(command, "web-5", "SUCCEEDED")
    client.stop()
    stopped.get(timeout=MAX_WAIT_SECONDS)


@pytest.mark.parametrize("kind", ["stack", "strict_stack"])
def test_a_wrong_signature_is_refused(kind, request):
    device = connection(request.getfixturevalue(kind), "web-wrong", credentials(secret="wrong"))
    with pytest.raises(exceptions.AwsCrtError) as refused:
        device.connect().result(MAX_WAIT_SECONDS)
    assert refused.value.name == "AWS_ERROR_HTTP_WEBSOCKET_UPGRADE_FAILURE"


def old_client(stack, monkeypatch, client_id, secret="test"):
    """A client of the first SDK, for which the name of AWS leads to this machine."""
    create_connection = socket.create_connection

    def to_this_machine(address, *words, **more):
        name, port = address
        return create_connection(("127.0.0.1" if name == AWS_NAME else name, port), *words, **more)

    monkeypatch.setattr(socket, "create_connection", to_this_machine)
    client = AWSIoTMQTTClient(client_id, useWebsocket=True)
    client.configureEndpoint(AWS_NAME, stack.ports["https"])
    client.configureCredentials(stack.ca)
    client.configureIAMCredentials("test", secret, "a/token")
    client.configureConnectDisconnectTimeout(MAX_WAIT_SECONDS)
    client.configureMQTTOperationTimeout(MAX_WAIT_SECONDS)
    return client


def test_a_command_succeeds_with_the_first_sdk(stack, monkeypatch):
    device = old_client(stack, monkeypatch, "web-old")
    assert device.connect()
    device.subscribe("cmd/web-old/req", 1, lambda _client, _data, message: device.publishAsync("cmd/web-old/resp", answer(message.payload), 1))
    command = stack.command("web-old", payload={"text": "x" * 70_000})
    stack.settled(command, "web-old", "SUCCEEDED")
    assert device.disconnect()


def test_the_first_sdk_signs_with_the_token_of_a_session(strict_stack, monkeypatch):
    client = old_client(strict_stack, monkeypatch, "web-old-session")
    assert client.connect()
    assert client.publish("any/topic", "hello", 1)
    assert client.disconnect()


def test_the_first_sdk_with_a_wrong_key_does_not_connect(strict_stack, monkeypatch):
    device = old_client(strict_stack, monkeypatch, "web-old-wrong", secret="wrong")
    with pytest.raises(ValueError, match="Websocket Handshake Error"):
        device.connect()
