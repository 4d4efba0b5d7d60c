//! Carries out the actions of rules on the services of the stack.

use local_broker::Broker;
use local_lambda::Lambda;
use local_rules::ServiceCall;
use local_sqs::Sqs;

/// Carries out one action; the error says why it cannot be.
pub(super) fn perform(call: ServiceCall, broker: &Broker, lambda: &Lambda, sqs: &Sqs) -> Result<(), String> {
    match call {
        ServiceCall::Invoke { function_arn, event } => {
            lambda.invoke_event(&function_arn, event).map_err(|error| error.to_string())
        }
        ServiceCall::Publish(message) => broker.publish(message).map_err(|error| error.to_string()),
        ServiceCall::Send { queue_url, body } => {
            sqs.send(&queue_url, body).then_some(()).ok_or_else(|| "there is no such queue".to_owned())
        }
    }
}
