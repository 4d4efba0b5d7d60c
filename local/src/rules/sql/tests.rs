//! What statements select, after the examples and tables of the AWS IoT SQL reference (Developer Guide, iot-sql-*).

use proptest::prelude::*;

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
    if statement.admits(&message)? { statement.select(&message).map(Some) } else { Ok(None) }
}

/// The selected JSON, or `-` where WHERE does not hold.
fn select(sql: &str, payload: &str) -> String {
    match run(sql, "a/b", payload.as_bytes()).unwrap_or_else(|error| panic!("{sql}: {error}")) {
        Some(Selected::Json(json)) => json,
        Some(Selected::Bytes(bytes)) => panic!("{sql}: {bytes:?}"),
        None => "-".into(),
    }
}

/// The JSON of one expression; empty where it is undefined.
fn value(expr: &str) -> String {
    match run(&format!("SELECT VALUE ({expr}) FROM 'a/b'"), "a/b", br#"{"n":5,"s":"x","nil":null,"list":[1,2,3]}"#) {
        Ok(Some(Selected::Json(json))) => json,
        Ok(Some(Selected::Bytes(b""))) => String::new(),
        other => panic!("{expr}: {other:?}"),
    }
}

fn refused(sql: &str) -> String {
    Statement::parse(sql).expect_err(sql).to_string()
}

