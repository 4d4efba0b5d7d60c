"""A built function calls AWS over TLS, as it does when it is deployed: on the local stack it calls plain HTTP."""

import os
import queue
import ssl
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from conftest import BUILT, MAX_WAIT_SECONDS, ROOT

EVENT = (ROOT / "events" / "command-api" / "good_cancel.json").read_bytes()


class Recorded(BaseHTTPRequestHandler):
    """Records requests in the server's queue. Each answer is empty JSON: the table has no such item."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.requests.put((self.path, self.headers, body))
        self.answer(b"{}")

    def answer(self, body, headers=()):
        self.send_response(200)
        for name, value in (*headers, ("content-type", "application/json"), ("content-length", str(len(body)))):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Runtime(Recorded):
    """Lambda's Runtime API with one event. Records the function's response to it."""

    def do_GET(self):
        if self.server.has_taken_event.is_set():
            self.server.is_over.wait(MAX_WAIT_SECONDS)
        self.server.has_taken_event.set()
        arn = "arn:aws:lambda:us-east-1:000000000000:function:command-api"
        self.answer(EVENT, [("lambda-runtime-aws-request-id", "1"), ("lambda-runtime-deadline-ms", "4102444800000"), ("lambda-runtime-invoked-function-arn", arn)])


def serve(handler, context=None):
    """Starts a server on a free port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    server.requests, server.has_taken_event, server.is_over = queue.Queue(), threading.Event(), threading.Event()
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


@pytest.fixture
def handled(stack, tmp_path):
    """Lets command-api handle the event with these root certificates. Returns its response, and the requests to AWS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(stack.folder / "server.pem", stack.folder / "server.key")
    servers = [serve(Recorded, context), serve(Runtime)]

    def handle(roots):
        aws, runtime = servers
        environment = stack.environment | {
            "AWS_ENDPOINT_URL": f"https://localhost:{aws.server_port}",
            "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{runtime.server_port}",
            "AWS_LAMBDA_FUNCTION_NAME": "command-api",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "COMMANDS_TABLE": "commands",
            "EXECUTIONS_TABLE": "executions",
            "DUE_SHARDS": "64",
            "TICK_QUEUE_URL": "https://localhost/000000000000/ticks",
            "SSL_CERT_FILE": str(roots),
        }
        with open(tmp_path / "function.log", "w+", encoding="utf-8") as log:
            function = subprocess.Popen([BUILT / "CommandApiFunction" / "bootstrap"], env=environment, stdout=log, stderr=log)
            try:
                path, _, body = runtime.requests.get(timeout=MAX_WAIT_SECONDS)
            except queue.Empty:
                raise AssertionError("the function does not respond\n" + (tmp_path / "function.log").read_text()) from None
            finally:
                function.kill()
                function.wait()
        return path, body, list(aws.requests.queue)

    yield handle
    for server in servers:
        server.is_over.set()
        server.shutdown()
        server.server_close()


def test_a_function_calls_aws_over_tls_with_the_credentials_of_its_environment(stack, handled):
    path, body, requests = handled(stack.ca)
    assert path.endswith("/response") and b'"statusCode":404' in body, body
    target, headers, _ = requests[0]
    assert (target, headers["x-amz-target"]) == ("/", "DynamoDB_20120810.GetItem")
    assert "Credential=test/" in headers["authorization"]


def test_a_function_refuses_a_server_of_another_authority(strict_stack, handled):
    _, body, requests = handled(strict_stack.ca)
    assert b'"statusCode":404' not in body and requests == [], body
