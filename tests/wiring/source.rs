//! Reads the repository's own files: sources without tests or comments, manifests, the lock file, the template.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// The root of the repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").to_owned()
}

/// A file of the repository, as text.
pub fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// Every Rust file below a folder, with its whole text.
pub fn files(folder: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display())) {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                if path.file_name().is_some_and(|name| name != "target") {
                    folders.push(path);
                }
            } else if path.extension().is_some_and(|e| e == "rs") {
                let text = fs::read_to_string(&path).expect("UTF-8");
                found.push((path.strip_prefix(root()).expect("below the root").to_owned(), text));
            }
        }
    }
    assert!(!found.is_empty(), "{folder} has no sources");
    found.sort();
    found
}

/// Every Rust file below a folder that is not of tests, up to its own tests.
pub fn sources(folder: &str) -> Vec<(PathBuf, String)> {
    let of_tests =
        |path: &Path| path.ends_with("tests.rs") || path.components().any(|part| part.as_os_str() == "tests");
    let production = files(folder).into_iter().filter(|(path, _)| !of_tests(path));
    production
        .map(|(path, text)| (path, text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default().to_owned()))
        .collect()
}

/// Code without its comments.
pub fn code(text: &str) -> String {
    text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// The names of the folders in a folder.
pub fn subfolders(folder: &str) -> BTreeSet<String> {
    let entries = fs::read_dir(root().join(folder)).expect("a folder");
    entries
        .map(|e| e.expect("an entry").path())
        .filter(|path| path.is_dir())
        .map(|path| path.file_name().expect("a name").to_string_lossy().into_owned())
        .collect()
}

/// The manifest of the package in a folder.
pub fn manifest_of(folder: &str) -> String {
    read(format!("{folder}/Cargo.toml"))
}

/// The folder of a package of the workspace.
fn folder_of(package: &str) -> String {
    match package {
        "domain" | "aws" | "driver" | "runtime" => format!("shared/{package}"),
        "local" => "local/stack".to_owned(),
        other => other.to_owned(),
    }
}

/// The names in a table of a manifest, such as `[dependencies]`.
pub fn section(manifest: &str, heading: &str) -> Vec<String> {
    let body = manifest.split(heading).nth(1).unwrap_or_default().split("\n[").next().unwrap_or_default();
    body.lines()
        .filter_map(|l| l.split(['.', '=', ' ']).next())
        .filter(|n| !n.is_empty() && !n.starts_with('#'))
        .map(str::to_owned)
        .collect()
}

/// The names of everything that a package depends on, by the lock file; development dependencies of the package do not count.
pub fn closure(package: &str) -> BTreeSet<String> {
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
    let mut open: Vec<String> = section(&manifest_of(&folder_of(package)), "[dependencies]");
    let mut seen = BTreeSet::new();
    while let Some(name) = open.pop() {
        if seen.insert(name.clone()) {
            open.extend(needs.get(&name).cloned().unwrap_or_default());
        }
    }
    seen
}

/// template.yaml, parsed.
pub fn template() -> Value {
    serde_saphyr::from_str(&read("template.yaml")).expect("YAML")
}

/// The template's resources of a type, by name.
pub fn resources(kind: &str) -> BTreeMap<String, Value> {
    let template = template();
    let resources = template["Resources"].as_object().expect("Resources");
    resources
        .iter()
        .filter(|(_, resource)| resource["Type"] == kind)
        .map(|(name, resource)| (name.clone(), resource.clone()))
        .collect()
}

/// The names of the functions' binaries, as the template has them.
pub fn binaries() -> BTreeSet<String> {
    resources("AWS::Serverless::Function")
        .values()
        .map(|f| f["Metadata"]["BuildProperties"]["Binary"].as_str().expect("a binary").to_owned())
        .collect()
}
