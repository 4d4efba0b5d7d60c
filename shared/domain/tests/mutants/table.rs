//! The table of mutants: `mutants.txt`.

pub struct Mutant {
    /// What is wrong then.
    pub breaks: String,
    /// In which file, below `src`.
    pub file: String,
    pub was: String,
    pub is: String,
}

impl Mutant {
    /// Every one: blocks with a blank line between them, of `# what is wrong then`, `file`, lines with `-` and lines with `+`.
    pub fn all() -> Vec<Self> {
        let blocks = include_str!("mutants.txt").split("\n\n").map(str::trim).filter(|block| !block.is_empty());
        blocks.map(Self::parse).collect()
    }

    fn parse(block: &str) -> Self {
        let mut lines = block.lines();
        let breaks =
            lines.next().and_then(|line| line.strip_prefix("# ")).unwrap_or_else(|| panic!("{block}")).to_owned();
        let file = lines.next().unwrap_or_else(|| panic!("{block}")).to_owned();
        let (was, is): (Vec<&str>, Vec<&str>) = lines.partition(|line| line.starts_with('-'));
        let text = |lines: Vec<&str>| {
            lines.iter().map(|line| line.get(1..).unwrap_or_default()).collect::<Vec<_>>().join("\n")
        };
        Self { breaks, file, was: text(was), is: text(is) }
    }
}
