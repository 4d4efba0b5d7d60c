//! Tests of statements, from the examples and tables of the AWS IoT SQL reference (Developer Guide, iot-sql-*).

mod expressions;
mod malformed_input;

use super::*;

const CONTEXT: Context<'static> = Context {
    client_id: Some("pump-7"),
    principal: Some("ba67293af50bf250"),
    account: "123456789012",
    at_ms: 1_481_825_251_155,
    trace_id: "12345678-1234-1234-1234-123456789012",
};

fn run<'a>(sql: &str, topic: &'a str, payload: &'a [u8]) -> Result<Option<Selected<'a>>, EvalError> {
    let statement = Statement::parse(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
    let message = Incoming::new(topic, payload, CONTEXT);
    if statement.matches_where(&message)? { statement.select(&message).map(Some) } else { Ok(None) }
}

/// The selected JSON, or `-` if WHERE is not true.
fn select(sql: &str, payload: &str) -> String {
    match run(sql, "a/b", payload.as_bytes()).unwrap_or_else(|error| panic!("{sql}: {error}")) {
        Some(Selected::Json(json)) => json,
        Some(Selected::Bytes(bytes)) => panic!("{sql}: {bytes:?}"),
        None => "-".into(),
    }
}

#[test]
fn select_clauses_follow_the_aws_reference() {
    let red = r#"{"color":"red", "temperature":50}"#;
    let nested = r#"{"color":{"red":255,"green":0,"blue":0}, "temperature":50}"#;
    for (sql, payload, expected) in [
        ("SELECT * FROM 'a/b'", red, red),
        ("SELECT color FROM 'a/b'", red, r#"{"color":"red"}"#),
        ("SELECT color AS my_color FROM 'a/b'", red, r#"{"my_color":"red"}"#),
        ("select color as c, temperature as f from 'a/b'", red, r#"{"c":"red","f":50}"#),
        ("SELECT *, 15 as speed FROM 'a/b'", red, r#"{"color":"red","temperature":50,"speed":15}"#),
        ("SELECT *, 15 AS color FROM 'a/b'", red, r#"{"color":15,"temperature":50}"#),
        ("SELECT 15 AS color, * FROM 'a/b'", red, r#"{"color":"red","temperature":50}"#),
        ("SELECT VALUE color FROM 'a/b'", red, "\"red\""),
        ("SELECT VALUE [color, temperature] FROM 'a/b'", red, r#"["red",50]"#),
        ("SELECT value FROM 'a/b'", r#"{"value": 3}"#, r#"{"value":3}"#),
        ("SELECT value * 2 AS double FROM 'a/b'", r#"{"value": 3}"#, r#"{"double":6}"#),
        ("SELECT VALUE * FROM 'a/b'", red, red),
        ("SELECT color.red as red_value FROM 'a/b'", nested, r#"{"red_value":255}"#),
        ("SELECT color.red FROM 'a/b'", nested, r#"{"red":255}"#),
        ("SELECT color.red AS bar.baz, 1 AS bar.n FROM 'a/b'", nested, r#"{"bar":{"baz":255,"n":1}}"#),
        ("SELECT *, 1 AS color.red FROM 'a/b'", nested, r#"{"color":{"red":1,"green":0,"blue":0},"temperature":50}"#),
        (
            "SELECT (temperature - 32) * 5 / 9 AS celsius, upper(color) as c FROM 'a/b'",
            red,
            r#"{"celsius":10,"c":"RED"}"#,
        ),
        ("SELECT missing, color FROM 'a/b'", red, r#"{"color":"red"}"#),
        ("SELECT missing FROM 'a/b'", red, "{}"),
        ("SELECT NULL AS n FROM 'a/b'", red, r#"{"n":null}"#),
        (
            "SELECT {'latitude': get(ll, 0),'longitude':get(ll, 1)} as ll FROM 'a/b'",
            r#"{"ll": [47.606,-122.332]}"#,
            r#"{"ll":{"latitude":47.606,"longitude":-122.332}}"#,
        ),
        ("SELECT [lat,long] as ll FROM 'a/b'", r#"{"lat": 47.696, "long": -122.332}"#, r#"{"ll":[47.696,-122.332]}"#),
        (
            "SELECT CASE color WHEN 'green' THEN 'go' WHEN 'red' THEN 'stop' ELSE 'what' END as i FROM 'a/b'",
            red,
            r#"{"i":"stop"}"#,
        ),
        ("SELECT CASE color WHEN 'green' THEN 'go' ELSE 'what' END as i FROM 'a/b'", red, r#"{"i":"what"}"#),
        ("SELECT CASE color WHEN 'green' THEN 'go' END as i FROM 'a/b'", red, "{}"),
        ("SELECT CASE missing WHEN 'green' THEN 'go' ELSE 'x' END as i FROM 'a/b'", red, "{}"),
    ] {
        assert_eq!(select(sql, payload), expected, "{sql}");
    }
}

#[test]
fn nested_queries_follow_the_aws_reference() {
    let payload =
        r#"{"e":[{"n":"temperature","u":"Cel","v":22.5},{"n":"light","u":"lm","v":135}],"o":{"a":1,"c":[2]}}"#;
    for (sql, expected) in [
        ("SELECT (SELECT VALUE n FROM e) as sensors FROM 'my/topic'", r#"{"sensors":["temperature","light"]}"#),
        ("SELECT (SELECT v FROM e WHERE n = 'temperature') as t FROM 'x'", r#"{"t":[{"v":22.5}]}"#),
        ("SELECT get((SELECT v FROM e WHERE n = 'temperature'), 0).v as t FROM 'x'", r#"{"t":22.5}"#),
        ("SELECT (SELECT a FROM o) AS x, (SELECT VALUE c FROM o) AS y FROM 'x'", r#"{"x":{"a":1},"y":[2]}"#),
        ("SELECT (SELECT v FROM missing) AS x FROM 'x'", "{}"),
        (
            "SELECT VALUE transform('enrichArray', o, e) FROM 'x'",
            r#"[{"n":"temperature","u":"Cel","v":22.5,"a":1,"c":[2]},{"n":"light","u":"lm","v":135,"a":1,"c":[2]}]"#,
        ),
    ] {
        assert_eq!(select(sql, payload), expected, "{sql}");
    }
}

#[test]
fn unchanged_json_keeps_its_spelling() {
    let payload =
        r#"{"z":1.50,"a":1e3,"m":12345678901234567890123456789,"deep":{"y":1.0,"b":[ 1.00 ]},"t":"\u00e9\/"}"#;
    assert_eq!(select("SELECT *, topic(2) AS thing FROM 'x'", payload), payload.replace("\"}", "\",\"thing\":\"b\"}"));
    assert_eq!(select("SELECT deep.y, m FROM 'x'", payload), r#"{"y":1.0,"m":12345678901234567890123456789}"#);
    assert_eq!(select("SELECT * FROM 'x'", payload), payload);
}

#[test]
fn where_clauses_follow_the_aws_reference() {
    let payload =
        r#"{"n":5,"s":"five","nil":null,"o":{"a":1,"b":[1,{"c":null}]},"p":{"b":[1.0,{"c":null}],"a":1e0},"t":"TRUE"}"#;
    for (condition, holds) in [
        ("n = 5", true),
        ("n = 5.0", true),
        ("n = '5'", false),
        ("n <> '5'", true),
        ("n != 6", true),
        ("n > '4.5'", true),
        ("n > 'four'", false),
        ("n >= 5 AND n <= 5", true),
        ("n < 5 OR s = 'five'", true),
        ("NOT n < 5", true),
        ("NOT (n = 5)", false),
        ("missing = 5", false),
        ("missing <> 5", false),
        ("NOT missing = 5", false),
        ("isUndefined(missing)", true),
        ("isUndefined(nil)", false),
        ("isNull(nil)", true),
        ("nil = NULL", true),
        ("nil <> NULL", false),
        ("missing = undefined", false),
        ("o = p", true),
        ("o.b = p.b", true),
        ("o <> p", false),
        ("n IN [1, 5]", true),
        ("n IN ['5']", false),
        ("s in ['a', 'five'] and n in [5]", true),
        ("n IN o.b", false),
        ("t", true),
        ("n", false),
        ("n = 5 OR missing > 1", false),
        ("topic(1) = 'a' AND clientid() = 'pump-7'", true),
        ("5 = 5 = true", true),
        ("1 + 2 * 3 = 7 AND (1 + 2) * 3 = 9", true),
        ("true OR false AND false", true),
        ("timestamp() % 12 = 3", true),
    ] {
        let selected = select(&format!("SELECT n FROM 'x' WHERE {condition}"), payload);
        assert_eq!(selected == r#"{"n":5}"#, holds, "{condition}: {selected}");
    }
}

#[test]
fn substitution_templates_insert_expression_values() {
    let message = Incoming::new("things/pump-7/x", br#"{"id":"a}b","n":7,"nil":null}"#, CONTEXT);
    for (template, expected) in [
        ("plain", "plain"),
        ("${topic(2)}/delta", "pump-7/delta"),
        ("a/${id}/${n + 1}/z", "a/a}b/8/z"),
        ("${get({'}': '${x}'}, '}')}", "${x}"),
        ("x${missing}y${nil}", "xy"),
        ("$ {x} $$", "$ {x} $$"),
        ("${replace(topic(), '/', '-') + '-' + timestamp()}", "things-pump-7-x-1481825251155"),
    ] {
        let filled = Template::parse(template).unwrap_or_else(|e| panic!("{template}: {e}")).fill(&message);
        assert_eq!(filled.as_deref(), Ok(expected), "{template}");
    }
    assert_eq!(Template::parse("a/${b").expect_err("open").to_string(), "at character 6: expected }, found the end");
    assert!(Template::parse("${nope()}").is_err());
}
