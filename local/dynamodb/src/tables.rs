//! The template's tables, created where they are missing.

use dynoxide::{Database, DynoxideError};
use local_resources::Table;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::DynamoDbError;

pub(super) fn create(database: &Database, tables: &[Table]) -> Result<(), DynamoDbError> {
    for table in tables {
        let refused = |source| DynamoDbError::Table { table: table.name.clone(), source: Box::new(source) };
        let mut definition = table.create.clone();
        if let Value::Object(fields) = &mut definition {
            // The engine's change streams make every write as slow as the stream is long, and nobody reads them.
            fields.remove("StreamSpecification");
        }
        match database.create_table(input(table, definition)?) {
            // Kept from an earlier run, its TTL too.
            Err(DynoxideError::ResourceInUseException(_)) => continue,
            Err(source) => return Err(refused(source)),
            Ok(_) => {}
        }
        if let Some(attribute) = &table.ttl_attribute {
            let request = json!({
                "TableName": table.name,
                "TimeToLiveSpecification": {"Enabled": true, "AttributeName": attribute},
            });
            database.update_time_to_live(input(table, request)?).map_err(refused)?;
        }
    }
    Ok(())
}

fn input<T: DeserializeOwned>(table: &Table, value: Value) -> Result<T, DynamoDbError> {
    serde_json::from_value(value).map_err(|source| DynamoDbError::Definition { table: table.name.clone(), source })
}
