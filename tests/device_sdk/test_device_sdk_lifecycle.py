"""The AWS IoT Device SDK v2 for Python: a cancel notice, and commands in the named shadow `cmd`."""

import json
import queue

from awscrt import mqtt
from awsiot import iotshadow
from test_device_sdk_v2 import MAX_WAIT_SECONDS, connect, respond_to_requests, succeeded

AT_LEAST_ONCE = mqtt.QoS.AT_LEAST_ONCE


class CommandShadow:
    """A device that takes commands from its named shadow, and reports the dialect there."""

    def __init__(self, connection, thing):
        self.thing, self.client, self.deltas, self.documents = thing, iotshadow.IotShadowClient(connection), queue.Queue(), queue.Queue()
        delta = iotshadow.NamedShadowDeltaUpdatedSubscriptionRequest(thing_name=thing, shadow_name="cmd")
        self.client.subscribe_to_named_shadow_delta_updated_events(delta, AT_LEAST_ONCE, self.deltas.put)[0].result(MAX_WAIT_SECONDS)
        accepted = iotshadow.GetNamedShadowSubscriptionRequest(thing_name=thing, shadow_name="cmd")
        self.client.subscribe_to_get_named_shadow_accepted(accepted, AT_LEAST_ONCE, self.documents.put)[0].result(MAX_WAIT_SECONDS)
        self.report({"dialect": "map"})

    def report(self, reported):
        state = iotshadow.ShadowState(reported=reported)
        request = iotshadow.UpdateNamedShadowRequest(thing_name=self.thing, shadow_name="cmd", state=state)
        self.client.publish_update_named_shadow(request, AT_LEAST_ONCE).result(MAX_WAIT_SECONDS)

    def read(self):
        request = iotshadow.GetNamedShadowRequest(thing_name=self.thing, shadow_name="cmd")
        self.client.publish_get_named_shadow(request, AT_LEAST_ONCE).result(MAX_WAIT_SECONDS)
        return self.documents.get(timeout=MAX_WAIT_SECONDS).state

    def next(self):
        """Waits for the next request. Returns its execution id and entry."""
        while True:
            # After the clean-up of the last entry, a delta may have an empty object `c`.
            entries = self.deltas.get(timeout=MAX_WAIT_SECONDS).state.get("c", {})
            if entries:
                ((execution, request),) = entries.items()
                return execution, request


def test_a_removed_entry_is_in_no_later_delta(stack):
    connection = connect(stack, "map-0")
    shadow = CommandShadow(connection, "map-0")
    iot_data = stack.client("iot-data")

    def set_desired(entries):
        iot_data.update_thing_shadow(thingName="map-0", shadowName="cmd", payload=json.dumps({"state": {"desired": {"c": entries}}}))

    set_desired({"e1": {"attempt": 1, "command": "reboot", "expiresAt": 1}})
    assert shadow.next()[0] == "e1"
    set_desired({"e1": None})
    set_desired({"e2": {"attempt": 1, "command": "reboot", "expiresAt": 1}})
    assert shadow.next()[0] == "e2", "the removed entry is in the next delta"
    assert list(shadow.read().desired["c"]) == ["e2"]
    connection.disconnect().result(MAX_WAIT_SECONDS)


def test_a_command_by_shadow_is_reported_by_topic_and_removed(stack):
    connection = connect(stack, "map-1")
    shadow = CommandShadow(connection, "map-1")
    command = stack.command("map-1", delivery="shadow", payload={"delay": 5}, ttl=300)
    execution, request = shadow.next()
    # It is removed from the shadow five seconds before its ttl ends.
    assert (request["attempt"], request["command"], request["payload"], request["ttl"]) == (1, "reboot", {"delay": 5}, 295)
    connection.publish("cmd/map-1/resp", succeeded(json.dumps({"executionId": execution})), AT_LEAST_ONCE)[0].result(MAX_WAIT_SECONDS)
    assert stack.settled(command, "map-1", "SUCCEEDED")["result"] == {"by": "sdk v2"}
    state = shadow.read()
    assert execution not in json.dumps([state.desired, state.reported])
    connection.disconnect().result(MAX_WAIT_SECONDS)


def test_a_command_by_shadow_is_reported_in_the_shadow_and_removed(stack):
    connection = connect(stack, "map-2")
    shadow = CommandShadow(connection, "map-2")
    command = stack.command("map-2", delivery="shadow")
    execution, _ = shadow.next()
    shadow.report({"c": {execution: {"status": "FAILED", "attempt": 1, "statusReason": {"reasonCode": "PUMP_JAMMED"}}}})
    shown = stack.settled(command, "map-2", "FAILED")
    assert shown["reason"] == "PUMP_JAMMED"
    state = shadow.read()
    assert execution not in json.dumps([state.desired, state.reported])
    connection.disconnect().result(MAX_WAIT_SECONDS)


def test_a_device_gets_a_cancel_notice(stack):
    connection = connect(stack, "cancel-1")
    canceled = queue.Queue()
    requests = respond_to_requests(connection, "cancel-1", lambda _: None)
    connection.subscribe("cmd/cancel-1/cancel", AT_LEAST_ONCE, lambda topic, payload, **_: canceled.put(json.loads(payload)))[0].result(MAX_WAIT_SECONDS)
    command = stack.command("cancel-1")
    _, request = requests.get(timeout=MAX_WAIT_SECONDS)
    status, body = stack.http("POST", f"/commands/{command}/cancel", {"force": True})
    assert status in (200, 202), body
    assert canceled.get(timeout=MAX_WAIT_SECONDS) == {"executionId": request["executionId"], "attempt": 1}
    connection.disconnect().result(MAX_WAIT_SECONDS)
