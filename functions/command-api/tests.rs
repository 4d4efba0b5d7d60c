//! Every event in `events/command-api` is decoded: good ones are accepted, bad ones get the status in their name.

use domain::{RequestTopics, Topic, fleet::SharedTopic};

use super::{
    create_body::Topics,
    problem::Problem,
    request::Request,
    route::{self, ApiCall},
};
use crate::fixtures::fixtures;

/// Decodes with a configured broadcast topic.
fn decode(request: &Request) -> Result<ApiCall, Problem> {
    let shared = SharedTopic { topic: Topic::from_stored("device_status/request"), group: None };
    let (topics, _) = RequestTopics::parse("lights/{thing}/set,valves/{thing}");
    route::decode(request, Topics { shared: Some(&shared), request: &topics })
}

fn event(name: &str) -> Request {
    let (_, event) =
        fixtures("command-api").into_iter().find(|(found, _)| found == name).unwrap_or_else(|| panic!("no {name}"));
    serde_json::from_str(&event).expect(name)
}

/// The problem of an event; none if it is accepted.
fn problem_of(event: &str) -> Option<Problem> {
    match serde_json::from_str::<Request>(event) {
        Ok(request) => decode(&request).err(),
        Err(_) => Some(Problem::internal()),
    }
}

#[test]
fn every_event_is_accepted_or_refused_as_its_name_says() {
    for (name, event) in fixtures("command-api") {
        let problem = problem_of(&event);
        match name.split('_').collect::<Vec<_>>().as_slice() {
            ["good", ..] => assert!(problem.is_none(), "{name}: {problem:?}"),
            ["bad", status, ..] => {
                let problem = problem.unwrap_or_else(|| panic!("{name} was accepted"));
                assert_eq!(problem.status.to_string(), *status, "{name}: {problem:?}");
            }
            _ => panic!("{name} is neither good_ nor bad_<status>_"),
        }
    }
}

