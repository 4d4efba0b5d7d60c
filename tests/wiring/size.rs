//! How large files may be.

use super::source::files;

/// No file holds more than one idea; more lines than this hold several.
const MAX_LINES: usize = 400;
/// Half of all files have at most this many lines.
const MAX_MEDIAN_LINES: usize = 120;

const FOLDERS: [&str; 7] = ["benches", "demo", "device", "functions", "local", "shared", "tests"];

#[test]
fn no_file_has_more_than_400_lines_and_half_have_at_most_120() {
    let files: Vec<_> = FOLDERS.iter().flat_map(|folder| files(folder)).collect();
    let mut sizes: Vec<usize> = files.iter().map(|(_, text)| text.lines().count()).collect();
    let large: Vec<String> = files
        .iter()
        .zip(&sizes)
        .filter(|(_, lines)| **lines > MAX_LINES)
        .map(|((path, _), lines)| format!("{}: {lines} lines", path.display()))
        .collect();
    assert!(large.is_empty(), "more than {MAX_LINES} lines:\n{}", large.join("\n"));
    sizes.sort_unstable();
    let median = sizes[sizes.len() / 2];
    assert!(median <= MAX_MEDIAN_LINES, "the median file has {median} lines");
}
