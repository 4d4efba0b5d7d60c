//! What a fleet index is asked for.

/// A query of the fleet index.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FleetQuery(String);

impl FleetQuery {
    /// The query, if it can be one.
    pub fn parse(text: &str) -> Result<Self, std::fmt::Error> {
        Ok(Self(text.to_owned()))
    }

    /// The query as it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
