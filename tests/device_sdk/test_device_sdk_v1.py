"""The AWS IoT Device SDK v1 for Python: shadows at QoS 0, with a subscription for each operation."""

import json
import queue
import socket
import threading

from AWSIoTPythonSDK.MQTTLib import AWSIoTMQTTClient, AWSIoTMQTTShadowClient
from conftest import MAX_WAIT_SECONDS


def configured(client, stack, thing):
    certificate, key = stack.certificate(thing)
    client.configureEndpoint("localhost", stack.ports["mqtts"])
    client.configureCredentials(stack.ca, key, certificate)
    client.configureConnectDisconnectTimeout(MAX_WAIT_SECONDS)
    client.configureMQTTOperationTimeout(MAX_WAIT_SECONDS)
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
    requests.get(timeout=MAX_WAIT_SECONDS)
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

    shadow.shadowGet(collect, MAX_WAIT_SECONDS)
    assert responses.get(timeout=MAX_WAIT_SECONDS)[0] == "rejected"
    shadow.shadowUpdate(json.dumps({"state": {"reported": {"light": "off"}}}), collect, MAX_WAIT_SECONDS)
    status, payload = responses.get(timeout=MAX_WAIT_SECONDS)
    assert (status, json.loads(payload)["version"]) == ("accepted", 1)
    # The SDK drops a delta that is not newer than its last response, so another client writes the desired state.
    stack.client("iot-data").update_thing_shadow(thingName="old-2", payload='{"state":{"desired":{"light":"on"}}}')
    assert deltas.get(timeout=MAX_WAIT_SECONDS)["state"] == {"light": "on"}
    shadow.shadowDelete(collect, MAX_WAIT_SECONDS)
    assert responses.get(timeout=MAX_WAIT_SECONDS)[0] == "accepted"
    client.disconnect()


def test_its_samples_of_shadows_run_together(stack):
    """What the SDK's samples do, side by side: basicShadowUpdater asks for one value after the other,
    basicShadowDeltaListener sees each, and ThingShadowEcho reports what it is asked for."""
    certificate, key = stack.certificate("sample-1")

    def connect(client_id):
        client = AWSIoTMQTTShadowClient(client_id)
        client.configureEndpoint("localhost", stack.ports["mqtts"])
        client.configureCredentials(stack.ca, key, certificate)
        client.configureConnectDisconnectTimeout(MAX_WAIT_SECONDS)
        client.configureMQTTOperationTimeout(MAX_WAIT_SECONDS)
        assert client.connect()
        return client, client.createShadowHandlerWithName("sample-1", True)

    def done(call, *words):
        """Makes a call of the SDK, and waits for its answer."""
        answers = queue.Queue()
        call(*words, lambda payload, status, _token: answers.put((status, payload)), MAX_WAIT_SECONDS)
        return answers.get(timeout=MAX_WAIT_SECONDS)

    (updater, asking), (listener, listening), (echo, echoing) = map(connect, ("updater", "listener", "echo"))
    assert done(asking.shadowDelete)[0] in ("accepted", "rejected")
    deltas, asked, reported = queue.Queue(), queue.Queue(), queue.Queue()
    listening.shadowRegisterDeltaCallback(lambda payload, status, token: deltas.put(json.loads(payload)))
    echoing.shadowRegisterDeltaCallback(lambda payload, status, token: asked.put(json.loads(payload)["state"]))

    def report_what_is_asked():
        for state in iter(asked.get, None):
            reported.put(done(echoing.shadowUpdate, json.dumps({"state": {"reported": state}}))[0])

    # Beside the callbacks of the SDK, which run one after the other: a call that waits for its answer waits for ever there.
    reporting = threading.Thread(target=report_what_is_asked)
    reporting.start()
    for value in range(5):
        status, _ = done(asking.shadowUpdate, json.dumps({"state": {"desired": {"property": value}}}))
        assert status == "accepted"
        assert deltas.get(timeout=MAX_WAIT_SECONDS)["state"] == {"property": value}
        assert reported.get(timeout=MAX_WAIT_SECONDS) == "accepted"
    asked.put(None)
    reporting.join(MAX_WAIT_SECONDS)
    shadow = json.loads(done(asking.shadowGet)[1])["state"]
    assert shadow == {"desired": {"property": 4}, "reported": {"property": 4}}
    for client in (updater, listener, echo):
        client.disconnect()


