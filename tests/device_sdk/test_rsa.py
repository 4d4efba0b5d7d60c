"""RSA as AWS IoT has it: the keys that it hands out, and clients that know no other kind of key."""

import socket
import ssl
import subprocess

import pytest
from AWSIoTPythonSDK.MQTTLib import AWSIoTMQTTClient
from conftest import MAX_WAIT_SECONDS


def openssl(*words, text=None):
    run = subprocess.run(["openssl", *words], input=text, capture_output=True, text=True, check=False, timeout=MAX_WAIT_SECONDS)
    assert run.returncode == 0, run.stderr
    return run.stdout


def test_a_key_is_one_that_openssl_rsa_checks(stack):
    certificate, key = stack.certificate("rsa-key")
    with open(key, encoding="utf-8") as file:
        assert file.readline() == "-----BEGIN RSA PRIVATE KEY-----\n"
    assert "RSA key ok" in openssl("rsa", "-in", key, "-check", "-noout")
    assert openssl("rsa", "-in", key, "-pubout") == openssl("x509", "-in", certificate, "-noout", "-pubkey")
    assert "(2048 bit" in openssl("x509", "-in", certificate, "-noout", "-text")


def context(stack, thing, ciphers):
    certificate, key = stack.certificate(thing)
    made = ssl.create_default_context(cafile=stack.ca)
    made.load_cert_chain(certificate, key)
    made.maximum_version = ssl.TLSVersion.TLSv1_2
    made.set_ciphers(ciphers)
    return made


@pytest.mark.parametrize("port", ["mqtts", "https"])
@pytest.mark.parametrize("ciphers, kind", [("ECDHE+aRSA", "RSA"), ("ECDHE+aECDSA", "ECDSA"), ("ECDHE", "ECDSA")])
def test_the_server_shows_the_kind_of_certificate_that_the_client_knows(stack, port, ciphers, kind):
    with socket.create_connection(("localhost", stack.ports[port]), timeout=MAX_WAIT_SECONDS) as plain:
        with context(stack, f"rsa-{kind}", ciphers).wrap_socket(plain, server_hostname="localhost") as secured:
            assert secured.version() == "TLSv1.2"
            assert f"-{kind}-" in secured.cipher()[0]


def test_the_first_sdk_connects_with_its_rsa_key(stack):
    certificate, key = stack.certificate("rsa-old")
    device = AWSIoTMQTTClient("rsa-old")
    device.configureEndpoint("localhost", stack.ports["mqtts"])
    device.configureCredentials(stack.ca, key, certificate)
    device.configureConnectDisconnectTimeout(MAX_WAIT_SECONDS)
    device.configureMQTTOperationTimeout(MAX_WAIT_SECONDS)
    assert device.connect()
    assert device.publish("rsa/old", "hello", 1)
    assert device.disconnect()


def test_openssl_connects_with_rsa_suites_only(stack):
    certificate, key = stack.certificate("rsa-openssl")
    address = f"localhost:{stack.ports['https']}"
    words = ["-connect", address, "-CAfile", stack.ca, "-cert", certificate, "-key", key, "-tls1_2", "-cipher", "ECDHE-RSA-AES128-GCM-SHA256"]
    shown = openssl("s_client", *words, "-verify_return_error", text="")
    assert "Verify return code: 0 (ok)" in shown and "Server Temp Key" in shown
    assert "ECDHE-RSA-AES128-GCM-SHA256" in shown
