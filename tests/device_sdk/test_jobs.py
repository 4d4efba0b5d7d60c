"""AWS IoT Jobs: devices with both device SDKs and over HTTPS, operators with boto3 and the AWS CLI."""

import http.client
import json
import queue
import ssl

import pytest
from AWSIoTPythonSDK.core.jobs.thingJobManager import jobExecutionStatus, jobExecutionTopicReplyType, jobExecutionTopicType
from AWSIoTPythonSDK.MQTTLib import AWSIoTMQTTThingJobsClient
from awscrt import mqtt, mqtt_request_response
from awsiot import V2ServiceException, iotjobs
from botocore.exceptions import ClientError
from conftest import MAX_WAIT_SECONDS, Stack, until
from test_device_sdk_v1 import configured
from test_device_sdk_v2 import connect

QOS = mqtt.QoS.AT_LEAST_ONCE
DOCUMENT = json.dumps({"operation": "reboot", "delay": 5})
POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": ["iotjobsdata:DescribeJobExecution", "iotjobsdata:GetPendingJobExecutions", "iotjobsdata:StartNextPendingJobExecution"],
            "Resource": "arn:aws:iot:us-east-1:000000000000:thing/jobs-cert",
        },
        {"Effect": "Allow", "Action": "iot:UpdateJobExecution", "Resource": "arn:aws:iot:us-east-1:000000000000:thing/jobs-cert"},
    ],
}


def arn(thing):
    return f"arn:aws:iot:us-east-1:000000000000:thing/{thing}"


def create(stack, job, *things, **more):
    stack.client("iot").create_job(jobId=job, targets=[arn(thing) for thing in things], document=DOCUMENT, **more)


def status(stack, job):
    return stack.client("iot").describe_job(jobId=job)["job"]["status"]


def test_the_first_sdk_works_through_jobs_as_its_sample_does(stack):
    thing = "jobs-v1"
    client = configured(AWSIoTMQTTThingJobsClient(thing, thing, QoS=1), stack, thing)
    assert client.connect()
    started, updated, rejected, changed = (queue.Queue() for _ in range(4))

    def into(messages):
        return lambda _client, _userdata, message: messages.put(json.loads(message.payload))

    accepted, refused = jobExecutionTopicReplyType.JOB_ACCEPTED_REPLY_TYPE, jobExecutionTopicReplyType.JOB_REJECTED_REPLY_TYPE
    client.createJobSubscription(into(changed), jobExecutionTopicType.JOB_NOTIFY_NEXT_TOPIC)
    client.createJobSubscription(into(started), jobExecutionTopicType.JOB_START_NEXT_TOPIC, accepted)
    client.createJobSubscription(into(updated), jobExecutionTopicType.JOB_UPDATE_TOPIC, accepted, "+")
    client.createJobSubscription(into(rejected), jobExecutionTopicType.JOB_UPDATE_TOPIC, refused, "+")
    jobs = ["v1-first", "v1-second"]
    for job in jobs:
        create(stack, job, thing)
    assert changed.get(timeout=MAX_WAIT_SECONDS)["execution"]["jobId"] == "v1-first"
    for job in jobs:
        client.sendJobsStartNext({"step": "download"})
        execution = started.get(timeout=MAX_WAIT_SECONDS)["execution"]
        assert (execution["jobId"], execution["jobDocument"]) == (job, json.loads(DOCUMENT))
        # The SDK sends both numbers as strings.
        version, number = execution["versionNumber"], execution["executionNumber"]
        client.sendJobsUpdate(job, jobExecutionStatus.JOB_EXECUTION_SUCCEEDED, {"by": "v1"}, version + 7, number)
        refusal = rejected.get(timeout=MAX_WAIT_SECONDS)
        assert (refusal["code"], refusal["clientToken"], refusal["executionState"]["versionNumber"]) == ("VersionMismatch", thing, 2)
        client.sendJobsUpdate(job, jobExecutionStatus.JOB_EXECUTION_SUCCEEDED, {"by": "v1"}, version, number, includeJobExecutionState=True)
        assert updated.get(timeout=MAX_WAIT_SECONDS)["executionState"] == {"status": "SUCCEEDED", "statusDetails": {"by": "v1"}, "versionNumber": 3}
        assert status(stack, job) == "COMPLETED"
    client.sendJobsStartNext()
    assert "execution" not in started.get(timeout=MAX_WAIT_SECONDS)
    client.disconnect()


