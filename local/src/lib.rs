//! The same system on one machine: stands in for AWS and reads `template.yaml`, with no account and no Docker.
//!
//! # Layout
//!
//! Every part is named after the AWS service that it stands for, and none of them knows anything of Flaghoist.
//!
//! | module | stands for |
//! |---|---|
//! | [`clock`] | time itself: one clock for everything, which tests move |
//! | [`template`] | CloudFormation and SAM: `template.yaml` as typed resources |
//! | [`broker`] | the AWS IoT Core message broker: MQTT 3.1.1 and 5 |
//! | [`shadows`] | the Device Shadow service |
//! | [`data_plane`] | the `iot-data` HTTPS API |
//! | [`registry`] | the `iot` control plane: things, groups, certificates, policies |
//! | [`pki`] | the certificate authority, and TLS for the listeners |
//! | [`rules`] | the rules engine and its SQL |
//! | [`dynamodb`] | DynamoDB |
//! | [`lambda`] | Lambda: the Runtime API host, asynchronous invokes, destinations |
//! | [`event_source`] | Lambda's event source mappings: from a queue to a function |
//! | [`streams`] | DynamoDB Streams, and the event source mappings that read them |
//! | [`http_api`] | API Gateway HTTP API |
//! | [`scheduler`] | EventBridge Scheduler |
//! | [`sqs`] | SQS: what failed ends here, and what is for later waits here |
//! | [`gateway`] | the one endpoint, `AWS_ENDPOINT_URL`, and its request signatures |
//! | [`faults`] | what is to go wrong: crashes, throttling, events twice and late |
//! | [`journal`] | the log of a run |
//! | [`stack`] | puts it all together |
//! | [`demo`] | the main job on show |
//! | [`signals`] | when the process is asked to end |

pub mod broker;
pub mod clock;
pub mod data_plane;
pub mod demo;
pub mod dynamodb;
pub mod event_source;
pub mod faults;
pub mod gateway;
pub mod http_api;
pub mod journal;
pub mod lambda;
pub mod pki;
pub mod registry;
pub mod rules;
pub mod scheduler;
pub mod shadows;
pub mod signals;
pub mod sqs;
pub mod stack;
pub mod streams;
pub mod template;
