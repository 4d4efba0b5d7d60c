//! Options for broadcasts and for the topics of reports.

use clap::Args;
use device::agent::topic;

#[derive(Debug, Args)]
pub struct BroadcastArgs {
    /// Take broadcasts to this group, on cmd/group/<NAME>/req; repeat for more
    #[arg(long = "group", value_name = "NAME", value_parser = parse_group)]
    pub groups: Vec<String>,
    /// Take broadcasts on this topic; repeat for more
    #[arg(long = "broadcast-topic", value_name = "TOPIC", value_parser = parse_topic)]
    pub topics: Vec<String>,
    /// Report on this topic too, if a request names it, and not only on cmd/<thing>/...; repeat for more
    #[arg(long = "answer-topic", value_name = "TOPIC", value_parser = parse_topic)]
    pub response_topics: Vec<String>,
}

fn parse_group(name: &str) -> Result<String, String> {
    let error = || "a group's name is 1 to 128 of a-z, A-Z, 0-9, colon, underscore and hyphen".to_owned();
    topic::is_group_name(name).then(|| name.to_owned()).ok_or_else(error)
}

fn parse_topic(text: &str) -> Result<String, String> {
    let error = || "a topic is 1 to 256 bytes with at most 7 slashes, and without + and #".to_owned();
    topic::is_literal(text).then(|| text.to_owned()).ok_or_else(error)
}
