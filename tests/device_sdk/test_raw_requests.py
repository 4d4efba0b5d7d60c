"""Requests of any bytes, on topics of the caller's choice, with the AWS IoT Device SDK v2: the device treats them as text,
and answers as the device of AWS's page on commands over MQTT topics does."""

import base64
import queue

import pytest
from awscrt import mqtt
from conftest import MAX_WAIT_SECONDS, Stack, until
from test_device_sdk_v2 import connect

QOS = mqtt.QoS.AT_LEAST_ONCE


def run_device(stack, thing, topic, works=lambda payload: True):
    """A device that does what a request says, and answers with fixed words and with what it has received, as Python
    prints it. Returns its connection, and the queue of what it has received."""
    connection, received = connect(stack, thing), queue.Queue()

    def on_message(topic, payload, **_):
        received.put(payload)
        word, did = ("SUCCESS", "ran") if works(payload) else ("FAILURE", "did not run")
        text = f"{word}: command {did} successfully from payload: {payload}"
        connection.publish(f"cmd/{thing}/resp", text, QOS)

    connection.subscribe(topic, QOS, on_message)[0].result(MAX_WAIT_SECONDS)
    return connection, received


def raw(request):
    return {"format": "raw", "payload": base64.b64encode(request).decode()}


def test_any_text_reaches_the_device_and_its_answer_counts(stack):
    connection, received = run_device(stack, "raw-1", "cmd/raw-1/req", lambda payload: b"fail" not in payload)
    requests = [b'"light: on", "id: 1111"', b"it's", b"fail, please", "café".encode() + b" \x00\xff", b""]
    for delivery in ("topic", "direct"):
        for request in requests:
            command = stack.command("raw-1", delivery=delivery, **raw(request))
            stack.settled(command, "raw-1", "FAILED" if b"fail" in request else "SUCCEEDED")
            assert received.get(timeout=MAX_WAIT_SECONDS) == request
    connection.disconnect().result(MAX_WAIT_SECONDS)


@pytest.fixture(scope="module")
def stack_with_topics(tmp_path_factory):
    folder = tmp_path_factory.mktemp("topics")
    running = Stack(folder, "--authorize", "--parameter", "RequestTopics=lights/{thing}/set,valves/{thing}")
    running.device_policies.append("flaghoist-device-topics")
    yield running
    running.stop()


def test_a_device_listens_on_its_topic_and_not_on_that_of_another(stack_with_topics):
    stack = stack_with_topics
    connection, received = run_device(stack, "lamp-1", "lights/lamp-1/set")
    for delivery in ("topic", "direct", "auto"):
        body = {"name": "light", "target": {"things": ["lamp-1"]}, "topic": "lights/{thing}/set", "delivery": delivery}
        status, created = stack.http("POST", "/commands", {**body, **raw(b"on")}, signed=True)
        assert status == 202, created
        path = f"/commands/{created['commandId']}/executions/lamp-1"
        until(lambda: stack.http("GET", path, signed=True)[1], lambda shown: shown["status"] == "SUCCEEDED")
        assert received.get(timeout=MAX_WAIT_SECONDS) == b"on"
    for other in ("lights/lamp-11/set", "lights/+/set", "valves/#"):
        refused = connection.subscribe(other, QOS)[0]
        assert refused.exception(MAX_WAIT_SECONDS) or refused.result()["qos"] == 128, other
    connection.disconnect().result(MAX_WAIT_SECONDS)
