//! The connection to AWS: Region, credentials and endpoints from the environment, and timeouts that fit into a
//! function's own.

use std::{sync::OnceLock, time::Duration};

use aws_config::{
    BehaviorVersion, Region, SdkConfig, environment::EnvironmentVariableCredentialsProvider, retry::RetryConfig,
    timeout::TimeoutConfig,
};
use aws_sdk_dynamodb::config::{
    HttpClient, IdentityCache, SharedHttpClient,
    retry::{RetryPartition, TokenBucket},
};
use aws_smithy_http_client::{
    Builder,
    tls::{Provider, rustls_provider::CryptoMode},
};

use domain::DueShards;

use crate::{
    commands::Commands, counts::CountsTable, executions::Executions, fleets::Fleets, lanes::Lanes, messages::Messages,
    queue::Queue, raw_requests::RawRequestsTable, registry::Registry, shadows::Shadows,
    unusable_reports::UnusableReportsTable,
};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// The time of one try to send messages to a queue. There are two.
const SQS_TIMEOUT: Duration = Duration::from_secs(1);

/// Makes all clients. A function makes it once, when it starts.
#[derive(Debug)]
pub struct Connection {
    config: SdkConfig,
    /// The factor by which timeouts are longer than usual.
    timeout_factor: u32,
    /// The retry quota of the clients, if they must not use the one that all clients of a process share.
    quota: Option<RetryPartition>,
    // Shared by the clients of the same service: each further connection would lengthen the cold start.
    dynamodb: OnceLock<aws_sdk_dynamodb::Client>,
    iot: OnceLock<aws_sdk_iotdataplane::Client>,
    sqs: OnceLock<aws_sdk_sqs::Client>,
}

impl Connection {
    /// The connection that the environment describes. Timeouts are longer than usual by the factor: 1 on AWS.
    ///
    /// Credentials are those of the environment, where Lambda puts a function's. The default chain of providers would
    /// make a client of STS in each cold start.
    pub async fn from_env(timeout_factor: u32) -> Self {
        let timeouts = timeouts(timeout_factor);
        let config = aws_config::defaults(version())
            .http_client(https_client())
            .credentials_provider(EnvironmentVariableCredentialsProvider::new())
            .retry_config(retries())
            .timeout_config(timeouts)
            .load()
            .await;
        Self {
            config,
            timeout_factor,
            quota: None,
            dynamodb: OnceLock::new(),
            iot: OnceLock::new(),
            sqs: OnceLock::new(),
        }
    }

    /// A connection over this HTTP client only, for a test that simulates the network: nothing of the environment is
    /// read, requests are not signed, and failures on other connections do not reduce its retries.
    pub fn over(client: impl HttpClient + 'static) -> Self {
        let config = SdkConfig::builder()
            .behavior_version(version())
            .region(Region::from_static("us-east-1"))
            .http_client(client)
            .identity_cache(IdentityCache::no_cache())
            .retry_config(retries())
            .timeout_config(timeouts(1))
            .build();
        let quota = RetryPartition::custom("test").token_bucket(TokenBucket::unlimited()).build();
        Self {
            config,
            timeout_factor: 1,
            quota: Some(quota),
            dynamodb: OnceLock::new(),
            iot: OnceLock::new(),
            sqs: OnceLock::new(),
        }
    }

    fn dynamodb(&self) -> aws_sdk_dynamodb::Client {
        let client = || {
            let mut config = aws_sdk_dynamodb::config::Builder::from(&self.config);
            if let Some(quota) = &self.quota {
                config = config.retry_partition(quota.clone()).allow_no_auth();
            }
            aws_sdk_dynamodb::Client::from_conf(config.build())
        };
        self.dynamodb.get_or_init(client).clone()
    }

    /// The commands in the table of commands.
    pub fn commands(&self, table: String) -> Commands {
        Commands::new(self.dynamodb(), table)
    }

    /// The plans, batches and lists of names in the table of commands.
    pub fn fleets(&self, table: String) -> Fleets {
        Fleets::new(self.dynamodb(), table)
    }

    /// The counts in the table of commands.
    pub fn counts(&self, table: String) -> CountsTable {
        CountsTable::new(self.dynamodb(), table)
    }

