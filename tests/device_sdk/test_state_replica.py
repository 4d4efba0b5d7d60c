"""A device's state in its shadow, with the AWS CLI and the AWS IoT Device SDK v2: what it does by itself, and what waited for it."""

import json
import queue

from awscrt import mqtt
from conftest import MAX_WAIT_SECONDS
from test_device_sdk_v2 import connect

QOS = mqtt.QoS.AT_LEAST_ONCE


def hear(connection, *topics):
    """Subscribes. Returns the queue of the messages, as topic and body."""
    heard = queue.Queue()
    for topic in topics:
        connection.subscribe(topic, QOS, lambda topic, payload, **_: heard.put((topic, json.loads(payload))))[0].result(MAX_WAIT_SECONDS)
    return heard


def test_a_document_with_a_state_a_command_and_other_reported_data_is_taken(stack):
    stack.aws("iot", "create-thing", "--thing-name", "replica-cli")
    command = {"relay-command": {"message": "to be relayed", "topic": "relay-command/response", "ttl": 300}}
    state = {"desired": {"deviceAttrib": {"motorStatus": "on"}, "command": [command]}, "reported": {"deviceData": {"motorStatus": "off"}}}
    document = json.dumps({"state": state, "clientToken": "app-1"})
    stack.aws("iot-data", "update-thing-shadow", "--thing-name", "replica-cli", "--payload", document, str(stack.folder / "out"))
    found = json.loads(stack.client("iot-data").get_thing_shadow(thingName="replica-cli")["payload"].read())
    assert found["state"] == {**state, "delta": state["desired"]}


def test_a_change_that_a_device_makes_by_itself_leaves_no_delta(stack):
    thing = "replica-1"
    device = connect(stack, thing, clean_session=True)
    shadow = f"$aws/things/{thing}/shadow/update"
    heard = hear(device, f"{shadow}/accepted", f"{shadow}/documents", f"{shadow}/delta")
    for light in ("on", "off"):
        state = {"desired": {"light": light}, "reported": {"light": light}}
        device.publish(shadow, json.dumps({"state": state, "clientToken": light}), QOS)
        answers = dict(heard.get(timeout=MAX_WAIT_SECONDS) for _ in range(2))
        assert answers[f"{shadow}/accepted"]["state"] == state and answers[f"{shadow}/accepted"]["clientToken"] == light
        assert answers[f"{shadow}/documents"]["current"]["state"] == state
    # A marker behind all of it: no delta came.
    device.publish(shadow, json.dumps({"state": {"reported": {"mark": 1}}}), QOS)
    assert {heard.get(timeout=MAX_WAIT_SECONDS)[0] for _ in range(2)} == {f"{shadow}/accepted", f"{shadow}/documents"}
    device.disconnect().result(MAX_WAIT_SECONDS)


def test_a_color_that_was_wanted_while_the_light_was_off_is_applied_when_it_connects(stack):
    thing = "replica-light"
    command = stack.command(thing, name="color", delivery="shadow", shadow="state", payload={"color": "green"})
    light = connect(stack, thing, clean_session=True)
    shadow = f"$aws/things/{thing}/shadow"
    heard = hear(light, f"{shadow}/get/accepted")
    light.publish(f"{shadow}/get", "", QOS)
    _, document = heard.get(timeout=MAX_WAIT_SECONDS)
    # It knows no token of the request here, and reports with its own.
    light.publish(f"{shadow}/update", json.dumps({"state": {"reported": document["state"]["delta"]}, "clientToken": "its-own"}), QOS)
    assert stack.settled(command, thing, "SUCCEEDED")["late"] is False
    light.disconnect().result(MAX_WAIT_SECONDS)


def test_a_property_and_a_whole_shadow_are_cleared(stack):
    thing = "replica-clear"
    light = connect(stack, thing, clean_session=True)
    shadow = f"$aws/things/{thing}/shadow"
    heard = hear(light, f"{shadow}/update/accepted", f"{shadow}/get/accepted")

    def update(state):
        light.publish(f"{shadow}/update", json.dumps({"state": state}), QOS)
        assert heard.get(timeout=MAX_WAIT_SECONDS)[1]["state"] == state
        light.publish(f"{shadow}/get", "", QOS)
        return heard.get(timeout=MAX_WAIT_SECONDS)[1].get("state")

    assert update({"desired": {"color": "red"}, "reported": {"color": "red", "power": 3}})["reported"] == {"color": "red", "power": 3}
    assert update({"reported": {"color": None}}) == {"desired": {"color": "red"}, "reported": {"power": 3}, "delta": {"color": "red"}}
    assert not update({"desired": None, "reported": None})
    light.disconnect().result(MAX_WAIT_SECONDS)
