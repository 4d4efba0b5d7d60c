//! A route of the HTTP API.

/// An `HttpApi` event of a function.
#[derive(Clone, Debug)]
pub struct Route {
    /// HTTP method in upper case, or `ANY`.
    pub method: String,
    /// Path with `{parameters}`, as API Gateway writes them.
    pub path: String,
    /// ARN of the function that is invoked.
    pub function_arn: String,
    /// Whether the route requires IAM authorization.
    pub iam: bool,
}
