"""More of a command's life with the AWS IoT Device SDK v2: it is canceled, or comes by the named shadow `cmd`."""

import json
import queue

from awscrt import mqtt
from awsiot import iotshadow
from test_device_sdk_v2 import PATIENCE, answering, connect, succeeded

AT_LEAST_ONCE = mqtt.QoS.AT_LEAST_ONCE


class CommandShadow:
    """A device that takes commands from its named shadow, and says so there."""

    def __init__(self, connection, thing):
        self.thing, self.client, self.deltas, self.got = thing, iotshadow.IotShadowClient(connection), queue.Queue(), queue.Queue()
        wanted = iotshadow.NamedShadowDeltaUpdatedSubscriptionRequest(thing_name=thing, shadow_name="cmd")
        self.client.subscribe_to_named_shadow_delta_updated_events(wanted, AT_LEAST_ONCE, self.deltas.put)[0].result(PATIENCE)
        whole = iotshadow.GetNamedShadowSubscriptionRequest(thing_name=thing, shadow_name="cmd")
        self.client.subscribe_to_get_named_shadow_accepted(whole, AT_LEAST_ONCE, self.got.put)[0].result(PATIENCE)
        self.report({"dialect": "map"})

    def report(self, reported):
        state = iotshadow.ShadowState(reported=reported)
        request = iotshadow.UpdateNamedShadowRequest(thing_name=self.thing, shadow_name="cmd", state=state)
        self.client.publish_update_named_shadow(request, AT_LEAST_ONCE).result(PATIENCE)

    def read(self):
        request = iotshadow.GetNamedShadowRequest(thing_name=self.thing, shadow_name="cmd")
        self.client.publish_get_named_shadow(request, AT_LEAST_ONCE).result(PATIENCE)
        return self.got.get(timeout=PATIENCE).state

    def next(self):
        """The next execution that is asked for, and its request."""
        while True:
            # An object whose last entry was withdrawn may stay, and be told of.
            asked = self.deltas.get(timeout=PATIENCE).state.get("c", {})
            if asked:
                ((execution, request),) = asked.items()
                return execution, request


def test_a_withdrawn_entry_is_gone(stack):
    connection = connect(stack, "map-0")
    shadow = CommandShadow(connection, "map-0")
    cloud = stack.client("iot-data")

    def wish(entries):
        cloud.update_thing_shadow(thingName="map-0", shadowName="cmd", payload=json.dumps({"state": {"desired": {"c": entries}}}))

    wish({"e1": {"attempt": 1, "command": "reboot", "expiresAt": 1}})
    assert shadow.next()[0] == "e1"
    wish({"e1": None})
    wish({"e2": {"attempt": 1, "command": "reboot", "expiresAt": 1}})
    assert shadow.next()[0] == "e2", "what was withdrawn is not in the next delta"
    assert list(shadow.read().desired["c"]) == ["e2"]
    connection.disconnect().result(PATIENCE)


def test_a_command_by_the_shadow_is_answered_by_topic_and_withdrawn(stack):
    connection = connect(stack, "map-1")
    shadow = CommandShadow(connection, "map-1")
    command = stack.command("map-1", delivery="shadow", payload={"delay": 5}, ttl=300)
    execution, request = shadow.next()
    assert (request["attempt"], request["command"], request["payload"], request["ttl"]) == (1, "reboot", {"delay": 5}, 300)
    connection.publish("cmd/map-1/resp", succeeded(json.dumps({"executionId": execution})), AT_LEAST_ONCE)[0].result(PATIENCE)
    assert stack.settled(command, "map-1", "SUCCEEDED")["result"] == {"by": "sdk v2"}
    state = shadow.read()
    assert execution not in json.dumps([state.desired, state.reported])
    connection.disconnect().result(PATIENCE)


def test_a_command_by_the_shadow_is_answered_in_the_shadow(stack):
    connection = connect(stack, "map-2")
    shadow = CommandShadow(connection, "map-2")
    command = stack.command("map-2", delivery="shadow")
    execution, _ = shadow.next()
    shadow.report({"c": {execution: {"status": "FAILED", "attempt": 1, "statusReason": {"reasonCode": "PUMP_JAMMED"}}}})
    shown = stack.settled(command, "map-2", "FAILED")
    assert shown["reason"] == "PUMP_JAMMED"
    state = shadow.read()
    assert execution not in json.dumps([state.desired, state.reported])
    connection.disconnect().result(PATIENCE)


def test_a_device_is_told_what_is_canceled(stack):
    connection = connect(stack, "cancel-1")
    canceled = queue.Queue()
    requests = answering(connection, "cancel-1", lambda _: None)
    connection.subscribe("cmd/cancel-1/cancel", AT_LEAST_ONCE, lambda topic, payload, **_: canceled.put(json.loads(payload)))[0].result(PATIENCE)
    command = stack.command("cancel-1")
    _, request = requests.get(timeout=PATIENCE)
    status, answer = stack.http("POST", f"/commands/{command}/cancel", {"force": True})
    assert status in (200, 202), answer
    assert canceled.get(timeout=PATIENCE) == {"executionId": request["executionId"], "attempt": 1}
    connection.disconnect().result(PATIENCE)
