//! `AWS::SQS::Queue`, and event source mappings of queues to functions.

use super::error::TemplateError;
use super::names::ResourceKind;
use super::node::Node;
use super::resource::Resource;
use super::{EventSource, Function, Place, Queue, stream};

pub fn read(resource: &Resource) -> Result<Queue, TemplateError> {
    let properties = resource.properties();
    for unsupported in ["RedrivePolicy", "FifoQueue"] {
        if let Some(property) = properties.get(unsupported) {
            return Err(property.invalid("is not supported by the local stack"));
        }
    }
    let default = Queue::from(resource.name.clone());
    let seconds = |key, range, default: u32| -> Result<u32, TemplateError> {
        properties.get(key).map_or(Ok(default), |value| Ok(value.integer(range)? as u32))
    };
    Ok(Queue {
        visibility_s: seconds("VisibilityTimeout", 0..=43_200, default.visibility_s)?,
        delay_s: seconds("DelaySeconds", 0..=900, default.delay_s)?,
        retention_s: seconds("MessageRetentionPeriod", 60..=1_209_600, default.retention_s)?,
        name: default.name,
    })
}

/// Batches at a time without a `MaximumConcurrency`: what Lambda begins with.
const DEFAULT_CONCURRENCY: u64 = 5;

/// Reads an event of `Type: SQS`; `None` if it is disabled.
pub fn source(
    event: &Node<'_>,
    function: &Function,
    queues: &[Queue],
    place: &Place,
) -> Result<Option<EventSource>, TemplateError> {
    let arn = event.required("Queue")?;
    let queue_arn = arn.text()?;
    let has_arn =
        |queue: &&Queue| ResourceKind::Queue.attribute(&queue.name, "Arn", place).as_ref() == Some(&queue_arn);
    let queue = queues.iter().find(has_arn).ok_or_else(|| arn.invalid("is not the ARN of a queue of this template"))?;
    if queue.visibility_s < function.timeout_s {
        let Queue { name, visibility_s, .. } = queue;
        let timeout_s = function.timeout_s;
        return Err(arn.invalid(format!(
            "{name} has a VisibilityTimeout of {visibility_s} s, less than the function's timeout of {timeout_s} s"
        )));
    }
    let batch_size = event.get("BatchSize").map_or(Ok(10), |size| size.integer(1..=10_000))?;
    let window = event.get("MaximumBatchingWindowInSeconds").map_or(Ok(0), |window| window.integer(0..=300))?;
    if batch_size > 10 && window == 0 {
        return Err(event.invalid("a BatchSize of more than 10 requires a MaximumBatchingWindowInSeconds"));
    }
    let partial_failures = stream::partial_failures(event)?;
    let most = event.get("ScalingConfig").and_then(|scaling| scaling.get("MaximumConcurrency"));
    let max_concurrency = most.map_or(Ok(DEFAULT_CONCURRENCY), |most| most.integer(2..=1000))?;
    let enabled = event.get("Enabled").map_or(Ok(true), |enabled| enabled.boolean())?;
    Ok(enabled.then(|| EventSource {
        queue_arn: queue_arn.clone(),
        function_arn: function.arn.clone(),
        batch_size: batch_size as usize,
        partial_failures,
        max_concurrency: max_concurrency as usize,
    }))
}
