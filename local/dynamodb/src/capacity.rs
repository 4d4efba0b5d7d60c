//! Consumed capacity, counted by table and operation.
//!
//! DynamoDB returns it only on request. [`CapacityProbe`] adds `ReturnConsumedCapacity` to each request and removes
//! from the response what the client did not request.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};

use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

/// An operation on a table, which capacity is counted for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TableOperation {
    /// The table's name.
    pub table: String,
    /// The API operation, such as `UpdateItem`.
    pub operation: &'static str,
}

/// Consumed capacity of requests, indexes included.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ConsumedCapacity {
    /// Number of successful requests and of requests whose condition failed.
    pub requests: u64,
    /// Read capacity units.
    pub read: f64,
    /// RecordedWrite capacity units.
    pub write: f64,
    /// Items or index entries that queries and scans read, before filters (`ScannedCount`).
    pub scanned: u64,
}

#[derive(Default)]
pub(super) struct Ledger(Mutex<BTreeMap<TableOperation, ConsumedCapacity>>);

impl Ledger {
    pub(super) fn read(&self) -> BTreeMap<TableOperation, ConsumedCapacity> {
        self.entries().clone()
    }

    pub(super) fn clear(&self) {
        self.entries().clear();
    }

    fn add(&self, table: &str, operation: &Operation, units: f64) {
        let mut entries = self.entries();
        let consumer = TableOperation { table: table.to_owned(), operation: operation.name };
        let entry = entries.entry(consumer).or_default();
        entry.requests += 1;
        *if operation.writes { &mut entry.write } else { &mut entry.read } += units;
    }

    fn add_scanned(&self, table: &str, operation: &Operation, items: u64) {
        let consumer = TableOperation { table: table.to_owned(), operation: operation.name };
        self.entries().entry(consumer).or_default().scanned += items;
    }

    fn entries(&self) -> MutexGuard<'_, BTreeMap<TableOperation, ConsumedCapacity>> {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

struct Operation {
    name: &'static str,
    writes: bool,
}

const OPERATIONS: [Operation; 10] = [
    Operation { name: "GetItem", writes: false },
    Operation { name: "PutItem", writes: true },
    Operation { name: "UpdateItem", writes: true },
    Operation { name: "DeleteItem", writes: true },
    Operation { name: "Query", writes: false },
    Operation { name: "Scan", writes: false },
    Operation { name: "BatchGetItem", writes: false },
    Operation { name: "BatchWriteItem", writes: true },
    Operation { name: "TransactGetItems", writes: false },
    Operation { name: "TransactWriteItems", writes: true },
];

/// Level of detail that the client requested in `ReturnConsumedCapacity`.
#[derive(Clone, Copy, PartialEq)]
enum Detail {
    None,
    Total,
    Indexes,
}

/// A request in progress whose consumed capacity is counted.
pub(super) struct CapacityProbe(Option<ProbedRequest>);

struct ProbedRequest {
    operation: &'static Operation,
    requested: Detail,
    table: Option<String>,
}

type Fields<'a> = BTreeMap<&'a str, &'a RawValue>;

const REQUEST_FIELD: &str = "ReturnConsumedCapacity";
const RESPONSE_FIELD: &str = "ConsumedCapacity";

impl CapacityProbe {
    /// Makes the request return its consumed capacity. A malformed request is left unchanged; the engine rejects it.
    pub(super) fn start(operation: &str, body: Bytes) -> (Self, Bytes) {
        match Self::request_all(operation, &body) {
            Some((probed, body)) => (Self(Some(probed)), body),
            None => (Self(None), body),
        }
    }

    fn request_all(operation: &str, body: &[u8]) -> Option<(ProbedRequest, Bytes)> {
        let operation = OPERATIONS.iter().find(|known| known.name == operation)?;
        let mut fields: Fields<'_> = serde_json::from_slice(body).ok()?;
        let requested = match fields.get(REQUEST_FIELD).map(|value| value.get()) {
            None | Some("null" | "\"NONE\"") => Detail::None,
            Some("\"TOTAL\"") => Detail::Total,
            Some("\"INDEXES\"") => Detail::Indexes,
            Some(_) => return None,
        };
        let table = fields.get("TableName").and_then(|name| serde_json::from_str(name.get()).ok());
        let all: &RawValue = serde_json::from_str("\"INDEXES\"").ok()?;
        fields.insert(REQUEST_FIELD, all);
        let body = serde_json::to_vec(&fields).ok()?;
        Some((ProbedRequest { operation, requested, table }, body.into()))
    }

    /// Counts the capacity in the response and removes from it what the client did not request.
    pub(super) fn finish(self, status: u16, answer: Bytes, ledger: &Ledger) -> Bytes {
        let Some(ProbedRequest { operation, requested, table }) = self.0 else { return answer };
        if status != 200 {
            // A write whose condition fails consumes capacity by the size of the item, which the response does not
            // contain. At least one unit is consumed.
            if let Some(table) = table.filter(|_| condition_failed(&answer)) {
                ledger.add(&table, operation, 1.0);
            }
            return answer;
        }
        let Ok(mut fields) = serde_json::from_slice::<Fields<'_>>(&answer) else { return answer };
        let Some(reported) = fields.remove(RESPONSE_FIELD) else { return answer };
        let Ok(reported) = serde_json::from_str::<Value>(reported.get()) else { return answer };
        for consumed in reported.as_array().map_or(std::slice::from_ref(&reported), Vec::as_slice) {
            let units = consumed.get("CapacityUnits").and_then(Value::as_f64).unwrap_or_default();
            let table = consumed.get("TableName").and_then(Value::as_str).unwrap_or_default();
            ledger.add(table, operation, units);
        }
        if let (Some(scanned), Some(table)) = (fields.get("ScannedCount").and_then(|n| n.get().parse().ok()), &table) {
            ledger.add_scanned(table, operation, scanned);
        }
        let total = match requested {
            Detail::Indexes => return answer.clone(),
            Detail::Total => serde_json::value::to_raw_value(&totals(reported)).ok(),
            Detail::None => None,
        };
        if let Some(total) = &total {
            fields.insert(RESPONSE_FIELD, total);
        }
        serde_json::to_vec(&fields).map_or_else(|_| answer.clone(), Bytes::from)
    }
}

fn totals(mut reported: Value) -> Value {
    let shorten = |consumed: &mut Map<String, Value>| {
        consumed.retain(|field, _| field == "TableName" || field.ends_with("CapacityUnits"));
    };
    match &mut reported {
        Value::Object(one) => shorten(one),
        Value::Array(many) => many.iter_mut().filter_map(Value::as_object_mut).for_each(shorten),
        _ => {}
    }
    reported
}

fn condition_failed(answer: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Failure<'a> {
        #[serde(rename = "__type")]
        code: &'a str,
    }
    serde_json::from_slice::<Failure<'_>>(answer).is_ok_and(|f| f.code.ends_with("#ConditionalCheckFailedException"))
}
