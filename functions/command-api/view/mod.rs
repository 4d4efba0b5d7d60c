//! Commands and executions as the API shows them: the JSON of the answers.

mod command;
mod execution;
mod parts;
mod progress;

pub use command::{CommandView, CreatedView, shadow_note};
pub use execution::{ExecutionList, ExecutionView};
