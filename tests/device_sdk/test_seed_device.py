"""The device program of the "Command - Device Shadow" page, unmodified: only its placeholders are filled, as its reader would do."""

import json
import os
import re
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import Stack, until

SEEDS = os.environ.get("FLAGHOIST_SEEDS")
pytestmark = pytest.mark.skipif(not SEEDS, reason="FLAGHOIST_SEEDS names no folder that holds the pages of the device programs")

THING = "device1"
# The least that such a device is given where the reconciler runs every 5 s.
TTL = 20
PATIENCE = 30


def source():
    """The program of the page, as it is printed there."""
    (page,) = Path(SEEDS).glob("000_*.txt")
    found = re.search(r"^```python\n(# client\.py .*?)^```$", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    assert found, f"{page} holds no client.py"
    return found[1]


class Program:
    """The program, with its placeholders filled. It can be started again and again, and knows nothing of its earlier runs then."""

    def __init__(self, stack, folder):
        certificate, key = stack.certificate(THING)
        text = source()
        for placeholder, value in {
            "REPLACE_WITH_DEVICE_ID": THING,
            "REPLACE_WITH_SECURE_DEVICE_TOKEN": "a-constant-token",
            "REPLACE_WITH_YOUR_ENDPOINT_FQDN": "localhost",
            "PATH_TO_CLIENT_CERTIFICATE_FILE": certificate,
            "PATH_TO_CLIENT_PRIVATE_KEY_FILE": key,
            "PATH_TO_ROOT_CA_CERTIFICATE_FILE": stack.ca,
            "REPLACE_WITH_DEVICE_NAME": THING,
        }.items():
            assert text.count(f'"{placeholder}"') == 1, placeholder
            text = text.replace(f'"{placeholder}"', json.dumps(value))
        self.path, self.log, self.process = folder / "client.py", folder / "client.log", None
        self.path.write_text(text, encoding="utf-8")

    def start(self):
        with open(self.log, "w", encoding="utf-8") as log:
            self.process = subprocess.Popen([sys.executable, "-u", str(self.path)], stdout=log, stderr=subprocess.STDOUT)
        self.says("Requesting current shadow state...")
        self.says("Processing response on GetShadow")

    def stop(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait(PATIENCE)
            self.process = None

    def output(self):
        """What this run of it has printed."""
        return self.log.read_text(encoding="utf-8")

    def says(self, line):
        until(self.output, lambda said: line in said)

    def has_run_a_command(self):
        said = self.output()
        assert self.process.poll() is None and "Exiting sample" not in said, said
        return "Executing command action.." in said or "Message published on topic" in said


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    """With the port that such a program connects to: it cannot be told of another."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", 443))
        except OSError as error:
            pytest.skip(f"the program connects to port 443, and that cannot be had: {error}")
    running = Stack(tmp_path_factory.mktemp("seed"), "--port-443", "--parameter", "ReconcileSeconds=5")
    yield running
    running.stop()


@pytest.fixture(scope="module")
def printed(stack, tmp_path_factory):
    """The page's program, for the one thing of these tests; such a device has a shadow before it connects."""
    wish(stack, "off")
    return Program(stack, tmp_path_factory.mktemp("program"))


@pytest.fixture
def device(printed):
    yield printed
    printed.stop()


@pytest.fixture(scope="module")
def ticking(stack):
    """A schedule fires for the first time a minute after it was made: until then nothing is reconciled."""
    sqs = stack.client("sqs")
    queue, delayed = sqs.get_queue_url(QueueName="flaghoist-ticks")["QueueUrl"], "ApproximateNumberOfMessagesDelayed"

    def waiting():
        return int(sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=[delayed])["Attributes"][delayed])

    until(waiting, lambda ticks: ticks > 0, patience=60 + PATIENCE)


def wish(stack, motor):
    """What someone else writes to the same shadow."""
    body = {"state": {"desired": {"deviceAttrib": {"motorStatus": motor}}}}
    stack.client("iot-data").update_thing_shadow(thingName=THING, payload=json.dumps(body))


def shadow(stack):
    return json.load(stack.client("iot-data").get_thing_shadow(thingName=THING)["payload"])["state"]


def relay(stack, message):
    more = {"name": "relay-command", "payload": message, "delivery": "shadow", "shadow": "atlas", "ttl": TTL}
    return stack.command(THING, **more)


def test_it_takes_its_commands_from_the_shadow(stack, device):
    device.start()
    for message in ("open", "open", {"valve": 3}):
        command = relay(stack, message)
        assert stack.settled(command, THING, "SUCCEEDED")["result"] == message
        until(lambda: shadow(stack), lambda state: "relay-command" not in json.dumps(state))
    assert device.has_run_a_command()


def test_it_finds_its_command_when_it_comes_back_in_time(stack, device):
    command = relay(stack, "open")
    wish(stack, "on")
    device.start()
    assert stack.settled(command, THING, "SUCCEEDED")["result"] == "open"
    device.says("Motor is turned - on")


def test_it_finds_no_command_when_it_comes_back_after_the_ttl(stack, device, ticking):
    command = relay(stack, "too late")
    asked = time.monotonic()
    assert "too late" in json.dumps(shadow(stack)["desired"]["command"])
    writes = 0
    while time.monotonic() < asked + TTL:
        writes += 1
        wish(stack, f"speed {writes}")
        time.sleep(0.2)
    assert writes > TTL
    device.start()
    device.says(f"Motor is turned - speed {writes}")
    assert "command" not in shadow(stack)["desired"]
    shown = stack.settled(command, THING, "TIMED_OUT")
    assert (shown["reason"], shown["attempt"]) == ("NO_RESPONSE", 1)
    # Nor does another wish wake it, which a device that is connected hears of.
    wish(stack, "off")
    device.says("Motor is turned - off")
    assert not device.has_run_a_command(), device.output()
