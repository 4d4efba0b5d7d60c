//! DynamoDB: dynoxide behind a front of our own.
