//! Every event in `events/command-api` is read: the good ones are understood, the bad ones get the status in their name.

use super::{
    handler::{Ask, decode},
    http::Request,
    problem::Problem,
};
use crate::fixtures::fixtures;

fn event(name: &str) -> Request {
    let (_, event) =
        fixtures("command-api").into_iter().find(|(found, _)| found == name).unwrap_or_else(|| panic!("no {name}"));
    serde_json::from_str(&event).expect(name)
}

/// What the request comes to: nothing where it is understood, else the problem's status and field.
fn refused(event: &str) -> Option<Problem> {
    match serde_json::from_str::<Request>(event) {
        Ok(request) => decode(&request).err(),
        Err(_) => Some(Problem::internal()),
    }
}

#[test]
fn every_event_is_understood_or_refused_as_its_name_says() {
    for (name, event) in fixtures("command-api") {
        let problem = refused(&event);
        match name.split('_').collect::<Vec<_>>().as_slice() {
            ["good", ..] => assert!(problem.is_none(), "{name}: {problem:?}"),
            ["bad", status, ..] => {
                let problem = problem.unwrap_or_else(|| panic!("{name} was understood"));
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
        ("bad_422_lane", "lane"),
        ("bad_422_thing_name", "target.things"),
    ] {
        let problem = decode(&event(name)).expect_err(name);
        assert_eq!(problem.field.as_deref(), Some(field), "{name}");
    }
}

#[test]
fn what_is_too_large_is_refused_by_name() {
    let large = |body: String| {
        let mut request = event("good_create");
        request.replace_body(body);
        decode(&request).expect_err("refused")
    };
    let payload = "x".repeat(domain::Payload::LARGEST);
    let problem = large(format!(r#"{{"name":"reboot","target":{{"things":["pump-7"]}},"payload":"{payload}"}}"#));
    assert_eq!((problem.status, problem.field.as_deref()), (413, Some("payload")));
    let problem = large(" ".repeat(Request::LARGEST_BODY + 1));
    assert_eq!((problem.status, problem.field.as_deref()), (413, Some("body")));
}

#[test]
fn a_problem_is_answered_as_the_standard_says() {
    let response = decode(&event("bad_405_delete")).expect_err("refused").answer(Some("request-1"));
    assert_eq!(response.status_code, 405);
    assert_eq!(response.headers["content-type"], "application/problem+json");
    assert_eq!(response.headers["allow"], "GET");
    let body: serde_json::Value = serde_json::from_str(&response.body).expect("JSON");
    assert_eq!((&body["status"], &body["title"]), (&405.into(), &"Method Not Allowed".into()));
    assert_eq!(body["instance"], "urn:request:request-1");
}

#[test]
fn the_same_token_is_the_same_command_for_every_session_of_a_role() {
    let mut request = event("good_create_everything");
    let ids = |request: &Request| match decode(request) {
        Ok(Ask::Create(order)) => order.id().to_string(),
        other => panic!("{other:?}"),
    };
    let first = ids(&request);
    request.become_session("AROAEXAMPLE:session-2");
    assert_eq!(ids(&request), first);
    request.become_session("AROAOTHER:session-1");
    assert_ne!(ids(&request), first);
    assert_eq!(ids(&event("good_create")), ids(&event("good_create")), "the same event is the same command");
}
