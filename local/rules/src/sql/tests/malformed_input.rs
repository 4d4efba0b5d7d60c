//! Tests of malformed input: payloads that are not JSON, unusual JSON, syntax errors, random text.

use proptest::prelude::*;

use super::*;

fn refused(sql: &str) -> String {
    Statement::parse(sql).expect_err(sql).to_string()
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
fn non_json_payload_can_only_be_selected_whole() {
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
fn select_star_with_items_requires_an_object() {
    assert_eq!(run("SELECT *, 1 AS a FROM 'x'", "a/b", b"[1]"), Err(EvalError::NotAnObject));
    assert_eq!(select("SELECT * FROM 'x'", "[1]"), "[1]");
}

#[test]
fn unusual_json_is_evaluated_without_a_panic() {
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
fn syntax_errors_state_their_position() {
    for (sql, expected) in [
        ("SELECT coalesce(a, b) AS c FROM 'x'", "at character 8: there is no function coalesce()"),
        (
            "SELECT get_thing_shadow('a','b') AS c FROM 'x'",
            "at character 8: get_thing_shadow() is not supported by the local stack",
        ),
        ("SELECT lower() AS c FROM 'x'", "at character 8: lower() takes 1 arguments, not 0"),
        ("SELECT substring(a) AS c FROM 'x'", "at character 8: substring() takes 2 to 3 arguments, not 1"),
        ("SELECT encode(a, 'hex') AS c FROM 'x'", "at character 8: encode() supports only the scheme 'base64'"),
        ("SELECT topic() FROM 'x'", "at character 16: expected AS and a name, found FROM"),
        ("SELECT FROM 'x'", "at character 8: expected a value, found FROM"),
        ("SELECT * FROM x", "at character 15: expected a topic filter in quotes, found x"),
        ("SELECT a FROM 'x' WHERE", "at character 24: expected a value, found the end"),
        ("SELECT a, FROM 'x'", "at character 11: expected a value, found FROM"),
        ("SELECT a FROM 'x' GROUP BY a", "at character 19: expected FROM, WHERE or the end, found GROUP"),
        ("SELECT 'a AS b FROM x", "at character 8: this text has no closing quote"),
        ("SELECT a ? b FROM 'x'", "at character 10: '?' is not a valid symbol"),
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

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn random_text_never_panics(sql in "\\PC{0,60}", payload in proptest::collection::vec(any::<u8>(), 0..40)) {
        if let Ok(statement) = Statement::parse(&sql) {
            let message = Incoming::new("a/b", &payload, CONTEXT);
            let _ = (statement.matches_where(&message), statement.select(&message));
        }
        let _ = Template::parse(&sql);
    }

    #[test]
    fn random_sql_tokens_never_panic(
        words in proptest::collection::vec(
            prop::sample::select(vec![
                "SELECT", "FROM", "'a/b'", "WHERE", "AS", "VALUE", "*", ",", ".", "(", ")", "[", "]", "{", "}",
                ":", "a", "b", "list", "5", "-1.5e3", "1e999", "'x'", "\"7\"", "+", "-", "/", "%", "=", "<>",
                "<", "IN", "AND", "OR", "NOT", "CASE", "WHEN", "THEN", "ELSE", "END", "null", "undefined",
                "true", "get(", "topic(", "concat(", "cast(", "substring(", "encode(", "decode(", "trunc(",
                "round(", "power(", "sqrt(", "mod(", "lpad(", "transform(",
            ]),
            0..24,
        )
    ) {
        let tail = words.join(" ");
        for sql in [tail.clone(), format!("SELECT VALUE {tail}"), format!("SELECT a AS b FROM 'x' WHERE {tail}")] {
            if let Ok(statement) = Statement::parse(&sql) {
                let payload = br#"{"a":{"b":[1,"2",null,{"a":1e-999}]},"b":-1.5,"list":[[],{},"x"]}"#;
                let message = Incoming::new("a/b", payload, CONTEXT);
                let _ = (statement.matches_where(&message), statement.select(&message));
            }
        }
    }

    #[test]
    fn numbers_round_trip_as_text(n in any::<i64>(), scale in 0u32..12) {
        let text = format!("{n}e-{scale}");
        let number = number::Number::parse(&text).expect("in range");
        prop_assert_eq!(number::Number::parse(&number.to_string()), Some(number.clone()));
        prop_assert_eq!(number::Number::from(n).to_string(), n.to_string());
    }

    #[test]
    fn payload_round_trips_through_base64(payload in proptest::collection::vec(any::<u8>(), 0..200)) {
        let selected = run("SELECT encode(*, 'base64') AS data FROM 'x'", "a/b", &payload);
        let expected = format!(r#"{{"data":"{}"}}"#, data_encoding::BASE64.encode(&payload));
        prop_assert_eq!(selected, Ok(Some(Selected::Json(expected))));
    }
}
