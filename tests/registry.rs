//! The registry client of `shared/aws` against the local registry over HTTP: groups, queries, pages and errors.

use aws::{Connection, Error, Kind, Listed, Registry, ThingPage};
use domain::{FleetQuery, GroupName, ThingName};
use serde_json::{Value, json};

use crate::sdk_transport::{AwsError, SdkTransport};
use crate::world::{EXECUTIONS, World};

fn registry(world: &World, error: Option<AwsError>) -> Registry {
    let endpoint = world.stack.addresses.endpoint.to_string();
    Connection::over(SdkTransport { client: reqwest::Client::new(), endpoint, error }).registry()
}

fn group(name: &str) -> GroupName {
    GroupName::parse(name).expect("a name")
}

fn query(query: &str) -> FleetQuery {
    FleetQuery::parse(query).expect("a query")
}

fn page(listed: Result<Listed, Error>) -> ThingPage {
    match listed.expect("a response") {
        Listed::Page(page) => page,
        other => panic!("{other:?}"),
    }
}

fn names(page: &ThingPage) -> Vec<&str> {
    assert_eq!(page.unusable, 0);
    page.things.iter().map(|thing| thing.as_str()).collect()
}

/// A world with these groups: `all` holds `a:1`, its child `pumps` holds `b` and `d`, whose child `old` holds `c`;
/// `other` holds `b`.
async fn fleet() -> World {
    let world = World::start().await;
    let stack = &world.stack.registry;
    for (name, parent) in [("all", None), ("pumps", Some("all")), ("old", Some("pumps")), ("other", None)] {
        stack.add_group(name, parent).expect("a group");
    }
    for (name, things) in [("all", vec!["a:1"]), ("pumps", vec!["b", "d"]), ("old", vec!["c"]), ("other", vec!["b"])] {
        stack.add_things(name, &things).expect("things");
    }
    world
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn a_group_lists_its_things_and_those_of_all_groups_below_it() {
    let world = fleet().await;
    let registry = registry(&world, None);
    for (name, things) in
        [("all", vec!["a:1", "b", "c", "d"]), ("pumps", vec!["b", "c", "d"]), ("old", vec!["c"]), ("other", vec!["b"])]
    {
        let listed = page(registry.things_in_group(&group(name), None, 250).await);
        assert_eq!((names(&listed), &listed.next), (things, &None), "{name}");
    }
    let first = page(registry.things_in_group(&group("all"), None, 3).await);
    assert_eq!(names(&first), ["a:1", "b", "c"]);
    let second = page(registry.things_in_group(&group("all"), first.next.as_deref(), 3).await);
    assert_eq!((names(&second), &second.next), (vec!["d"], &None));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn pages_have_the_sizes_of_aws_and_list_every_thing() {
    let world = World::start().await;
    let all: Vec<_> = (0..601).map(|n| format!("pump-{n:03}")).collect();
    world.stack.registry.add_things("pumps", &all).expect("things");
    let registry = registry(&world, None);
    for (by_query, sizes) in [(false, vec![250, 250, 101]), (true, vec![100, 100, 100, 100, 100, 100, 1])] {
        let (mut page_sizes, mut found, mut token) = (Vec::new(), Vec::new(), None);
        loop {
            let page = page(match by_query {
                false => registry.things_in_group(&group("pumps"), token.as_deref(), u16::MAX).await,
                true => registry.things_found(&query("thingName:pump-*"), token.as_deref(), u16::MAX).await,
            });
            page_sizes.push(page.things.len());
            found.extend(names(&page).into_iter().map(str::to_owned));
            token = page.next;
            if token.is_none() {
                break;
            }
        }
        assert_eq!((page_sizes, &found), (sizes, &all));
    }
    assert_eq!(
        page(registry.things_in_group(&group("pumps"), None, 0).await).things.len(),
        1,
        "a limit of 0 is raised to 1"
    );
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn a_query_finds_things_by_name_and_group() {
    let world = fleet().await;
    let registry = registry(&world, None);
    for (text, things) in [
        ("thingName:*", vec!["a:1", "b", "c", "d"]),
        ("thingGroupNames:pumps AND NOT thingName:d", vec!["b"]),
        ("thingName:\"a:1\" OR c", vec!["a:1", "c"]),
        ("thingName:unknown", vec![]),
    ] {
        let found = page(registry.things_found(&query(text), None, 100).await);
        assert_eq!((names(&found), &found.next), (things, &None), "{text}");
    }
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn a_missing_group_and_a_malformed_query_have_their_own_results() {
    let world = fleet().await;
    let registry = registry(&world, None);
    assert_eq!(registry.things_in_group(&group("none"), None, 250).await.expect("a result"), Listed::NoSuchGroup);
    let Listed::BadQuery(why) = registry.things_found(&query("thingName:(a"), None, 100).await.expect("a result")
    else {
        panic!("the query has an unclosed parenthesis");
    };
    assert!(why.contains("parenthesis"), "{why}");

    // A group that is deleted between two pages is missing too.
    let first = page(registry.things_in_group(&group("other"), None, 1).await);
    assert_eq!(first.next, None);
    world.stack.registry.add_things("other", &["x"]).expect("a thing");
    let first = page(registry.things_in_group(&group("other"), None, 1).await);
    let deleted =
        reqwest::Client::new().delete(format!("http://{}/thing-groups/other", world.stack.addresses.endpoint));
    assert!(deleted.send().await.expect("a response").status().is_success());
    let second = registry.things_in_group(&group("other"), first.next.as_deref(), 1).await.expect("a result");
    assert_eq!(second, Listed::NoSuchGroup);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn an_unknown_token_is_stale() {
    let world = fleet().await;
    let registry = registry(&world, None);
    for token in ["nowhere!", "Zm9"] {
        let in_group = registry.things_in_group(&group("all"), Some(token), 250).await.expect("a result");
        let found = registry.things_found(&query("b"), Some(token), 100).await.expect("a result");
        assert_eq!((in_group, found), (Listed::StaleToken, Listed::StaleToken), "{token}");
    }
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn errors_that_only_aws_returns_are_classified() {
    let world = World::start().await;
    let list = async |error, token| {
        let registry = registry(&world, Some(error));
        let in_group = registry.things_in_group(&group("all"), token, 250).await;
        (in_group, registry.things_found(&query("b"), token, 100).await)
    };
    let results = |(in_group, found): (_, Result<Listed, Error>)| (kind(in_group), found.expect("a result"));
    let off = (404, "ResourceNotFoundException", "Index AWS_Things does not exist");
    assert_eq!(list(off, None).await.1.expect("a result"), Listed::NoIndex(off.2.to_owned()));
    let building = (400, "IndexNotReadyException", "Index AWS_Things is being built");
    assert_eq!(results(list(building, None).await), (Kind::Refused, Listed::NoIndex(building.2.to_owned())));
    // An error without a message is described by its name.
    let bad = results(list((400, "InvalidQueryException", ""), None).await);
    assert_eq!(bad, (Kind::Refused, Listed::BadQuery("InvalidQueryException".to_owned())));

    let invalid = (400, "InvalidRequestException", "1 validation error detected");
    for (error, expected) in [
        (invalid, Kind::Refused),
        ((401, "UnauthorizedException", "no"), Kind::Refused),
        ((403, "AccessDeniedException", "no"), Kind::Refused),
        ((429, "ThrottlingException", "Rate exceeded"), Kind::Throttled),
        ((400, "ThrottlingException", "Rate exceeded"), Kind::Throttled),
        ((500, "InternalFailureException", "oh"), Kind::Unavailable),
        ((503, "ServiceUnavailableException", "oh"), Kind::Unavailable),
    ] {
        let (in_group, found) = list(error, None).await;
        assert_eq!((kind(in_group), kind(found)), (expected, expected), "{error:?}");
        if error != invalid {
            // The result does not become StaleToken when the request has a token.
            let (in_group, found) = list(error, Some("token")).await;
            assert_eq!((kind(in_group), kind(found)), (expected, expected), "{error:?}");
        }
    }
    world.end().await;
}

fn kind(listed: Result<Listed, Error>) -> Kind {
    match listed {
        Ok(listed) => panic!("{listed:?}"),
        Err(error) => error.kind(),
    }
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn unknown_thing_is_noted_or_with_strict_refused() {
    let world = World::start().await;
    world.stack.registry.add_things("pumps", &["pump-7"]).expect("a group");
    let body = |things: &[&str], more: Value| {
        let mut body = json!({"name": "reboot", "target": {"things": things}});
        body.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        body
    };
    let created = world.post("/commands", &body(&["pump-77"], json!({}))).await;
    assert_eq!((created.status, &created.body["notes"]), (202, &json!(["the registry has no thing pump-77"])));
    let known = world.post("/commands", &body(&["pump-7"], json!({"strict": true}))).await;
    assert_eq!((known.status, &known.body["notes"]), (202, &json!([])));
    let rows = world.rows(EXECUTIONS).await.len();
    for things in [&["pump-77"][..], &["pump-7", "pump-77"]] {
        let refused = world.post("/commands", &body(things, json!({"strict": true}))).await;
        assert_eq!((refused.status, &refused.body["field"]), (422, &json!("target.things")), "{refused:?}");
        let detail = refused.body["detail"].as_str().expect("a detail");
        assert!(detail.starts_with("the registry has no thing pump-77"), "{detail}");
    }
    let names: Vec<String> = (0..101).map(|n| format!("pump-{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let refused = world.post("/commands", &body(&names, json!({"strict": true}))).await;
    assert_eq!((refused.status, &refused.body["field"]), (422, &json!("strict")), "{refused:?}");
    assert_eq!(world.rows(EXECUTIONS).await.len(), rows);
    // A device that has the request is not looked up, whether or not it is a thing.
    let _pump = world.thing("pump-78").await;
    let delivered = world.post("/commands", &body(&["pump-78"], json!({}))).await;
    assert_eq!(delivered.body["execution"]["deliveryStatus"], "DELIVERED");
    assert_eq!(delivered.body["notes"], json!([]));
    world.end().await;
}

#[tokio::test(flavor = "multi_thread", crate = "crate::deadline")]
async fn thing_is_found_by_its_name() {
    let world = fleet().await;
    let registry = registry(&world, None);
    let thing = |name: &str| ThingName::parse(name).expect("a name");
    assert!(registry.has_thing(&thing("a:1")).await.expect("a response"));
    assert!(!registry.has_thing(&thing("a")).await.expect("a response"));
    let failing = self::registry(&world, Some((429, "ThrottlingException", "Rate exceeded")));
    assert_eq!(failing.has_thing(&thing("a:1")).await.expect_err("an error").kind(), Kind::Throttled);
    world.end().await;
}
