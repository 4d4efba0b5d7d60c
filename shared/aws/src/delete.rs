//! Deleting an item, if it is as it was seen.

use aws_sdk_dynamodb::{
    Client, config::http::HttpResponse, error::SdkError, operation::delete_item::DeleteItemError, types::AttributeValue,
};

use crate::item::Item;

/// Deletes the item if this attribute is still so. One that has changed, or is gone, is left as it is: that is no failure.
pub(crate) async fn delete_if(
    client: &Client,
    table: &str,
    key: Item,
    (attribute, seen): (&str, AttributeValue),
) -> Result<(), SdkError<DeleteItemError, HttpResponse>> {
    let deleted = client
        .delete_item()
        .table_name(table)
        .set_key(Some(key))
        .condition_expression("#seen = :seen")
        .expression_attribute_names("#seen", attribute)
        .expression_attribute_values(":seen", seen)
        .send()
        .await;
    match deleted {
        Err(SdkError::ServiceError(error)) if error.err().is_conditional_check_failed_exception() => Ok(()),
        other => other.map(|_| ()),
    }
}