def test_the_second_sdk_is_notified_and_works_through_a_job(stack):
    thing = "jobs-v2"
    connection = connect(stack, thing)
    client = iotjobs.IotJobsClient(connection)
    changed, listed, pending, started, described, updated, rejected = (queue.Queue() for _ in range(7))
    for subscribe, request, messages in [
        (client.subscribe_to_next_job_execution_changed_events, iotjobs.NextJobExecutionChangedSubscriptionRequest(thing_name=thing), changed),
        (client.subscribe_to_job_executions_changed_events, iotjobs.JobExecutionsChangedSubscriptionRequest(thing_name=thing), listed),
        (client.subscribe_to_get_pending_job_executions_accepted, iotjobs.GetPendingJobExecutionsSubscriptionRequest(thing_name=thing), pending),
        (client.subscribe_to_start_next_pending_job_execution_accepted, iotjobs.StartNextPendingJobExecutionSubscriptionRequest(thing_name=thing), started),
        (client.subscribe_to_describe_job_execution_accepted, iotjobs.DescribeJobExecutionSubscriptionRequest(thing_name=thing, job_id="$next"), described),
        (client.subscribe_to_update_job_execution_accepted, iotjobs.UpdateJobExecutionSubscriptionRequest(thing_name=thing, job_id="+"), updated),
        (client.subscribe_to_update_job_execution_rejected, iotjobs.UpdateJobExecutionSubscriptionRequest(thing_name=thing, job_id="+"), rejected),
    ]:
        subscribe(request, QOS, messages.put)[0].result(MAX_WAIT_SECONDS)
    create(stack, "v2-job", thing, timeoutConfig={"inProgressTimeoutInMinutes": 60})
    assert changed.get(timeout=MAX_WAIT_SECONDS).execution.job_id == "v2-job"
    assert [job.job_id for job in listed.get(timeout=MAX_WAIT_SECONDS).jobs["QUEUED"]] == ["v2-job"]
    client.publish_get_pending_job_executions(iotjobs.GetPendingJobExecutionsRequest(thing_name=thing), QOS).result(MAX_WAIT_SECONDS)
    assert [job.job_id for job in pending.get(timeout=MAX_WAIT_SECONDS).queued_jobs] == ["v2-job"]
    request = iotjobs.StartNextPendingJobExecutionRequest(thing_name=thing, status_details={"a": "b"}, step_timeout_in_minutes=5)
    client.publish_start_next_pending_job_execution(request, QOS).result(MAX_WAIT_SECONDS)
    execution = started.get(timeout=MAX_WAIT_SECONDS).execution
    assert (execution.status, execution.job_document, execution.status_details) == ("IN_PROGRESS", json.loads(DOCUMENT), {"a": "b"})
    client.publish_describe_job_execution(iotjobs.DescribeJobExecutionRequest(thing_name=thing, job_id="$next", include_job_document=False), QOS).result(MAX_WAIT_SECONDS)
    found = described.get(timeout=MAX_WAIT_SECONDS).execution
    assert (found.job_id, found.thing_name, found.job_document) == ("v2-job", thing, None)
    left = stack.client("iot").describe_job_execution(jobId="v2-job", thingName=thing)["execution"]["approximateSecondsBeforeTimedOut"]
    assert 200 < left <= 300

    def update(**more):
        client.publish_update_job_execution(iotjobs.UpdateJobExecutionRequest(thing_name=thing, job_id="v2-job", **more), QOS).result(MAX_WAIT_SECONDS)

    update(status="SUCCEEDED", expected_version=1, client_token="c-1")
    refusal = rejected.get(timeout=MAX_WAIT_SECONDS)
    assert (refusal.code, refusal.client_token, refusal.execution_state.version_number) == ("VersionMismatch", "c-1", 2)
    update(status="SUCCEEDED", expected_version=2, include_job_execution_state=True)
    assert updated.get(timeout=MAX_WAIT_SECONDS).execution_state.status == "SUCCEEDED"
    update(status="FAILED")
    assert rejected.get(timeout=MAX_WAIT_SECONDS).code == "InvalidStateTransition"
    assert changed.get(timeout=MAX_WAIT_SECONDS).execution is None
    assert listed.get(timeout=MAX_WAIT_SECONDS).jobs == {}
    assert status(stack, "v2-job") == "COMPLETED"
    connection.disconnect().result(MAX_WAIT_SECONDS)


