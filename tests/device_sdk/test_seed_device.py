"""The program of the IoT Atlas page "Command - Device Shadow", unmodified except for its placeholders."""

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
# Shortest ttl in seconds for an Atlas device when the reconciler runs every 5 s.
TTL_SECONDS = 20
# Longest wait for the process, in seconds.
MAX_WAIT_SECONDS = 30


def source():
    """The program's text as the page prints it."""
    (page,) = Path(SEEDS).glob("000_*.txt")
    found = re.search(r"^```python\n(# client\.py .*?)^```$", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    assert found, f"{page} holds no client.py"
    return found[1]


class Program:
    """The program with its placeholders filled. Each start is a new process without memory of earlier runs."""

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
        self.wait_for_output("Requesting current shadow state...")
        self.wait_for_output("Processing response on GetShadow")

    def stop(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait(MAX_WAIT_SECONDS)
            self.process = None

    def output(self):
        """The output of the present run."""
        return self.log.read_text(encoding="utf-8")

    def wait_for_output(self, line):
        until(self.output, lambda output: line in output)

    def has_run_a_command(self):
        output = self.output()
        assert self.process.poll() is None and "Exiting sample" not in output, output
        return "Executing command action.." in output or "Message published on topic" in output


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    """A stack that also listens on port 443: the program connects to no other port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", 443))
        except OSError as error:
            pytest.skip(f"the program connects to port 443, which is not available: {error}")
    running = Stack(tmp_path_factory.mktemp("seed"), "--port-443", "--parameter", "ReconcileSeconds=5")
    yield running
    running.stop()


@pytest.fixture(scope="module")
def printed(stack, tmp_path_factory):
    """The program for the one thing of these tests. It needs a classic shadow before it connects."""
    set_motor(stack, "off")
    return Program(stack, tmp_path_factory.mktemp("program"))


@pytest.fixture
def device(printed):
    yield printed
    printed.stop()


@pytest.fixture(scope="module")
def ticking(stack):
    """Waits for the first tick: a schedule fires for the first time a minute after its creation."""
    sqs = stack.client("sqs")
    queue, delayed = sqs.get_queue_url(QueueName="flaghoist-ticks")["QueueUrl"], "ApproximateNumberOfMessagesDelayed"

    def waiting():
        return int(sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=[delayed])["Attributes"][delayed])

    until(waiting, lambda ticks: ticks > 0, seconds=60 + MAX_WAIT_SECONDS)


def set_motor(stack, motor):
    """Sets the desired motor status, as another writer of the same shadow."""
    body = {"state": {"desired": {"deviceAttrib": {"motorStatus": motor}}}}
    stack.client("iot-data").update_thing_shadow(thingName=THING, payload=json.dumps(body))


def shadow(stack):
    return json.load(stack.client("iot-data").get_thing_shadow(thingName=THING)["payload"])["state"]


def create(stack, message):
    """Creates a command for the device. Returns its id."""
    more = {"name": "relay-command", "payload": message, "delivery": "shadow", "shadow": "atlas", "ttl": TTL_SECONDS}
    return stack.command(THING, **more)


def test_the_program_runs_commands_from_the_shadow(stack, device):
    device.start()
    for message in ("open", "open", {"valve": 3}):
        command = create(stack, message)
        assert stack.settled(command, THING, "SUCCEEDED")["result"] == message
        until(lambda: shadow(stack), lambda state: "relay-command" not in json.dumps(state))
    assert device.has_run_a_command()


def test_the_program_runs_a_command_when_it_starts_before_the_ttl_ends(stack, device):
    command = create(stack, "open")
    set_motor(stack, "on")
    device.start()
    assert stack.settled(command, THING, "SUCCEEDED")["result"] == "open"
    device.wait_for_output("Motor is turned - on")


def test_the_program_runs_no_command_when_it_starts_after_the_ttl(stack, device, ticking):
    command = create(stack, "too late")
    created = time.monotonic()
    assert "too late" in json.dumps(shadow(stack)["desired"]["command"])
    writes = 0
    while time.monotonic() < created + TTL_SECONDS:
        writes += 1
        set_motor(stack, f"speed {writes}")
        time.sleep(0.2)
    assert writes > TTL_SECONDS
    device.start()
    device.wait_for_output(f"Motor is turned - speed {writes}")
    assert "command" not in shadow(stack)["desired"]
    shown = stack.settled(command, THING, "TIMED_OUT")
    assert (shown["reason"], shown["attempt"]) == ("NO_RESPONSE", 1)
    # A further delta, which the connected device gets, does not repeat the command.
    set_motor(stack, "off")
    device.wait_for_output("Motor is turned - off")
    assert not device.has_run_a_command(), device.output()
