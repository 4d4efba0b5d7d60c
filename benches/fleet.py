"""Sends one command to many things with boto3: a conditional put and a publish for each thing, in 64 threads.

fleet.rs starts it with the number of things, and measures it: it prints "ready", waits for a line, prints "done", and
stays until its standard input is closed.
"""

import base64
import hashlib
import json
import sys
from concurrent.futures import ThreadPoolExecutor

import boto3
from botocore.config import Config

THREADS = 64
CREATED = 1_700_000_000
COMMAND = "018bcfe5-6800-7f58-b914-5b24d108d7ac"

# With the default of 10 connections, 54 threads would wait.
config = Config(max_pool_connections=THREADS)
dynamodb = boto3.client("dynamodb", config=config)
iot = boto3.client("iot-data", config=config)


def send_to_thing(n):
    thing = f"thing-{n:07}"
    execution = base64.b32encode(hashlib.sha256(f"{COMMAND} {thing}".encode()).digest())[:26].decode().lower()
    dynamodb.put_item(
        TableName="executions",
        Item={
            "pk": {"S": f"T#{thing}"},
            "sk": {"S": f"E#{execution}"},
            "command_id": {"S": COMMAND},
            "name": {"S": "reboot"},
            "progress": {"N": "1048576"},
            "status": {"S": "CREATED"},
            "delivery_status": {"S": "SENT"},
            "attempt": {"N": "1"},
            "created_at": {"N": str(CREATED * 1000)},
            "start_by": {"N": str((CREATED + 300) * 1000)},
            "finish_by": {"N": str((CREATED + 3600) * 1000)},
            "purge_at": {"N": str(CREATED + 2_595_600)},
            "channel": {"S": "topic"},
            "created_by": {"S": "operator"},
            "sent_at": {"N": str(CREATED * 1000)},
            "due_shard": {"S": str(n % 16)},
            "due_at": {"N": str(CREATED + 300)},
        },
        ConditionExpression="attribute_not_exists(pk)",
        ReturnValuesOnConditionCheckFailure="ALL_OLD",
    )
    response_topic = f"cmd/{thing}/resp"
    iot.publish(
        topic=f"cmd/{thing}/req",
        qos=1,
        responseTopic=response_topic,
        correlationData=base64.b64encode(execution.encode()).decode(),
        contentType="application/json",
        messageExpiry=300,
        payload=json.dumps(
            {
                "executionId": execution,
                "attempt": 1,
                "command": "reboot",
                "payload": {"delay": 5},
                "ttl": 300,
                "expiresAt": CREATED + 300,
                "responseTopic": response_topic,
            }
        ),
    )


things = int(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
with ThreadPoolExecutor(THREADS) as pool:
    # Raises the first error of a thread.
    for _ in pool.map(send_to_thing, range(things)):
        pass
print("done", flush=True)
sys.stdin.read()