def test_the_request_and_response_client_gets_answers_and_errors(stack):
    thing = "jobs-v2-rr"
    connection = connect(stack, thing)
    options = mqtt_request_response.ClientOptions(max_request_response_subscriptions=4, max_streaming_subscriptions=2)
    client = iotjobs.IotJobsClientV2(connection, options)
    create(stack, "rr-job", thing)
    started = client.start_next_pending_job_execution(iotjobs.StartNextPendingJobExecutionRequest(thing_name=thing)).result(MAX_WAIT_SECONDS)
    assert started.execution.job_id == "rr-job"
    with pytest.raises(V2ServiceException) as refused:
        client.describe_job_execution(iotjobs.DescribeJobExecutionRequest(thing_name=thing, job_id="none")).result(MAX_WAIT_SECONDS)
    assert refused.value.modeled_error.code == "ResourceNotFound"
    client.update_job_execution(iotjobs.UpdateJobExecutionRequest(thing_name=thing, job_id="rr-job", status="REJECTED")).result(MAX_WAIT_SECONDS)
    assert stack.client("iot").describe_job_execution(jobId="rr-job", thingName=thing)["execution"]["status"] == "REJECTED"
    connection.disconnect().result(MAX_WAIT_SECONDS)


def test_answers_reach_the_asking_client_only_and_need_no_subscription(stack):
    thing = "jobs-asking"
    asking, other = connect(stack, thing), connect(stack, "jobs-other")
    answers, overheard = queue.Queue(), queue.Queue()
    # A connection takes a handler of all messages while it is closed.
    asking.disconnect().result(MAX_WAIT_SECONDS)
    asking.on_message(lambda topic, payload, **_: answers.put((topic, json.loads(payload))))
    asking.connect().result(MAX_WAIT_SECONDS)
    other.subscribe(f"$aws/things/{thing}/jobs/#", QOS, lambda topic, payload, **_: overheard.put(topic))[0].result(MAX_WAIT_SECONDS)
    topic = f"$aws/things/{thing}/jobs"
    for request, suffix in [("get", "accepted"), ("start-next", "accepted"), ("none/get", "rejected"), ("no-operation", "rejected")]:
        asking.publish(f"{topic}/{request}", json.dumps({"clientToken": request}), QOS)[0].result(MAX_WAIT_SECONDS)
        answered, body = answers.get(timeout=MAX_WAIT_SECONDS)
        assert (answered, body["clientToken"]) == (f"{topic}/{request}/{suffix}", request)
    asking.publish(f"{topic}/get", b"{", QOS)[0].result(MAX_WAIT_SECONDS)
    assert answers.get(timeout=MAX_WAIT_SECONDS)[1]["code"] == "InvalidJson"
    create(stack, "overheard", thing)
    seen = [overheard.get(timeout=MAX_WAIT_SECONDS)]
    while seen[-1] != f"{topic}/notify-next":
        seen.append(overheard.get(timeout=MAX_WAIT_SECONDS))
    assert not any(heard.endswith(("accepted", "rejected")) for heard in seen)
    assert f"{topic}/notify" in seen
    for connection in (asking, other):
        connection.disconnect().result(MAX_WAIT_SECONDS)


