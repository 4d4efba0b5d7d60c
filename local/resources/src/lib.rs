//! The resources of a stack as plain data: what `template.yaml` declares, resolved, and what each service is started
//! with.
//!
//! The crate `local-template` reads them. The services take them from here, so that none of them needs YAML.
//!
//! | module | holds |
//! |---|---|
//! | [`function`] | `AWS::Serverless::Function` |
//! | [`topic_rule`] | `AWS::IoT::TopicRule` and its actions |
//! | [`iot_policy`] | `AWS::IoT::Policy` |
//! | [`table`] | `AWS::DynamoDB::Table` and its change stream |
//! | [`queue`] | `AWS::SQS::Queue`, and the mapping from a queue to a function |
//! | [`stream_source`] | the mapping from a table's change stream to a function |
//! | [`filter`] | event filter patterns of such a mapping |
//! | [`route`] | a route of the HTTP API |
//! | [`schedule`] | a schedule that invokes a function |
//! | [`place`] | the pseudo parameters: region, account, stack name, endpoint |

mod filter;
mod function;
mod iot_policy;
mod place;
mod queue;
mod route;
mod schedule;
mod stream_source;
mod table;
mod topic_rule;

pub use filter::{Pattern, PatternError};
pub use function::Function;
pub use iot_policy::IotPolicy;
pub use place::Place;
pub use queue::{EventSource, Queue};
pub use route::Route;
pub use schedule::Schedule;
pub use stream_source::StreamSource;
pub use table::{StreamView, Table, TableStream};
pub use topic_rule::{Action, TopicRule};
