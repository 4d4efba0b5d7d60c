//! How AWS is reached: the environment's Region, credentials and endpoints, and no patience beyond a function's own.

use std::{sync::OnceLock, time::Duration};

use aws_config::{BehaviorVersion, SdkConfig, retry::RetryConfig, timeout::TimeoutConfig};

use crate::{Commands, Executions, Lanes, Messages, Queue, Shadows};

/// What every client is made from. Made once, when a function starts.
#[derive(Debug)]
pub struct Connection {
    config: SdkConfig,
    // One for all tables, one for everything else: what it connects to is the same, and a connection costs a cold start its time.
    dynamodb: OnceLock<aws_sdk_dynamodb::Client>,
    iot: OnceLock<aws_sdk_iotdataplane::Client>,
}

impl Connection {
    /// The connection that the environment describes.
    pub async fn from_env() -> Self {
        // Short, and one retry only: whoever called waits, and whoever can't wait is retried by Lambda.
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(Duration::from_secs(2))
            .operation_attempt_timeout(Duration::from_secs(4))
            .operation_timeout(Duration::from_secs(9))
            .build();
        let config = aws_config::defaults(BehaviorVersion::v2026_01_12())
            .retry_config(RetryConfig::standard().with_max_attempts(2))
            .timeout_config(timeouts)
            .load()
            .await;
        Self { config, dynamodb: OnceLock::new(), iot: OnceLock::new() }
    }

    fn dynamodb(&self) -> aws_sdk_dynamodb::Client {
        self.dynamodb.get_or_init(|| aws_sdk_dynamodb::Client::new(&self.config)).clone()
    }

    /// The table of commands.
    pub fn commands(&self, table: String) -> Commands {
        Commands::new(self.dynamodb(), table)
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
        Queue::new(aws_sdk_sqs::Client::new(&self.config), url)
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
            let config = aws_sdk_iotdataplane::config::Builder::from(&self.config)
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
