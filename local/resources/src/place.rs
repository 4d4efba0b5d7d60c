//! The pseudo parameters of a stack.

/// The pseudo parameters of a stack, and the endpoint that queue URLs begin with.
#[derive(Clone, Debug)]
pub struct Place {
    /// `AWS::Region`.
    pub region: String,
    /// `AWS::AccountId`.
    pub account: String,
    /// `AWS::StackName`.
    pub stack_name: String,
    /// Base address of the gateway, such as `http://127.0.0.1:4566`.
    pub endpoint: String,
}
