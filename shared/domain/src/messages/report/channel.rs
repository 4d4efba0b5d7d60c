//! The channel that a report arrives through: an MQTT message or a shadow.

/// The channel that a report arrives through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ReportChannel {
    /// A message on a response topic.
    Mqtt,
    /// An entry in a shadow.
    Shadow,
}

impl ReportChannel {
    /// The channel's name, as it is stored and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mqtt => "mqtt",
            Self::Shadow => "shadow",
        }
    }

    /// The channel of a stored name; [`Self::Mqtt`] for any name other than `shadow`.
    pub fn from_stored(name: &str) -> Self {
        if name == "shadow" { Self::Shadow } else { Self::Mqtt }
    }
}
