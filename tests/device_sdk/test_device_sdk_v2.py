"""The AWS IoT Device SDK v2 for Python over mutual TLS: commands, persistent sessions, shadows and MQTT 5."""

import json
import queue

from awscrt import mqtt, mqtt5
from awsiot import iotshadow, mqtt5_client_builder, mqtt_connection_builder

# Longest wait for one operation or message, in seconds.
MAX_WAIT_SECONDS = 30


def connect(stack, thing, clean_session=False):
    certificate, key = stack.certificate(thing)
    connection = mqtt_connection_builder.mtls_from_path(
        endpoint="localhost",
        port=stack.ports["mqtts"],
        cert_filepath=certificate,
        pri_key_filepath=key,
        ca_filepath=stack.ca,
        client_id=thing,
        clean_session=clean_session,
        keep_alive_secs=30,
    )
    connection.connect().result(MAX_WAIT_SECONDS)
    return connection


def respond_to_requests(connection, thing, respond):
    """Subscribes to the thing's requests and publishes a response to each. Returns the queue of the requests."""
    requests = queue.Queue()

    def on_request(topic, payload, **_):
        requests.put((topic, json.loads(payload)))
        body = respond(payload)
        if body is not None:
            connection.publish(f"cmd/{thing}/resp", body, mqtt.QoS.AT_LEAST_ONCE)

    connection.subscribe(f"cmd/{thing}/req", mqtt.QoS.AT_LEAST_ONCE, on_request)[0].result(MAX_WAIT_SECONDS)
    return requests


def succeeded(payload):
    return json.dumps({"executionId": json.loads(payload)["executionId"], "status": "SUCCEEDED", "result": {"by": "sdk v2"}})


def check_command(stack, thing, delivery):
    connection = connect(stack, thing)
    requests = respond_to_requests(connection, thing, succeeded)
    command = stack.command(thing, delivery=delivery, payload={"delay": 5})
    shown = stack.settled(command, thing, "SUCCEEDED")
    assert shown["result"] == {"by": "sdk v2"}
    assert shown["late"] is False
    topic, request = requests.get(timeout=MAX_WAIT_SECONDS)
    assert topic == f"cmd/{thing}/req"
    assert request["payload"] == {"delay": 5}
    assert requests.empty()
    connection.disconnect().result(MAX_WAIT_SECONDS)


def test_a_direct_command_succeeds(stack):
    check_command(stack, "direct-1", "direct")


def test_a_command_by_topic_succeeds(stack):
    check_command(stack, "topic-1", "topic")


def test_policies_let_a_device_publish_only_on_its_own_topics(strict_stack):
    # With a clean session the SDK does not retry the publish that made the broker close the connection.
    connection = connect(strict_stack, "strict-1", clean_session=True)
    refused = connection.publish("cmd/strict-2/resp", b"SUCCESS", mqtt.QoS.AT_LEAST_ONCE)[0]
    assert refused.exception(MAX_WAIT_SECONDS) is not None
    connection.disconnect().result(MAX_WAIT_SECONDS)


def test_a_text_response_that_echoes_the_request_is_success(stack):
    connection = connect(stack, "text-1")
    respond_to_requests(connection, "text-1", lambda payload: f"SUCCESS: command ran successfully from payload: {payload}")
    command = stack.command("text-1", payload={"text": "it's \u00e9"})
    stack.settled(command, "text-1", "SUCCEEDED")
    connection.disconnect().result(MAX_WAIT_SECONDS)


def test_a_persistent_session_gets_its_command_on_reconnect(stack):
    connection = connect(stack, "away-1")
    respond_to_requests(connection, "away-1", lambda payload: None)
    connection.disconnect().result(MAX_WAIT_SECONDS)
    command = stack.command("away-1", delivery="topic")
    received = queue.Queue()

    def on_message(topic, payload, **_):
        received.put(payload)
        connection.publish("cmd/away-1/resp", succeeded(payload), mqtt.QoS.AT_LEAST_ONCE)

    connection.on_message(on_message)
    assert connection.connect().result(MAX_WAIT_SECONDS)["session_present"]
    received.get(timeout=MAX_WAIT_SECONDS)
    stack.settled(command, "away-1", "SUCCEEDED")
    connection.disconnect().result(MAX_WAIT_SECONDS)


