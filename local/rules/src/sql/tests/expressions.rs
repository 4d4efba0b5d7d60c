//! Tests of expressions: every function, arithmetic, quoted text.

use super::*;

/// The value of an expression as JSON; empty if undefined.
fn value(expr: &str) -> String {
    match run(&format!("SELECT VALUE ({expr}) FROM 'a/b'"), "a/b", br#"{"n":5,"s":"x","nil":null,"list":[1,2,3]}"#) {
        Ok(Some(Selected::Json(json))) => json,
        Ok(Some(Selected::Bytes(b""))) => String::new(),
        other => panic!("{expr}: {other:?}"),
    }
}

#[test]
fn functions_follow_the_aws_reference() {
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
fn doubled_quotes_in_text_are_unescaped() {
    assert_eq!(value("'it''s'"), "\"it's\"");
    assert_eq!(value("\"a \"\"b\"\" c\""), r#""a \"b\" c""#);
    assert_eq!(value("''"), "\"\"");
    assert_eq!(value("'é\n'"), "\"é\\n\"");
}
