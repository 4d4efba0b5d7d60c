//! docs/coverage.md names tests that exist, and counts right.

use std::collections::BTreeSet;

use super::source::read;

/// The items of each document: its letters, and how many it has.
const ITEMS: [(&str, usize); 6] = [("S0", 37), ("S1", 20), ("S2", 24), ("S3", 21), ("S4", 16), ("AP", 6)];

/// The rows of the tables: item, and what shows it.
fn rows(text: &str) -> Vec<(&str, &str)> {
    let rows = text.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"));
    rows.filter_map(|row| {
        let [item, _, shown] = row.split(" | ").collect::<Vec<_>>()[..] else { return None };
        (item != "item").then_some((item, shown))
    })
    .collect()
}

/// What is between backticks and names a test: file and function.
fn tests(shown: &str) -> impl Iterator<Item = (&str, &str)> {
    shown.split('`').skip(1).step_by(2).filter_map(|quoted| quoted.split_once("::"))
}

#[test]
fn every_item_has_a_row_that_names_tests_which_exist() {
    let text = read("docs/coverage.md");
    let rows = rows(&text);
    let expected: BTreeSet<String> =
        ITEMS.iter().flat_map(|(of, count)| (1..=*count).map(move |n| format!("{of}-{n:02}"))).collect();
    let found: BTreeSet<String> = rows.iter().map(|(item, _)| (*item).to_owned()).collect();
    assert_eq!(found, expected);
    assert_eq!(rows.len(), expected.len(), "an item has one row");
    let mut numbers = [0; 3];
    for (item, shown) in rows {
        let named: Vec<_> = tests(shown).collect();
        for (file, function) in &named {
            let keyword = if file.ends_with(".py") { "def" } else { "fn" };
            assert!(read(file).contains(&format!("{keyword} {function}(")), "{item}: {file} has no {function}");
        }
        numbers[match (named.is_empty(), shown) {
            (false, _) => 0,
            (true, shown) if shown.starts_with("by AWS") => 1,
            (true, shown) if shown.starts_with("not yet") => 2,
            _ => panic!("{item} is shown by nothing: {shown}"),
        }] += 1;
    }
    let [shown, by_aws, not_yet] = numbers;
    let counts = format!("{shown} are shown by a test, {by_aws} are AWS's own part, and {not_yet} are not shown yet");
    assert!(text.replace('\n', " ").contains(&counts), "docs/coverage.md does not say: {counts}");
}
