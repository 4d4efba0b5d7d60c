"""The AWS CLI and boto3 against the local stack: registry, index, shadows, tables and signatures."""

import json
import re
import shutil
import subprocess

import pytest
from awsiot import mqtt_connection_builder
from botocore.exceptions import ClientError
from conftest import MAX_WAIT_SECONDS


def test_the_cli_manages_things_and_groups(stack):
    stack.aws("iot", "create-thing-type", "--thing-type-name", "pump")
    stack.aws("iot", "create-thing-group", "--thing-group-name", "floor")
    stack.aws("iot", "create-thing-group", "--thing-group-name", "floor-1", "--parent-group-name", "floor")
    for n in range(30):
        stack.client("iot").create_thing(thingName=f"cli-{n}", thingTypeName="pump", attributePayload={"attributes": {"row": str(n)}})
        stack.client("iot").add_thing_to_thing_group(thingGroupName="floor-1", thingName=f"cli-{n}")
    assert stack.aws("iot", "describe-thing", "--thing-name", "cli-7")["attributes"] == {"row": "7"}
    page = stack.client("iot").list_things_in_thing_group(thingGroupName="floor", recursive=True, maxResults=25)
    assert len(page["things"]) == 25 and page["nextToken"]
    listed = stack.aws("iot", "list-things-in-thing-group", "--thing-group-name", "floor", "--recursive")
    assert len(listed["things"]) == 30
    assert stack.aws("iot", "list-things-in-thing-group", "--thing-group-name", "floor")["things"] == []
    stack.aws("iot", "delete-thing", "--thing-name", "cli-29")
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        stack.client("iot").describe_thing(thingName="cli-29")


def test_boto3_searches_the_index(stack):
    iot = stack.client("iot")
    for number in range(3):
        attributes = {"model": "A7", "bar": str(number)}
        iot.create_thing(thingName=f"found-{number}", attributePayload={"attributes": attributes})
    query = "thingName:found-* AND attributes.bar:[1 TO *] NOT connectivity.connected:true"
    first = iot.search_index(queryString=query, maxResults=1)
    second = iot.search_index(queryString=query, maxResults=1, nextToken=first["nextToken"])
    assert "nextToken" not in second
    [thing] = second["things"]
    assert (thing["thingName"], thing["attributes"]["bar"], thing["connectivity"]) == ("found-2", "2", {"connected": False})
    with pytest.raises(iot.exceptions.InvalidQueryException):
        iot.search_index(queryString="attributes.bar:[1")
    assert iot.describe_index(indexName="AWS_Things")["indexStatus"] == "ACTIVE"
    assert iot.get_indexing_configuration()["thingIndexingConfiguration"]["thingIndexingMode"] == "REGISTRY"


def test_the_cli_publishes_and_updates_shadows(stack, tmp_path):
    stack.aws("iot-data", "publish", "--topic", "hello/cli", "--qos", "1", "--payload", "hi")
    out = tmp_path / "shadow.json"
    update = json.dumps({"state": {"desired": {"on": True}}})
    stack.aws("iot-data", "update-thing-shadow", "--thing-name", "cli-s", "--payload", update, str(out))
    assert json.loads(out.read_text())["version"] == 1
    stack.aws("iot-data", "get-thing-shadow", "--thing-name", "cli-s", str(out))
    assert json.loads(out.read_text())["state"] == {"desired": {"on": True}, "delta": {"on": True}}


def test_boto3_reads_rows_and_gets_typed_errors(stack):
    command = stack.command("offline-1", delivery="direct")
    rows = stack.client("dynamodb").scan(TableName="flaghoist-executions")["Items"]
    found = [row for row in rows if row.get("command_id", {}).get("S") == command]
    assert [row["delivery_status"]["S"] for row in found] == ["QUEUED"]
    data = stack.client("iot-data")
    with pytest.raises(data.exceptions.ResourceNotFoundException):
        data.get_thing_shadow(thingName="offline-1")
    with pytest.raises(data.exceptions.ConflictException):
        data.update_thing_shadow(thingName="cli-v", payload=b'{"state":{"desired":{"a":1}}}')
        data.update_thing_shadow(thingName="cli-v", payload=b'{"state":{"desired":{"a":2}},"version":9}')
    with pytest.raises(data.exceptions.RequestEntityTooLargeException):
        data.update_thing_shadow(thingName="cli-l", payload=json.dumps({"state": {"desired": {"a": "x" * 9000}}}))


