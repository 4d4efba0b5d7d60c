//! Change streams of tables, and event source mappings of streams to functions.

use super::error::TemplateError;
use super::names::ResourceKind;
use super::node::Node;
use super::{Function, Pattern, Place, Queue, StreamSource, StreamView, Table, TableStream};

/// Maximum filters of an event source mapping (Lambda quotas).
const MAX_FILTERS: usize = 5;

/// Reads the `StreamSpecification` of a table.
pub fn of_table(specification: &Node<'_>, table: &str, place: &Place) -> Result<TableStream, TemplateError> {
    let view = specification.required("StreamViewType")?;
    let name = view.text()?;
    let known = StreamView::ALL.into_iter().find(|view| view.name() == name);
    let all = StreamView::ALL.map(StreamView::name).join(", ");
    Ok(TableStream {
        arn: ResourceKind::Table.attribute(table, "StreamArn", place).unwrap_or_default(),
        view: known.ok_or_else(|| view.invalid(format!("{name} is not one of {all}")))?,
    })
}

/// Reads an event of `Type: DynamoDB`; `None` if it is disabled.
pub fn source(
    event: &Node<'_>,
    function: &Function,
    tables: &[Table],
    queues: &[Queue],
    place: &Place,
) -> Result<Option<StreamSource>, TemplateError> {
    let stream = event.required("Stream")?;
    let stream_arn = stream.text()?;
    if !tables.iter().filter_map(|table| table.stream.as_ref()).any(|stream| stream.arn == stream_arn) {
        return Err(stream.invalid("is not the stream of a table of this template that has a StreamSpecification"));
    }
    let number = |key, range, default| event.get(key).map_or(Ok(default), |value: Node<'_>| value.integer(range));
    let position = event.required("StartingPosition")?;
    let from_the_oldest = match position.text()?.as_str() {
        "TRIM_HORIZON" => true,
        "LATEST" => false,
        other => return Err(position.invalid(format!("{other} is not one of TRIM_HORIZON, LATEST"))),
    };
    let flag = |key, default| event.get(key).map_or(Ok(default), |value: Node<'_>| value.boolean());
    let source = StreamSource {
        stream_arn,
        function_arn: function.arn.clone(),
        from_the_oldest,
        batch_size: number("BatchSize", 1..=10_000, 100)? as usize,
        window_s: number("MaximumBatchingWindowInSeconds", 0..=300, 0)? as u32,
        retries: limit(event, "MaximumRetryAttempts", 0, 10_000)?,
        record_age_s: limit(event, "MaximumRecordAgeInSeconds", 60, 604_800)?,
        bisect: flag("BisectBatchOnFunctionError", false)?,
        parallel: number("ParallelizationFactor", 1..=10, 1)?,
        partial_failures: partial_failures(event)?,
        on_failure: destination(event, queues, place)?,
        tumbling_s: Some(number("TumblingWindowInSeconds", 0..=900, 0)? as u32).filter(|seconds| *seconds > 0),
        filters: filters(event)?,
    };
    if let Some(window) = event.get("TumblingWindowInSeconds").filter(|_| source.parallel > 1) {
        return Err(window.invalid("is not supported by the local stack with a ParallelizationFactor of more than 1"));
    }
    Ok(flag("Enabled", true)?.then_some(source))
}

/// Reads an optional limit; -1 and absence mean no limit.
fn limit(event: &Node<'_>, key: &str, min: u64, max: u64) -> Result<Option<u32>, TemplateError> {
    match event.get(key) {
        None => Ok(None),
        Some(value) if value.text().is_ok_and(|text| text == "-1") => Ok(None),
        Some(value) => {
            let number = value.integer(min..=max);
            let error = || value.invalid(format!("must be -1 (no limit) or a whole number from {min} to {max}"));
            number.map(|number| Some(number as u32)).map_err(|_| error())
        }
    }
}

/// Whether the function returns the failed items of a batch (`ReportBatchItemFailures`).
pub(super) fn partial_failures(event: &Node<'_>) -> Result<bool, TemplateError> {
    let types = event.get("FunctionResponseTypes").map_or(Ok(Vec::new()), |types| types.items())?;
    match types.iter().find(|kind| kind.value != "ReportBatchItemFailures") {
        Some(other) => Err(other.invalid("must be ReportBatchItemFailures")),
        None => Ok(!types.is_empty()),
    }
}

fn destination(event: &Node<'_>, queues: &[Queue], place: &Place) -> Result<Option<String>, TemplateError> {
    let Some(destination) = event.find(&["DestinationConfig", "OnFailure"]) else { return Ok(None) };
    if let Some(kind) = destination.get("Type").filter(|kind| kind.value != "SQS") {
        return Err(kind.invalid("only SQS is supported by the local stack"));
    }
    let queue = destination.required("Destination")?;
    let arn = queue.text()?;
    let known =
        queues.iter().any(|queue| ResourceKind::Queue.attribute(&queue.name, "Arn", place).as_ref() == Some(&arn));
    if known { Ok(Some(arn)) } else { Err(queue.invalid("is not the ARN of a queue of this template")) }
}

fn filters(event: &Node<'_>) -> Result<Vec<Pattern>, TemplateError> {
    let Some(filters) = event.find(&["FilterCriteria", "Filters"]) else { return Ok(Vec::new()) };
    let items = filters.items()?;
    if items.len() > MAX_FILTERS {
        return Err(filters.invalid(format!("has {} filters; the maximum is {MAX_FILTERS}", items.len())));
    }
    let pattern = |filter: &Node<'_>| {
        let pattern = filter.required("Pattern")?;
        Pattern::parse(&pattern.text()?).map_err(|error| pattern.invalid(error))
    };
    items.iter().map(pattern).collect()
}
