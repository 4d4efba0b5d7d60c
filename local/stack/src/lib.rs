//! The same system on one machine: stands in for AWS and reads `template.yaml`, with no account and no Docker.
//!
//! Each service is a crate of its own, `local-<service>` in `local/<service>/`, named after the AWS service that it
//! stands for. This crate assembles them: [`stack::Stack`]. None of them contains anything specific to Flaghoist.
//!
//! | module | stands for |
//! |---|---|
//! | [`clock`] | time: one clock for every service, which tests move |
//! | [`template`] | CloudFormation and SAM: `template.yaml` as typed resources |
//! | [`resources`] | those resources as plain data |
//! | [`broker`] | the AWS IoT Core message broker: MQTT 3.1.1 and 5 |
//! | [`shadows`] | the Device Shadow service |
//! | [`data_plane`] | the `iot-data` HTTPS API |
//! | [`registry`] | the `iot` control plane: things, groups, certificates, policies |
//! | [`pki`] | the certificate authority, and TLS for the listeners |
//! | [`rules`] | the rules engine and its SQL |
//! | [`dynamodb`] | DynamoDB |
//! | [`streams`] | DynamoDB Streams |
//! | [`lambda`] | Lambda: the Runtime API host, asynchronous invokes, destinations |
//! | [`event_source`] | Lambda's event source mappings: from a queue or a stream to a function |
//! | [`http_api`] | API Gateway HTTP API |
//! | [`scheduler`] | EventBridge Scheduler |
//! | [`sqs`] | SQS: failed events and delayed messages |
//! | [`gateway`] | the one endpoint, `AWS_ENDPOINT_URL`, and its request signatures |
//! | [`faults`] | faults on demand: crashes, throttling, events twice and late |
//! | [`journal`] | the log of a run |
//! | [`stack`] | assembles all of them |
//! | [`open_files`] | raises the limit of open files |
//! | [`signals`] | waits for the signals that end the process |

pub use local_broker as broker;
pub use local_clock as clock;
pub use local_data_plane as data_plane;
pub use local_dynamodb as dynamodb;
pub use local_event_source as event_source;
pub use local_faults as faults;
pub use local_gateway as gateway;
pub use local_http_api as http_api;
pub use local_journal as journal;
pub use local_lambda as lambda;
pub use local_pki as pki;
pub use local_registry as registry;
pub use local_resources as resources;
pub use local_rules as rules;
pub use local_scheduler as scheduler;
pub use local_shadows as shadows;
pub use local_sqs as sqs;
pub use local_streams as streams;
pub use local_template as template;

pub mod open_files;
pub mod signals;
pub mod stack;
#[cfg(test)]
mod tests;
