//! The item of a thing's unusable reports.

use aws_sdk_dynamodb::types::AttributeValue;
use domain::{ExecutionId, ThingName, UnusableReport, UnusableReports};

use super::attributes::{Item, Reader, Unreadable, millis, needed, number, text};
use super::key::thing_key;

pub(crate) fn reports_key(thing: &ThingName) -> Item {
    Item::from([("pk".into(), thing_key(thing)), ("sk".into(), text("REPORTS"))])
}

pub(crate) fn reports_to_item(thing: &ThingName, reports: &UnusableReports) -> Item {
    let mut item = reports_key(thing);
    item.insert("reports".into(), reports_value(reports));
    item.insert("purge_at".into(), number(reports.purge_at().as_seconds()));
    item
}

pub(crate) fn reports_value(reports: &UnusableReports) -> AttributeValue {
    AttributeValue::L(reports.0.iter().map(to_value).collect())
}

fn to_value(report: &UnusableReport) -> AttributeValue {
    let mut value = Item::from([
        ("at".into(), millis(report.received_at)),
        ("why".into(), text(&report.reason)),
        ("text".into(), text(&report.excerpt)),
    ]);
    if let Some(execution) = &report.execution {
        value.insert("execution".into(), text(execution.as_str()));
    }
    AttributeValue::M(value)
}

pub(crate) fn reports_from_item(item: &Item) -> Result<UnusableReports, Unreadable> {
    let Some(AttributeValue::L(reports)) = item.get("reports") else { return Err(Unreadable::new("reports")) };
    let report = |value: &AttributeValue| {
        let AttributeValue::M(value) = value else { return Err(Unreadable::new("reports")) };
        let read = Reader(value);
        Ok(UnusableReport {
            received_at: needed("at", read.millis("at")?)?,
            execution: read.parsed_if_exists("execution", ExecutionId::parse)?,
            reason: needed("why", read.text("why")?)?.to_owned(),
            excerpt: needed("text", read.text("text")?)?.to_owned(),
        })
    };
    Ok(UnusableReports(reports.iter().map(report).collect::<Result<_, _>>()?))
}
