//! One command on one thing: its row, and every change of it.

pub(crate) mod apply_report;
pub(crate) mod attempt_steps;
pub(crate) mod broadcast;
pub(crate) mod cancel;
pub(crate) mod change;
pub(crate) mod channel;
pub(crate) mod channel_check;
pub(crate) mod claim;
pub(crate) mod create;
pub(crate) mod creator;
pub(crate) mod creator_token;
pub(crate) mod current_steps;
pub(crate) mod deadlines;
pub(crate) mod due_entry;
pub(crate) mod due_index;
pub(crate) mod explain;
pub(crate) mod finish;
#[cfg(test)]
pub(crate) mod fixtures;
pub(crate) mod history;
pub(crate) mod interim_report;
pub(crate) mod key;
pub(crate) mod lane;
pub(crate) mod newest_first;
pub(crate) mod next_action;
pub(crate) mod online;
pub(crate) mod progress;
pub(crate) mod reason_code;
pub(crate) mod reroute;
pub(crate) mod retry;
pub(crate) mod row;
pub(crate) mod send;
pub(crate) mod shadow_expiry;
pub(crate) mod timeline;
pub(crate) mod transition;
pub(crate) mod verdict;
