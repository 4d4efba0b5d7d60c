//! Method and path of each operation of the control plane; the paths are those of the `iot` API model.

use axum::Router;
use axum::routing::MethodFilter;

use super::http::{operation, unknown};
use super::{Jobs, cancel, create, events, executions, manage};

pub(super) fn router(jobs: Jobs) -> Router {
    const GET: MethodFilter = MethodFilter::GET;
    const POST: MethodFilter = MethodFilter::POST;
    const PUT: MethodFilter = MethodFilter::PUT;
    const PATCH: MethodFilter = MethodFilter::PATCH;
    const DELETE: MethodFilter = MethodFilter::DELETE;
    Router::new()
        .route("/jobs", operation(GET, manage::list_jobs))
        .route("/jobs/{jobId}", operation(PUT, create::create_job))
        .route("/jobs/{jobId}", operation(GET, manage::describe_job))
        .route("/jobs/{jobId}", operation(PATCH, manage::update_job))
        .route("/jobs/{jobId}", operation(DELETE, cancel::delete))
        .route("/jobs/{jobId}/cancel", operation(PUT, cancel::cancel))
        .route("/jobs/{jobId}/job-document", operation(GET, manage::get_document))
        .route("/jobs/{jobId}/targets", operation(POST, create::associate))
        .route("/jobs/{jobId}/things", operation(GET, executions::list_for_job))
        .route("/things/{thingName}/jobs", operation(GET, executions::list_for_thing))
        .route("/things/{thingName}/jobs/{jobId}", operation(GET, executions::describe))
        .route("/things/{thingName}/jobs/{jobId}/cancel", operation(PUT, executions::cancel))
        .route(
            "/things/{thingName}/jobs/{jobId}/executionNumber/{executionNumber}",
            operation(DELETE, executions::delete),
        )
        .route("/event-configurations", operation(GET, events::describe))
        .route("/event-configurations", operation(PATCH, events::update))
        .fallback(unknown)
        .method_not_allowed_fallback(unknown)
        .with_state(jobs)
}
