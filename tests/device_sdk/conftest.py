"""The local stacks that the tests of the real clients share, and the clients' access to them."""

import json
import os
import random
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

import boto3
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

ROOT = Path(__file__).resolve().parents[2]
BUILT = ROOT / ".aws-sam" / "build"
# Longest wait for one condition, in seconds.
MAX_WAIT_SECONDS = 60


def free_port():
    """A port that is free, below those that the system gives to connections: one of these could be taken
    before the stack listens."""
    while True:
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", random.randrange(20000, 32768)))
            except OSError:
                continue
            return probe.getsockname()[1]


class Stack:
    """The stack as a process, started as a user starts it."""

    def __init__(self, folder, *options):
        self.folder = folder
        self.device_policies = ["flaghoist-device"]
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

    def http(self, method, path, body=None, signed=False):
        """Calls the HTTP API. Returns status and body."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.ports['http']}{path}", method=method)
        if body is not None:
            request.data = json.dumps(body).encode()
            request.add_header("content-type", "application/json")
        if signed:
            sign(request, "execute-api")
        try:
            with urllib.request.urlopen(request, timeout=MAX_WAIT_SECONDS) as response:
                return response.status, json.load(response)
        except urllib.error.HTTPError as refused:
            return refused.code, json.load(refused)

    def subscriptions(self, client_id):
        """The topic filters of a connected client."""
        url = f"{self.environment['AWS_ENDPOINT_URL']}/connections/{client_id}/subscriptions"
        request = urllib.request.Request(url, method="GET")
        sign(request, "iotdata")
        try:
            with urllib.request.urlopen(request, timeout=MAX_WAIT_SECONDS) as response:
                return [found["topicFilter"] for found in json.load(response)["subscriptions"]]
        except urllib.error.HTTPError as refused:
            assert refused.code == 404, refused.read()
            return []

    def command(self, thing, **more):
        """Creates a command for one thing. Returns its id."""
        status, body = self.http("POST", "/commands", {"name": "reboot", "target": {"things": [thing]}, **more})
        assert status == 202, body
        return body["commandId"]

    def settled(self, command, thing, wanted):
        """Waits until the execution has this status, and returns it."""
        return until(lambda: self.http("GET", f"/commands/{command}/executions/{thing}")[1], lambda shown: shown["status"] == wanted)

    def certificate(self, thing):
        """Creates a thing with a certificate that has the template's policies. Returns the paths of certificate and key."""
        pem, key = self.folder / f"{thing}.pem", self.folder / f"{thing}.key"
        iot = self.client("iot")
        iot.create_thing(thingName=thing)
        created = iot.create_keys_and_certificate(setAsActive=True)
        pem.write_text(created["certificatePem"], encoding="utf-8")
        key.write_text(created["keyPair"]["PrivateKey"], encoding="utf-8")
        for policy in self.device_policies:
            iot.attach_policy(policyName=policy, target=created["certificateArn"])
        iot.attach_thing_principal(thingName=thing, principal=created["certificateArn"])
        return str(pem), str(key)


def sign(request, service):
    """Signs a request with the credentials of the stacks."""
    copy = AWSRequest(request.method, request.full_url, data=request.data)
    SigV4Auth(Credentials("test", "test"), service, "us-east-1").add_auth(copy)
    for name, value in copy.headers.items():
        request.add_header(name, value)


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
