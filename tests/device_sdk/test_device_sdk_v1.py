"""The AWS IoT Device SDK v1 for Python: shadows at QoS 0, with a subscription for each operation."""

import json
import queue

from AWSIoTPythonSDK.MQTTLib import AWSIoTMQTTClient, AWSIoTMQTTShadowClient


def configured(client, stack, thing):
    certificate, key = stack.certificate(thing)
    client.configureEndpoint("localhost", stack.ports["mqtts"])
    client.configureCredentials(stack.ca, key, certificate)
    client.configureConnectDisconnectTimeout(10)
    client.configureMQTTOperationTimeout(10)
    return client


def test_a_command_succeeds(stack):
    device = configured(AWSIoTMQTTClient("old-1"), stack, "old-1")
    assert device.connect()
    requests = queue.Queue()

    def on_request(_client, _userdata, message):
        requests.put(message.payload)
        body = {"executionId": json.loads(message.payload)["executionId"], "status": "SUCCEEDED"}
        device.publishAsync("cmd/old-1/resp", json.dumps(body), 1)

    device.subscribe("cmd/old-1/req", 1, on_request)
    command = stack.command("old-1")
    requests.get(timeout=30)
    stack.settled(command, "old-1", "SUCCEEDED")
    assert device.disconnect()


def test_a_shadow_is_updated_and_deleted(stack):
    client = configured(AWSIoTMQTTShadowClient("old-2"), stack, "old-2")
    assert client.connect()
    shadow = client.createShadowHandlerWithName("old-2", True)
    responses, deltas = queue.Queue(), queue.Queue()
    shadow.shadowRegisterDeltaCallback(lambda payload, status, token: deltas.put(json.loads(payload)))

    def collect(payload, status, _token):
        responses.put((status, payload))

    shadow.shadowGet(collect, 10)
    assert responses.get(timeout=30)[0] == "rejected"
    shadow.shadowUpdate(json.dumps({"state": {"reported": {"light": "off"}}}), collect, 10)
    status, payload = responses.get(timeout=30)
    assert (status, json.loads(payload)["version"]) == ("accepted", 1)
    # The SDK drops a delta that is not newer than its last response, so another client writes the desired state.
    stack.client("iot-data").update_thing_shadow(thingName="old-2", payload='{"state":{"desired":{"light":"on"}}}')
    assert deltas.get(timeout=30)["state"] == {"light": "on"}
    shadow.shadowDelete(collect, 10)
    assert responses.get(timeout=30)[0] == "accepted"
    client.disconnect()
