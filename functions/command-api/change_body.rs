//! The body of a pause, a resume or a cancel, which can be left out: why, and whether a cancel is forced.

use domain::AuditEntry;

use super::{fields::Fields, problem::Problem, request::Request};

/// A decoded body.
#[derive(Debug, Default)]
pub struct ChangeBody {
    /// Whether executions in progress are canceled too.
    pub force: bool,
    /// The operator's own words.
    pub why: Option<String>,
}

impl ChangeBody {
    /// Decodes the body of a pause or a resume.
    pub fn of_pause(request: &Request) -> Result<Self, Problem> {
        Self::decode(request, false)
    }

    /// Decodes the body of a cancel.
    pub fn of_cancel(request: &Request) -> Result<Self, Problem> {
        Self::decode(request, true)
    }

    fn decode(request: &Request, may_force: bool) -> Result<Self, Problem> {
        let body = request.body()?;
        let body = body.trim_ascii();
        if body.is_empty() {
            return Ok(Self::default());
        }
        let mut fields = Fields::of_body(body)?;
        let force = if may_force { fields.take("force", "true or false")? } else { None };
        let why = take_why(&mut fields)?;
        fields.refuse_unknown(if may_force { "force, why" } else { "why" })?;
        Ok(Self { force: force.unwrap_or(false), why })
    }
}

/// Takes the operator's own words.
pub fn take_why(fields: &mut Fields<'_>) -> Result<Option<String>, Problem> {
    let why: Option<String> = fields.take("why", "a text such as \"the valve in hall 3 sticks\"")?;
    Ok(why.map(|why| AuditEntry::parse_why(&why)).transpose()?)
}
