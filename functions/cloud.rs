//! What the functions use of the cloud, as the template describes it to them.

use aws::{Commands, Connection, Executions, Fleets, Lanes, Messages, Shadows, Tallies};

use crate::config::{self, ConfigError};

/// Tables, messages and shadows.
#[derive(Clone, Debug)]
pub struct Cloud {
    /// The table of commands.
    pub commands: Commands,
    /// What it holds of fleet commands besides.
    pub fleets: Fleets,
    /// Their counts.
    pub tallies: Tallies,
    /// The table of executions.
    pub executions: Executions,
    /// Who is next in which lane.
    pub lanes: Lanes,
    /// The way to devices.
    pub messages: Messages,
    /// Their shadows.
    pub shadows: Shadows,
    /// How often what is due is looked for, in seconds.
    pub tick: u32,
}

impl Cloud {
    /// What this connection leads to.
    pub fn new(connection: &Connection, commands: String, executions: &str, tick: u32) -> Self {
        Self {
            fleets: connection.fleets(commands.clone()),
            tallies: connection.tallies(commands.clone()),
            commands: connection.commands(commands),
            executions: connection.executions(executions.to_owned()),
            lanes: connection.lanes(executions.to_owned()),
            messages: connection.messages(),
            shadows: connection.shadows(),
            tick,
        }
    }

    /// What the environment describes.
    pub fn from_env(connection: &Connection) -> Result<Self, ConfigError> {
        let commands = config::variable("COMMANDS_TABLE")?;
        let executions = config::variable("EXECUTIONS_TABLE")?;
        let tick = config::number("RECONCILE_SECONDS")?;
        Ok(Self::new(connection, commands, &executions, tick))
    }
}
