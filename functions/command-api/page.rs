//! The parameters of the reading routes: thing, page, `explain`.

use domain::{
    NewestFirst, Status, ThingName,
    fleet::{ExecutionPage, PagePosition},
};

use super::{problem::Problem, request::Request};

/// Executions in one page at most, and if the caller names no limit.
const MAX_PAGE_EXECUTIONS: u16 = 100;

/// A page of the executions on one thing.
#[derive(Debug)]
pub struct ThingPage {
    /// The thing.
    pub thing: ThingName,
    /// The last execution of the page before.
    pub after: Option<NewestFirst>,
    /// Executions in the page at most.
    pub limit: u16,
    /// Whether each execution is explained.
    pub explain: bool,
}

impl ThingPage {
    pub fn decode(thing: &str, request: &Request) -> Result<Self, Problem> {
        let [limit, token, explain] = request.query(["limit", "nextToken", "explain"])?;
        let explain = decode_explain(explain)?;
        let thing = decode_thing(thing)?;
        let limit = decode_limit(limit)?;
        let after = token.map(|token| NewestFirst::parse(token).ok_or_else(wrong_token)).transpose()?;
        Ok(Self { thing, after, limit, explain })
    }
}

/// Decodes the page of a command's executions, and whether each execution is explained.
pub fn decode_command_page(request: &Request) -> Result<(ExecutionPage, bool), Problem> {
    let [status, limit, token, explain] = request.query(["status", "limit", "nextToken", "explain"])?;
    let status = status.map(decode_status).transpose()?;
    let limit = decode_limit(limit)?.into();
    let from = match token {
        None => PagePosition::default(),
        Some(token) => PagePosition::parse(token).ok_or_else(wrong_token)?,
    };
    Ok((ExecutionPage { status, limit, from }, decode_explain(explain)?))
}

pub fn decode_thing(text: &str) -> Result<ThingName, Problem> {
    ThingName::parse(text).map_err(|error| Problem::bad_request("thing", error.to_string()))
}

pub fn decode_explain(parameter: Option<&str>) -> Result<bool, Problem> {
    match parameter {
        None | Some("false") => Ok(false),
        Some("" | "true") => Ok(true),
        Some(_) => Err(Problem::bad_request("explain", "explain must be true, false or without a value")),
    }
}

fn decode_status(text: &str) -> Result<Status, Problem> {
    Status::parse(text).map_err(|error| {
        let known = Status::ALL.iter().map(|status| status.as_str()).collect::<Vec<_>>().join(", ");
        Problem::bad_request("status", format!("{error}: it can be {known}"))
    })
}

fn decode_limit(parameter: Option<&str>) -> Result<u16, Problem> {
    let Some(text) = parameter else { return Ok(MAX_PAGE_EXECUTIONS) };
    let limit = text.parse().ok().filter(|limit| (1..=MAX_PAGE_EXECUTIONS).contains(limit));
    limit.ok_or_else(|| Problem::bad_request("limit", format!("limit must be 1 to {MAX_PAGE_EXECUTIONS}")))
}

fn wrong_token() -> Problem {
    Problem::bad_request("nextToken", "nextToken must be the nextToken of the page before")
}
