"""The programs of docs/devices.md do what its table of rules says, against a stack that checks policies."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import MAX_WAIT_SECONDS, ROOT, until

LANGUAGES = {"python": "device.py", "javascript": "device.mjs", "rust": "smallest"}


def source(language):
    """The program of this language in docs/devices.md."""
    text = (ROOT / "docs" / "devices.md").read_text(encoding="utf-8")
    [program] = re.findall(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    return program


class Program:
    """A program of docs/devices.md as a process."""

    def __init__(self, language, stack, thing, folder):
        if language == "rust":
            words = [str(Path(os.environ["FLAGHOIST_BIN"]) / "examples" / "smallest")]
        else:
            script = folder / LANGUAGES[language]
            script.write_text(source(language), encoding="utf-8")
            words = [sys.executable if language == "python" else "node", str(script)]
        if language == "javascript":
            modules = os.environ.get("FLAGHOIST_NODE_MODULES")
            if not modules or not (Path(modules) / "mqtt").is_dir() or not shutil.which("node"):
                pytest.skip("FLAGHOIST_NODE_MODULES names no folder with mqtt.js, or there is no node")
            if not (folder / "node_modules").exists():
                (folder / "node_modules").symlink_to(modules)
        certificate, key = stack.certificate(thing)
        self.environment = {
            "THING": thing,
            "ENDPOINT": "localhost",
            "PORT": str(stack.ports["mqtts"]),
            "CERTIFICATE": certificate,
            "KEY": key,
            "AUTHORITY": stack.ca,
            "MEMORY": str(folder / "memory.json"),
        }
        self.words, self.stack, self.thing, self.output = words, stack, thing, folder / "output.txt"
        self.process = None

    def start(self):
        with open(self.output, "a", encoding="utf-8") as output:
            self.process = subprocess.Popen(self.words, env=os.environ | self.environment, stdout=output, stderr=output)
        until(self.is_subscribed, bool)

    def is_subscribed(self):
        assert self.process.poll() is None, self.output.read_text(encoding="utf-8")
        return f"cmd/{self.thing}/req" in self.stack.subscriptions(self.thing)

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(timeout=MAX_WAIT_SECONDS)

    def runs(self):
        """How often the command was run."""
        return self.output.read_text(encoding="utf-8").count("rebooting")


@pytest.fixture(params=LANGUAGES)
def program(request, strict_stack, tmp_path):
    made = Program(request.param, strict_stack, f"smallest-{request.param}-{request.node.name.split('[')[0][5:25]}", tmp_path)
    yield made
    if made.process and made.process.poll() is None:
        made.kill()


def command(program, **more):
    """Creates a command. Returns the path of its execution."""
    body = {"name": "reboot", "target": {"things": [program.thing]}, **more}
    status, answer = program.stack.http("POST", "/commands", body, signed=True)
    assert status == 202, answer
    return f"/commands/{answer['commandId']}/executions/{program.thing}"


def settled(program, path, status):
    return until(lambda: program.stack.http("GET", path, signed=True)[1], lambda shown: shown["status"] == status)


def send(program, request):
    program.stack.client("iot-data").publish(topic=f"cmd/{program.thing}/req", qos=1, payload=json.dumps(request))


def test_it_runs_what_it_is_asked(program):
    program.start()
    for delivery in ("auto", "direct", "topic"):
        shown = settled(program, command(program, delivery=delivery, payload={"delay": 0}), "SUCCEEDED")
        assert shown["result"] == {"uptime": 0}
    shown = settled(program, command(program, name="unknown"), "REJECTED")
    assert "UNKNOWN_COMMAND" in json.dumps(shown)
    assert program.runs() == 3


def test_it_runs_a_request_once_that_comes_again_and_none_that_is_too_late(program):
    program.start()
    path = command(program, delivery="topic")
    shown = settled(program, path, "SUCCEEDED")
    request = {"executionId": shown["executionId"], "attempt": 1, "command": "reboot", "ttl": 300, "expiresAt": int(time.time()) + 300}
    send(program, request)
    send(program, request | {"attempt": 2})
    late = {"executionId": "aaaaaaaaaaaaaaaaaaaaaaaaaa", "attempt": 1, "command": "reboot", "ttl": 5, "expiresAt": int(time.time()) - 1}
    send(program, late)
    for other in (b"{", b"[]", b'"x"', b"{}", json.dumps({"commandId": "aaaaaaaaaaaaaaaaaaaaaaaaaa", "command": "reboot"})):
        program.stack.client("iot-data").publish(topic=f"cmd/{program.thing}/req", qos=1, payload=other)
    # What comes after all of these is carried out.
    settled(program, command(program), "SUCCEEDED")
    assert program.runs() == 2
    known = json.loads(Path(program.environment["MEMORY"]).read_text(encoding="utf-8"))
    reports = known if isinstance(known, list) else known.values()
    assert [report["status"] for report in reports if report["executionId"] == late["executionId"]] == ["TIMED_OUT"]


def test_it_reports_while_it_works(program):
    program.start()
    path = command(program, payload={"delay": 7}, heartbeat=1)
    shown = settled(program, path, "SUCCEEDED")
    assert shown["late"] is False and program.runs() == 1


def test_it_says_after_a_restart_what_was_interrupted_and_takes_what_waited(program):
    program.start()
    path = command(program, payload={"delay": MAX_WAIT_SECONDS * 2})
    settled(program, path, "IN_PROGRESS")
    program.kill()
    waiting = command(program, delivery="topic")
    program.start()
    assert "DEVICE_RESTARTED" in json.dumps(settled(program, path, "FAILED"))
    settled(program, waiting, "SUCCEEDED")
    assert program.runs() == 2


def test_the_program_in_rust_is_the_example_that_is_built():
    assert source("rust") == (ROOT / "device" / "examples" / "smallest.rs").read_text(encoding="utf-8")
