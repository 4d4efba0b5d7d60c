//! Where everything is, with lines to paste.

use std::fmt::Write;
use std::path::PathBuf;

use local::stack::{Config, Stack};

/// What the stack was asked for and does not tell itself.
pub struct Options {
    certificates: PathBuf,
    state: Option<PathBuf>,
    authorize: bool,
    region: String,
}

impl Options {
    /// Takes them from the configuration.
    pub fn of(config: &Config) -> Self {
        Self {
            certificates: config.certificates.clone(),
            state: config.state_dir.clone(),
            authorize: config.authorize,
            region: config.region.clone(),
        }
    }
}

/// The text.
pub fn text(stack: &Stack, options: &Options) -> String {
    let mut text = String::from("\nFlaghoist is up, on this machine only. Ctrl-C ends it.\n\n");
    for (name, value) in places(stack, options) {
        let _ = writeln!(text, "  {name:<15} {value}");
    }
    text.push_str("\nTo paste in another terminal:\n\n");
    for (comment, line) in lines(stack, options) {
        let _ = writeln!(text, "  # {comment}\n  {line}\n");
    }
    text
}

fn places(stack: &Stack, options: &Options) -> Vec<(&'static str, String)> {
    let at = &stack.addresses;
    let ca = options.certificates.join("ca.pem");
    let mut places = vec![
        ("HTTP API", format!("http://{}", at.http_api)),
        ("AWS endpoint", format!("http://{}, with TLS https://{}", at.endpoint, at.https)),
        ("MQTT", format!("{}, with mutual TLS {}", at.mqtt, at.mqtts)),
    ];
    if let Some(alpn) = at.alpn {
        places.push(("MQTT and HTTPS", format!("{alpn}, told apart by ALPN")));
    }
    places.push(("authority", ca.display().to_string()));
    let tables: Vec<&str> = stack.template.tables.iter().map(|table| table.name.as_str()).collect();
    places.push(("tables", tables.join(", ")));
    places.push(("failures", stack.template.queues.join(", ")));
    let state = options.state.as_ref().map_or_else(|| "in memory".into(), |path| path.display().to_string());
    places.push(("state", state));
    places.push((
        "who may call",
        if options.authorize { "signed requests, and devices by their policies" } else { "everybody on this machine" }
            .into(),
    ));
    places
}

fn lines(stack: &Stack, options: &Options) -> Vec<(&'static str, String)> {
    let at = &stack.addresses;
    let region = &options.region;
    let signed = if options.authorize {
        format!(" --aws-sigv4 aws:amz:{region}:execute-api --user \"$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY\"")
    } else {
        String::new()
    };
    let table = stack.template.tables.first().map_or("", |table| table.name.as_str());
    vec![
        (
            "this shell talks to this stack",
            format!(
                "export AWS_ENDPOINT_URL=http://{} AWS_REGION={region} AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test",
                at.endpoint
            ),
        ),
        ("a device, which answers until Ctrl-C", "cargo run -p device -- --thing pump-7".into()),
        (
            "a command to it, and how it ended",
            format!(
                "curl -s{signed} http://{}/commands -d '{{\"name\": \"reboot\", \"target\": {{\"things\": [\"pump-7\"]}}}}'\n  \
                 curl -s{signed} http://{}/things/pump-7/executions",
                at.http_api, at.http_api
            ),
        ),
        ("the same, as it lies in the table", format!("aws dynamodb scan --table-name {table}")),
        (
            "a thing, and a certificate for it",
            "aws iot create-thing --thing-name pump-7\n  \
             aws iot create-keys-and-certificate --set-as-active --certificate-pem-outfile pump-7.pem --private-key-outfile pump-7.key"
                .into(),
        ),
        (
            "a message, and a shadow",
            "aws iot-data publish --topic hello/pump-7 --qos 1 --payload fileb:///dev/stdin\n  \
             aws iot-data update-thing-shadow --thing-name pump-7 --cli-binary-format raw-in-base64-out \
             --payload '{\"state\": {\"desired\": {\"on\": true}}}' /dev/stdout"
                .into(),
        ),
    ]
}
