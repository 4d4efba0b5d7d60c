"""docs/local.md lists exactly the operations of AWS that the local stack serves: every other one is refused by its name."""

import re
import urllib.error
import urllib.request

import botocore.session
import pytest
from conftest import MAX_WAIT_SECONDS, ROOT

SERVICES = ["iot", "iot-data", "iot-jobs-data", "greengrassv2", "dynamodb", "sqs", "lambda", "sts"]
# What a service that is not served answers, in the words of each protocol.
UNKNOWN = ("UnknownOperationException", "is not supported by the local stack", "InvalidAction", "UnsupportedOperation")


def documented(service):
    """The operations that the document lists for a service."""
    text = (ROOT / "docs" / "local.md").read_text(encoding="utf-8")
    [row] = re.findall(rf"^\| `{service}` \| (.*) \|$", text, re.MULTILINE)
    return set(re.findall(r"`([A-Za-z0-9]+)`", row))


def is_served(stack, service, operation):
    """Whether a request with nothing in it reaches the operation, which may refuse it."""
    protocol = service.metadata["protocol"]
    base, headers, method = stack.environment["AWS_ENDPOINT_URL"], {}, operation.http.get("method", "POST")
    if protocol == "json":
        url, body = base + "/", b"{}"
        headers = {"x-amz-target": f"{service.metadata['targetPrefix']}.{operation.name}", "content-type": "application/x-amz-json-1.0"}
    elif protocol == "query":
        url, body = base + "/", f"Action={operation.name}&Version={service.api_version}".encode()
        headers = {"content-type": "application/x-www-form-urlencoded"}
    else:
        url, body = base + re.sub(r"\{[^}]*\}", "x", operation.http["requestUri"]), None if method in ("GET", "DELETE") else b"{}"
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data=body, headers=headers, method=method), timeout=MAX_WAIT_SECONDS):
            return True
    except urllib.error.HTTPError as refused:
        answer = refused.read().decode() + str(refused.headers)
        return not any(word in answer for word in UNKNOWN)


@pytest.mark.parametrize("service", SERVICES)
def test_the_document_lists_what_is_served(stack, service):
    model = botocore.session.get_session().get_service_model(service)
    served = {name for name in model.operation_names if is_served(stack, model, model.operation_model(name))}
    assert served == documented(service)
