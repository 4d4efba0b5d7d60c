//! The configuration of a stack.

use std::collections::BTreeMap;
use std::path::PathBuf;

use local_clock::Clock;

/// The account that every local resource belongs to.
const ACCOUNT: &str = "000000000000";

/// The configuration of a stack.
#[derive(Clone, Debug)]
pub struct Config {
    /// Path of `template.yaml`; its folder is the workspace of the functions.
    pub template: PathBuf,
    /// Parameters that override the template's defaults.
    pub parameters: BTreeMap<String, String>,
    /// The source of the functions' binaries.
    pub programs: Programs,
    /// Ports of the listeners.
    pub ports: Ports,
    /// The clock of all services.
    pub clock: Clock,
    /// Directory for state; `None` keeps it in memory.
    pub state_dir: Option<PathBuf>,
    /// Directory of the certificate authority, which is created if it is missing.
    pub certificates: PathBuf,
    /// Whether requests must be signed, and devices need policies that allow their actions.
    pub authorize: bool,
    /// Whether a [`local_journal::Journal`] of the run is kept. It grows without bounds.
    pub journal: bool,
    /// `AWS::Region`.
    pub region: String,
    /// `AWS::AccountId`.
    pub account: String,
    /// `AWS::StackName`: the prefix of resource names.
    pub stack_name: String,
}

/// The source of the functions' binaries.
#[derive(Clone, Debug)]
pub enum Programs {
    /// `cargo build --bin <each function's binary>` in the template's workspace, with the profile of this program.
    Build,
    /// A directory with `<logical id>/bootstrap` for each function, as `sam build` writes it.
    Folder(PathBuf),
    /// Paths by binary name.
    Given(BTreeMap<String, PathBuf>),
}

/// Ports of the listeners on 127.0.0.1; 0 takes any free port.
#[derive(Clone, Copy, Debug)]
pub struct Ports {
    /// The HTTP API.
    pub http_api: u16,
    /// The AWS endpoint.
    pub endpoint: u16,
    /// MQTT without TLS.
    pub mqtt: u16,
    /// MQTT with mutual TLS.
    pub mqtts: u16,
    /// The AWS endpoint with TLS.
    pub https: u16,
    /// MQTT and HTTPS on one port, distinguished by ALPN, as on port 443 of AWS.
    pub alpn: Option<u16>,
}

impl Default for Ports {
    fn default() -> Self {
        Self { http_api: 3000, endpoint: 4566, mqtt: 1883, mqtts: 8883, https: 8443, alpn: None }
    }
}

impl Ports {
    /// Any free ports.
    pub fn any() -> Self {
        Self { http_api: 0, endpoint: 0, mqtt: 0, mqtts: 0, https: 0, alpn: None }
    }
}

impl Config {
    /// The defaults for a template.
    pub fn new(template: impl Into<PathBuf>) -> Self {
        Self {
            template: template.into(),
            parameters: BTreeMap::new(),
            programs: Programs::Build,
            ports: Ports::default(),
            clock: Clock::system(),
            state_dir: None,
            certificates: ".local".into(),
            authorize: false,
            journal: false,
            region: region(),
            account: ACCOUNT.into(),
            stack_name: "flaghoist".into(),
        }
    }
}

/// The region in the order of AWS tools, so that the stack and the tools in one shell agree.
fn region() -> String {
    let set = |name| std::env::var(name).ok().filter(|value: &String| !value.is_empty());
    set("AWS_REGION").or_else(|| set("AWS_DEFAULT_REGION")).unwrap_or_else(|| "us-east-1".into())
}
