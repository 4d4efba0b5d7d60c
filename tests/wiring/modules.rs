//! No files of a crate form a circle, and no crates of the local stack do: reading can begin with the leaves.
//!
//! A file uses another where it names something that stands there, by `use` or by an inline path. Re-exports are followed to the file that
//! defines the item; `mod` declarations, `pub use` lines and tests do not count.

use std::collections::{BTreeMap, BTreeSet};

use super::source::{code, manifest_of, section, sources, subfolders};

type Module = Vec<String>;

/// One crate: its modules by path, and what each defines and imports.
#[derive(Default)]
struct Crate {
    files: BTreeMap<Module, String>,
    text: BTreeMap<Module, String>,
    items: BTreeMap<Module, BTreeSet<String>>,
    uses: BTreeMap<Module, Vec<Import>>,
}

#[derive(Clone, Debug)]
struct Import {
    path: Vec<String>,
    alias: String,
    public: bool,
}

impl Crate {
    fn read(folder: &str) -> Self {
        let mut found = Self::default();
        for (path, text) in sources(folder) {
            let file = path.strip_prefix(folder).expect("below the folder").to_string_lossy().into_owned();
            if file.ends_with("main.rs") || file.ends_with("fixtures.rs") {
                continue;
            }
            let mut module: Module =
                file.trim_end_matches(".rs").split('/').map(|part| part.replace('-', "_")).collect();
            if module.last().is_some_and(|last| last == "mod" || last == "lib") {
                module.pop();
            }
            let text = without_test_items(&code(&text));
            found.items.insert(module.clone(), items(&text));
            found.uses.insert(module.clone(), imports(&text));
            found.text.insert(module.clone(), text);
            found.files.insert(module, file);
        }
        found
    }

    fn is_internal(&self, base: &Module, path: &[String]) -> bool {
        matches!(path[0].as_str(), "crate" | "super" | "self") || self.files.contains_key(&child(base, &path[0]))
    }

    /// The module that defines what a path names, seen from the module `base`.
    fn resolve(&self, base: &Module, path: &[String], depth: usize) -> Option<Module> {
        let (mut at, mut rest) = (base.clone(), path);
        if depth > 16 {
            return None;
        }
        while let Some(first) = rest.first() {
            match first.as_str() {
                "crate" => at.clear(),
                "super" => drop(at.pop()),
                "self" => {}
                _ => break,
            }
            rest = &rest[1..];
        }
        while let Some(name) = rest.first() {
            let below = child(&at, name);
            if self.files.contains_key(&below) {
                (at, rest) = (below, &rest[1..]);
                continue;
            }
            if name == "*" || self.items.get(&at).is_some_and(|items| items.contains(name)) {
                return Some(at);
            }
            let imports = self.uses.get(&at)?;
            let named = imports.iter().find(|import| import.alias == *name && self.is_internal(&at, &import.path));
            if let Some(import) = named {
                return self.resolve(&at, &[&import.path, &rest[1..]].concat(), depth + 1);
            }
            let globs = imports.iter().filter(|import| import.alias == "*" && self.is_internal(&at, &import.path));
            let from_glob = globs
                .filter_map(|import| self.resolve(&at, &import.path, depth + 1))
                .find(|module| self.items.get(module).is_some_and(|items| items.contains(name)));
            return from_glob.or_else(|| (rest.len() < path.len()).then_some(at));
        }
        Some(at)
    }

    /// Which file uses which others.
    fn edges(&self) -> BTreeMap<String, BTreeSet<String>> {
        let mut edges: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (module, file) in &self.files {
            let imported = self.uses[module].iter().filter(|import| !import.public).map(|import| import.path.clone());
            let inline = inline_paths(&self.text[module]);
            let used = imported.chain(inline).filter(|path| self.is_internal(module, path));
            let files = used.filter_map(|path| self.resolve(module, &path, 0)).filter_map(|at| self.files.get(&at));
            edges.entry(file.clone()).or_default().extend(files.filter(|other| *other != file).cloned());
        }
        edges
    }
}

fn child(base: &Module, name: &str) -> Module {
    base.iter().cloned().chain([name.to_owned()]).collect()
}

/// The text without the line that follows each `#[cfg(test)]`.
fn without_test_items(text: &str) -> String {
    let mut skip = false;
    let keep = |line: &&str| {
        let skipped = std::mem::replace(&mut skip, line.trim() == "#[cfg(test)]");
        !skipped && !skip
    };
    text.lines().filter(keep).collect::<Vec<_>>().join("\n")
}

/// The names of a file's top-level items.
fn items(text: &str) -> BTreeSet<String> {
    const KINDS: [&str; 8] = ["fn", "struct", "enum", "trait", "type", "const", "static", "union"];
    let top_level = text.lines().filter(|line| !line.starts_with([' ', '}', '#', '/']));
    let mut found: BTreeSet<String> = top_level
        .filter_map(|line| {
            let words: Vec<&str> =
                line.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|w| !w.is_empty()).collect();
            let at = words.iter().position(|word| KINDS.contains(word))?;
            let name =
                words[at..].iter().find(|word| !KINDS.contains(word) && **word != "async" && **word != "unsafe")?;
            Some((*name).to_owned())
        })
        .collect();
    // Types that a macro defines: `Name,` or `Name, "what" {` on a line of its own.
    let by_macro = text.lines().filter_map(|line| line.trim_start().split_once(',').map(|(name, _)| name));
    let is_type = |name: &&str| name.starts_with(|c: char| c.is_uppercase()) && name.chars().all(char::is_alphanumeric);
    if text.contains("macro_rules!") {
        found.extend(by_macro.filter(is_type).map(str::to_owned));
    }
    found
}