def test_unsigned_calls_are_refused_when_signatures_are_checked(strict_stack):
    status, _ = strict_stack.http("POST", "/commands", {"name": "reboot", "target": {"things": ["a"]}})
    assert status == 403
    assert strict_stack.client("sts").get_caller_identity()["Account"] == "000000000000"


def test_the_cli_hands_out_certificates(strict_stack, tmp_path):
    pem, key, thing = tmp_path / "certificate.pem", tmp_path / "private.key", "cli-device"
    strict_stack.aws("iot", "create-thing", "--thing-name", thing)
    made = strict_stack.aws("iot", "create-keys-and-certificate", "--set-as-active", "--certificate-pem-outfile", str(pem), "--private-key-outfile", str(key))
    assert re.fullmatch("[0-9a-f]{64}", made["certificateId"])
    strict_stack.aws("iot", "attach-policy", "--policy-name", "flaghoist-device", "--target", made["certificateArn"])
    strict_stack.aws("iot", "attach-thing-principal", "--thing-name", thing, "--principal", made["certificateArn"])
    connection = mqtt_connection_builder.mtls_from_path(
        endpoint="localhost", port=strict_stack.ports["mqtts"], cert_filepath=str(pem), pri_key_filepath=str(key), ca_filepath=strict_stack.ca, client_id=thing
    )
    connection.connect().result(MAX_WAIT_SECONDS)
    connection.disconnect().result(MAX_WAIT_SECONDS)


@pytest.mark.skipif(not shutil.which("openssl"), reason="there is no openssl")
@pytest.mark.parametrize("algorithm", [["-newkey", "rsa:2048"], ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]], ids=["rsa", "ec"])
def test_a_device_connects_with_a_certificate_for_its_own_key(strict_stack, tmp_path, algorithm):
    key, request, pem = tmp_path / "key.pem", tmp_path / "request.pem", tmp_path / "certificate.pem"
    subprocess.run(["openssl", "req", "-new", "-nodes", *algorithm, "-keyout", key, "-out", request, "-subj", "/O=Example/CN=own-key"], check=True, capture_output=True)
    thing = f"own-key-{algorithm[1][:2]}"
    strict_stack.aws("iot", "create-thing", "--thing-name", thing)
    made = strict_stack.aws("iot", "create-certificate-from-csr", "--set-as-active", "--certificate-signing-request", f"file://{request}", "--certificate-pem-outfile", str(pem))
    strict_stack.aws("iot", "attach-policy", "--policy-name", "flaghoist-device", "--target", made["certificateArn"])
    strict_stack.aws("iot", "attach-thing-principal", "--thing-name", thing, "--principal", made["certificateArn"])
    connection = mqtt_connection_builder.mtls_from_path(
        endpoint="localhost", port=strict_stack.ports["mqtts"], cert_filepath=str(pem), pri_key_filepath=str(key), ca_filepath=strict_stack.ca, client_id=thing
    )
    connection.connect().result(MAX_WAIT_SECONDS)
    connection.disconnect().result(MAX_WAIT_SECONDS)
    subject = subprocess.run(["openssl", "x509", "-in", pem, "-noout", "-subject"], check=True, capture_output=True, text=True).stdout
    assert "own-key" in subject


def test_a_request_that_is_none_is_refused(stack):
    iot = stack.client("iot")
    with pytest.raises(iot.exceptions.InvalidRequestException):
        iot.create_certificate_from_csr(certificateSigningRequest="-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n")
