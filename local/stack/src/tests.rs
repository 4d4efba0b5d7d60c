//! Tests of services together, behind the endpoint.

mod faults;
mod jobs;
mod settling;

#[test]
#[ignore = "not a test: the scripted function of other tests"]
fn run_scripted_function_process() {
    local_lambda::testing::run_scripted_function();
}
