//! The kinds of behaviour of simulated things.

/// What a simulated thing does with a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Behaviour {
    /// Runs every command with success.
    Succeeds,
    /// Runs every command, and fails.
    Fails,
    /// Runs every command for seconds, with heartbeats.
    Slow,
    /// Sends every report twice.
    Twice,
    /// Sends no report until after the ttl, then SUCCEEDED.
    Late,
    /// Loses its connection while a command runs, ends it, and reconnects.
    GoesOffline,
    /// Never connects.
    NeverOnline,
    /// Loses power when it has accepted a command, and reconnects without memory.
    Crashes,
    /// Receives requests and never sends a report.
    Mute,
    /// Knows no command.
    Rejects,
    /// Fails at the first attempt, and succeeds at the next.
    FailsOnce,
    /// Loses power when it has accepted a command, and reconnects with its memory.
    Reboots,
    /// Reports IN_PROGRESS after the final status.
    OutOfOrder,
    /// Is connected for a while and offline for a while, alternately.
    ComesAndGoes,
}

impl Behaviour {
    /// The behaviour in words, to follow a thing's name.
    pub fn describe(self) -> &'static str {
        match self {
            Self::Succeeds => "succeeds",
            Self::Fails => "fails",
            Self::Slow => "is slow",
            Self::Twice => "reports twice",
            Self::Late => "reports late",
            Self::GoesOffline => "goes offline while working",
            Self::NeverOnline => "is never online",
            Self::Crashes => "crashes while working",
            Self::Mute => "never reports",
            Self::Rejects => "does not know the command",
            Self::FailsOnce => "fails at the first attempt",
            Self::Reboots => "restarts while working",
            Self::OutOfOrder => "reports out of order",
            Self::ComesAndGoes => "comes and goes",
        }
    }
}
