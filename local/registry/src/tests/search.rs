//! Tests of SearchIndex and of the index configuration.

use super::*;
use crate::Connectivity;

/// Connectivity of a client by the first letter of its id: `P` connected, `v` disconnected, else never connected.
pub(super) fn connectivity(client_id: &str) -> Option<Connectivity> {
    match client_id.chars().next()? {
        'P' => Some(Connectivity { connected: true, timestamp_ms: Some(1_700_000_000_000), disconnect_reason: None }),
        'v' => {
            let disconnect_reason = Some("CONNECTION_LOST");
            Some(Connectivity { connected: false, timestamp_ms: Some(1_700_000_001_000), disconnect_reason })
        }
        _ => None,
    }
}

impl Bench {
    /// A registry with things `Pump-1` (type pump, group cellar, below house), `Pump-2` (type pump), `valve:3` (group
    /// attic) and `zero`.
    async fn fleet() -> Self {
        let bench = Self::new().await;
        bench.ok("POST", "/thing-types/pump", json!({})).await;
        let pump = |attributes: Value| json!({"thingTypeName": "pump", "attributePayload": {"attributes": attributes}});
        bench.ok("POST", "/things/Pump-1", pump(json!({"model": "A7", "bar": "9.5", "site": "north/1"}))).await;
        bench.ok("POST", "/things/Pump-2", pump(json!({"model": "B7", "bar": "75"}))).await;
        let valve = json!({"attributePayload": {"attributes": {"model": "a7", "bar": "-3"}}});
        bench.ok("POST", "/things/valve%3A3", valve).await;
        bench.thing("zero").await;
        bench.group("house", None).await;
        bench.group("cellar", Some("house")).await;
        bench.group("attic", None).await;
        bench.join("Pump-1", "cellar").await;
        bench.join("valve:3", "attic").await;
        bench
    }

    /// First letters of the names of the things that a query finds; `2` stands for `Pump-2`.
    async fn found(&self, query: &str) -> String {
        let answer = self.ok("POST", "/indices/search", json!({"queryString": query})).await;
        let letter = |name: &String| if name == "Pump-2" { '2' } else { name.chars().next().unwrap() };
        names(&answer["things"], "thingName").iter().map(letter).collect()
    }
}

#[tokio::test]
async fn a_search_result_has_registry_and_connectivity_fields() {
    let bench = Bench::fleet().await;
    let query = json!({"queryString": "thingName:*", "indexName": "AWS_Things", "queryVersion": "2017-09-30"});
    let answer = bench.ok("POST", "/indices/search", query).await;
    let shown = |name: &str| {
        let mut shown =
            answer["things"].as_array().unwrap().iter().find(|thing| thing["thingName"] == name).unwrap().clone();
        assert!(shown.as_object_mut().unwrap().remove("thingId").unwrap().is_string());
        shown
    };
    assert_eq!(
        shown("Pump-1"),
        json!({
            "thingName": "Pump-1", "thingTypeName": "pump", "thingGroupNames": ["cellar"],
            "attributes": {"model": "A7", "bar": "9.5", "site": "north/1"},
            "connectivity": {"connected": true, "timestamp": 1_700_000_000_000_i64},
        })
    );
    assert_eq!(
        shown("valve:3")["connectivity"],
        json!({"connected": false, "timestamp": 1_700_000_001_000_i64, "disconnectReason": "CONNECTION_LOST"})
    );
    assert_eq!(shown("zero"), json!({"thingName": "zero", "connectivity": {"connected": false}}));
    assert_eq!(answer["nextToken"], Value::Null);
}

