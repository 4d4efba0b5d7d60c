//! The record: who did what, when and why, as commands, executions and events tell it.
//!
//! | file | holds |
//! |---|---|
//! | [`audit`] | who created, paused, resumed, canceled a command, and why |
//! | [`events`] | progress events and the counts in them |
//! | [`operator`] | an operator with a name |
//! | [`progress`] | what a device reports of its run |
//! | [`single_events`] | progress events of a command for one thing |
//! | [`stop`] | whether a device confirmed that it stopped |
//! | [`steps`] | the history of an execution: attempts, deliveries and verdicts that were shown |

mod audit;
mod events;
mod operator;
mod progress;
mod single_events;
mod steps;
mod stop;
