//! Lambda's event source mappings: hand the messages of a queue, and the records of a table's stream, to functions.
//!
//! | module | holds |
//! |---|---|
//! | [`queue`] | from an SQS queue to a function: [`QueueMappings`] |
//! | [`stream`] | from a DynamoDB stream to a function: [`StreamMappings`] |

mod queue;
mod stream;

pub use queue::QueueMappings;
pub use stream::StreamMappings;

#[test]
#[ignore = "not a test: the scripted function of other tests"]
fn run_scripted_function_process() {
    local_lambda::testing::run_scripted_function();
}
