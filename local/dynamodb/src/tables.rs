//! Creates the missing tables of the template.

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
            // Change streams are provided by `local-streams`. Those of the engine slow down each write as they grow.
            fields.remove("StreamSpecification");
        }
        match database.create_table(input(table, definition)?) {
            // The file of an earlier run contains the table and its TTL setting.
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