/// A file's `use` declarations, one for each leaf of their trees.
fn imports(text: &str) -> Vec<Import> {
    let mut found = Vec::new();
    let mut statement = String::new();
    for line in text.lines() {
        let start = line.trim_start();
        if statement.is_empty() && !(start.starts_with("use ") || start.starts_with("pub") && start.contains(" use ")) {
            continue;
        }
        statement.push_str(start);
        if start.ends_with(';') {
            let whole = std::mem::take(&mut statement);
            let (visibility, tree) = whole.trim_end_matches(';').split_once("use ").expect("a use");
            leaves(tree, &[], !visibility.is_empty(), &mut found);
        }
    }
    found
}

fn leaves(tree: &str, prefix: &[String], public: bool, found: &mut Vec<Import>) {
    let tree = tree.trim();
    if let Some(inner) = tree.strip_prefix('{') {
        let (mut depth, mut from) = (0, 0);
        let inner = &inner[..inner.len() - 1];
        for (at, c) in inner.char_indices().chain([(inner.len(), ',')]) {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 0 => {
                    if !inner[from..at].trim().is_empty() {
                        leaves(&inner[from..at], prefix, public, found);
                    }
                    from = at + 1;
                }
                _ => {}
            }
        }
        return;
    }
    match tree.split_once("::") {
        Some((first, rest)) => leaves(rest, &[prefix, &[first.trim().to_owned()]].concat(), public, found),
        None => {
            let (name, alias) = tree.split_once(" as ").unwrap_or((tree, tree));
            let path = if name == "self" { prefix.to_vec() } else { [prefix, &[name.to_owned()]].concat() };
            let alias = if alias == "self" { path.last().cloned().unwrap_or_default() } else { alias.to_owned() };
            found.push(Import { path, alias, public });
        }
    }
}

/// Paths in code that begin with a lower-case name: `crate::a::B`, `super::c()`, `child::d()`.
fn inline_paths(text: &str) -> Vec<Vec<String>> {
    let lines = text.lines().filter(|line| !line.trim_start().starts_with("use ") && !line.contains(" use "));
    let is_path = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    let paths =
        lines.flat_map(move |line| line.split(move |c: char| !is_path(c)).map(str::to_owned).collect::<Vec<_>>());
    paths
        .filter(|path| path.contains("::") && path.starts_with(|c: char| c.is_lowercase()))
        .map(|path| path.split("::").filter(|part| !part.is_empty()).map(str::to_owned).collect::<Vec<_>>())
        .filter(|path| path.len() > 1)
        .collect()
}

/// The nodes from which a walk comes back to themselves.
fn in_circles(edges: &BTreeMap<String, BTreeSet<String>>) -> Vec<String> {
    let reaches_itself = |start: &String| {
        let (mut open, mut seen) = (vec![start], BTreeSet::new());
        while let Some(node) = open.pop() {
            for next in edges.get(node).into_iter().flatten() {
                if next == start {
                    return true;
                }
                if seen.insert(next) {
                    open.push(next);
                }
            }
        }
        false
    };
    edges.keys().filter(|node| reaches_itself(node)).cloned().collect()
}

#[test]
fn no_files_of_a_crate_form_a_circle() {
    for folder in [
        "functions",
        "shared/aws/src",
        "shared/calls/src",
        "shared/domain/src",
        "shared/driver/src",
        "shared/runtime/src",
        "device/src",
    ] {
        let edges = Crate::read(folder).edges();
        assert!(edges.values().any(|used| !used.is_empty()), "{folder}: does this test still see what files use?");
        let circles = in_circles(&edges);
        let shown = circles.iter().map(|file| {
            let others = edges[file].iter().filter(|other| circles.contains(other));
            format!("{file} -> {}", others.cloned().collect::<Vec<_>>().join(", "))
        });
        assert!(circles.is_empty(), "{folder}:\n{}", shown.collect::<Vec<_>>().join("\n"));
    }
}

#[test]
fn no_crates_of_the_local_stack_form_a_circle() {
    let mut edges: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for folder in subfolders("local") {
        let manifest = manifest_of(&format!("local/{folder}"));
        let name = manifest.lines().find_map(|line| line.strip_prefix("name = \"")).expect("a name");
        let local = section(&manifest, "[dependencies]").into_iter().filter(|name| name.starts_with("local"));
        edges.insert(name.trim_end_matches('"').to_owned(), local.collect());
    }
    assert!(edges.len() > 10, "does this test still see the crates? {edges:?}");
    assert_eq!(in_circles(&edges), Vec::<String>::new());
}

#[test]
fn a_circle_is_found() {
    let edges = |pairs: &[(&str, &str)]| {
        let mut edges: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (from, to) in pairs {
            edges.entry((*from).to_owned()).or_default().insert((*to).to_owned());
        }
        edges
    };
    assert_eq!(in_circles(&edges(&[("a", "b"), ("b", "c"), ("c", "b")])), ["b", "c"]);
    assert_eq!(in_circles(&edges(&[("a", "b"), ("b", "c"), ("a", "c")])), Vec::<String>::new());
    let text = "pub(crate) use super::a::{B, c::D as E};\nuse crate::f;\nfn g() { h::i(); }";
    let paths: Vec<_> =
        imports(text).iter().map(|import| format!("{} {}", import.path.join("::"), import.alias)).collect();
    assert_eq!(paths, ["super::a::B B", "super::a::c::D E", "crate::f f"]);
    assert_eq!(inline_paths(text), [["h", "i"]]);
}
