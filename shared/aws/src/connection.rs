//! How AWS is reached: the environment's Region, credentials and endpoints, and no patience beyond a function's own.

use std::{sync::OnceLock, time::Duration};

use aws_config::{BehaviorVersion, Region, SdkConfig, retry::RetryConfig, timeout::TimeoutConfig};
use aws_sdk_dynamodb::config::{
    HttpClient, IdentityCache,
    retry::{RetryPartition, TokenBucket},
};

use crate::{Commands, Executions, Fleets, Lanes, Messages, Queue, Registry, Shadows, Tallies};

/// What every client is made from. Made once, when a function starts.
#[derive(Debug)]
pub struct Connection {
    config: SdkConfig,
    /// Where not every client of the process shares one retry quota.
    quota: Option<RetryPartition>,
    // One for all tables, one for everything else: what it connects to is the same, and a connection costs a cold start its time.
    dynamodb: OnceLock<aws_sdk_dynamodb::Client>,
    iot: OnceLock<aws_sdk_iotdataplane::Client>,
}

impl Connection {
    /// The connection that the environment describes.
    pub async fn from_env() -> Self {
        let config = aws_config::defaults(version()).retry_config(retries()).timeout_config(timeouts()).load().await;
        Self { config, quota: None, dynamodb: OnceLock::new(), iot: OnceLock::new() }
    }

    /// A connection over this client and to nothing else: nothing of the environment is read, nothing is signed, and what
    /// others failed at does not count against its retries. For tests that are the network themselves.
    pub fn over(client: impl HttpClient + 'static) -> Self {
        let config = SdkConfig::builder()
            .behavior_version(version())
            .region(Region::from_static("us-east-1"))
            .http_client(client)
            .identity_cache(IdentityCache::no_cache())
            .retry_config(retries())
            .timeout_config(timeouts())
            .build();
        let quota = RetryPartition::custom("test").token_bucket(TokenBucket::unlimited()).build();
        Self { config, quota: Some(quota), dynamodb: OnceLock::new(), iot: OnceLock::new() }
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

    /// The table of commands.
    pub fn commands(&self, table: String) -> Commands {
        Commands::new(self.dynamodb(), table)
    }

    /// Plans and batches, which are in the table of commands.
    pub fn fleets(&self, table: String) -> Fleets {
        Fleets::new(self.dynamodb(), table)
    }

    /// The counts of fleet commands, which are in the table of commands.
    pub fn tallies(&self, table: String) -> Tallies {
        Tallies::new(self.dynamodb(), table)
    }

    /// The table of executions.
    pub fn executions(&self, table: String) -> Executions {
        Executions::new(self.dynamodb(), table)
    }

    /// The lanes, which are in the table of executions.
    pub fn lanes(&self, table: String) -> Lanes {
        Lanes::new(self.dynamodb(), table)
    }

    /// The queue with this URL.
    pub fn queue(&self, url: String) -> Queue {
        let mut config = aws_sdk_sqs::config::Builder::from(&self.config);
        if let Some(quota) = &self.quota {
            config = config.retry_partition(quota.clone()).allow_no_auth();
        }
        Queue::new(aws_sdk_sqs::Client::from_conf(config.build()), url)
    }

    /// The registry of things.
    pub fn registry(&self) -> Registry {
        let mut config = aws_sdk_iot::config::Builder::from(&self.config);
        if let Some(quota) = &self.quota {
            config = config.retry_partition(quota.clone()).allow_no_auth();
        }
        Registry::new(aws_sdk_iot::Client::from_conf(config.build()))
    }

    /// The messages to devices.
    pub fn messages(&self) -> Messages {
        Messages::new(self.iot())
    }

    /// The shadows.
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
                // What may have gone out is not sent again: a device that can't tell would act twice.
                .retry_config(RetryConfig::disabled())
                .timeout_config(
                    TimeoutConfig::builder()
                        .connect_timeout(Duration::from_secs(2))
                        .operation_attempt_timeout(Messages::PATIENCE)
                        .operation_timeout(Messages::PATIENCE)
                        .build(),
                )
                .build();
            aws_sdk_iotdataplane::Client::from_conf(config)
        };
        self.iot.get_or_init(client).clone()
    }
}

fn version() -> BehaviorVersion {
    BehaviorVersion::v2026_01_12()
}

/// Short, and one retry only: whoever called waits, and whoever can't wait is retried by Lambda.
fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(2))
        .operation_attempt_timeout(Duration::from_secs(4))
        .operation_timeout(Duration::from_secs(9))
        .build()
}

fn retries() -> RetryConfig {
    RetryConfig::standard().with_max_attempts(2)
}
