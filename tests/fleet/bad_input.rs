//! What nobody can mean of a fleet is refused, with the name of the field and what would be right, and nothing is stored.

use reqwest::Method;
use serde_json::{Value, json};

use crate::world::{COMMANDS, EXECUTIONS, World};

fn body(more: Value) -> Value {
    let mut body = json!({"name": "reboot", "target": {"groups": ["pumps"]}});
    body.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    body
}

/// AWS IoT Jobs' configuration, as its documentation has it.
fn of_jobs() -> Value {
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
                {"action": "CANCEL", "failureType": "FAILED", "minNumberOfExecutedThings": 100, "thresholdPercentage": 20},
                {"action": "CANCEL", "failureType": "TIMED_OUT", "minNumberOfExecutedThings": 200, "thresholdPercentage": 50},
            ],
        },
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_can_mean_is_refused_by_its_field() {
    let world = World::start().await;
    world.stack.registry.add_things("pumps", &["pump-7"]).expect("a group");
    let many: Vec<String> = (0..10_001).map(|n| format!("pump-{n}")).collect();
    let criterion = |threshold: f64| json!({"abortConfig": {"criteriaList": [{"failureType": "FAILED", "action": "CANCEL", "thresholdPercentage": threshold, "minNumberOfExecutedThings": 1}]}});
    let mut rate_of_zero = of_jobs();
    rate_of_zero["jobExecutionsRolloutConfig"]["exponentialRate"]["baseRatePerMinute"] = json!(0);
    let cases = [
        (json!({"target": {"groups": ["pumps", "valves"]}}), 422, "target.groups", "there is no thing group valves"),
        (
            json!({"target": {"things": many}}),
            422,
            "target.things",
            "it lists 10001. For more, name a thing group or a query",
        ),
        (json!({"target": {"groups": ["pumps"], "exclude": many}}), 422, "target.exclude", "10000"),
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
        (json!({"delivery": "broadcast", "retry": {}}), 422, "retry", "a broadcast goes out once"),
        (json!({"delivery": "broadcast", "lane": "valve"}), 422, "lane", "leave it out"),
        (json!({"delivery": "shadow", "shadow": "atlas", "lane": "valve"}), 422, "lane", "a lane of its own"),
        (json!({"delivery": "shadow", "shadow": "state", "payload": 7}), 422, "payload", ""),
    ];
    // A dry run is as strict.
    for (more, status, field, words) in cases {
        for dry_run in [false, true] {
            let mut asked = body(more.clone());
            asked["dryRun"] = json!(dry_run);
            let answer = world.post("/commands", &asked).await;
            let shown: String = more.to_string().chars().take(200).collect();
            assert_eq!((answer.status, &answer.body["field"]), (status, &json!(field)), "{shown}: {answer:?}");
            assert_eq!(answer.headers["content-type"], "application/problem+json", "{shown}");
            let detail = answer.body["detail"].as_str().expect("text");
            assert!(detail.contains(words), "{shown}: {detail}");
        }
    }
    // A million things are more than a body holds.
    let million: Vec<String> = (0..200_000).map(|n| format!("pump-{n:06}")).collect();
    let answer = world.post("/commands", &body(json!({"target": {"things": million}}))).await;
    assert_eq!((answer.status, &answer.body["field"]), (413, &json!("body")), "{answer:?}");
    assert!(
        answer.body["detail"].as_str().is_some_and(|detail| detail.contains("a thing group or a query")),
        "{answer:?}"
    );
    assert!(world.rows(COMMANDS).await.is_empty() && world.rows(EXECUTIONS).await.is_empty());
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_configuration_of_aws_jobs_is_taken_as_it_is() {
    let world = World::start().await;
    world.stack.registry.add_things("pumps", &["pump-7"]).expect("a group");
    let answer = world.post("/commands", &body(of_jobs())).await;
    assert_eq!(answer.status, 202, "{answer:?}");
    let shown = world.get(&format!("/commands/{}", answer.body["commandId"].as_str().expect("an id"))).await.body;
    let asked = of_jobs();
    assert_eq!(shown["rollout"]["maximumPerMinute"], asked["jobExecutionsRolloutConfig"]["maximumPerMinute"]);
    let rate = &shown["rollout"]["exponentialRate"];
    assert_eq!((&rate["baseRatePerMinute"], rate["incrementFactor"].as_f64()), (&json!(50), Some(2.0)), "{shown}");
    assert_eq!(rate["rateIncreaseCriteria"], json!({"numberOfNotifiedThings": 1000}));
    let criteria = shown["abortConfig"]["criteriaList"].as_array().expect("a list");
    assert_eq!((criteria.len(), &criteria[1]["failureType"]), (2, &json!("TIMED_OUT")), "{shown}");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_again_is_the_same_command() {
    let world = World::start().await;
    world.stack.registry.add_things("pumps", &["pump-7", "pump-8"]).expect("a group");
    let post = async |more: Value| {
        let asked = body(more).to_string();
        world.request(Method::POST, "/commands", &[("idempotency-key", "order-66")], asked).await
    };
    let limited = |rate: u32| json!({"rollout": {"maximumPerMinute": rate}});
    let first = post(limited(60)).await;
    world.stack.settle().await;
    let rows = world.rows(COMMANDS).await;
    let again = post(limited(60)).await;
    assert_eq!((first.status, again.status), (202, 202), "{again:?}");
    assert_eq!(first.body["commandId"], again.body["commandId"]);
    assert_eq!(again.body["counts"]["total"], 2, "{again:?}");
    world.stack.settle().await;
    assert_eq!(world.rows(COMMANDS).await, rows);
    let also = |more: Value| {
        let mut asked = limited(60);
        asked.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        asked
    };
    let criterion =
        json!({"failureType": "FAILED", "action": "CANCEL", "thresholdPercentage": 20, "minNumberOfExecutedThings": 1});
    world.stack.registry.add_group("valves", None).expect("a group");
    for other in [
        limited(61),
        json!({"target": {"things": ["pump-7", "pump-8"]}}),
        json!({}),
        also(json!({"target": {"groups": ["pumps", "valves"]}})),
        also(json!({"target": {"groups": ["pumps"], "exclude": ["pump-9"]}})),
        also(json!({"target": {"groups": ["pumps"], "query": "thingName:pump-*"}})),
        also(json!({"abortConfig": {"criteriaList": [criterion]}})),
        also(json!({"schedule": {"notBefore": "2027-01-15T12:00:00Z"}})),
        also(json!({"payload": 1})),
    ] {
        let refused = post(other).await;
        assert_eq!((refused.status, &refused.body["field"]), (409, &json!("Idempotency-Key")), "{refused:?}");
    }
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_group_is_done_at_once() {
    let world = World::start().await;
    world.stack.registry.add_group("empty", None).expect("a group");
    let paced = json!({"maximumPerMinute": 10, "canary": {"things": 5}});
    for more in [json!({}), json!({"rollout": paced}), json!({"delivery": "broadcast"})] {
        let mut asked = body(more.clone());
        asked["target"] = json!({"groups": ["empty"]});
        let answer = world.post("/commands", &asked).await;
        assert_eq!(answer.status, 202, "{more}: {answer:?}");
        world.stack.settle().await;
        let shown = world.get(&format!("/commands/{}", answer.body["commandId"].as_str().expect("an id"))).await.body;
        assert_eq!((&shown["state"], &shown["counts"]["total"]), (&json!("COMPLETED"), &json!(0)), "{more}: {shown}");
    }
    world.end().await;
}
