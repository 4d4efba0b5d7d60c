//! The table of mutants: parses `mutants.txt`.

/// A small mistake in the code of a crate.
pub struct Mutant {
    /// What the mistaken code does wrong.
    pub description: String,
    /// The crate, below `shared`.
    pub package: String,
    /// The file, below its `src`.
    pub file: String,
    /// The check that fails; none: any.
    pub check: Option<String>,
    /// The code, and the mistaken code that replaces it.
    pub original: String,
    pub mutated: String,
}

impl Mutant {
    /// All mutants: blocks with a blank line between them, of `# description`, the crate and the file (and the check that
    /// fails, after a blank), lines with `-` and lines with `+`.
    pub fn all() -> Vec<Self> {
        let blocks = include_str!("mutants.txt").split("\n\n").map(str::trim).filter(|block| !block.is_empty());
        blocks.map(Self::parse).collect()
    }

    /// Its crate and file.
    pub fn place(&self) -> (&str, &str) {
        (&self.package, &self.file)
    }

    fn parse(block: &str) -> Self {
        let mut lines = block.lines();
        let first = lines.next().and_then(|line| line.strip_prefix("# "));
        let description = first.unwrap_or_else(|| panic!("no description: {block}")).to_owned();
        let place = lines.next().unwrap_or_else(|| panic!("no file: {block}"));
        let (path, check) = place.split_once(' ').map_or((place, None), |(path, check)| (path, Some(check.to_owned())));
        let (package, file) = path.split_once('/').unwrap_or_else(|| panic!("no crate: {block}"));
        let (package, file) = (package.to_owned(), file.to_owned());
        let (original, mutated): (Vec<&str>, Vec<&str>) = lines.partition(|line| line.starts_with('-'));
        let text = |lines: Vec<&str>| {
            lines.iter().map(|line| line.get(1..).unwrap_or_default()).collect::<Vec<_>>().join("\n")
        };
        Self { description, package, file, check, original: text(original), mutated: text(mutated) }
    }
}
