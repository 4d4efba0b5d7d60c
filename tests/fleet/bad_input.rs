//! Invalid fleet commands are refused with field and correction; repeated fleet commands give the same command.

use reqwest::Method;
use serde_json::{Value, json};

use super::operator::{create, show};
use crate::world::{COMMANDS, EXECUTIONS, World};

/// A request body with these members in addition or instead.
fn body(members: Value) -> Value {
    let mut body = json!({"name": "reboot", "target": {"groups": ["pumps"]}});
    body.as_object_mut().expect("an object").extend(members.as_object().expect("an object").clone());
    body
}

/// The rollout and abort configuration in the documentation of AWS IoT Jobs.
fn jobs_configuration() -> Value {
    json!({
        "jobExecutionsRolloutConfig": {
            "exponentialRate": {
                "baseRatePerMinute": 50,
                "incrementFactor": 2,
                "rateIncreaseCriteria": {"numberOfNotifiedThings": 1000},
            },
            "maximumPerMinute": 1000,
        },
        "abortConfig": {
            "criteriaList": [
                {
                    "action": "CANCEL", "failureType": "FAILED",
                    "minNumberOfExecutedThings": 100, "thresholdPercentage": 20,
                },
                {
                    "action": "CANCEL", "failureType": "TIMED_OUT",
                    "minNumberOfExecutedThings": 200, "thresholdPercentage": 50,
                },
            ],
        },
    })
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn invalid_member_is_refused_with_its_field_and_the_correction() {
    let world = World::start().await;
    world.stack.registry.add_things("pumps", &["pump-7"]).expect("the group is valid");
    let too_many: Vec<String> = (0..10_001).map(|n| format!("pump-{n}")).collect();
    let criterion = |threshold: f64| {
        json!({"abortConfig": {"criteriaList": [{
            "failureType": "FAILED", "action": "CANCEL", "thresholdPercentage": threshold,
            "minNumberOfExecutedThings": 1,
        }]}})
    };
    let mut rate_of_zero = jobs_configuration();
    rate_of_zero["jobExecutionsRolloutConfig"]["exponentialRate"]["baseRatePerMinute"] = json!(0);
    let cases = [
        (json!({"target": {"groups": ["pumps", "valves"]}}), 422, "target.groups", "there is no thing group valves"),
        (
            json!({"target": {"things": too_many}}),
            422,
            "target.things",
            "it lists 10001. For more, name a thing group or a query",
        ),
        (json!({"target": {"groups": ["pumps"], "exclude": too_many}}), 422, "target.exclude", "10000"),
        // Names only: a pattern would leave out none of those whom it means.
        (json!({"target": {"groups": ["pumps"], "exclude": ["pump-*"]}}), 422, "target.exclude", "it has '*'"),
        (json!({"target": {"groups": ["pumps"], "exclude": ["*"]}}), 422, "target.exclude", "it has '*'"),
        (json!({"target": {"groups": ["pumps"], "exclude": [""]}}), 422, "target.exclude", "1 to 128 characters"),
        (json!({"target": {"groups": ["pump*"]}}), 422, "target.groups", "it has '*'"),
        (
            json!({"target": {"groups": (0..101).map(|n| format!("group-{n}")).collect::<Vec<_>>()}}),
            422,
            "target.groups",
            "can name 100 groups: it names 101",
        ),
        (json!({"target": {"query": "attributes.model:"}}), 422, "target.query", "the query does not parse: "),
        (json!({"target": {"query": " "}}), 422, "target.query", "not all blank"),
        (json!({"target": {"things": [], "groups": []}}), 422, "target", "must be an object such as"),
        (json!({"rollout": {"maximumPerMinute": 0}}), 422, "rollout.maximumPerMinute", "must be 1 to 1000000: it is 0"),
        (json!({"rollout": {"canary": {"things": 0}}}), 422, "rollout.canary.things", "must be 1 to 1000000: it is 0"),
        (
            json!({"rollout": {"waves": {"percentages": [10, 110]}}}),
            422,
            "rollout.waves.percentages",
            "must be 1 to 100: it is 110",
        ),
        (
            rate_of_zero,
            422,
            "jobExecutionsRolloutConfig.exponentialRate.baseRatePerMinute",
            "must be 1 to 1000000: it is 0",
        ),
        (criterion(100.5), 422, "abortConfig.criteriaList[0].thresholdPercentage", "at most 100"),
        (criterion(0.0), 422, "abortConfig.criteriaList[0].thresholdPercentage", "more than 0"),
        (
            json!({"schedule": {"notBefore": "2020-01-01T00:00:00Z"}}),
            422,
            "schedule.notBefore",
            "leave it out to begin at once",
        ),
        (json!({"schedule": {"notAfter": "2020-01-01T00:00:00Z"}}), 422, "schedule.notAfter", "it must be ahead"),
        (
            json!({"schedule": {"notBefore": "2027-01-15T12:00:00Z", "notAfter": "2027-01-15T13:00:00Z",
                "window": {"start": "20:00", "end": "21:00"}}}),
            422,
            "schedule.window",
            "never opens",
        ),
        (
            json!({"schedule": {"window": {"start": "20:00", "end": "20:00"}}}),
            422,
            "schedule.window.end",
            "must differ",
        ),
        (json!({"waitSeconds": 5}), 422, "waitSeconds", "leave waitSeconds out"),
        // A broadcast reaches everyone who listens on its topic, so the target can't be anything else.
        (
            json!({"delivery": "broadcast", "target": {"groups": ["pumps"], "exclude": ["pump-1"]}}),
            422,
            "target",
            "a message on cmd/group/pumps/req reaches the things of the group pumps, all of them and no others: make \
             the target {\"groups\": [\"pumps\"]}, or choose another delivery",
        ),
        (
            json!({"delivery": "broadcast", "target": {"things": ["pump-1", "pump-2"]},
                "broadcast": {"topic": "cmd/group/pumps/req"}}),
            422,
            "target",
            "make the target {\"groups\": [\"pumps\"]}",
        ),
        (
            json!({"delivery": "broadcast", "broadcast": {"topic": "device_status/request"}}),
            422,
            "target",
            "make the target {\"query\": \"thingName:*\"}",
        ),
        (json!({"delivery": "broadcast", "retry": {}}), 422, "retry", "a broadcast goes out once"),
        (json!({"delivery": "broadcast", "lane": "valve"}), 422, "lane", "leave it out"),
        (json!({"delivery": "shadow", "shadow": "atlas", "lane": "valve"}), 422, "lane", "a lane of its own"),
        (json!({"delivery": "shadow", "shadow": "state", "payload": 7}), 422, "payload", ""),
    ];
    // A dry run refuses the same.
    for (members, status, field, text) in cases {
        for dry_run in [false, true] {
            let mut request = body(members.clone());
            request["dryRun"] = json!(dry_run);
            let response = world.post("/commands", &request).await;
            let case: String = members.to_string().chars().take(200).collect();
            assert_eq!((response.status, &response.body["field"]), (status, &json!(field)), "{case}: {response:?}");
            assert_eq!(response.headers["content-type"], "application/problem+json", "{case}");
            let detail = response.body["detail"].as_str().expect("a problem has a detail");
            assert!(detail.contains(text), "{case}: {detail}");
        }
    }
    // More bytes than a request body can have.
    let names: Vec<String> = (0..200_000).map(|n| format!("pump-{n:06}")).collect();
    let response = world.post("/commands", &body(json!({"target": {"things": names}}))).await;
    assert_eq!((response.status, &response.body["field"]), (413, &json!("body")), "{response:?}");
    let detail = response.body["detail"].as_str().expect("a problem has a detail");
    assert!(detail.contains("a thing group or a query"), "{detail}");
    assert!(world.rows(COMMANDS).await.is_empty() && world.rows(EXECUTIONS).await.is_empty());
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn configuration_of_aws_iot_jobs_is_accepted_unchanged() {
    let world = World::start().await;
    world.stack.registry.add_things("pumps", &["pump-7"]).expect("the group is valid");
    let sent = jobs_configuration();
    let id = create(&world, sent.clone()).await;
    let shown = show(&world, &id).await;
    assert_eq!(shown["rollout"]["maximumPerMinute"], sent["jobExecutionsRolloutConfig"]["maximumPerMinute"]);
    let rate = &shown["rollout"]["exponentialRate"];
    assert_eq!((&rate["baseRatePerMinute"], rate["incrementFactor"].as_f64()), (&json!(50), Some(2.0)), "{shown}");
    assert_eq!(rate["rateIncreaseCriteria"], json!({"numberOfNotifiedThings": 1000}));
    let criteria = shown["abortConfig"]["criteriaList"].as_array().expect("a command shows its abort criteria");
    assert_eq!((criteria.len(), &criteria[1]["failureType"]), (2, &json!("TIMED_OUT")), "{shown}");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn same_idempotency_key_gives_the_same_command_and_refuses_another_body() {
    let world = World::start().await;
    world.stack.registry.add_things("pumps", &["pump-7", "pump-8"]).expect("the group is valid");
    let post = async |members: Value| {
        let body = body(members).to_string();
        world.request(Method::POST, "/commands", &[("idempotency-key", "order-66")], body).await
    };
    let with_rate = |rate: u32| json!({"rollout": {"maximumPerMinute": rate}});
    let first = post(with_rate(60)).await;
    world.settle().await;
    let rows = world.rows(COMMANDS).await;
    let second = post(with_rate(60)).await;
    assert_eq!((first.status, second.status), (202, 202), "{second:?}");
    assert_eq!(first.body["commandId"], second.body["commandId"]);
    assert_eq!(second.body["counts"]["total"], 2, "{second:?}");
    world.settle().await;
    assert_eq!(world.rows(COMMANDS).await, rows);
    let with = |members: Value| {
        let mut body = with_rate(60);
        body.as_object_mut().expect("an object").extend(members.as_object().expect("an object").clone());
        body
    };
    let criterion =
        json!({"failureType": "FAILED", "action": "CANCEL", "thresholdPercentage": 20, "minNumberOfExecutedThings": 1});
    world.stack.registry.add_group("valves", None).expect("the group is valid");
    for other in [
        with_rate(61),
        json!({"target": {"things": ["pump-7", "pump-8"]}}),
        json!({}),
        with(json!({"target": {"groups": ["pumps", "valves"]}})),
        with(json!({"target": {"groups": ["pumps"], "exclude": ["pump-9"]}})),
        with(json!({"target": {"groups": ["pumps"], "query": "thingName:pump-*"}})),
        with(json!({"abortConfig": {"criteriaList": [criterion]}})),
        with(json!({"schedule": {"notBefore": "2027-01-15T12:00:00Z"}})),
        with(json!({"payload": 1})),
    ] {
        let refused = post(other).await;
        assert_eq!((refused.status, &refused.body["field"]), (409, &json!("Idempotency-Key")), "{refused:?}");
    }
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn command_for_an_empty_group_is_completed_at_once() {
    let world = World::start().await;
    world.stack.registry.add_group("empty", None).expect("the group is valid");
    let rollout = json!({"maximumPerMinute": 10, "canary": {"things": 5}});
    for members in [json!({}), json!({"rollout": rollout}), json!({"delivery": "broadcast"})] {
        let mut body = members.clone();
        body["target"] = json!({"groups": ["empty"]});
        let id = create(&world, body).await;
        world.settle().await;
        let shown = show(&world, &id).await;
        let (state, total) = (&shown["state"], &shown["counts"]["total"]);
        assert_eq!((state, total), (&json!("COMPLETED"), &json!(0)), "{members}: {shown}");
    }
    world.end().await;
}
