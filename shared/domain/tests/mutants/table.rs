//! The table of mutants: parses `mutants.txt`.

/// A small mistake in the code of the crate.
pub struct Mutant {
    /// What the mistaken code does wrong.
    pub description: String,
    /// The file, below `src`.
    pub file: String,
    /// The code, and the mistaken code that replaces it.
    pub original: String,
    pub mutated: String,
}

impl Mutant {
    /// All mutants: blocks with a blank line between them, of `# description`, the file, lines with `-` and lines with
    /// `+`.
    pub fn all() -> Vec<Self> {
        let blocks = include_str!("mutants.txt").split("\n\n").map(str::trim).filter(|block| !block.is_empty());
        blocks.map(Self::parse).collect()
    }

    fn parse(block: &str) -> Self {
        let mut lines = block.lines();
        let first = lines.next().and_then(|line| line.strip_prefix("# "));
        let description = first.unwrap_or_else(|| panic!("no description: {block}")).to_owned();
        let file = lines.next().unwrap_or_else(|| panic!("no file: {block}")).to_owned();
        let (original, mutated): (Vec<&str>, Vec<&str>) = lines.partition(|line| line.starts_with('-'));
        let text = |lines: Vec<&str>| {
            lines.iter().map(|line| line.get(1..).unwrap_or_default()).collect::<Vec<_>>().join("\n")
        };
        Self { description, file, original: text(original), mutated: text(mutated) }
    }
}
