//! A device's requests over HTTPS (`iot-jobs-data`).

use axum::Router;
use axum::extract::{Path, State};
use axum::http::HeaderName;
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::Jobs;
use super::device::{self, Answer, Describe, DocumentForm, StartNext, Update};
use super::error::Error;
use super::http::{self, Parameters};

const FORM: DocumentForm = DocumentForm::Text;

/// The routes of the API model.
pub(super) fn router(jobs: Jobs) -> Router {
    Router::new()
        .route("/things/{thingName}/jobs", get(get_pending))
        .route("/things/{thingName}/jobs/{jobId}", get(describe).post(update).put(start_next))
        .fallback(http::unknown)
        .method_not_allowed_fallback(http::unknown)
        .with_state(jobs)
}

async fn get_pending(State(jobs): State<Jobs>, Path(thing): Path<String>) -> Response {
    respond(jobs.transact(|transaction| device::get_pending(transaction, &thing)))
}

/// Its path has `$next` in place of a job's id, as it is or percent-encoded.
async fn start_next(
    State(jobs): State<Jobs>,
    Path((thing, job)): Path<(String, String)>,
    Parameters(request): Parameters<StartNext>,
) -> Response {
    if job != device::NEXT {
        return Error::unknown_operation("PUT of a job's execution is not an operation of Jobs").into_response();
    }
    respond(jobs.transact(|transaction| device::start_next(transaction, &thing, request, FORM)))
}

async fn describe(
    State(jobs): State<Jobs>,
    Path((thing, job)): Path<(String, String)>,
    Parameters(request): Parameters<Describe>,
) -> Response {
    respond(jobs.transact(|transaction| device::describe(transaction, &thing, &job, &request, FORM)))
}

async fn update(
    State(jobs): State<Jobs>,
    Path((thing, job)): Path<(String, String)>,
    Parameters(request): Parameters<Update>,
) -> Response {
    respond(jobs.transact(|transaction| device::update(transaction, &thing, &job, request, FORM)))
}

fn respond(answer: Answer) -> Response {
    match answer {
        Ok(body) => http::json(&body),
        Err(error) => {
            let (status, exception) = error.code.exception();
            let mut body = serde_json::json!({ "message": error.message });
            if let Some(state) = error.state {
                body["executionState"] = state;
            }
            (status, [(HeaderName::from_static("x-amzn-errortype"), exception)], http::json(&body)).into_response()
        }
    }
}
