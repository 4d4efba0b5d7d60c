//! The record: who did what, when and why, as commands, executions and events tell it.
//!
//! | file | holds |
//! |---|---|
//! | [`audit`] | who created, paused, resumed, canceled a command, and why |
//! | [`operator`] | an operator with a name |

mod audit;
mod operator;
