//! What must stay true of the tree itself: the invariants of ARCHITECTURE.md, each held by a test.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde_yaml_ng::Value;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").to_owned()
}

fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// Every Rust file below a folder, with what stands before its tests.
fn sources(folder: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display())) {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") && !path.ends_with("tests.rs") {
                let text = fs::read_to_string(&path).expect("UTF-8");
                let code = text.split("#[cfg(test)]").next().unwrap_or_default().to_owned();
                found.push((path, code));
            }
        }
    }
    assert!(!found.is_empty(), "{folder} has no sources");
    found
}

/// Code without its comments.
fn code(text: &str) -> String {
    text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

fn subfolders(folder: &str) -> BTreeSet<String> {
    let entries = fs::read_dir(root().join(folder)).expect("a folder");
    entries
        .map(|e| e.expect("an entry").path())
        .filter(|path| path.is_dir())
        .map(|path| path.file_name().expect("a name").to_string_lossy().into_owned())
        .collect()
}

/// The names of everything that a package depends on, by the lock file; development dependencies of the others do not count.
fn closure(package: &str) -> BTreeSet<String> {
    let lock = read("Cargo.lock");
    let mut needs: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for block in lock.split("[[package]]").skip(1) {
        let name =
            block.lines().find_map(|l| l.strip_prefix("name = \"")).expect("a name").trim_end_matches('"').to_owned();
        let list = block.split("dependencies = [").nth(1).and_then(|d| d.split(']').next()).unwrap_or_default();
        let list = list
            .lines()
            .filter_map(|l| l.trim().strip_prefix('"'))
            .filter_map(|l| l.split([' ', '"']).next())
            .map(str::to_owned);
        needs.entry(name).or_default().extend(list);
    }
    let manifest = read(match package {
        "domain" | "aws" => format!("shared/{package}/Cargo.toml"),
        other => format!("{other}/Cargo.toml"),
    });
    let mut todo: Vec<String> = section(&manifest, "[dependencies]");
    let mut seen = BTreeSet::new();
    while let Some(name) = todo.pop() {
        if seen.insert(name.clone()) {
            todo.extend(needs.get(&name).cloned().unwrap_or_default());
        }
    }
    seen
}

fn section(manifest: &str, heading: &str) -> Vec<String> {
    let body = manifest.split(heading).nth(1).unwrap_or_default().split("\n[").next().unwrap_or_default();
    body.lines()
        .filter_map(|l| l.split(['.', '=', ' ']).next())
        .filter(|n| !n.is_empty() && !n.starts_with('#'))
        .map(str::to_owned)
        .collect()
}

// ------------------------------------------------------------------ invariant 1

#[test]
fn domain_does_no_io_and_reads_no_clock() {
    let outside = ["tokio", "mio", "hyper", "reqwest", "socket2", "async-trait", "chrono", "time", "lambda_runtime"];
    let needs = closure("domain");
    let found: Vec<_> = outside.iter().filter(|name| needs.contains(**name)).collect();
    assert!(found.is_empty(), "domain depends on {found:?}");
    let clippy = read("shared/domain/clippy.toml");
    for method in ["SystemTime::now", "Instant::now", "env::var"] {
        assert!(clippy.contains(method), "shared/domain/clippy.toml no longer forbids {method}");
    }
    for (path, text) in sources("shared/domain/src") {
        for word in
            ["async fn", "async move", "SystemTime", "Instant::now", "std::net", "std::fs", "std::env", "println!"]
        {
            assert!(!code(&text).contains(word), "{}: {word}", path.display());
        }
    }
}

#[test]
fn no_function_reads_a_clock() {
    for folder in ["functions", "shared/aws/src"] {
        // It tells how much time has passed, not what time it is.
        for (path, text) in sources(folder).into_iter().filter(|(path, _)| !path.ends_with("functions/stopwatch.rs")) {
            for word in ["SystemTime", "Instant::now", "Timestamp::now", "Zoned::now", "Utc::now"] {
                assert!(!code(&text).contains(word), "{}: {word}; time arrives in the event", path.display());
            }
        }
    }
}

// ------------------------------------------------------------------ invariant 2

#[test]
fn every_topic_is_built_and_parsed_in_one_file() {
    for folder in ["shared/domain/src", "shared/aws/src", "functions"] {
        for (path, text) in sources(folder) {
            if path.ends_with("domain/src/topic.rs") {
                continue;
            }
            for piece in ["\"cmd/", "\"things/", "\"$aws/", "/trimmed/update", "/resp\"", "/req\""] {
                assert!(!code(&text).contains(piece), "{}: a topic ({piece}) outside domain::topic", path.display());
            }
        }
    }
}

// ------------------------------------------------------------------ invariant 3

#[test]
fn every_write_to_a_table_is_conditional() {
    let mut writes = 0;
    for (path, text) in sources("shared/aws/src") {
        let text = code(&text);
        for forbidden in [".batch_write_item()", ".transact_write_items()", "execute_statement"] {
            assert!(!text.contains(forbidden), "{}: {forbidden} takes no condition here", path.display());
        }
        for call in [".put_item()", ".update_item()", ".delete_item()"] {
            for (at, _) in text.match_indices(call) {
                let request = text[at..].split(".send()").next().unwrap_or_default();
                assert!(request.contains(".condition_expression("), "{}: {call} without a condition", path.display());
                writes += 1;
            }
        }
    }
    assert!(writes >= 3, "found only {writes} writes: does this test still see them?");
}

// ------------------------------------------------------------------ invariants 4 and 8

#[test]
fn aws_types_stop_at_shared_aws_and_json_shapes_at_the_handlers() {
    let functions = section(&read("functions/Cargo.toml"), "[dependencies]");
    assert!(!functions.iter().any(|name| name.starts_with("aws-")), "functions depend on an AWS SDK");
    for (path, text) in sources("functions") {
        assert!(!code(&text).contains("aws_sdk_"), "{}: an SDK type", path.display());
        assert!(!code(&text).contains("expression"), "{}: an expression of DynamoDB", path.display());
    }
    let domain = section(&read("shared/domain/Cargo.toml"), "[dependencies]");
    assert!(
        !domain.iter().any(|name| name.starts_with("aws") || name.starts_with("lambda")),
        "domain depends on {domain:?}"
    );
    for function in binaries() {
        let main = read(format!("functions/{function}/main.rs"));
        assert!(main.lines().count() <= 60, "functions/{function}/main.rs does more than build clients and run");
    }
}

// ------------------------------------------------------------------ invariant 5

#[test]
fn the_template_is_the_only_wiring() {
    let declared: BTreeSet<String> = resources("AWS::Serverless::Function")
        .values()
        .filter_map(|function| function["Properties"]["Environment"]["Variables"].as_mapping().cloned())
        .flat_map(|variables| variables.into_keys().map(|name| name.as_str().expect("a name").to_owned()))
        .collect();
    let mut read = BTreeSet::new();
    for folder in ["functions", "shared/aws/src"] {
        for (path, text) in sources(folder) {
            let text = code(&text);
            for call in ["variable(\"", "config::optional(\"", "config::number(\""] {
                for (at, call) in text.match_indices(call) {
                    read.insert(text[at + call.len()..].split('"').next().unwrap_or_default().to_owned());
                }
            }
            let elsewhere = text.contains("env::var") && !path.ends_with("functions/config.rs");
            assert!(!elsewhere, "{}: the environment is read in functions/config.rs only", path.display());
        }
    }
    assert_eq!(read, declared, "what the functions read, and what template.yaml gives them");
    let names = [
        "cmd/+",
        "COMMANDS_TABLE",
        "EXECUTIONS_TABLE",
        "command-api",
        "track-command",
        "trim-shadow",
        "flaghoist-executions",
    ];
    for (path, text) in sources("local/src") {
        // The demo is a user of the system, and main.rs prints lines to paste.
        if path.components().any(|c| c.as_os_str() == "demo") || path.ends_with("banner.rs") {
            continue;
        }
        for name in names {
            assert!(!code(&text).contains(name), "{}: {name} belongs to template.yaml", path.display());
        }
    }
}

// ------------------------------------------------------------------ invariant 6

#[test]
fn local_and_device_share_no_code_with_the_cloud_side() {
    for package in ["local", "device"] {
        let needs = closure(package);
        for other in ["domain", "aws", "functions"] {
            assert!(!needs.contains(other), "{package} depends on {other}");
        }
    }
    assert!(!closure("device").contains("local"), "device depends on local");
}

// ------------------------------------------------------------------ invariant 7

#[test]
fn every_function_has_a_resource_and_events() {
    let folders = subfolders("functions");
    assert_eq!(folders, binaries(), "functions/ and the template's binaries");
    assert_eq!(folders, subfolders("events"), "functions/ and events/");
    for function in &folders {
        let names: Vec<String> = fs::read_dir(root().join("events").join(function))
            .expect("a folder")
            .map(|e| e.expect("an entry").file_name().to_string_lossy().into_owned())
            .collect();
        assert!(
            names.iter().all(|n| n.ends_with(".json") && (n.starts_with("good_") || n.starts_with("bad_"))),
            "{function}: {names:?}"
        );
        assert!(
            names.iter().any(|n| n.starts_with("good_")) && names.iter().any(|n| n.starts_with("bad_")),
            "{function}: {names:?}"
        );
        let tests: String = test_sources(&format!("functions/{function}"));
        assert!(
            tests.contains(&format!("events/{function}")) || tests.contains("fixtures("),
            "no test of {function} reads its events"
        );
    }
}

fn test_sources(folder: &str) -> String {
    let entries = fs::read_dir(root().join(folder)).expect("a folder");
    entries
        .map(|e| e.expect("an entry").path())
        .filter(|p| p.is_file())
        .map(|p| fs::read_to_string(p).expect("UTF-8"))
        .collect()
}

fn template() -> Value {
    serde_yaml_ng::from_str(&read("template.yaml")).expect("YAML")
}

fn resources(kind: &str) -> BTreeMap<String, Value> {
    let template = template();
    let resources = template["Resources"].as_mapping().expect("Resources");
    resources
        .iter()
        .filter(|(_, resource)| resource["Type"] == kind)
        .map(|(name, resource)| (name.as_str().expect("a name").to_owned(), resource.clone()))
        .collect()
}

fn binaries() -> BTreeSet<String> {
    resources("AWS::Serverless::Function")
        .values()
        .map(|f| f["Metadata"]["BuildProperties"]["Binary"].as_str().expect("a binary").to_owned())
        .collect()
}

// ------------------------------------------------------------------ the template itself

#[test]
fn every_function_keeps_its_logs_for_a_time_and_its_failures_for_good() {
    let logs: BTreeSet<String> =
        resources("AWS::Logs::LogGroup").values().map(|l| format!("{:?}", l["Properties"]["LogGroupName"])).collect();
    for (name, function) in resources("AWS::Serverless::Function") {
        let binary = function["Metadata"]["BuildProperties"]["Binary"].as_str().expect("a binary");
        assert!(
            logs.iter().any(|log| log.contains(&format!("/aws/lambda/${{AWS::StackName}}-{binary}"))),
            "{name} has no log group"
        );
        let invoked_by_http = format!("{:?}", function["Properties"]["Events"]).contains("HttpApi");
        let destination = &function["Properties"]["EventInvokeConfig"]["DestinationConfig"]["OnFailure"];
        let streams: Vec<_> = streams(&function).collect();
        let kept = streams.iter().all(|stream| !stream["DestinationConfig"]["OnFailure"].is_null());
        let only_streams = binary == "fan-out-command" || binary == "tally-command";
        assert_eq!(only_streams, destination.is_null() && !invoked_by_http, "{name}");
        assert!(kept && only_streams <= !streams.is_empty(), "{name} loses events that it cannot handle");
    }
    for (name, log) in resources("AWS::Logs::LogGroup") {
        assert!(!log["Properties"]["RetentionInDays"].is_null(), "{name} is kept for ever");
    }
}

#[test]
fn every_reader_of_a_stream_says_what_becomes_of_what_fails() {
    let mut readers = 0;
    for (name, function) in resources("AWS::Serverless::Function") {
        for stream in streams(&function) {
            readers += 1;
            let said = ["BatchSize", "ParallelizationFactor", "MaximumRetryAttempts", "MaximumRecordAgeInSeconds"];
            for property in said.into_iter().chain(["BisectBatchOnFunctionError", "MaximumBatchingWindowInSeconds"]) {
                assert!(!stream[property].is_null(), "{name}: {property} is left to AWS");
            }
            assert_eq!(stream["StartingPosition"], "TRIM_HORIZON", "{name}");
            assert_eq!(stream["FunctionResponseTypes"][0], "ReportBatchItemFailures", "{name}");
            assert!(!stream["DestinationConfig"]["OnFailure"].is_null(), "{name}");
        }
    }
    assert_eq!(readers, 3);
}

/// The streams that a function reads.
fn streams(function: &Value) -> impl Iterator<Item = &Value> {
    let events = function["Properties"]["Events"].as_mapping();
    events
        .into_iter()
        .flat_map(|events| events.values())
        .filter(|event| event["Type"] == "DynamoDB")
        .map(|event| &event["Properties"])
}

/// What a stream brings does not say what time it is: a function knows when it began from when it has to end, and how long it may take.
#[test]
fn a_function_that_reads_a_stream_knows_how_long_it_may_take() {
    let usual = template()["Globals"]["Function"]["Timeout"].clone();
    let mut known = 0;
    for (name, function) in resources("AWS::Serverless::Function") {
        let properties = &function["Properties"];
        let told = &properties["Environment"]["Variables"]["TIMEOUT_SECONDS"];
        let timeout = if properties["Timeout"].is_null() { &usual } else { &properties["Timeout"] };
        assert_eq!(streams(&function).next().is_some(), !told.is_null(), "{name}: TIMEOUT_SECONDS is for streams");
        if !told.is_null() {
            assert_eq!(told, timeout, "{name}: TIMEOUT_SECONDS and Timeout");
            known += 1;
        }
    }
    assert_eq!(known, 3, "does this test still see them?");
}

#[test]
fn every_rule_names_its_sql_version_its_error_action_and_its_permission() {
    let rules = resources("AWS::IoT::TopicRule");
    assert!(!rules.is_empty());
    let permissions = resources("AWS::Lambda::Permission");
    for (name, rule) in rules {
        let payload = &rule["Properties"]["TopicRulePayload"];
        assert_eq!(payload["AwsIotSqlVersion"], "2016-03-23", "{name}");
        assert!(!payload["ErrorAction"].is_null(), "{name} has no error action");
        let permission = permissions
            .values()
            .map(|p| &p["Properties"])
            .find(|p| format!("{:?}", p["SourceArn"]).contains(&format!("{name}.Arn")));
        let permission = permission.unwrap_or_else(|| panic!("{name} may not invoke its function"));
        assert_eq!(permission["Principal"], "iot.amazonaws.com");
        assert!(!permission["SourceAccount"].is_null(), "any account's rule could invoke the function of {name}");
    }
}

#[test]
fn no_policy_allows_everything() {
    for (name, function) in resources("AWS::Serverless::Function") {
        let policies = function["Properties"]["Policies"].as_sequence().expect("policies");
        for statement in policies.iter().flat_map(|p| p["Statement"].as_sequence().expect("statements")) {
            let actions = format!("{:?}", statement["Action"]);
            assert!(!actions.contains('*'), "{name}: {actions}");
            assert_ne!(statement["Resource"], "*", "{name}: {actions} on everything");
        }
    }
}

/// cfn-lint does not look at values in Globals.
#[test]
fn the_globals_are_within_lambdas_limits() {
    let globals = template()["Globals"]["Function"].clone();
    assert!((1..=900).contains(&globals["Timeout"].as_u64().expect("Timeout")));
    assert!((128..=10_240).contains(&globals["MemorySize"].as_u64().expect("MemorySize")));
    assert_eq!(globals["Runtime"], "provided.al2023");
}