#[tokio::test]
async fn queries_find_the_expected_things() {
    let bench = Bench::fleet().await;
    for (query, found) in [
        ("*", "P2vz"),
        ("thingName:*", "P2vz"),
        ("thingName:Pump-1", "P"),
        ("thingName:pump-1", "P"),
        ("thingName:Pump", ""),
        ("thingName:Pump*", "P2"),
        ("thingName:Pump-?", "P2"),
        ("thingName:*3", "v"),
        ("thingName:*um*", "P2"),
        ("thingName:P*p*1", "P"),
        (r"thingName:valve\:3", "v"),
        (r#"thingName:"valve:3""#, "v"),
        (r#"thingName:"Pump*""#, ""),
        ("thingTypeName:pump", "P2"),
        ("NOT thingTypeName:*", "vz"),
        ("thingGroupNames:cellar", "P"),
        ("thingGroupNames:house", ""),
        ("thingGroupNames:(cellar OR attic)", "Pv"),
        ("attributes.model:a7", "Pv"),
        ("attributes.Model:a7", ""),
        ("attributes.model:*", "P2v"),
        (r"attributes.site:north\/1", "P"),
        ("a7", "Pv"),
        ("cellar", "P"),
        ("zer?", "z"),
        ("attributes.bar:75", "2"),
        ("attributes.bar:[9 TO 75]", "P2"),
        ("attributes.bar:[9 TO 75}", "P"),
        ("attributes.bar:{9.5 TO *]", "2"),
        ("attributes.bar:[-5 TO 9.5]", "Pv"),
        ("attributes.bar:-3", "v"),
        ("attributes.bar>9.5", "2"),
        ("attributes.bar >= 9.5", "P2"),
        ("attributes.bar<-2.9", "v"),
        ("attributes.bar<=9.50", "Pv"),
        ("attributes.bar=9.50", "P"),
        (r#"attributes.model:["a" TO "b"]"#, "Pv"),
        (r#"attributes.bar:["6" TO "8"]"#, "2"),
        ("attributes.model:[a TO *]", "P2v"),
        ("connectivity.connected:true", "P2"),
        ("connectivity.connected:false", "vz"),
        ("connectivity.disconnectReason:CONNECTION_LOST", "v"),
        ("connectivity.timestamp>1700000000000", "v"),
        ("thingTypeName:pump AND connectivity.connected:true AND NOT thingName:Pump-1", "2"),
        ("thingTypeName:pump thingName:*1", "P"),
        ("thingName:(Pump* AND -Pump-1)", "2"),
        ("thingName:Pump* -attributes.model:A7", "2"),
        ("attributes.model:B7 OR attributes.model:A7 AND thingTypeName:pump", "P2"),
        ("(attributes.model:B7 OR attributes.model:A7) AND thingName:v*", "v"),
        ("NOT (thingName:Pump* OR zero)", "v"),
        ("NOT NOT zero", "z"),
        ("thingName:\\AND", ""),
    ] {
        assert_eq!(bench.found(query).await, found, "{query}");
    }
}

#[tokio::test]
async fn invalid_queries_are_rejected() {
    let bench = Bench::new().await;
    let long = format!("thingName:*{}", "a".repeat(100));
    let many = vec!["a"; 13].join(" ");
    let (deep, longest) = ("(".repeat(900), "a".repeat(1_001));
    for query in [
        "",
        " ",
        "AND",
        "a AND",
        "a OR OR b",
        "(a",
        "a)",
        "()",
        "thingName:",
        "thingName:)",
        "thingName:>5",
        ":a",
        "thingName:a:b",
        "thingName:\"a",
        "a\\",
        "color:red",
        "shadow.reported.on:true",
        "attributes.:a",
        "thing*:a",
        "attributes.a:[1 TO 2",
        "attributes.a:[1 2]",
        "attributes.a:[1 TO]",
        "attributes.a:[1* TO 2]",
        "[1 TO 2]",
        "attributes.a>",
        "attributes.a>5*",
        "a/b",
        "a@b",
        "a;b",
        "thingName:*a attributes.b:*c",
        "NOT",
        "-",
        &long,
        &many,
        &deep,
        &longest,
    ] {
        let body = json!({"queryString": query});
        bench.fails("POST", "/indices/search", body, (400, "InvalidQueryException")).await;
    }
    for (body, why) in [
        (json!({}), INVALID),
        (json!({"queryString": 7}), INVALID),
        (json!({"queryString": "*", "maxResults": 0}), INVALID),
        (json!({"queryString": "*", "maxResults": 101}), INVALID),
        (json!({"queryString": "*", "nextToken": "!"}), INVALID),
        (json!({"queryString": "*", "queryVersion": "2001-01-01"}), INVALID),
        (json!({"queryString": "*", "indexName": "AWS_Other"}), NOT_FOUND),
    ] {
        bench.fails("POST", "/indices/search", body, why).await;
    }
}

#[tokio::test]
async fn pages_cover_all_results_once() {
    let bench = Bench::new().await;
    for number in 0..25 {
        bench.thing(&format!("t{number:02}")).await;
        bench.thing(&format!("u{number:02}")).await;
    }
    let (mut seen, mut sizes, mut token) = (Vec::new(), Vec::new(), Value::Null);
    loop {
        let body = json!({"queryString": "thingName:u*", "maxResults": 10, "nextToken": token});
        let page = bench.ok("POST", "/indices/search", body).await;
        let names = names(&page["things"], "thingName");
        sizes.push(names.len());
        seen.extend(names);
        token = page["nextToken"].clone();
        if token.is_null() {
            break;
        }
        if sizes.len() == 1 {
            // A thing that is deleted between two pages hides no other thing.
            bench.ok("DELETE", &format!("/things/{}", seen.last().unwrap()), Value::Null).await;
        }
    }
    assert_eq!(sizes, [10, 10, 5]);
    assert_eq!(seen, (0..25).map(|number| format!("u{number:02}")).collect::<Vec<_>>());
}

#[tokio::test]
async fn the_index_configuration_is_readable_and_fixed() {
    let bench = Bench::new().await;
    assert_eq!(bench.get("/indices").await["indexNames"], json!(["AWS_Things"]));
    let index = bench.get("/indices/AWS_Things").await;
    assert_eq!(
        (&index["indexStatus"], &index["schema"]),
        (&json!("ACTIVE"), &json!("REGISTRY_AND_CONNECTIVITY_STATUS"))
    );
    bench.fails("GET", "/indices/AWS_Other", Value::Null, NOT_FOUND).await;
    let configuration = &bench.get("/indexing/config").await["thingIndexingConfiguration"];
    let present = json!({"thingIndexingMode": "REGISTRY", "thingConnectivityIndexingMode": "STATUS"});
    assert_eq!(configuration["thingIndexingMode"], present["thingIndexingMode"]);
    bench.ok("POST", "/indexing/config", json!({"thingIndexingConfiguration": present})).await;
    for other in [
        json!({"thingIndexingConfiguration": {"thingIndexingMode": "OFF"}}),
        json!({"thingIndexingConfiguration": {"thingIndexingMode": "REGISTRY", "thingConnectivityIndexingMode": "OFF"}}),
        json!({"thingGroupIndexingConfiguration": {"thingGroupIndexingMode": "ON"}}),
        json!({"thingIndexingConfiguration": {}}),
    ] {
        bench.fails("POST", "/indexing/config", other, INVALID).await;
    }
}
