//! The one endpoint, `AWS_ENDPOINT_URL`: which service a request is for, and whether its signature holds.
