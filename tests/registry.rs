//! The client of the registry against the local stack's, over HTTP: whose names a fleet command gets to see.

use aws::{Connection, Error, Kind, Listed, Registry, ThingPage};
use domain::{FleetQuery, GroupName};

use crate::way::{Instead, Way};
use crate::world::World;

fn registry(world: &World, instead: Option<Instead>) -> Registry {
    let endpoint = world.stack.addresses.endpoint.to_string();
    Connection::over(Way { client: reqwest::Client::new(), endpoint, instead }).registry()
}

fn group(name: &str) -> GroupName {
    GroupName::parse(name).expect("a name")
}

fn query(query: &str) -> FleetQuery {
    FleetQuery::parse(query).expect("a query")
}

fn page(listed: Result<Listed, Error>) -> ThingPage {
    match listed.expect("an answer") {
        Listed::Page(page) => page,
        other => panic!("{other:?}"),
    }
}

fn names(page: &ThingPage) -> Vec<&str> {
    assert_eq!(page.unusable, 0);
    page.things.iter().map(|thing| thing.as_str()).collect()
}

/// `all` with `a:1`, below it `pumps` with `b` and `d`, below it `old` with `c`; `b` is in `other` too.
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

#[tokio::test(flavor = "multi_thread")]
async fn a_group_is_its_things_and_those_of_all_groups_below_it() {
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

#[tokio::test(flavor = "multi_thread")]
async fn pages_are_as_long_as_aws_makes_them_and_together_everything() {
    let world = World::start().await;
    let all: Vec<_> = (0..601).map(|n| format!("pump-{n:03}")).collect();
    world.stack.registry.add_things("pumps", &all).expect("things");
    let registry = registry(&world, None);
    for (by_query, sizes) in [(false, vec![250, 250, 101]), (true, vec![100, 100, 100, 100, 100, 100, 1])] {
        let (mut seen, mut found, mut token) = (Vec::new(), Vec::new(), None);
        loop {
            let page = page(match by_query {
                false => registry.things_in_group(&group("pumps"), token.as_deref(), u16::MAX).await,
                true => registry.things_found(&query("thingName:pump-*"), token.as_deref(), u16::MAX).await,
            });
            seen.push(page.things.len());
            found.extend(names(&page).into_iter().map(str::to_owned));
            token = page.next;
            if token.is_none() {
                break;
            }
        }
        assert_eq!((seen, &found), (sizes, &all));
    }
    assert_eq!(page(registry.things_in_group(&group("pumps"), None, 0).await).things.len(), 1, "none is no page");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_finds_things_by_what_they_are() {
    let world = fleet().await;
    let registry = registry(&world, None);
    for (text, things) in [
        ("thingName:*", vec!["a:1", "b", "c", "d"]),
        ("thingGroupNames:pumps AND NOT thingName:d", vec!["b"]),
        ("thingName:\"a:1\" OR c", vec!["a:1", "c"]),
        ("thingName:nobody", vec![]),
    ] {
        let found = page(registry.things_found(&query(text), None, 100).await);
        assert_eq!((names(&found), &found.next), (things, &None), "{text}");
    }
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_or_does_not_parse_is_told_apart() {
    let world = fleet().await;
    let registry = registry(&world, None);
    assert_eq!(registry.things_in_group(&group("none"), None, 250).await.expect("told"), Listed::NoSuchGroup);
    let Listed::BadQuery(why) = registry.things_found(&query("thingName:(a"), None, 100).await.expect("told") else {
        panic!("not a query");
    };
    assert!(why.contains("parenthesis"), "{why}");

    // Between two pages.
    let first = page(registry.things_in_group(&group("other"), None, 1).await);
    assert_eq!(first.next, None);
    world.stack.registry.add_things("other", &["x"]).expect("a thing");
    let first = page(registry.things_in_group(&group("other"), None, 1).await);
    let deleted =
        reqwest::Client::new().delete(format!("http://{}/thing-groups/other", world.stack.addresses.endpoint));
    assert!(deleted.send().await.expect("an answer").status().is_success());
    let second = registry.things_in_group(&group("other"), first.next.as_deref(), 1).await.expect("told");
    assert_eq!(second, Listed::NoSuchGroup);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_leads_nowhere_is_stale() {
    let world = fleet().await;
    let registry = registry(&world, None);
    for token in ["nowhere!", "Zm9"] {
        let in_group = registry.things_in_group(&group("all"), Some(token), 250).await.expect("told");
        let found = registry.things_found(&query("b"), Some(token), 100).await.expect("told");
        assert_eq!((in_group, found), (Listed::StaleToken, Listed::StaleToken), "{token}");
    }
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_only_aws_would_answer_is_understood() {
    let world = World::start().await;
    let ask = async |instead, token| {
        let registry = registry(&world, Some(instead));
        let in_group = registry.things_in_group(&group("all"), token, 250).await;
        (in_group, registry.things_found(&query("b"), token, 100).await)
    };
    let told = |(in_group, found): (_, Result<Listed, Error>)| (kind(in_group), found.expect("told"));
    let off = (404, "ResourceNotFoundException", "Index AWS_Things does not exist");
    assert_eq!(ask(off, None).await.1.expect("told"), Listed::NoIndex(off.2.to_owned()));
    let building = (400, "IndexNotReadyException", "Index AWS_Things is being built");
    assert_eq!(told(ask(building, None).await), (Kind::Refused, Listed::NoIndex(building.2.to_owned())));
    // Without a message there is the name of what happened.
    let bad = told(ask((400, "InvalidQueryException", ""), None).await);
    assert_eq!(bad, (Kind::Refused, Listed::BadQuery("InvalidQueryException".to_owned())));

    let invalid = (400, "InvalidRequestException", "1 validation error detected");
    for (instead, kinds) in [
        (invalid, Kind::Refused),
        ((401, "UnauthorizedException", "no"), Kind::Refused),
        ((403, "AccessDeniedException", "no"), Kind::Refused),
        ((429, "ThrottlingException", "Rate exceeded"), Kind::Throttled),
        ((400, "ThrottlingException", "Rate exceeded"), Kind::Throttled),
        ((500, "InternalFailureException", "oh"), Kind::Unavailable),
        ((503, "ServiceUnavailableException", "oh"), Kind::Unavailable),
    ] {
        let (in_group, found) = ask(instead, None).await;
        assert_eq!((kind(in_group), kind(found)), (kinds, kinds), "{instead:?}");
        if instead != invalid {
            // Nor does a token make any of them stale.
            let (in_group, found) = ask(instead, Some("token")).await;
            assert_eq!((kind(in_group), kind(found)), (kinds, kinds), "{instead:?}");
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