#[test]
fn select_clauses() {
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
fn nested_queries() {
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
fn what_is_passed_through_keeps_its_spelling() {
    let payload =
        r#"{"z":1.50,"a":1e3,"m":12345678901234567890123456789,"deep":{"y":1.0,"b":[ 1.00 ]},"t":"\u00e9\/"}"#;
    assert_eq!(select("SELECT *, topic(2) AS thing FROM 'x'", payload), payload.replace("\"}", "\",\"thing\":\"b\"}"));
    assert_eq!(select("SELECT deep.y, m FROM 'x'", payload), r#"{"y":1.0,"m":12345678901234567890123456789}"#);
    assert_eq!(select("SELECT * FROM 'x'", payload), payload);
}

#[test]
fn where_clauses() {
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
fn functions() {
    for (expr, expected) in [
        ("topic()", "\"a/b\""),
        ("topic(1)", "\"a\""),
        ("topic(2)", "\"b\""),
        ("topic(3)", ""),
        ("topic(0)", ""),
        ("clientid()", "\"pump-7\""),
        ("principal()", "\"ba67293af50bf250\""),
        ("accountid()", "\"123456789012\""),
        ("timestamp()", "1481825251155"),
        ("traceid()", "\"12345678-1234-1234-1234-123456789012\""),
        ("sql_version()", "\"2016-03-23\""),
        ("length(newuuid())", "36"),
        ("abs(-5)", "5"),
        ("abs('-5.123')", "5.123"),
        ("abs(true)", ""),
        ("abs(nil)", ""),
        ("bitand(13, 5)", "5"),
        ("bitor(8, 5)", "13"),
        ("bitxor(13, 5)", "8"),
        ("cast(true as Int)", "1"),
        ("cast('12.7' AS INTEGER)", "12"),
        ("cast(-1.5 as Int)", "-2"),
        ("cast('5E-3' as Decimal)", "0.005"),
        ("cast('x' as Decimal)", ""),
        ("cast(0 as Boolean)", "false"),
        ("cast('TRUE' as Bool)", "true"),
        ("cast('yes' as Bool)", ""),
        ("cast(1.50 as String)", "\"1.5\""),
        ("cast(list as String)", "\"[1,2,3]\""),
        ("cast(NULL as String)", ""),
        ("ceil(1.2)", "2"),
        ("ceil(-1.2)", "-1"),
        ("floor(1.2)", "1"),
        ("floor(-1.2)", "-2"),
        ("floor([1,2,3])", ""),
        ("round(1.2)", "1"),
        ("round(1.5)", "2"),
        ("Round(-1.1)", "-1"),
        ("Round(-1.5)", "-2"),
        ("chr(65)", "\"A\""),
        ("chr(300)", ""),
        ("concat()", ""),
        ("concat([1, 2, 3], 4)", "[1,2,3,4]"),
        ("concat([1, 2, 3], 'hello', [4, 5])", "[1,2,3,\"hello\",4,5]"),
        ("concat('con', 'cat')", "\"concat\""),
        ("concat(1, 'hello')", "\"1hello\""),
        ("concat(1, 2)", ""),
        ("endswith('cat', 'at')", "true"),
        ("startswith('ranger', 'ran')", "true"),
        ("startswith(missing, 'ran')", ""),
        ("get(['a', 'b', 'c'], 1)", "\"b\""),
        ("get({'a':'b'}, 'a')", "\"b\""),
        ("get('abc', 1)", "\"b\""),
        ("get(list, 3)", ""),
        ("get(list, -1)", ""),
        ("get(*, 's')", "\"x\""),
        ("indexof('abcd', 'bc')", "1"),
        ("indexof('abcd', 'x')", "-1"),
        ("isNull(5)", "false"),
        ("isUndefined(floor([1,2,3]))", "true"),
        ("length('hi')", "2"),
        ("length(false)", "5"),
        ("numbytes('€')", "3"),
        ("lower('HELLO')", "\"hello\""),
        ("lower(['HELLO'])", r#""[\"hello\"]""#),
        ("upper('hello')", "\"HELLO\""),
        ("lpad('hello', 2)", "\"  hello\""),
        ("rpad(1, 3)", "\"1   \""),
        ("ltrim(' h i ')", "\"h i \""),
        ("rtrim(' h i ')", "\" h i\""),
        ("trim(' hi ')", "\"hi\""),
        ("mod(8, 3)", "2"),
        ("remainder(-8, 3)", "-2"),
        ("mod(8, 0)", ""),
        ("nanvl(8, 3)", "8"),
        ("nanvl(missing, 3)", "3"),
        ("nanvl(nil, 3)", "3"),
        ("power(2, 5)", "32"),
        ("power(2, 0.5)", "1.4142135623730951"),
        ("power(-1, 0.5)", ""),
        ("sqrt(9)", "3"),
        ("replace('abcdabcd', 'b', 'x')", "\"axcdaxcd\""),
        ("replace('abcd', '', 'x')", "\"abcd\""),
        ("sha256('hello')", "\"2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824\""),
        ("sign(-7)", "-1"),
        ("sign(0)", "0"),
        ("substring('012345', 0)", "\"012345\""),
        ("substring('012345', 2.745)", "\"2345\""),
        ("substring(123, 2)", "\"3\""),
        ("substring('012345', -1)", "\"012345\""),
        ("substring(true, 1.2)", "\"rue\""),
        ("substring(false, -2.411E247)", "\"false\""),
        ("substring('012345', 1, 3)", "\"12\""),
        ("substring('012345', -50, 50)", "\"012345\""),
        ("substring('012345', 3, 1)", "\"\""),
        ("trunc(2.3123, 2)", "2.31"),
        ("trunc(2.888, 2)", "2.88"),
        ("trunc(2.00, 5)", "2"),
        ("trunc(2.3, -1)", "2"),
        ("encode('hello', 'base64')", "\"aGVsbG8=\""),
        ("decode('aGVsbG8=', 'base64')", "\"hello\""),
        ("decode('!', 'base64')", "null"),
        ("decode('eyAidGVtcGVyYXR1cmUiOiAzMyB9Cg==', \"base64\").temperature", "33"),
    ] {
        assert_eq!(value(expr), expected, "{expr}");
    }
}

#[test]
fn arithmetic_is_exact() {
    for (expr, expected) in [
        ("0.1 + 0.2", "0.3"),
        ("9007199254740993 + 0", "9007199254740993"),
        ("5 / 2", "2"),
        ("-5 / 2", "-2"),
        ("5 / 2.5", "2"),
        ("5.5 / 2", "2.75"),
        ("1.5 / 3", "0.5"),
        ("1.0 / 3", "0"),
        ("1 / 0", ""),
        ("0.1 / 3", "0.03333333333333333333333333333333333"),
        ("7 % 4", "3"),
        ("7.5 % 2", "1.5"),
        ("'7' - 4", "3"),
        ("'7' + 4", "\"74\""),
        ("'a' + true", "\"atrue\""),
        ("'a' + missing", ""),
        ("'a' + [1, 'b']", r#""a[1,\"b\"]""#),
        ("true + 1", ""),
        ("n - -1", "6"),
        ("-n", "-5"),
        ("- - n", "5"),
        ("2 * 3 - 4 * 5", "-14"),
        ("10.0", "10"),
        ("1E400 * 1E400", "1e800"),
        ("1E900 * 1E900", ""),
        ("1e-7 * 1", "0.0000001"),
        ("99999999999999999999999999999999999 + 0", "1e35"),
    ] {
        assert_eq!(value(expr), expected, "{expr}");
    }
}

#[test]
fn any_bytes_can_be_encoded() {
    for payload in [&b"\xff\x00 not text"[..], b"SUCCESS 42", b"", b" { \"a\" : 1 } ", b"5"] {
        let Ok(Some(Selected::Json(json))) = run("SELECT encode(*, 'base64') AS data FROM 'x'", "a/b", payload) else {
            panic!("{payload:?}");
        };
        assert_eq!(json, format!(r#"{{"data":"{}"}}"#, data_encoding::BASE64.encode(payload)));
    }
}

#[test]
fn what_is_not_json_is_only_taken_whole() {
    let run = |sql| run(sql, "a/b", b"not json");
    assert_eq!(run("SELECT * FROM 'a/b'"), Ok(Some(Selected::Bytes(b"not json"))));
    assert_eq!(run("SELECT * FROM 'a/b' WHERE timestamp() > 0"), Ok(Some(Selected::Bytes(b"not json"))));
    assert_eq!(run("SELECT * FROM 'a/b' WHERE device = 'x'"), Err(EvalError::NotJson));
    assert_eq!(run("SELECT *, timestamp() AS ts FROM 'a/b'"), Err(EvalError::NotJson));
    assert_eq!(run("SELECT a.b FROM 'a/b'"), Err(EvalError::NotJson));
    assert_eq!(
        run("SELECT decode(encode(*, 'base64'), 'base64') AS t FROM 'x'"),
        Ok(Some(Selected::Json("{\"t\":\"not json\"}".into())))
    );
}

#[test]
fn only_an_object_can_be_added_to() {
    assert_eq!(run("SELECT *, 1 AS a FROM 'x'", "a/b", b"[1]"), Err(EvalError::NotAnObject));
    assert_eq!(select("SELECT * FROM 'x'", "[1]"), "[1]");
}

#[test]
fn odd_json_is_survived() {
    let deep = format!(
        "{{\"a\":{}1{},\"b\":{}1{}}}",
        "[".repeat(5_000),
        "]".repeat(5_000),
        "[".repeat(5_000),
        "]".repeat(5_000)
    );
    assert_eq!(select("SELECT 1 AS x FROM 'x' WHERE a = b", &deep), "-");
    assert_eq!(select("SELECT 1 AS x FROM 'x' WHERE a <> b", &deep), r#"{"x":1}"#);
    assert_eq!(select(r#"SELECT upper(a) AS x FROM 'x'"#, r#"{"a":"\ud800"}"#), "{}");
    assert_eq!(select("SELECT a + 1 AS x FROM 'x'", r#"{"a":1e999999999999}"#), "{}");
    assert_eq!(select("SELECT a + 1 AS x FROM 'x'", &format!("{{\"a\":{}}}", "9".repeat(100_000))), "{}");
    assert_eq!(select("SELECT a FROM 'x'", r#"{"a":1,"a":2}"#), r#"{"a":2}"#);
    assert_eq!(select("SELECT a.b.c, s.x FROM 'x'", r#"{"a":{"b":5},"s":"text"}"#), "{}");
}

#[test]
fn mistakes_are_found_where_they_are() {
    for (sql, expected) in [
        ("SELECT coalesce(a, b) AS c FROM 'x'", "at character 8: there is no function coalesce()"),
        (
            "SELECT get_thing_shadow('a','b') AS c FROM 'x'",
            "at character 8: get_thing_shadow() is not supported by the local stack",
        ),
        ("SELECT lower() AS c FROM 'x'", "at character 8: lower() takes 1 arguments, not 0"),
        ("SELECT substring(a) AS c FROM 'x'", "at character 8: substring() takes 2 to 3 arguments, not 1"),
        ("SELECT encode(a, 'hex') AS c FROM 'x'", "at character 8: encode() knows the scheme 'base64' only"),
        ("SELECT topic() FROM 'x'", "at character 16: expected AS and a name for this, found FROM"),
        ("SELECT FROM 'x'", "at character 8: expected a value, found FROM"),
        ("SELECT * FROM x", "at character 15: expected a topic filter in quotes, found x"),
        ("SELECT a FROM 'x' WHERE", "at character 24: expected a value, found the end"),
        ("SELECT a, FROM 'x'", "at character 11: expected a value, found FROM"),
        ("SELECT a FROM 'x' GROUP BY a", "at character 19: expected FROM, WHERE or the end, found GROUP"),
        ("SELECT 'a AS b FROM x", "at character 8: this text has no closing quote"),
        ("SELECT a ? b FROM 'x'", "at character 10: '?' means nothing here"),
        ("SELECT (a FROM 'x'", "at character 11: expected ), found FROM"),
        (
            "SELECT CASE WHEN a = 1 THEN 2 END AS x FROM 'x'",
            "at character 13: expected CASE value WHEN ..; for conditions write CASE true WHEN condition THEN ..",
        ),
        ("UPDATE x", "at character 1: expected SELECT, found UPDATE"),
        ("", "at character 1: expected SELECT, found the end"),
    ] {
        assert_eq!(refused(sql), expected, "{sql}");
    }
    assert!(refused(&format!("SELECT {}1{} AS x", "(".repeat(100_000), ")".repeat(100_000))).contains("nested deeper"));
    assert!(refused(&format!("SELECT 1{} AS x", "+1".repeat(100_000))).contains("longer than"));
    assert!(refused(&format!("SELECT {}1 AS x", "-".repeat(100_000))).contains("longer than"));
    assert!(refused(&format!("SELECT {}true AS x", "NOT ".repeat(100_000))).contains("longer than"));
}

#[test]
fn text_in_quotes() {
    assert_eq!(value("'it''s'"), "\"it's\"");
    assert_eq!(value("\"a \"\"b\"\" c\""), r#""a \"b\" c""#);
    assert_eq!(value("''"), "\"\"");
    assert_eq!(value("'é\n'"), "\"é\\n\"");
}

#[test]
fn substitution_templates() {
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

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn no_statement_makes_it_panic(sql in "\\PC{0,60}", payload in proptest::collection::vec(any::<u8>(), 0..40)) {
        if let Ok(statement) = Statement::parse(&sql) {
            let message = Incoming::new("a/b", &payload, CONTEXT);
            let _ = (statement.admits(&message), statement.select(&message));
        }
        let _ = Template::parse(&sql);
    }

    #[test]
    fn nothing_that_looks_like_sql_makes_it_panic(
        words in proptest::collection::vec(
            prop::sample::select(vec![
                "SELECT", "FROM", "'a/b'", "WHERE", "AS", "VALUE", "*", ",", ".", "(", ")", "[", "]", "{", "}", ":", "a", "b",
                "list", "5", "-1.5e3", "1e999", "'x'", "\"7\"", "+", "-", "/", "%", "=", "<>", "<", "IN", "AND", "OR", "NOT",
                "CASE", "WHEN", "THEN", "ELSE", "END", "null", "undefined", "true", "get(", "topic(", "concat(", "cast(",
                "substring(", "encode(", "decode(", "trunc(", "round(", "power(", "sqrt(", "mod(", "lpad(", "transform(",
            ]),
            0..24,
        )
    ) {
        let tail = words.join(" ");
        for sql in [tail.clone(), format!("SELECT VALUE {tail}"), format!("SELECT a AS b FROM 'x' WHERE {tail}")] {
            if let Ok(statement) = Statement::parse(&sql) {
                let payload = br#"{"a":{"b":[1,"2",null,{"a":1e-999}]},"b":-1.5,"list":[[],{},"x"]}"#;
                let message = Incoming::new("a/b", payload, CONTEXT);
                let _ = (statement.admits(&message), statement.select(&message));
            }
        }
    }

    #[test]
    fn every_number_is_what_it_was(n in any::<i64>(), scale in 0u32..12) {
        let text = format!("{n}e-{scale}");
        let number = number::Number::parse(&text).expect("in range");
        prop_assert_eq!(number::Number::parse(&number.to_string()), Some(number.clone()));
        prop_assert_eq!(number::Number::from(n).to_string(), n.to_string());
    }

    #[test]
    fn a_whole_payload_survives_its_way_through_base64(payload in proptest::collection::vec(any::<u8>(), 0..200)) {
        let selected = run("SELECT encode(*, 'base64') AS data FROM 'x'", "a/b", &payload);
        let expected = format!(r#"{{"data":"{}"}}"#, data_encoding::BASE64.encode(&payload));
        prop_assert_eq!(selected, Ok(Some(Selected::Json(expected))));
    }
}
