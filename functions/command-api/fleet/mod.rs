//! Commands for many things: asked for, shown, and changed.

mod body;
mod change;
mod create;
mod dry_run;
mod executions;
mod members;
mod show;

pub use body::{FleetBody, Names};
pub use change::{Change, change, control};
pub use create::create;
pub use executions::{ExecutionsPage, executions};
pub use show::show;
