//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use local::stack::{Config, Ports, Programs};
use tracing_subscriber::filter::Targets;

/// Flaghoist on one machine: stands in for AWS, reads template.yaml, needs no account and no Docker.
///
/// Without a command it serves until Ctrl-C, and prints where everything is.
#[derive(Parser)]
#[command(name = "local", version, args_conflicts_with_subcommands = true)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Option<Command>,
    /// What to log to stderr: a level (error, warn, info, debug, trace), or directives such as
    /// `warn,local_broker=debug`. The default leaves out what the database engine says of each condition that fails.
    #[arg(long, global = true, value_name = "FILTER", env = "FLAGHOIST_LOG", default_value = "info,dynoxide=error")]
    pub log: Targets,
    #[command(flatten)]
    pub serve: Serve,
}

#[derive(Subcommand)]
pub enum Command {
    /// Serve until Ctrl-C (what happens without a command).
    Serve(Serve),
    /// The demo is a program of its own: `cargo run --bin demo`.
    #[command(hide = true)]
    Demo {
        /// Any arguments: none of them is read.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        _arguments: Vec<String>,
    },
}

#[derive(Args)]
pub struct Serve {
    /// The template to run. The functions are built from the workspace that contains it.
    #[arg(long, value_name = "FILE", default_value = "template.yaml", env = "FLAGHOIST_TEMPLATE")]
    template: PathBuf,
    /// Run the functions that lie in this directory as `sam build` leaves them (.aws-sam/build) [default: cargo builds
    /// them].
    #[arg(long, value_name = "DIR", env = "FLAGHOIST_FUNCTIONS")]
    functions: Option<PathBuf>,
    /// A parameter of the template, over its default; may be given several times.
    #[arg(long = "parameter", value_name = "NAME=VALUE", value_parser = parameter)]
    parameters: Vec<(String, String)>,
    /// Keep tables, shadows, registry, retained messages and persistent sessions in this directory [default: in memory].
    #[arg(long, value_name = "DIR", env = "FLAGHOIST_STATE")]
    state: Option<PathBuf>,
    /// Directory of the certificate authority (`ca.pem` is the root certificate for devices); created if it is missing.
    #[arg(long, value_name = "DIR", default_value = ".local", env = "FLAGHOIST_CERTIFICATES")]
    certificates: PathBuf,
    /// Require signed requests (with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or `test` and `test`), and hold
    /// devices to the IoT policies of their certificates.
    #[arg(long)]
    authorize: bool,
    /// AWS region of the stack [default: us-east-1].
    #[arg(long, value_name = "REGION", env = "AWS_REGION")]
    region: Option<String>,
    #[command(flatten)]
    ports: PortArgs,
}

/// All on 127.0.0.1; 0 takes any free port.
#[derive(Args)]
#[command(next_help_heading = "Ports, all on 127.0.0.1 (0 takes any free port)")]
struct PortArgs {
    /// The HTTP API.
    #[arg(long, value_name = "PORT", default_value_t = Ports::default().http_api)]
    http_port: u16,
    /// The AWS endpoint: AWS_ENDPOINT_URL.
    #[arg(long, value_name = "PORT", default_value_t = Ports::default().endpoint)]
    endpoint_port: u16,
    /// MQTT without TLS.
    #[arg(long, value_name = "PORT", default_value_t = Ports::default().mqtt)]
    mqtt_port: u16,
    /// MQTT with mutual TLS.
    #[arg(long, value_name = "PORT", default_value_t = Ports::default().mqtts)]
    mqtts_port: u16,
    /// The AWS endpoint with TLS.
    #[arg(long, value_name = "PORT", default_value_t = Ports::default().https)]
    https_port: u16,
    /// Also serve MQTT and HTTPS on one port, distinguished by ALPN, as AWS does on 443: unmodified device programs use
    /// it.
    #[arg(long, value_name = "PORT", num_args = 0..=1, default_missing_value = "443")]
    port_443: Option<u16>,
}

impl Serve {
    /// The configuration that these options give.
    pub fn config(self) -> Config {
        let mut config = Config::new(self.template);
        if let Some(region) = self.region {
            config.region = region;
        }
        let ports = self.ports;
        Config {
            programs: self.functions.map_or(Programs::Build, Programs::Folder),
            parameters: self.parameters.into_iter().collect(),
            ports: Ports {
                http_api: ports.http_port,
                endpoint: ports.endpoint_port,
                mqtt: ports.mqtt_port,
                mqtts: ports.mqtts_port,
                https: ports.https_port,
                alpn: ports.port_443,
            },
            state_dir: self.state,
            certificates: self.certificates,
            authorize: self.authorize,
            ..config
        }
    }
}

fn parameter(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("expected NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn port_443_is_the_default_of_its_option() {
        let ports = |args: &[&str]| Cli::try_parse_from(args).expect("parses").serve.config().ports;
        assert_eq!(ports(&["local"]).alpn, None);
        assert_eq!(ports(&["local", "--port-443"]).alpn, Some(443));
        assert_eq!(ports(&["local", "--port-443", "9443"]).alpn, Some(9443));
    }

    #[test]
    fn parameter_without_a_value_is_refused() {
        assert!(Cli::try_parse_from(["local", "--parameter", "TrimKeep"]).is_err());
        let cli = Cli::try_parse_from(["local", "--parameter", "TrimKeep=a=b"]).expect("parses");
        assert_eq!(cli.serve.config().parameters.get("TrimKeep").map(String::as_str), Some("a=b"));
    }
}
