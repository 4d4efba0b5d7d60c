"""Client devices of a Greengrass core: discovery with both device SDKs, Hello World and the smart light, with the stack's broker as the core."""

import json
import queue

import pytest
from AWSIoTPythonSDK.core.greengrass.discovery.providers import DiscoveryInfoProvider
from AWSIoTPythonSDK.exception.AWSIoTExceptions import DiscoveryDataNotFoundException
from awscrt import io, mqtt
from awsiot import mqtt_connection_builder
from awsiot.greengrass_discovery import DiscoveryClient, DiscoveryException
from conftest import MAX_WAIT_SECONDS
from test_device_sdk_v2 import connect

QOS = mqtt.QoS.AT_LEAST_ONCE


def associate(stack, core, thing):
    stack.aws("iot", "create-thing", "--thing-name", core)
    entries = stack.client("greengrassv2").batch_associate_client_device_with_core_device(coreDeviceThingName=core, entries=[{"thingName": thing}])
    assert entries["errorEntries"] == []


def discover(stack, thing, credentials):
    """What the second SDK finds."""
    certificate, key = credentials
    options = io.TlsContextOptions.create_client_with_mtls_from_path(certificate, key)
    options.override_default_trust_store_from_path(None, stack.ca)
    bootstrap = io.ClientBootstrap.get_or_create_static_default()
    client = DiscoveryClient(bootstrap, io.SocketOptions(), io.ClientTlsContext(options), "us-east-1", gg_server_name="localhost")
    client.port = stack.ports["https"]
    return client.discover(thing).result(MAX_WAIT_SECONDS)


def connect_to_core(found, thing, credentials):
    """Connects as the tutorial's programs do: to the first core, with its authority."""
    certificate, key = credentials
    [group] = found.gg_groups
    [address] = group.cores[0].connectivity
    connection = mqtt_connection_builder.mtls_from_path(
        endpoint=address.host_address,
        port=address.port,
        cert_filepath=certificate,
        pri_key_filepath=key,
        ca_bytes=group.certificate_authorities[0].encode(),
        client_id=thing,
        clean_session=False,
        keep_alive_secs=30,
    )
    connection.connect().result(MAX_WAIT_SECONDS)
    return connection


def test_hello_world_reaches_the_cloud_and_comes_back(stack):
    thing = "MyClientDevice1"
    credentials = stack.certificate(thing)
    associate(stack, "MyGreengrassCore", thing)
    found = discover(stack, thing, credentials)
    assert found.gg_groups[0].gg_group_id == "greengrassV2-coreDevice-MyGreengrassCore"
    assert found.gg_groups[0].cores[0].thing_arn.endswith(":thing/MyGreengrassCore")
    device, cloud = connect_to_core(found, thing, credentials), connect(stack, "hello-cloud")
    heard, seen = queue.Queue(), queue.Queue()
    topic = f"clients/{thing}/hello/world"
    device.subscribe(topic, QOS, lambda topic, payload, **_: heard.put(json.loads(payload)))[0].result(MAX_WAIT_SECONDS)
    cloud.subscribe("clients/+/hello/world", QOS, lambda topic, payload, **_: seen.put(json.loads(payload)))[0].result(MAX_WAIT_SECONDS)
    for sequence in range(10):
        device.publish(topic, json.dumps({"message": "Hello World!", "sequence": sequence}), QOS)[0].result(MAX_WAIT_SECONDS)
    for messages in (heard, seen):
        assert [messages.get(timeout=MAX_WAIT_SECONDS)["sequence"] for _ in range(10)] == list(range(10))
    for connection in (device, cloud):
        connection.disconnect().result(MAX_WAIT_SECONDS)


def test_a_smart_light_takes_its_color_and_confirms_it_with_the_token_of_the_request(stack):
    thing = "MyClientDevice2"
    credentials = stack.certificate(thing)
    associate(stack, "MyLightCore", thing)
    light = connect_to_core(discover(stack, thing, credentials), thing, credentials)
    shadow = f"$aws/things/{thing}/shadow"
    # The light confirms with the token of the delta, as the tutorial's does.
    confirmed = queue.Queue()

    def on_delta(topic, payload, **_):
        delta = json.loads(payload)
        report = {"state": {"reported": {"color": delta["state"]["color"]}}, "clientToken": delta["clientToken"]}
        light.publish(f"{shadow}/update", json.dumps(report), QOS)

    light.subscribe(f"{shadow}/update/delta", QOS, on_delta)[0].result(MAX_WAIT_SECONDS)
    light.subscribe(f"{shadow}/update/accepted", QOS, lambda topic, payload, **_: confirmed.put(json.loads(payload)))[0].result(MAX_WAIT_SECONDS)
    for color in ("blue", "purple"):
        command = stack.command(thing, name="color", delivery="shadow", shadow="state", payload={"color": color})
        shown = stack.settled(command, thing, "SUCCEEDED")
        while True:
            accepted = confirmed.get(timeout=MAX_WAIT_SECONDS)
            if "reported" in accepted["state"] and accepted["state"]["reported"].get("color") == color:
                break
        assert accepted["clientToken"] == shown["executionId"]
    light.disconnect().result(MAX_WAIT_SECONDS)


def test_the_first_sdk_discovers_as_well(stack):
    thing = "old-client-device"
    certificate, key = stack.certificate(thing)
    associate(stack, "old-core", thing)
    provider = DiscoveryInfoProvider()
    provider.configureEndpoint("localhost", stack.ports["https"])
    provider.configureCredentials(stack.ca, certificate, key)
    provider.configureTimeout(MAX_WAIT_SECONDS)
    found = provider.discover(thing)
    [core] = found.getAllCores()
    assert core.coreThingArn.endswith(":thing/old-core")
    assert [(address.host, address.port) for address in core.connectivityInfoList] == [("127.0.0.1", stack.ports["mqtts"])]
    [(group, authority)] = found.getAllCas()
    assert group == "greengrassV2-coreDevice-old-core" and authority.startswith("-----BEGIN CERTIFICATE-----")
    stack.certificate("old-without-core")
    with pytest.raises(DiscoveryDataNotFoundException):
        provider.discover("old-without-core")


def test_a_thing_without_a_core_finds_none(stack):
    credentials = stack.certificate("lonely-1")
    with pytest.raises(DiscoveryException) as refused:
        discover(stack, "lonely-1", credentials)
    assert refused.value.http_response_code == 404


def test_discovery_needs_a_policy_where_policies_are_checked(strict_stack):
    thing = "strict-client-device"
    credentials = strict_stack.certificate(thing)
    associate(strict_stack, "strict-core", thing)
    with pytest.raises(DiscoveryException) as refused:
        discover(strict_stack, thing, credentials)
    assert refused.value.http_response_code == 403
    statement = {"Effect": "Allow", "Action": "greengrass:Discover", "Resource": f"arn:aws:iot:us-east-1:000000000000:thing/{thing}"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    strict_stack.aws("iot", "create-policy", "--policy-name", "discovery", "--policy-document", document)
    [principal] = strict_stack.client("iot").list_thing_principals(thingName=thing)["principals"]
    strict_stack.aws("iot", "attach-policy", "--policy-name", "discovery", "--target", principal)
    assert len(discover(strict_stack, thing, credentials).gg_groups) == 1
    with pytest.raises(DiscoveryException):
        discover(strict_stack, "another-thing", credentials)
