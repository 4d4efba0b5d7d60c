//! The audit trail of a command as the API and the progress events show it, which begins with its creation.

use domain::{AuditAction, AuditEntry, Command};
use serde::Serialize;

use crate::time_format;

/// One entry.
#[derive(Debug, Serialize)]
pub struct AuditView {
    at: String,
    action: &'static str,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    force: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    change: Option<String>,
    by: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
}

impl AuditView {
    /// The creation of a command, and its changes in the order of time.
    pub fn all(command: &Command) -> Vec<Self> {
        let created = Self {
            at: time_format::show(command.created_at),
            action: "CREATED",
            force: false,
            change: None,
            by: command.created_by.to_string(),
            why: None,
        };
        [created].into_iter().chain(command.audit.iter().map(Self::of)).collect()
    }

    /// One change.
    pub fn of(entry: &AuditEntry) -> Self {
        let change = if let AuditAction::Changed(what) = &entry.action { Some(what.clone()) } else { None };
        Self {
            at: time_format::show(entry.at),
            action: entry.action.as_str(),
            force: entry.action == AuditAction::Canceled { force: true },
            change,
            by: entry.by.to_string(),
            why: entry.why.clone(),
        }
    }
}
