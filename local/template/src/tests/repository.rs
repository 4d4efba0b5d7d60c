//! Tests of `template.yaml` of this repository.

use super::*;

#[test]
fn the_template_of_this_repository_is_supported_and_complete() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../template.yaml");
    let template = Template::read(&path, &BTreeMap::new(), &place()).unwrap_or_else(|error| panic!("{error}"));
    assert!(!template.functions.is_empty() && !template.tables.is_empty() && !template.routes.is_empty());
    assert!(template.routes.iter().all(|route| route.iam), "{:?}", template.routes);
    assert!(template.tables.iter().all(|table| table.ttl_attribute.is_some()));
    let failures = format!("arn:aws:sqs:eu-west-1:000000000000:{}", template.queues[0].name);
    for function in template.functions.iter().filter(|f| f.on_failure.is_some()) {
        assert_eq!(function.on_failure.as_ref(), Some(&failures), "{}", function.name);
    }
    for rule in &template.rules {
        assert_eq!(rule.sql_version, "2016-03-23", "{}", rule.name);
        assert!(rule.error_action.is_some(), "{}", rule.name);
        for action in &rule.actions {
            let Action::Lambda { function_arn, permitted } = action else { continue };
            assert!(permitted, "{}", rule.name);
            assert!(template.functions.iter().any(|f| f.arn == *function_arn), "{}", rule.name);
        }
    }
    assert_eq!(template.schedules.iter().map(|s| s.every_s).collect::<Vec<_>>(), [60]);
    assert_eq!(template.event_sources.len(), 1, "{:?}", template.event_sources);
}

#[test]
fn parameters_of_the_template_of_this_repository_change_its_resources() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../template.yaml");
    let parameters = [("ReconcileSeconds", "5"), ("TrimmedMessage", "documents")];
    let parameters = parameters.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let template = Template::read(&path, &parameters, &place()).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(template.schedules.iter().map(|s| s.every_s).collect::<Vec<_>>(), [60]);
    assert_eq!(template.event_sources.len(), 1, "{:?}", template.event_sources);
    assert!(template.rules.iter().any(|r| r.sql.ends_with("FROM '$aws/things/+/shadow/update/documents'")));
}
