//! What every request consumed.
//!
//! DynamoDB says it only to those who ask. Here every request asks, by [`Watch`], and who had not asked is not told.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};

use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

/// Who consumed: an operation on a table.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Consumer {
    /// The table's name.
    pub table: String,
    /// `UpdateItem` and its like.
    pub operation: &'static str,
}

/// What was consumed, indexes included.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Units {
    /// Requests answered, and requests whose condition failed.
    pub requests: u64,
    /// Read capacity units.
    pub read: f64,
    /// Write capacity units.
    pub write: f64,
    /// Items, or entries of an index, that a query or a scan went through, whether it returned them or not.
    pub scanned: u64,
}

#[derive(Default)]
pub(super) struct Ledger(Mutex<BTreeMap<Consumer, Units>>);

impl Ledger {
    pub(super) fn read(&self) -> BTreeMap<Consumer, Units> {
        self.entries().clone()
    }

    pub(super) fn clear(&self) {
        self.entries().clear();
    }

    fn add(&self, table: &str, operation: &Operation, units: f64) {
        let mut entries = self.entries();
        let consumer = Consumer { table: table.to_owned(), operation: operation.name };
        let entry = entries.entry(consumer).or_default();
        entry.requests += 1;
        *if operation.writes { &mut entry.write } else { &mut entry.read } += units;
    }

    fn scanned(&self, table: &str, operation: &Operation, items: u64) {
        let consumer = Consumer { table: table.to_owned(), operation: operation.name };
        self.entries().entry(consumer).or_default().scanned += items;
    }

    fn entries(&self) -> MutexGuard<'_, BTreeMap<Consumer, Units>> {
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

/// What the caller wants to be told.
#[derive(Clone, Copy, PartialEq)]
enum Asked {
    Nothing,
    Total,
    Everything,
}

/// One request on its way.
pub(super) struct Watch(Option<Watched>);

struct Watched {
    operation: &'static Operation,
    asked: Asked,
    table: Option<String>,
}

type Fields<'a> = BTreeMap<&'a str, &'a RawValue>;

const ASK: &str = "ReturnConsumedCapacity";
const TOLD: &str = "ConsumedCapacity";

impl Watch {
    /// Makes the request ask. One that cannot be read is left as it is, for the engine to refuse.
    pub(super) fn start(operation: &str, body: Bytes) -> (Self, Bytes) {
        match Self::asking(operation, &body) {
            Some((watched, body)) => (Self(Some(watched)), body),
            None => (Self(None), body),
        }
    }

    fn asking(operation: &str, body: &[u8]) -> Option<(Watched, Bytes)> {
        let operation = OPERATIONS.iter().find(|known| known.name == operation)?;
        let mut fields: Fields<'_> = serde_json::from_slice(body).ok()?;
        let asked = match fields.get(ASK).map(|value| value.get()) {
            None | Some("null" | "\"NONE\"") => Asked::Nothing,
            Some("\"TOTAL\"") => Asked::Total,
            Some("\"INDEXES\"") => Asked::Everything,
            Some(_) => return None,
        };
        let table = fields.get("TableName").and_then(|name| serde_json::from_str(name.get()).ok());
        let everything: &RawValue = serde_json::from_str("\"INDEXES\"").ok()?;
        fields.insert(ASK, everything);
        let body = serde_json::to_vec(&fields).ok()?;
        Some((Watched { operation, asked, table }, body.into()))
    }

    /// Books what the answer says, and takes out of it what the caller had not asked for.
    pub(super) fn finish(self, status: u16, answer: Bytes, ledger: &Ledger) -> Bytes {
        let Some(Watched { operation, asked, table }) = self.0 else { return answer };
        if status != 200 {
            // A write whose condition fails is billed like one of the item's size, which nobody tells: one unit at least.
            if let Some(table) = table.filter(|_| condition_failed(&answer)) {
                ledger.add(&table, operation, 1.0);
            }
            return answer;
        }
        let Ok(mut fields) = serde_json::from_slice::<Fields<'_>>(&answer) else { return answer };
        let Some(told) = fields.remove(TOLD) else { return answer };
        let Ok(told) = serde_json::from_str::<Value>(told.get()) else { return answer };
        for consumed in told.as_array().map_or(std::slice::from_ref(&told), Vec::as_slice) {
            let units = consumed.get("CapacityUnits").and_then(Value::as_f64).unwrap_or_default();
            let table = consumed.get("TableName").and_then(Value::as_str).unwrap_or_default();
            ledger.add(table, operation, units);
        }
        if let (Some(scanned), Some(table)) = (fields.get("ScannedCount").and_then(|n| n.get().parse().ok()), &table) {
            ledger.scanned(table, operation, scanned);
        }
        let total = match asked {
            Asked::Everything => return answer.clone(),
            Asked::Total => serde_json::value::to_raw_value(&totals(told)).ok(),
            Asked::Nothing => None,
        };
        if let Some(total) = &total {
            fields.insert(TOLD, total);
        }
        serde_json::to_vec(&fields).map_or_else(|_| answer.clone(), Bytes::from)
    }
}

fn totals(mut told: Value) -> Value {
    let shorten = |consumed: &mut Map<String, Value>| {
        consumed.retain(|field, _| field == "TableName" || field.ends_with("CapacityUnits"));
    };
    match &mut told {
        Value::Object(one) => shorten(one),
        Value::Array(many) => many.iter_mut().filter_map(Value::as_object_mut).for_each(shorten),
        _ => {}
    }
    told
}

fn condition_failed(answer: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Failure<'a> {
        #[serde(rename = "__type")]
        code: &'a str,
    }
    serde_json::from_slice::<Failure<'_>>(answer).is_ok_and(|f| f.code.ends_with("#ConditionalCheckFailedException"))
}