#[test]
fn a_problem_names_its_field() {
    for (name, field) in [
        ("bad_400_unknown_field", "nmae"),
        ("bad_400_ttl_text", "ttl"),
        ("bad_400_ttl_beyond_timeout", "ttl"),
        ("bad_400_no_target", "target"),
        ("bad_400_token", "Idempotency-Key"),
        ("bad_400_wait", "waitSeconds"),
        ("bad_400_retry_number", "retry"),
        ("bad_400_retry_unknown_field", "retry.atempts"),
        ("bad_400_retry_attempts_one", "retry.attempts"),
        ("bad_400_retry_attempts_float", "retry.attempts"),
        ("bad_400_retry_attempts_enormous", "retry.attempts"),
        ("bad_400_retry_on_unknown", "retry.on"),
        ("bad_400_retry_on_empty", "retry.on"),
        ("bad_400_retry_wait_zero", "retry.wait"),
        ("bad_400_retry_backoff_number", "retry.backoff"),
        ("bad_400_retry_backoff_unknown_field", "retry.backoff.max"),
        ("bad_400_retry_backoff_base_beyond_cap", "retry.backoff.base"),
        ("bad_400_lane_empty", "lane"),
        ("bad_400_lane_of_a_shadow", "lane"),
        ("bad_400_lane_array", "lane"),
        ("bad_400_lane_no_name", "lane.name"),
        ("bad_400_lane_name_odd", "lane.name"),
        ("bad_400_lane_on_failure", "lane.onFailure"),
        ("bad_422_supersede_without_lane", "supersede"),
        ("bad_400_supersede_text", "supersede"),
        ("bad_422_shadow_without_delivery", "shadow"),
        ("bad_400_shadow_name_odd", "shadow"),
        ("bad_400_shadow_object", "shadow"),
        ("bad_400_cancel_force_number", "force"),
        ("bad_400_cancel_unknown_field", "forced"),
        ("bad_400_cancel_array", "body"),
        ("bad_400_cancel_query", "force"),
        ("bad_400_explain", "explain"),
        ("bad_400_format", "format"),
        ("bad_422_format_of_a_broadcast", "format"),
        ("bad_422_format_in_a_shadow", "format"),
        ("bad_400_raw_payload_object", "payload"),
        ("bad_400_raw_payload_text", "payload"),
        ("bad_413_raw_payload", "payload"),
        ("bad_422_content_type_of_json", "contentType"),
        ("bad_400_content_type_odd", "contentType"),
        ("bad_422_topic_not_allowed", "topic"),
        ("bad_422_topic_in_a_shadow", "topic"),
        ("bad_400_topic_number", "topic"),
        ("bad_422_broadcast", "broadcast.topic"),
        ("bad_400_name_twice", "name"),
        ("bad_400_target_things_twice", "target.things"),
        ("bad_422_everything_excluded", "target.exclude"),
        ("bad_400_ttl_beyond_64_bits", "ttl"),
        ("bad_400_rollout_text", "rollout"),
        ("bad_400_rollout_rate_text", "rollout.maximumPerMinute"),
        ("bad_400_rollout_rate_fraction", "rollout.maximumPerMinute"),
        ("bad_400_rollout_canary_number", "rollout.canary"),
        ("bad_400_rollout_canary_no_things", "rollout.canary.things"),
        ("bad_400_rollout_criteria_text", "rollout.exponentialRate.rateIncreaseCriteria.numberOfNotifiedThings"),
        ("bad_400_rollout_waves_text", "rollout.waves.percentages"),
        ("bad_400_abort_threshold_text", "abortConfig.criteriaList[1].thresholdPercentage"),
        ("bad_400_abort_criterion_number", "abortConfig.criteriaList[0]"),
        ("bad_400_abort_criterion_no_action", "abortConfig.criteriaList[0].action"),
        ("bad_400_rollout_unknown_field", "rollout.maxPerMinute"),
        ("bad_422_rollout_rate_zero", "rollout.maximumPerMinute"),
        ("bad_422_rollout_rate_of_jobs_zero", "jobExecutionsRolloutConfig.maximumPerMinute"),
        ("bad_422_rollout_twice", "jobExecutionsRolloutConfig"),
        ("bad_422_rollout_waves_descending", "rollout.waves.percentages"),
        ("bad_400_abort_unknown_field", "abortConfig.criteriaList"),
        ("bad_400_abort_criteria_object", "abortConfig.criteriaList"),
        ("bad_422_abort_no_criteria", "abortConfig.criteriaList"),
        ("bad_422_abort_threshold", "abortConfig.criteriaList[0].thresholdPercentage"),
        ("bad_400_schedule_time", "schedule.notBefore"),
        ("bad_400_schedule_unknown_field", "schedule.startTime"),
        ("bad_400_window_no_end", "schedule.window.end"),
        ("bad_422_window_time", "schedule.window.start"),
        ("bad_422_wait_of_a_fleet", "waitSeconds"),
        ("bad_422_broadcast_spread", "broadcast.spread"),
        ("bad_422_broadcast_topic", "broadcast.topic"),
        ("bad_422_broadcast_rollout", "delivery"),
        ("bad_422_broadcast_exclude", "target"),
        ("bad_422_broadcast_of_things", "target"),
        ("bad_422_broadcast_without_delivery", "broadcast"),
        ("bad_400_groups_text", "target.groups"),
        ("bad_422_group_name", "target.groups"),
        ("bad_422_query_empty", "target.query"),
        ("bad_422_exclude_alone", "target"),
        ("bad_422_exclude_name", "target.exclude"),
        ("bad_400_dry_run_text", "dryRun"),
        ("bad_400_pause_body", "force"),
        ("bad_400_strict_text", "strict"),
        ("bad_400_executions_status", "status"),
        ("bad_400_executions_limit", "limit"),
        ("bad_400_executions_token", "nextToken"),
        ("bad_422_thing_name", "target.things"),
        ("bad_400_patch_no_body", "body"),
        ("bad_400_patch_no_rollout", "rollout"),
        ("bad_400_patch_rollout_null", "rollout"),
        ("bad_400_patch_rollout_number", "rollout"),
        ("bad_400_patch_unknown_field", "ttl"),
        ("bad_400_patch_query", "force"),
        ("bad_400_patch_why_number", "why"),
        ("bad_400_patch_why_empty", "why"),
        ("bad_422_patch_rate_zero", "rollout.maximumPerMinute"),
        ("bad_422_patch_rate_of_jobs_zero", "jobExecutionsRolloutConfig.maximumPerMinute"),
        ("bad_422_patch_no_rate", "rollout"),
        ("bad_422_patch_no_rate_of_jobs", "jobExecutionsRolloutConfig"),
        ("bad_422_patch_canary", "rollout.canary"),
        ("bad_422_patch_waves", "rollout.waves"),
        ("bad_422_patch_base_beyond_maximum", "rollout.exponentialRate.baseRatePerMinute"),
        ("bad_422_patch_rollout_twice", "jobExecutionsRolloutConfig"),
    ] {
        let problem = decode(&event(name)).expect_err(name);
        assert_eq!(problem.field.as_deref(), Some(field), "{name}");
    }
}

