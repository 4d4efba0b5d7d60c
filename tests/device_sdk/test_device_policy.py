"""The template's policy of devices: what it lets a device do, and what it does not, with the AWS IoT Device SDK v2."""

import json
import queue

import pytest
from awscrt import mqtt
from awscrt.exceptions import AwsCrtError
from awsiot import mqtt_connection_builder
from conftest import MAX_WAIT_SECONDS, until
from test_device_sdk_v2 import connect

QOS = mqtt.QoS.AT_LEAST_ONCE
REFUSED = 128


def subscribe(connection, topic, callback=None):
    """Subscribes. Returns the QoS that the SUBACK grants; 128 is a refusal."""
    subscribed = connection.subscribe(topic, QOS, callback)[0]
    return REFUSED if subscribed.exception(MAX_WAIT_SECONDS) else subscribed.result()["qos"]


def publish(stack, thing, topic, payload=b"{}"):
    """Publishes on a connection of its own, since a refused message ends it. Returns whether it was taken."""
    connection = connect(stack, thing, clean_session=True)
    error = connection.publish(topic, payload, QOS)[0].exception(MAX_WAIT_SECONDS)
    connection.disconnect().result(MAX_WAIT_SECONDS)
    return error is None


def command(stack, thing, **more):
    status, body = stack.http("POST", "/commands", {"name": "reboot", "target": {"things": [thing]}, **more}, signed=True)
    assert status == 202, body
    return body["commandId"]


def settled(stack, command_id, thing):
    path = f"/commands/{command_id}/executions/{thing}"
    return until(lambda: stack.http("GET", path, signed=True)[1], lambda shown: shown["status"] == "SUCCEEDED")


@pytest.mark.parametrize(
    "topic",
    [
        "cmd/policy-s/req",
        "cmd/policy-s/cancel",
        "cmd/policy-s/+",
        "cmd/group/pumps/req",
        "device_status/request",
        "things/policy-s/shadow/trimmed/update",
        "things/policy-s/shadow/config/trimmed/get",
        "$aws/things/policy-s/shadow/update/delta",
        "$aws/things/policy-s/shadow/name/config/get/+",
        "$aws/things/policy-s/jobs/notify-next",
    ],
)
def test_a_device_subscribes_to_its_own_topics(strict_stack, topic):
    connection = connect(strict_stack, "policy-s")
    assert subscribe(connection, topic) == QOS
    connection.disconnect().result(MAX_WAIT_SECONDS)


@pytest.mark.parametrize(
    "topic",
    ["#", "cmd/#", "cmd/+/req", "cmd/policy-other/req", "cmd/commands/+/events", "things/+/shadow/trimmed/update", "$aws/things/policy-other/shadow/update/delta"],
)
def test_a_device_does_not_subscribe_to_other_topics(strict_stack, topic):
    connection = connect(strict_stack, "policy-s")
    assert subscribe(connection, topic) == REFUSED
    connection.disconnect().result(MAX_WAIT_SECONDS)


@pytest.mark.parametrize("topic", ["device_status/response", "$aws/things/policy-p/shadow/get", "$aws/things/policy-p/shadow/name/config/update"])
def test_a_device_publishes_on_its_own_topics(strict_stack, topic):
    assert publish(strict_stack, "policy-p", topic)


@pytest.mark.parametrize(
    "topic",
    [
        "cmd/policy-other/resp",
        "cmd/policy-p/req",
        "cmd/group/pumps/req",
        "device_status/request",
        "things/policy-p/shadow/trimmed/update",
        "$aws/things/policy-other/shadow/update",
        "$aws/rules/another_rule/cmd/policy-p/resp",
        "$aws/rules/flaghoist_response/cmd/policy-other/resp",
    ],
)
def test_a_device_does_not_publish_on_other_topics(strict_stack, topic):
    assert not publish(strict_stack, "policy-p", topic)


@pytest.mark.parametrize("response", ["cmd/{thing}/resp", "cmd/{thing}/response", "cmd/{thing}/resp/{execution}", "$aws/rules/flaghoist_response/cmd/{thing}/resp"])
@pytest.mark.parametrize("delivery", ["direct", "topic"])
def test_a_device_with_the_policy_runs_commands(strict_stack, delivery, response):
    connection = connect(strict_stack, "policy-c", clean_session=True)

    def answer(topic, payload, **_):
        execution = json.loads(payload)["executionId"]
        report = json.dumps({"executionId": execution, "status": "SUCCEEDED"})
        connection.publish(response.format(thing="policy-c", execution=execution), report, QOS)

    assert subscribe(connection, "cmd/policy-c/req", answer) == QOS
    settled(strict_stack, command(strict_stack, "policy-c", delivery=delivery), "policy-c")
    connection.disconnect().result(MAX_WAIT_SECONDS)


def test_a_device_with_the_policy_takes_a_command_from_its_shadow(strict_stack):
    connection = connect(strict_stack, "policy-m", clean_session=True)
    deltas = queue.Queue()
    assert subscribe(connection, "$aws/things/policy-m/shadow/name/cmd/update/delta", lambda topic, payload, **_: deltas.put(json.loads(payload))) == QOS
    created = command(strict_stack, "policy-m", delivery="shadow", shadow="map")
    entries = deltas.get(timeout=MAX_WAIT_SECONDS)["state"]["c"]
    report = {"state": {"reported": {"c": {execution: {"status": "SUCCEEDED"} for execution in entries}}}}
    connection.publish("$aws/things/policy-m/shadow/name/cmd/update", json.dumps(report), QOS)
    settled(strict_stack, created, "policy-m")
    connection.disconnect().result(MAX_WAIT_SECONDS)


def test_a_client_id_that_is_not_the_thing_is_refused(strict_stack):
    certificate, key = strict_stack.certificate("policy-i")
    connection = mqtt_connection_builder.mtls_from_path(
        endpoint="localhost",
        port=strict_stack.ports["mqtts"],
        cert_filepath=certificate,
        pri_key_filepath=key,
        ca_filepath=strict_stack.ca,
        client_id="policy-j",
    )
    with pytest.raises(AwsCrtError):
        connection.connect().result(MAX_WAIT_SECONDS)
