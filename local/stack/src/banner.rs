//! The text after the start: addresses, and commands to paste.

use std::fmt::Write;
use std::path::PathBuf;

use local::gateway::sigv4::Credentials;
use local::stack::{Config, Stack};

/// The parts of the configuration that the text shows.
pub struct Options {
    certificates: PathBuf,
    state: Option<PathBuf>,
    authorize: bool,
    /// Whether the credentials are `test` and `test`: credentials of the environment are not printed.
    test_credentials: bool,
    region: String,
}

impl Options {
    pub fn of(config: &Config) -> Self {
        Self {
            certificates: config.certificates.clone(),
            state: config.state_dir.clone(),
            authorize: config.authorize,
            test_credentials: Credentials::from_environment().access_key == "test",
            region: config.region.clone(),
        }
    }
}

pub fn text(stack: &Stack, options: &Options) -> String {
    let mut text = String::from("\nTo paste in another terminal:\n\n");
    for (comment, line) in lines(stack, options) {
        let _ = writeln!(text, "  # {comment}\n  {line}\n");
    }
    // Last, so that the addresses stay in sight on a small terminal.
    text.push_str("Flaghoist is up, on this machine only. Ctrl-C ends it.\n\n");
    for (name, value) in places(stack, options) {
        let _ = writeln!(text, "  {name:<15} {value}");
    }
    text
}

fn places(stack: &Stack, options: &Options) -> Vec<(&'static str, String)> {
    let at = &stack.addresses;
    let ca = options.certificates.join("ca.pem");
    let mut places = vec![
        ("HTTP API", format!("http://{}", at.http_api)),
        ("AWS endpoint", format!("http://{}, with TLS https://{}", at.endpoint, at.https)),
        ("MQTT", format!("{}, with mutual TLS {}, signed wss://{}/mqtt", at.mqtt, at.mqtts, at.https)),
    ];
    if let Some(alpn) = at.alpn {
        places.push(("MQTT and HTTPS", format!("{alpn}, distinguished by ALPN")));
    }
    places.push(("authority", ca.display().to_string()));
    let tables: Vec<&str> = stack.template.tables.iter().map(|table| table.name.as_str()).collect();
    places.push(("tables", tables.join(", ")));
    let queues: Vec<&str> = stack.template.queues.iter().map(|queue| queue.name.as_str()).collect();
    places.push(("queues", queues.join(", ")));
    let state = options.state.as_ref().map_or_else(|| "in memory".into(), |path| path.display().to_string());
    places.push(("state", state));
    places.push((
        "who may call",
        if options.authorize {
            "signed requests, and devices with a certificate by its policies; on the MQTT port without TLS every program \
             of this machine"
        } else {
            "every program on this machine"
        }
        .into(),
    ));
    places
}

fn lines(stack: &Stack, options: &Options) -> Vec<(&'static str, String)> {
    let at = &stack.addresses;
    let Options { region, certificates, .. } = options;
    let (api, endpoint) = (at.http_api, at.endpoint);
    let mut shell =
        format!("export AWS_ENDPOINT_URL=http://{endpoint} AWS_REGION={region} AWS_DEFAULT_REGION={region}");
    if options.test_credentials {
        shell.push_str(" AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test");
    }
    let curl = if options.authorize {
        let user = "\"$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY\"";
        format!("curl -s --aws-sigv4 aws:amz:{region}:execute-api --user {user} http://{api}")
    } else {
        format!("curl -s http://{api}")
    };
    let port = if at.mqtt.port() == 1883 { String::new() } else { format!(" --port {}", at.mqtt.port()) };
    let outputs = &stack.template.outputs;
    let table = outputs.get("ExecutionsTableName").map_or("<table>", String::as_str);
    let queue = outputs.get("FailureQueueUrl").map_or("<queue>", String::as_str);
    let ca = certificates.join("ca.pem");
    vec![
        ("this shell talks to this stack", shell),
        ("a device, which answers until Ctrl-C", format!("cargo run --bin device -- --thing pump-7{port}")),
        (
            "a command to it, and how it ended",
            format!(
                "{curl}/commands -d '{{\"name\": \"reboot\", \"target\": {{\"things\": [\"pump-7\"]}}}}'\n  \
                 {curl}/things/pump-7/executions"
            ),
        ),
        (
            "the same, as it lies in the table; and what failed for good",
            format!(
                "aws dynamodb scan --table-name {table}\n  \
                 aws sqs receive-message --endpoint-url http://{endpoint} --queue-url {queue}"
            ),
        ),
        (
            "a thing, a certificate for it, and its device, with mutual TLS",
            format!(
                "aws iot create-thing --thing-name pump-8\n  \
                 aws iot create-keys-and-certificate --set-as-active \
                 --certificate-pem-outfile pump-8.pem --private-key-outfile pump-8.key\n  \
                 cargo run --bin device -- --thing pump-8 --host localhost --port {} --ca {} --cert pump-8.pem --key pump-8.key",
                at.mqtts.port(),
                ca.display()
            ),
        ),
        (
            "a message, and a shadow, whose trimmed form goes to things/pump-7/shadow/trimmed/update",
            "echo '{\"hello\": 1}' | aws iot-data publish --topic hello/pump-7 --qos 1 --payload fileb:///dev/stdin\n  \
             echo '{\"state\": {\"desired\": {\"on\": true}}}' | \
             aws iot-data update-thing-shadow --thing-name pump-7 --payload fileb:///dev/stdin /dev/stdout"
                .into(),
        ),
    ]
}