#[test]
fn a_problem_says_what_is_allowed() {
    for (name, detail) in [
        ("bad_400_retry_attempts_float", "retry.attempts must be a whole number: it is 2.5"),
        ("bad_400_retry_attempts_one", "retry.attempts must be 2 to 10: it is 1"),
        (
            "bad_400_retry_on_text",
            "retry.on must be a list of reasons such as [\"NO_RESPONSE\", \"FAILED\"]: it is \"NO_RESPONSE\"",
        ),
        (
            "bad_400_lane_number",
            "lane must be a name such as \"valve\", or an object such as {\"name\": \"valve\", \"onFailure\": \
             \"skip\"}: it is 7",
        ),
        ("bad_400_lane_no_name", "lane.name is missing: it must be a text such as \"valve\""),
        ("bad_400_lane_on_failure", "lane.onFailure must be stop or skip"),
        (
            "bad_400_retry_unknown_field",
            "\"retry.atempts\" is not a field here; known are: attempts, on, wait, backoff",
        ),
        ("bad_400_ttl_float", "ttl must be a whole number of seconds: it is 1.5"),
        ("bad_422_rollout_rate_zero", "rollout.maximumPerMinute must be 1 to 1000000: it is 0"),
        (
            "bad_422_rollout_rate_of_jobs_zero",
            "jobExecutionsRolloutConfig.maximumPerMinute must be 1 to 1000000: it is 0",
        ),
        (
            "bad_422_patch_no_rate_of_jobs",
            "jobExecutionsRolloutConfig must have maximumPerMinute or exponentialRate: the most is 1000000 per minute",
        ),
        ("bad_422_patch_canary", "rollout.canary can't be changed once a command is created: leave it out"),
        (
            "bad_400_executions_status",
            "\"BROKEN\" is not a status: it can be CREATED, IN_PROGRESS, SUCCEEDED, FAILED, REJECTED, TIMED_OUT, \
             CANCELED",
        ),
        ("bad_400_explain", "explain must be true, false or without a value"),
    ] {
        let answer = decode(&event(name)).expect_err(name).into_response(None);
        let body: serde_json::Value = serde_json::from_str(&answer.body).expect("JSON");
        assert_eq!(body["detail"], detail, "{name}");
    }
}

#[test]
fn too_large_body_and_payload_are_refused_by_name() {
    let problem_of = |body: String| {
        let mut request = event("good_create");
        request.replace_body(body);
        decode(&request).expect_err("refused")
    };
    let payload = "x".repeat(domain::Payload::MAX_BYTES);
    let problem = problem_of(format!(r#"{{"name":"reboot","target":{{"things":["pump-7"]}},"payload":"{payload}"}}"#));
    assert_eq!((problem.status, problem.field.as_deref()), (413, Some("payload")));
    let problem = problem_of(" ".repeat(Request::MAX_BODY_BYTES + 1));
    assert_eq!((problem.status, problem.field.as_deref()), (413, Some("body")));
}

#[test]
fn a_problem_is_answered_as_problem_details() {
    let response = decode(&event("bad_405_delete")).expect_err("refused").into_response(Some("request-1"));
    assert_eq!(response.status_code, 405);
    assert_eq!(response.headers["content-type"], "application/problem+json");
    assert_eq!(response.headers["allow"], "GET, PATCH");
    let body: serde_json::Value = serde_json::from_str(&response.body).expect("JSON");
    assert_eq!((&body["status"], &body["title"]), (&405.into(), &"Method Not Allowed".into()));
    assert_eq!(body["instance"], "urn:request:request-1");
}

#[test]
fn same_idempotency_key_names_the_same_command_in_all_sessions_of_a_role() {
    let mut request = event("good_create_everything");
    let id_of = |request: &Request| match decode(request) {
        Ok(ApiCall::CreateCommand(create)) => create.id().to_string(),
        other => panic!("{other:?}"),
    };
    let first = id_of(&request);
    request.set_caller("AROAEXAMPLE:session-2");
    assert_eq!(id_of(&request), first);
    request.set_caller("AROAOTHER:session-1");
    assert_ne!(id_of(&request), first);
    assert_eq!(id_of(&event("good_create")), id_of(&event("good_create")), "the same event is the same command");
}
