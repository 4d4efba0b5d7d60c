//! The settings of a reference device.

use std::path::PathBuf;

use crate::clock::Clock;
use crate::handlers::Handlers;
use crate::link::endpoint::Endpoint;

/// What a reference device needs.
pub struct Options {
    /// The broker to connect to.
    pub endpoint: Endpoint,
    /// The thing's name, which is the MQTT client id too.
    pub thing: String,
    /// What the device does for each command.
    pub handlers: Handlers,
    /// Reads the time.
    pub clock: Clock,
    /// The file that keeps the agent's snapshot over a restart; `None` keeps it in memory only.
    pub memory_file: Option<PathBuf>,
    /// Takes commands from the named shadow `cmd` too, and declares that in it.
    pub shadow: bool,
    /// Takes on the desired state of the classic shadow, and reports it there.
    pub desired_state: bool,
    /// The thing's groups: their broadcasts are requests to this thing too.
    pub groups: Vec<String>,
    /// Further topics of broadcasts, without wildcards.
    pub broadcast_topics: Vec<String>,
    /// Topics beside the thing's own that a request may name in `responseTopic`.
    pub response_topics: Vec<String>,
}