def test_a_device_works_through_its_own_jobs_only(strict_stack):
    thing = "jobs-strict"
    connection = connect(strict_stack, thing, clean_session=True)
    client = iotjobs.IotJobsClientV2(connection, mqtt_request_response.ClientOptions(max_request_response_subscriptions=4, max_streaming_subscriptions=2))
    create(strict_stack, "strict-job", thing)
    started = client.start_next_pending_job_execution(iotjobs.StartNextPendingJobExecutionRequest(thing_name=thing)).result(MAX_WAIT_SECONDS)
    assert started.execution.job_id == "strict-job"
    refused = connection.publish("$aws/things/jobs-signed/jobs/get", b"{}", QOS)[0]
    assert refused.exception(MAX_WAIT_SECONDS) is not None
    connection.disconnect().result(MAX_WAIT_SECONDS)


def test_operators_manage_jobs_of_groups(stack):
    iot = stack.client("iot")
    group = iot.create_thing_group(thingGroupName="jobs-fleet")["thingGroupArn"]
    things = [f"jobs-fleet-{n}" for n in range(4)]
    for thing in things[:3]:
        iot.create_thing(thingName=thing)
        iot.add_thing_to_thing_group(thingGroupName="jobs-fleet", thingName=thing)
    created = iot.create_job(
        jobId="fleet-job",
        targets=[group],
        document=DOCUMENT,
        description="a fleet",
        targetSelection="CONTINUOUS",
        jobExecutionsRolloutConfig={"maximumPerMinute": 1000},
        abortConfig={"criteriaList": [{"failureType": "ALL", "action": "CANCEL", "thresholdPercentage": 90, "minNumberOfExecutedThings": 9}]},
        tags=[{"Key": "a", "Value": "b"}],
    )
    assert created["jobArn"] == "arn:aws:iot:us-east-1:000000000000:job/fleet-job"
    with pytest.raises(iot.exceptions.ResourceAlreadyExistsException):
        iot.create_job(jobId="fleet-job", targets=[group], document=DOCUMENT)
    assert iot.get_job_document(jobId="fleet-job")["document"] == DOCUMENT
    iot.create_thing(thingName=things[3])
    iot.add_thing_to_thing_group(thingGroupName="jobs-fleet", thingName=things[3])
    pages = iot.get_paginator("list_job_executions_for_job").paginate(jobId="fleet-job", PaginationConfig={"PageSize": 3})
    assert [found["thingArn"] for page in pages for found in page["executionSummaries"]] == [arn(thing) for thing in things]
    iot.cancel_job_execution(jobId="fleet-job", thingName=things[0], expectedVersion=1)
    with pytest.raises(iot.exceptions.InvalidStateTransitionException):
        iot.cancel_job_execution(jobId="fleet-job", thingName=things[0])
    with pytest.raises(iot.exceptions.VersionConflictException):
        iot.cancel_job_execution(jobId="fleet-job", thingName=things[1], expectedVersion=5)
    iot.delete_job_execution(jobId="fleet-job", thingName=things[0], executionNumber=1)
    with pytest.raises(iot.exceptions.InvalidStateTransitionException):
        iot.delete_job(jobId="fleet-job")
    iot.update_job(jobId="fleet-job", description="another", timeoutConfig={"inProgressTimeoutInMinutes": 7})
    assert [job["jobId"] for job in iot.list_jobs(thingGroupName="jobs-fleet")["jobs"]] == ["fleet-job"]
    iot.cancel_job(jobId="fleet-job", reasonCode="DONE", comment="enough", force=True)
    job = iot.describe_job(jobId="fleet-job")["job"]
    assert (job["status"], job["reasonCode"], job["description"], job["forceCanceled"]) == ("CANCELED", "DONE", "another", True)
    assert job["jobProcessDetails"]["numberOfCanceledThings"] == 3
    shown = stack.aws("iot", "list-job-executions-for-thing", "--thing-name", things[1])["executionSummaries"]
    assert [(found["jobId"], found["jobExecutionSummary"]["status"]) for found in shown] == [("fleet-job", "CANCELED")]
    iot.delete_job(jobId="fleet-job")
    with pytest.raises(iot.exceptions.ResourceNotFoundException):
        iot.describe_job(jobId="fleet-job")


