//! The invariants of ARCHITECTURE.md that concern what code may do and where.

use std::collections::BTreeSet;
use std::fs;

use super::source::{binaries, closure, code, read, resources, root, section, sources, subfolders};

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
    for folder in ["functions", "shared/aws/src", "shared/calls/src", "shared/driver/src", "shared/runtime/src"] {
        // The event clock measures how much time has passed, not what time it is.
        for (path, text) in sources(folder).into_iter().filter(|(path, _)| !path.ends_with("src/event_clock.rs")) {
            for word in ["SystemTime", "Instant::now", "Timestamp::now", "Zoned::now", "Utc::now"] {
                assert!(!code(&text).contains(word), "{}: {word}; time arrives in the event", path.display());
            }
        }
    }
}

#[test]
fn every_topic_is_built_and_parsed_in_one_file() {
    for folder in [
        "shared/domain/src",
        "shared/aws/src",
        "shared/calls/src",
        "shared/driver/src",
        "shared/runtime/src",
        "functions",
    ] {
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

#[test]
fn aws_types_stop_at_shared_aws_and_json_shapes_at_the_handlers() {
    for package in ["functions", "shared/calls", "shared/driver", "shared/runtime"] {
        let needs = section(&read(format!("{package}/Cargo.toml")), "[dependencies]");
        assert!(!needs.iter().any(|name| name.starts_with("aws-")), "{package} depends on an AWS SDK");
    }
    for folder in ["functions", "shared/calls/src", "shared/driver/src", "shared/runtime/src"] {
        for (path, text) in sources(folder) {
            assert!(!code(&text).contains("aws_sdk_"), "{}: an SDK type", path.display());
            assert!(!code(&text).contains("expression"), "{}: an expression of DynamoDB", path.display());
        }
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

#[test]
fn the_template_is_the_only_wiring() {
    let declared: BTreeSet<String> = resources("AWS::Serverless::Function")
        .values()
        .filter_map(|function| function["Properties"]["Environment"]["Variables"].as_object().cloned())
        .flat_map(|variables| variables.into_iter().map(|(name, _)| name))
        .collect();
    let mut read = BTreeSet::new();
    for folder in ["functions", "shared/aws/src", "shared/calls/src", "shared/driver/src", "shared/runtime/src"] {
        for (path, text) in sources(folder) {
            let text = code(&text);
            for call in ["variable(\"", "config::optional(\"", "config::number(\""] {
                for (at, call) in text.match_indices(call) {
                    read.insert(text[at + call.len()..].split('"').next().unwrap_or_default().to_owned());
                }
            }
            let elsewhere = text.contains("env::var") && !path.ends_with("runtime/src/config.rs");
            assert!(!elsewhere, "{}: the environment is read in shared/runtime/src/config.rs only", path.display());
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
    for (path, text) in sources("local") {
        // The banner prints lines to paste.
        if path.ends_with("banner.rs") {
            continue;
        }
        for name in names {
            assert!(!code(&text).contains(name), "{}: {name} belongs to template.yaml", path.display());
        }
    }
}

#[test]
fn local_and_device_share_no_code_with_the_cloud_side() {
    for package in ["local", "device"] {
        let needs = closure(package);
        for other in ["domain", "aws", "calls", "driver", "runtime", "functions"] {
            assert!(!needs.contains(other), "{package} depends on {other}");
        }
    }
    assert!(!closure("device").contains("local"), "device depends on local");
    assert!(!closure("local").contains("device"), "local depends on device");
}

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

/// Names of `domain` in which a decision is written down. A handler that uses one decides by itself what a row becomes.
const PARTS_OF_DECISIONS: [&str; 9] = [
    "AbortAction::",
    "Change {",
    "Condition::",
    "DueEntry::",
    "Effect::",
    "Progress::",
    "Rank::",
    "Verdict {",
    ".delivery_status ==",
];

/// Files that compute with times: ticks of a minute, and the age of a shadow's version.
const COMPUTE_WITH_TIMES: [&str; 2] = ["reconcile-commands/ticks.rs", "trim-shadow/newest_versions.rs"];

/// Whether the text has this part of a decision, and not only as the end of a longer name: `Progress::`, but not
/// `BatchProgress::`.
fn contains_name(text: &str, part: &str) -> bool {
    let is_longer = |(at, _): (usize, &str)| {
        let before = text[..at].chars().next_back();
        part.starts_with(char::is_alphabetic) && before.is_some_and(|c| c.is_alphanumeric() || c == '_')
    };
    text.match_indices(part).any(|found| !is_longer(found))
}

#[test]
fn functions_decide_nothing() {
    for (path, text) in sources("functions") {
        let text = code(&text);
        for part in PARTS_OF_DECISIONS {
            assert!(!contains_name(&text, part), "{}: {part} belongs to a decision in domain", path.display());
        }
        let computes = ["plus_seconds(", "minus_seconds(", "seconds_until("].iter().any(|word| text.contains(word));
        let may = COMPUTE_WITH_TIMES.iter().any(|file| path.ends_with(file));
        assert!(may || !computes, "{}: deadlines are computed in domain", path.display());
    }
}