    /// The executions in the table of executions, whose due index has these shards.
    pub fn executions(&self, table: String, shards: DueShards) -> Executions {
        Executions::new(self.dynamodb(), table, shards)
    }

    /// The lanes in the table of executions.
    pub fn lanes(&self, table: String) -> Lanes {
        Lanes::new(self.dynamodb(), table)
    }

    /// The raw requests in the table of executions.
    pub fn raw_requests(&self, table: String) -> RawRequestsTable {
        RawRequestsTable::new(self.dynamodb(), table)
    }

    /// The unusable reports in the table of executions.
    pub fn unusable_reports(&self, table: String) -> UnusableReportsTable {
        UnusableReportsTable::new(self.dynamodb(), table)
    }

    /// The SQS queue with this URL.
    pub fn queue(&self, url: String) -> Queue {
        Queue::new(self.sqs(), url)
    }

    fn sqs(&self) -> aws_sdk_sqs::Client {
        let client = || {
            let mut config = aws_sdk_sqs::config::Builder::from(&self.config);
            if let Some(quota) = &self.quota {
                config = config.retry_partition(quota.clone()).allow_no_auth();
            }
            // Most messages are wakes, sent by a caller that has other work to do, and the next tick stands in for one
            // that is not sent.
            let timeouts = TimeoutConfig::builder()
                .connect_timeout(SQS_TIMEOUT * self.timeout_factor)
                .operation_attempt_timeout(SQS_TIMEOUT * self.timeout_factor)
                .operation_timeout(SQS_TIMEOUT * 2 * self.timeout_factor)
                .build();
            aws_sdk_sqs::Client::from_conf(config.timeout_config(timeouts).build())
        };
        self.sqs.get_or_init(client).clone()
    }

    /// The registry of things.
    pub fn registry(&self) -> Registry {
        Registry::new(&self.config, self.quota.as_ref())
    }

    /// The messages to devices.
    pub fn messages(&self) -> Messages {
        Messages::new(self.iot())
    }

    /// The device shadows.
    pub fn shadows(&self) -> Shadows {
        Shadows::new(self.iot())
    }

    fn iot(&self) -> aws_sdk_iotdataplane::Client {
        let client = || {
            let mut config = aws_sdk_iotdataplane::config::Builder::from(&self.config);
            if self.quota.is_some() {
                config = config.allow_no_auth();
            }
            let config = config
                // A message that may have been sent is not sent again: a device that does not recognize it would run it
                // twice.
                .retry_config(RetryConfig::disabled())
                .timeout_config(
                    TimeoutConfig::builder()
                        .connect_timeout(CONNECT_TIMEOUT * self.timeout_factor)
                        .operation_attempt_timeout(Messages::MAX_SEND_TIME * self.timeout_factor)
                        .operation_timeout(Messages::MAX_SEND_TIME * self.timeout_factor)
                        .build(),
                )
                .build();
            aws_sdk_iotdataplane::Client::from_conf(config)
        };
        self.iot.get_or_init(client).clone()
    }
}

/// The client of all connections. Its TLS is that of ring, which builds in a seventh of the time of the SDK's default,
/// aws-lc, and does not gather entropy for 33 ms at the first handshake of a process.
fn https_client() -> SharedHttpClient {
    Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https()
}

fn version() -> BehaviorVersion {
    BehaviorVersion::v2026_01_12()
}

/// Short timeouts: a caller of the API waits for the answer, and Lambda retries every other event. An operation that is
/// not answered ends within its second attempt, so slowness makes no more than two calls of one.
fn timeouts(factor: u32) -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT * factor)
        .operation_attempt_timeout(Duration::from_secs(4) * factor)
        .operation_timeout(Duration::from_secs(8) * factor)
        .build()
}

/// Three retries: a throttle is answered at once, and an event whose handling fails three times is lost. With one retry,
/// one report in two hundred would be, while DynamoDB throttles three calls in ten. The SDK retries less where most calls
/// of a process fail.
fn retries() -> RetryConfig {
    RetryConfig::standard().with_max_attempts(4).with_initial_backoff(Duration::from_millis(200))
}
