//! A table's stream, and the event source mapping that hands its records to a function.

use super::error::TemplateError;
use super::names::Kind;
use super::node::Node;
use super::{Function, Pattern, Place, Queue, StreamSource, StreamView, Table, TableStream};

/// So many filters a mapping may have.
const MOST_FILTERS: usize = 5;

/// `StreamSpecification` of a table.
pub fn of_table(specification: &Node<'_>, table: &str, place: &Place) -> Result<TableStream, TemplateError> {
    let view = specification.need("StreamViewType")?;
    let name = view.text()?;
    let known = StreamView::ALL.into_iter().find(|view| view.name() == name);
    let all = StreamView::ALL.map(StreamView::name).join(", ");
    Ok(TableStream {
        arn: Kind::Table.attribute(table, "StreamArn", place).unwrap_or_default(),
        view: known.ok_or_else(|| view.bad(format!("{name} is none of {all}")))?,
    })
}

/// An event of `Type: DynamoDB`; `None` for one that is switched off.
pub fn source(
    event: &Node<'_>,
    function: &Function,
    tables: &[Table],
    queues: &[Queue],
    place: &Place,
) -> Result<Option<StreamSource>, TemplateError> {
    let stream = event.need("Stream")?;
    let stream_arn = stream.text()?;
    if !tables.iter().filter_map(|table| table.stream.as_ref()).any(|stream| stream.arn == stream_arn) {
        return Err(stream.bad("is not the stream of a table of this template that has a StreamSpecification"));
    }
    let number = |key, range, default| event.get(key).map_or(Ok(default), |value: Node<'_>| value.whole(range));
    let position = event.need("StartingPosition")?;
    let from_the_oldest = match position.text()?.as_str() {
        "TRIM_HORIZON" => true,
        "LATEST" => false,
        other => return Err(position.bad(format!("{other} is none of TRIM_HORIZON, LATEST"))),
    };
    let flag = |key, default| event.get(key).map_or(Ok(default), |value: Node<'_>| value.flag());
    let source = StreamSource {
        stream_arn,
        function_arn: function.arn.clone(),
        from_the_oldest,
        batch_size: number("BatchSize", 1..=10_000, 100)? as usize,
        window_s: number("MaximumBatchingWindowInSeconds", 0..=300, 0)? as u32,
        retries: bound(event, "MaximumRetryAttempts", 0, 10_000)?,
        record_age_s: bound(event, "MaximumRecordAgeInSeconds", 60, 604_800)?,
        bisect: flag("BisectBatchOnFunctionError", false)?,
        parallel: number("ParallelizationFactor", 1..=10, 1)?,
        partial_failures: partial_failures(event)?,
        on_failure: destination(event, queues, place)?,
        tumbling_s: Some(number("TumblingWindowInSeconds", 0..=900, 0)? as u32).filter(|seconds| *seconds > 0),
        filters: filters(event)?,
    };
    if let Some(window) = event.get("TumblingWindowInSeconds").filter(|_| source.parallel > 1) {
        return Err(window.bad("is not stood in for beside a ParallelizationFactor of more than 1"));
    }
    Ok(flag("Enabled", true)?.then_some(source))
}

/// A number of which -1 says that there is no bound.
fn bound(event: &Node<'_>, key: &str, least: u64, most: u64) -> Result<Option<u32>, TemplateError> {
    match event.get(key) {
        None => Ok(None),
        Some(value) if value.text().is_ok_and(|text| text == "-1") => Ok(None),
        Some(value) => {
            let whole = value.whole(least..=most);
            let why = || value.bad(format!("must be -1 (no bound) or a whole number from {least} to {most}"));
            whole.map(|number| Some(number as u32)).map_err(|_| why())
        }
    }
}

/// Whether the function says from where on a batch failed.
pub(super) fn partial_failures(event: &Node<'_>) -> Result<bool, TemplateError> {
    let types = event.get("FunctionResponseTypes").map_or(Ok(Vec::new()), |types| types.items())?;
    match types.iter().find(|kind| kind.value != "ReportBatchItemFailures") {
        Some(other) => Err(other.bad("ReportBatchItemFailures would be right")),
        None => Ok(!types.is_empty()),
    }
}

fn destination(event: &Node<'_>, queues: &[Queue], place: &Place) -> Result<Option<String>, TemplateError> {
    let Some(destination) = event.find(&["DestinationConfig", "OnFailure"]) else { return Ok(None) };
    if let Some(kind) = destination.get("Type").filter(|kind| kind.value != "SQS") {
        return Err(kind.bad("only SQS is stood in for; SQS would be right"));
    }
    let queue = destination.need("Destination")?;
    let arn = queue.text()?;
    let known = queues.iter().any(|queue| Kind::Queue.attribute(&queue.name, "Arn", place).as_ref() == Some(&arn));
    if known { Ok(Some(arn)) } else { Err(queue.bad("is not the ARN of a queue of this template")) }
}

fn filters(event: &Node<'_>) -> Result<Vec<Pattern>, TemplateError> {
    let Some(filters) = event.find(&["FilterCriteria", "Filters"]) else { return Ok(Vec::new()) };
    let items = filters.items()?;
    if items.len() > MOST_FILTERS {
        return Err(filters.bad(format!("has {} filters; AWS takes {MOST_FILTERS}", items.len())));
    }
    let pattern = |filter: &Node<'_>| {
        let pattern = filter.need("Pattern")?;
        Pattern::parse(&pattern.text()?).map_err(|error| pattern.bad(error))
    };
    items.iter().map(pattern).collect()
}
