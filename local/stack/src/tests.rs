//! Tests of services together, behind the endpoint.

mod faults;

#[test]
#[ignore = "not a test: the scripted function of other tests"]
fn plays_the_scripted_function() {
    local_lambda::testing::play();
}