def test_events_are_published_once_they_are_enabled(stack):
    iot, thing = stack.client("iot"), "jobs-events"
    connection = connect(stack, thing)
    events = queue.Queue()
    for topic in ("$aws/events/job/#", "$aws/events/jobExecution/#"):
        connection.subscribe(topic, QOS, lambda topic, payload, **_: events.put((topic, json.loads(payload))))[0].result(MAX_WAIT_SECONDS)
    create(stack, "silent", thing)
    iot.cancel_job(jobId="silent")
    assert iot.describe_event_configurations()["eventConfigurations"]["JOB"] == {"Enabled": False}
    iot.update_event_configurations(eventConfigurations={"JOB": {"Enabled": True}, "JOB_EXECUTION": {"Enabled": True}})
    create(stack, "loud", thing)
    data = stack.client("iot-jobs-data")
    data.update_job_execution(jobId="loud", thingName=thing, status="FAILED", statusDetails={"why": "dry"})
    topic, event = events.get(timeout=MAX_WAIT_SECONDS)
    assert (topic, event["status"], event["thingArn"], event["statusDetails"]) == ("$aws/events/jobExecution/loud/failed", "FAILED", arn(thing), {"why": "dry"})
    topic, event = events.get(timeout=MAX_WAIT_SECONDS)
    assert (topic, event["status"], event["jobProcessDetails"]["numberOfFailedThings"]) == ("$aws/events/job/loud/completed", "COMPLETED", 1)
    iot.update_event_configurations(eventConfigurations={"JOB": {"Enabled": False}, "JOB_EXECUTION": {"Enabled": False}})
    connection.disconnect().result(MAX_WAIT_SECONDS)


def test_a_device_signs_its_requests_over_https(strict_stack):
    thing = "jobs-signed"
    strict_stack.client("iot").create_thing(thingName=thing)
    create(strict_stack, "signed-job", thing)
    data = strict_stack.client("iot-jobs-data")
    assert [job["jobId"] for job in data.get_pending_job_executions(thingName=thing)["queuedJobs"]] == ["signed-job"]
    started = data.start_next_pending_job_execution(thingName=thing, statusDetails={"a": "b"}, stepTimeoutInMinutes=9)["execution"]
    assert (started["status"], started["jobDocument"]) == ("IN_PROGRESS", DOCUMENT)
    found = data.describe_job_execution(thingName=thing, jobId="$next", includeJobDocument=True)["execution"]
    assert (found["jobId"], found["jobDocument"], found["versionNumber"]) == ("signed-job", DOCUMENT, 2)
    state = data.update_job_execution(thingName=thing, jobId="signed-job", status="SUCCEEDED", expectedVersion=2, includeJobExecutionState=True)["executionState"]
    assert state == {"status": "SUCCEEDED", "statusDetails": {"a": "b"}, "versionNumber": 3}
    with pytest.raises(data.exceptions.InvalidStateTransitionException):
        data.update_job_execution(thingName=thing, jobId="signed-job", status="FAILED")
    with pytest.raises(data.exceptions.TerminalStateException):
        data.describe_job_execution(thingName=thing, jobId="signed-job")
    with pytest.raises(data.exceptions.ResourceNotFoundException):
        data.get_pending_job_executions(thingName="jobs-unknown")
    with pytest.raises(data.exceptions.InvalidRequestException):
        data.update_job_execution(thingName=thing, jobId="signed-job", status="CANCELED")
    # The operator's operations at the same paths.
    iot = strict_stack.client("iot")
    assert iot.describe_job_execution(jobId="signed-job", thingName=thing)["execution"]["thingArn"] == arn(thing)
    with pytest.raises(ClientError):
        iot.describe_job_execution(jobId="none", thingName=thing)