def test_a_desired_change_arrives_as_delta_and_as_trimmed_message(stack):
    connection = connect(stack, "shadow-1")
    client = iotshadow.IotShadowClient(connection)
    deltas, trimmed, answers, accepted, rejected = (queue.Queue() for _ in range(5))
    at_least_once = mqtt.QoS.AT_LEAST_ONCE
    client.subscribe_to_get_shadow_rejected(iotshadow.GetShadowSubscriptionRequest(thing_name="shadow-1"), at_least_once, rejected.put)[0].result(MAX_WAIT_SECONDS)
    client.subscribe_to_get_shadow_accepted(iotshadow.GetShadowSubscriptionRequest(thing_name="shadow-1"), at_least_once, accepted.put)[0].result(MAX_WAIT_SECONDS)
    client.subscribe_to_shadow_delta_updated_events(iotshadow.ShadowDeltaUpdatedSubscriptionRequest(thing_name="shadow-1"), at_least_once, deltas.put)[0].result(MAX_WAIT_SECONDS)
    connection.subscribe("things/shadow-1/shadow/trimmed/update", at_least_once, lambda topic, payload, **_: trimmed.put(payload))[0].result(MAX_WAIT_SECONDS)
    connection.subscribe("things/shadow-1/shadow/trimmed/get", at_least_once, lambda topic, payload, **_: answers.put(payload))[0].result(MAX_WAIT_SECONDS)

    client.publish_get_shadow(iotshadow.GetShadowRequest(thing_name="shadow-1", client_token="t-0"), at_least_once).result(MAX_WAIT_SECONDS)
    assert rejected.get(timeout=MAX_WAIT_SECONDS).code == 404

    stack.client("iot-data").update_thing_shadow(thingName="shadow-1", payload=json.dumps({"state": {"desired": {"motor": {"speed": 3}}}, "clientToken": "t-1"}))
    delta = deltas.get(timeout=MAX_WAIT_SECONDS)
    assert (delta.state, delta.version) == ({"motor": {"speed": 3}}, 1)
    assert json.loads(trimmed.get(timeout=MAX_WAIT_SECONDS)) == {"state": {"motor": {"speed": 3}}, "version": 1, "clientToken": "t-1"}

    state = iotshadow.ShadowState(reported={"motor": {"speed": 3}})
    client.publish_update_shadow(iotshadow.UpdateShadowRequest(thing_name="shadow-1", state=state, client_token="t-2"), at_least_once).result(MAX_WAIT_SECONDS)
    client.publish_get_shadow(iotshadow.GetShadowRequest(thing_name="shadow-1", client_token="t-3"), at_least_once).result(MAX_WAIT_SECONDS)
    found = accepted.get(timeout=MAX_WAIT_SECONDS)
    assert found.client_token == "t-3"
    # There is nothing left to do.
    assert json.loads(answers.get(timeout=MAX_WAIT_SECONDS)) == {"state": {}, "version": 2, "clientToken": "t-3"}
    connection.disconnect().result(MAX_WAIT_SECONDS)


def test_mqtt_5_properties_arrive(stack):
    thing = "five-1"
    certificate, key = stack.certificate(thing)
    connected, received = queue.Queue(), queue.Queue()
    client = mqtt5_client_builder.mtls_from_path(
        endpoint="localhost",
        port=stack.ports["mqtts"],
        cert_filepath=certificate,
        pri_key_filepath=key,
        ca_filepath=stack.ca,
        client_id=thing,
        on_lifecycle_connection_success=connected.put,
        on_publish_received=lambda data: received.put(data.publish_packet),
    )
    client.start()
    connected.get(timeout=MAX_WAIT_SECONDS)
    filters = [mqtt5.Subscription(topic_filter=f"cmd/{thing}/req", qos=mqtt5.QoS.AT_LEAST_ONCE)]
    client.subscribe(mqtt5.SubscribePacket(subscriptions=filters)).result(MAX_WAIT_SECONDS)
    command = stack.command(thing, delivery="topic", ttl=120)
    packet = received.get(timeout=MAX_WAIT_SECONDS)
    request = json.loads(packet.payload)
    assert packet.response_topic == request["responseTopic"] == f"cmd/{thing}/resp"
    assert packet.correlation_data_bytes.decode() == request["executionId"]
    assert packet.content_type == "application/json"
    assert 0 < packet.message_expiry_interval_sec <= 120
    response = mqtt5.PublishPacket(topic=packet.response_topic, payload=succeeded(packet.payload), qos=mqtt5.QoS.AT_LEAST_ONCE)
    client.publish(response).result(MAX_WAIT_SECONDS)
    stack.settled(command, thing, "SUCCEEDED")
    client.stop()
