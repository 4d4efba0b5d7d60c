//! What a stack is started with.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::clock::Clock;

/// The account that every local resource belongs to.
const ACCOUNT: &str = "000000000000";

/// What a stack is started with.
#[derive(Clone, Debug)]
pub struct Config {
    /// `template.yaml`; the workspace with the functions is where it lies.
    pub template: PathBuf,
    /// Parameters of the template, over its defaults.
    pub parameters: BTreeMap<String, String>,
    /// Where the functions' binaries come from.
    pub programs: Programs,
    /// Where to listen.
    pub ports: Ports,
    /// The stack's time.
    pub clock: Clock,
    /// Where to keep state; `None` keeps it in memory.
    pub state_dir: Option<PathBuf>,
    /// Where the certificate authority lies, or is made.
    pub certificates: PathBuf,
    /// Whether requests must be signed, and devices allowed by their policies.
    pub authorize: bool,
    /// Whether a [`crate::journal::Journal`] of the run is kept, which grows without bounds.
    pub journal: bool,
    /// `AWS::Region`.
    pub region: String,
    /// `AWS::AccountId`.
    pub account: String,
    /// `AWS::StackName`, which the names of all resources begin with.
    pub stack_name: String,
}

/// Where the functions' binaries come from.
#[derive(Clone, Debug)]
pub enum Programs {
    /// `cargo build -p functions --bins`, in the profile that the stack itself was built in.
    Build,
    /// A directory that holds them: `<logical id>/bootstrap`, as `sam build` leaves them.
    Folder(PathBuf),
    /// Binary name to path.
    Given(BTreeMap<String, PathBuf>),
}

/// Where to listen, on 127.0.0.1; 0 takes any free port.
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
    /// MQTT and HTTPS on one port, told apart by ALPN: AWS's 443.
    pub alpn: Option<u16>,
}

impl Default for Ports {
    fn default() -> Self {
        Self { http_api: 3000, endpoint: 4566, mqtt: 1883, mqtts: 8883, https: 8443, alpn: None }
    }
}

impl Ports {
    /// Free ports, whichever they are.
    pub fn any() -> Self {
        Self { http_api: 0, endpoint: 0, mqtt: 0, mqtts: 0, https: 0, alpn: None }
    }
}

impl Config {
    /// The defaults, for a template.
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

/// As every AWS tool decides it, so that one shell serves both.
fn region() -> String {
    let set = |name| std::env::var(name).ok().filter(|value: &String| !value.is_empty());
    set("AWS_REGION").or_else(|| set("AWS_DEFAULT_REGION")).unwrap_or_else(|| "us-east-1".into())
}
