//! Fleet commands: create, estimate, read, pause, resume and cancel them, and change their rate.

mod change_rate;
mod control;
mod cost;
mod create;
mod dry_run;
mod executions;
mod members;
mod quota;
mod show;
mod unasked;

pub use change_rate::{ChangeRate, change_rate};
pub use control::{ChangeControl, change_control, change_control_of};
pub use create::create;
pub use executions::executions;
pub use show::show;
pub use unasked::unasked;