def test_the_policies_of_a_certificate_hold_for_jobs_over_https(strict_stack):
    thing = "jobs-cert"
    certificate, key = strict_stack.certificate(thing)
    iot = strict_stack.client("iot")
    create(strict_stack, "cert-job", thing)
    context = ssl.create_default_context(cafile=strict_stack.ca)
    context.load_cert_chain(certificate, key)

    def request(method, path, body=None):
        connection = http.client.HTTPSConnection("localhost", strict_stack.ports["https"], context=context, timeout=MAX_WAIT_SECONDS)
        connection.request(method, path, body=None if body is None else json.dumps(body))
        answer = connection.getresponse()
        found = answer.status, json.loads(answer.read() or "{}")
        connection.close()
        return found

    assert request("GET", f"/things/{thing}/jobs")[0] == 403, "no policy allows it"
    [principal] = iot.list_thing_principals(thingName=thing)["principals"]
    iot.create_policy(policyName="jobs-over-https", policyDocument=json.dumps(POLICY))
    iot.attach_policy(policyName="jobs-over-https", target=principal)
    code, found = request("GET", f"/things/{thing}/jobs")
    assert (code, [job["jobId"] for job in found["queuedJobs"]]) == (200, ["cert-job"])
    code, found = request("PUT", f"/things/{thing}/jobs/$next", {})
    assert (code, found["execution"]["jobDocument"]) == (200, DOCUMENT)
    assert request("GET", f"/things/{thing}/jobs/cert-job")[0] == 200
    assert request("POST", f"/things/{thing}/jobs/cert-job", {"status": "SUCCEEDED"})[0] == 200
    assert status(strict_stack, "cert-job") == "COMPLETED"
    assert request("GET", "/things/jobs-other/jobs")[0] == 403, "another thing"
    assert request("GET", "/jobs/cert-job")[0] == 403, "an operation of operators"


def test_the_endpoint_of_jobs_is_that_of_the_stack(stack):
    assert stack.client("iot").describe_endpoint(endpointType="iot:Jobs")["endpointAddress"] == "localhost"


def test_jobs_survive_a_restart(tmp_path):
    thing, options = "jobs-kept", ("--state", tmp_path / "state")
    first = Stack(tmp_path, *options)
    try:
        first.client("iot").create_thing(thingName=thing)
        create(first, "kept", thing)
        first.client("iot-jobs-data").start_next_pending_job_execution(thingName=thing, statusDetails={"step": "1"}, stepTimeoutInMinutes=60)
        first.client("iot").update_event_configurations(eventConfigurations={"JOB": {"Enabled": True}})
    finally:
        first.stop()
    second = Stack(tmp_path, *options)
    try:
        data, iot = second.client("iot-jobs-data"), second.client("iot")
        found = data.describe_job_execution(thingName=thing, jobId="$next")["execution"]
        assert (found["jobId"], found["status"], found["statusDetails"], found["versionNumber"]) == ("kept", "IN_PROGRESS", {"step": "1"}, 2)
        assert 3000 < found["approximateSecondsBeforeTimedOut"] <= 3600
        assert iot.describe_event_configurations()["eventConfigurations"]["JOB"] == {"Enabled": True}
        data.update_job_execution(thingName=thing, jobId="kept", status="SUCCEEDED", expectedVersion=2)
        until(lambda: iot.describe_job(jobId="kept")["job"]["status"], lambda shown: shown == "COMPLETED")
    finally:
        second.stop()
