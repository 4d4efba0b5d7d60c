//! The template's functions as the Lambda host runs them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use local_gateway::sigv4::Credentials;
use local_template::Template;

use super::{Addresses, Config, StackError};

/// The template's functions with their binaries, which are built if necessary.
pub(super) async fn functions(
    config: &Config,
    template: &Template,
    addresses: &Addresses,
    credentials: &Credentials,
) -> Result<Vec<local_lambda::Function>, StackError> {
    // The workspace that contains the template.
    let workspace = config.template.parent().filter(|folder| !folder.as_os_str().is_empty());
    let programs = config.programs.find(workspace.unwrap_or(Path::new(".")), &template.functions).await?;
    let added = environment(config, addresses, credentials);
    template.functions.iter().map(|function| host(function, &programs, &added)).collect()
}

fn host(
    function: &local_template::Function,
    programs: &BTreeMap<String, PathBuf>,
    added: &BTreeMap<String, String>,
) -> Result<local_lambda::Function, StackError> {
    let program = programs.get(&function.binary).cloned().ok_or_else(|| StackError::Program {
        function: function.logical_id.clone(),
        binary: function.binary.clone(),
        known: match programs.is_empty() {
            true => "none".to_owned(),
            false => programs.keys().map(String::as_str).collect::<Vec<_>>().join(", "),
        },
    })?;
    Ok(local_lambda::Function {
        name: function.name.clone(),
        arn: function.arn.clone(),
        program,
        memory_mb: function.memory_mb,
        timeout: Duration::from_secs(function.timeout_s.into()),
        environment: function.environment.clone(),
        added_environment: added.clone(),
        concurrency: function.reserved_concurrency,
        retries: function.retries,
        event_age: Duration::from_secs(function.event_age_s.into()),
        on_failure: function.on_failure.clone(),
    })
}

/// The environment variables that direct an AWS SDK to this stack; and for a clock that tests move, those that make
/// functions fast to start and independent of the machine's speed.
fn environment(config: &Config, addresses: &Addresses, credentials: &Credentials) -> BTreeMap<String, String> {
    let region = &config.region;
    let authority = config.certificates.join("ca.pem");
    let authority = std::path::absolute(&authority).unwrap_or(authority);
    let standing = [
        // While a function runs, such a clock stands still, however slow the machine is.
        ("EVENT_CLOCK_STANDS", "1".into()),
        ("CALL_TIMEOUT_FACTOR", "30".into()),
        // Tests start thousands of processes. Reading the machine's root certificates, more than a hundred, takes a
        // tenth of the CPU of a process in a test.
        ("SSL_CERT_FILE", authority.to_string_lossy().into_owned()),
    ];
    let standing = standing.into_iter().filter(|_| config.clock.stands());
    [
        ("AWS_ENDPOINT_URL", format!("http://{}", addresses.endpoint)),
        ("AWS_REGION", region.clone()),
        ("AWS_DEFAULT_REGION", region.clone()),
        ("AWS_ACCESS_KEY_ID", credentials.access_key.clone()),
        ("AWS_SECRET_ACCESS_KEY", credentials.secret_key.clone()),
        ("AWS_EC2_METADATA_DISABLED", "true".into()),
    ]
    .into_iter()
    .chain(standing)
    .map(|(name, value)| (name.to_owned(), value))
    .collect()
}
