//! Tests of intrinsic functions: resolved values and paths in errors.

use super::*;

fn output(value: &str) -> Result<String, TemplateError> {
    let text = format!(
        r#"
Parameters: {{List: {{Type: CommaDelimitedList, Default: "a, b"}}}}
Conditions:
  Yes: !And [!Equals [x, x], !Not [!Equals [x, y]]]
  No: !Or [!Equals [x, y], !Not [!Condition Yes]]
Resources:
  Q: {{Type: AWS::SQS::Queue, Properties: {{QueueName: q.fifo}}}}
Outputs:
  O: {{Value: {value}}}
"#
    );
    with(&text, &[]).map(|template| template.outputs["O"].clone())
}

#[test]
fn intrinsic_functions_resolve_to_values() {
    for (value, expected) in [
        (r#"!Sub "${Q.Arn}|${Q.QueueName}|${AWS::Partition}""#, "arn:aws:sqs:eu-west-1:000000000000:q.fifo|q.fifo|aws"),
        (r#"!Sub ["${a}-${AWS::Region}", {a: !Ref Q}]"#, "http://127.0.0.1:4566/000000000000/q.fifo-eu-west-1"),
        (r#"{"Fn::Sub": "${AWS::AccountId}"}"#, "000000000000"),
        (r#"{"Fn::GetAtt": "Q.QueueName"}"#, "q.fifo"),
        (r#"{"Fn::GetAtt": [Q, QueueName]}"#, "q.fifo"),
        (r#"!Join ["-", [a, 1, !Ref AWS::StackName]]"#, "a-1-hoist"),
        (r#"!Join ["-", !Ref List]"#, "a-b"),
        (r#"!Select [1, !Split [",", "a,b,c"]]"#, "b"),
        (r#"!If [Yes, !If [No, a, b], c]"#, "b"),
        (r#"!Join [",", [a, !Ref AWS::NoValue, b]]"#, "a,b"),
        (r#"!Base64 abc"#, "YWJj"),
    ] {
        assert_eq!(output(value).unwrap_or_else(|e| panic!("{value}: {e}")), expected, "{value}");
    }
}

#[test]
fn errors_name_the_path_of_the_expression() {
    for (value, expected) in [
        ("!Ref Nowhere", "Outputs.O.Value: Nowhere is neither a parameter nor a resource"),
        ("!GetAtt Q.Url", "Outputs.O.Value: Q has no attribute Url that the local stack supports"),
        ("!GetAtt W.Arn", "Outputs.O.Value: there is no resource W"),
        ("!If [Maybe, a, b]", "Outputs.O.Value: there is no condition Maybe"),
        ("!FindInMap [A, b, c]", "Outputs.O.Value: there is no Mappings.A.b.c"),
        ("!Select [2, [a, b]]", "Outputs.O.Value: Fn::Select: there is no item 2 in a list of 2"),
        ("!Sub \"a${b\"", "Outputs.O.Value: Fn::Sub: ${b has no closing }"),
        ("!Equals [a, b]", "Outputs.O.Value: Fn::Equals belongs in Conditions; refer to one with !If"),
    ] {
        assert_eq!(output(value).expect_err(value).to_string(), expected, "{value}");
    }
    assert!(output("!ImportValue x").expect_err("refused").to_string().contains("Fn::ImportValue is not supported"));
}

#[test]
fn cycles_are_rejected() {
    let found = error(
        "Resources:\n  A: {Type: AWS::SQS::Queue, Properties: {QueueName: !GetAtt B.QueueName}}\n  \
         B: {Type: AWS::SQS::Queue, Properties: {QueueName: !GetAtt A.QueueName}}",
    );
    assert!(found.ends_with("refers to itself"), "{found}");
    let found = error("Conditions: {C: !Not [!Condition C]}\nResources: {A: {Type: AWS::SQS::Queue, Condition: C}}");
    assert_eq!(found, "Conditions.C: refers to itself");
}
