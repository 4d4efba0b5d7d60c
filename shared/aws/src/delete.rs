//! A conditional delete.

use aws_sdk_dynamodb::{
    Client, config::http::HttpResponse, error::SdkError, operation::delete_item::DeleteItemError, types::AttributeValue,
};

use crate::item::Item;

/// Deletes an item if an attribute still has the value that was read. Otherwise the item stays, which is not an error.
pub(crate) async fn delete_if(
    client: &Client,
    table: &str,
    key: Item,
    (attribute, as_read): (&str, AttributeValue),
) -> Result<(), SdkError<DeleteItemError, HttpResponse>> {
    let deleted = client
        .delete_item()
        .table_name(table)
        .set_key(Some(key))
        .condition_expression("#attribute = :as_read")
        .expression_attribute_names("#attribute", attribute)
        .expression_attribute_values(":as_read", as_read)
        .send()
        .await;
    match deleted {
        Err(SdkError::ServiceError(error)) if error.err().is_conditional_check_failed_exception() => Ok(()),
        other => other.map(|_| ()),
    }
}