def test_several_shadows_and_plain_messages_share_a_connection(stack):
    """Shadows that stay subscribed, and shadows that subscribe for each operation."""
    client = configured(AWSIoTMQTTShadowClient("old-3"), stack, "old-3")
    assert client.connect()
    handlers = [client.createShadowHandlerWithName(f"old-3-{kept}", kept) for kept in (True, False)]
    for number, shadow in enumerate(handlers):
        responses = queue.Queue()

        def collect(payload, status, _token, responses=responses):
            responses.put((status, payload))

        for version in (1, 2):
            shadow.shadowUpdate(json.dumps({"state": {"reported": {"number": number, "version": version}}}), collect, MAX_WAIT_SECONDS)
            status, payload = responses.get(timeout=MAX_WAIT_SECONDS)
            assert (status, json.loads(payload)["version"]) == ("accepted", version)
        shadow.shadowGet(collect, MAX_WAIT_SECONDS)
        status, payload = responses.get(timeout=MAX_WAIT_SECONDS)
        assert (status, json.loads(payload)["state"]["reported"]) == ("accepted", {"number": number, "version": 2})
    plain, heard = client.getMQTTConnection(), queue.Queue()
    plain.subscribe("old/plain", 1, lambda _client, _userdata, message: heard.put(message.payload))
    plain.publish("old/plain", "hello", 1)
    assert heard.get(timeout=MAX_WAIT_SECONDS) == b"hello"
    client.disconnect()


class Line:
    """A connection to the broker that can be cut: bytes are passed on as they come."""

    def __init__(self, port):
        self.target, self.up, self.pairs = port, True, []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                device, _ = self.listener.accept()
            except OSError:
                return
            if not self.up:
                device.close()
                continue
            broker = socket.create_connection(("127.0.0.1", self.target))
            self.pairs.append((device, broker))
            for source, sink in ((device, broker), (broker, device)):
                threading.Thread(target=self.pump, args=(source, sink), daemon=True).start()

    @staticmethod
    def pump(source, sink):
        try:
            while data := source.recv(65536):
                sink.sendall(data)
        except OSError:
            pass
        for end in (source, sink):
            end.close()

    def cut(self):
        self.up = False
        for pair in self.pairs:
            for end in pair:
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def mend(self):
        self.up = True


def test_answers_that_were_queued_while_offline_count_after_the_reconnect(stack):
    thing, line = "old-4", Line(stack.ports["mqtts"])
    client = AWSIoTMQTTClient(thing, cleanSession=False)
    device = configured(client, stack, thing)
    device.configureEndpoint("localhost", line.port)
    device.configureAutoReconnectBackoffTime(1, 4, 20)
    device.configureOfflinePublishQueueing(-1)
    device.configureDrainingFrequency(10)
    gone = threading.Event()
    client.onOffline = gone.set
    assert device.connect()
    requests = queue.Queue()
    device.subscribe(f"cmd/{thing}/req", 1, lambda _client, _userdata, message: requests.put(json.loads(message.payload)))
    commands = [stack.command(thing, delivery="topic") for _ in range(5)]
    received = [requests.get(timeout=MAX_WAIT_SECONDS)["executionId"] for _ in commands]
    line.cut()
    assert gone.wait(MAX_WAIT_SECONDS)
    for execution in received:
        device.publishAsync(f"cmd/{thing}/resp", json.dumps({"executionId": execution, "status": "SUCCEEDED"}), 1)
    for command in commands:
        assert stack.http("GET", f"/commands/{command}/executions/{thing}")[1]["status"] == "CREATED"
    line.mend()
    for command in commands:
        stack.settled(command, thing, "SUCCEEDED")
    assert device.disconnect()
