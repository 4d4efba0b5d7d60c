"""The local stacks that the tests of the real clients share, and the clients' access to them."""

import json
import os
import re
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

import boto3
import pytest

ROOT = Path(__file__).resolve().parents[2]
BUILT = ROOT / ".aws-sam" / "build"
# Longest wait for one condition, in seconds.
MAX_WAIT_SECONDS = 60


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Stack:
    """The stack as a process, started as a user starts it."""

    def __init__(self, folder, *options):
        self.folder = folder
        self.ports = {name: free_port() for name in ("http", "endpoint", "mqtt", "mqtts", "https")}
        program = Path(os.environ["FLAGHOIST_BIN"]) / "local"
        command = [program, "--template", ROOT / "template.yaml", "--certificates", folder, *options]
        for name, port in self.ports.items():
            command += [f"--{name}-port", str(port)]
        if BUILT.is_dir():
            command += ["--functions", BUILT]
        self.log = open(folder / "stack.log", "w+", encoding="utf-8")
        self.process = subprocess.Popen([str(word) for word in command], cwd=ROOT, stdout=self.log, stderr=subprocess.STDOUT)
        self.ca = str(folder / "ca.pem")
        self.environment = {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.ports['endpoint']}",
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
        }
        self.wait()

    def wait(self):
        deadline = time.monotonic() + MAX_WAIT_SECONDS
        while time.monotonic() < deadline:
            assert self.process.poll() is None, self.output()
            try:
                # Ports take connections before the stack has its certificates and answers.
                with urllib.request.urlopen(f"{self.environment['AWS_ENDPOINT_URL']}/health", timeout=1):
                    return
            except OSError:
                time.sleep(0.05)
        raise AssertionError("the stack does not answer\n" + self.output())

    def output(self):
        self.log.flush()
        return (self.folder / "stack.log").read_text(encoding="utf-8")

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        self.process.wait(timeout=MAX_WAIT_SECONDS)
        self.log.close()

    def client(self, service):
        return boto3.client(
            service,
            endpoint_url=self.environment["AWS_ENDPOINT_URL"],
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )

    def aws(self, *words):
        """Runs the AWS CLI with these arguments. Returns its output, decoded where it is JSON."""
        run = subprocess.run(["aws", *words, "--output", "json"], env=os.environ | self.environment, capture_output=True, text=True, check=False)
        assert run.returncode == 0, f"aws {' '.join(words)}: {run.stderr}"
        return json.loads(run.stdout) if run.stdout.strip().startswith("{") else run.stdout

    def http(self, method, path, body=None):
        """Calls the HTTP API. Returns status and body."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.ports['http']}{path}", method=method)
        data = None
        if body is not None:
            data = json.dumps(body).encode()
            request.add_header("content-type", "application/json")
        try:
            with urllib.request.urlopen(request, data, timeout=MAX_WAIT_SECONDS) as response:
                return response.status, json.load(response)
        except urllib.error.HTTPError as refused:
            return refused.code, json.load(refused)

    def command(self, thing, **more):
        """Creates a command for one thing. Returns its id."""
        status, body = self.http("POST", "/commands", {"name": "reboot", "target": {"things": [thing]}, **more})
        assert status == 202, body
        return body["commandId"]

    def settled(self, command, thing, wanted):
        """Waits until the execution has this status, and returns it."""
        return until(lambda: self.http("GET", f"/commands/{command}/executions/{thing}")[1], lambda shown: shown["status"] == wanted)

    def certificate(self, thing):
        """Creates a thing with a certificate through the AWS CLI. Returns the paths of certificate and key."""
        pem, key = self.folder / f"{thing}.pem", self.folder / f"{thing}.key"
        self.aws("iot", "create-thing", "--thing-name", thing)
        created = self.aws(
            "iot", "create-keys-and-certificate", "--set-as-active", "--certificate-pem-outfile", str(pem), "--private-key-outfile", str(key)
        )
        assert re.fullmatch("[0-9a-f]{64}", created["certificateId"])
        arn = created["certificateArn"]
        policy = {
            "Version": "2012-10-17",
            "Statement": [
                {"Effect": "Allow", "Action": "iot:Connect", "Resource": "arn:aws:iot:us-east-1:000000000000:client/${iot:Connection.Thing.ThingName}"},
                {
                    "Effect": "Allow",
                    "Action": ["iot:Publish", "iot:Receive"],
                    "Resource": [
                        "arn:aws:iot:us-east-1:000000000000:topic/cmd/${iot:Connection.Thing.ThingName}/*",
                        "arn:aws:iot:us-east-1:000000000000:topic/$aws/things/${iot:Connection.Thing.ThingName}/shadow/*",
                        "arn:aws:iot:us-east-1:000000000000:topic/things/${iot:Connection.Thing.ThingName}/shadow/*",
                    ],
                },
                {"Effect": "Allow", "Action": "iot:Subscribe", "Resource": "arn:aws:iot:us-east-1:000000000000:topicfilter/*"},
            ],
        }
        if not any(known["policyName"] == "device" for known in self.aws("iot", "list-policies")["policies"]):
            self.aws("iot", "create-policy", "--policy-name", "device", "--policy-document", json.dumps(policy))
        self.aws("iot", "attach-policy", "--policy-name", "device", "--target", arn)
        self.aws("iot", "attach-thing-principal", "--thing-name", thing, "--principal", arn)
        return str(pem), str(key)


def until(read, is_wanted, seconds=MAX_WAIT_SECONDS):
    """Reads until the value is wanted. Fails with the last value after this many seconds."""
    deadline = time.monotonic() + seconds
    while True:
        value = read()
        if is_wanted(value):
            return value
        assert time.monotonic() < deadline, f"after {seconds} s the value is still {value}"
        time.sleep(0.05)


@pytest.fixture(scope="session")
def stack(tmp_path_factory):
    running = Stack(tmp_path_factory.mktemp("stack"))
    yield running
    running.stop()


@pytest.fixture(scope="session")
def strict_stack(tmp_path_factory):
    """A stack with --authorize, which checks signatures and policies."""
    running = Stack(tmp_path_factory.mktemp("strict"), "--authorize")
    yield running
    running.stop()
