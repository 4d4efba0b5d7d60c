//! Reads the body of a request within a limit.
//!
//! A body that is too large is read on for a while before it is refused: a client whose connection closes in the middle
//! of its request sees a reset instead of the answer that says what is wrong.

use std::future::poll_fn;
use std::pin::Pin;

use axum::body::{Body, HttpBody};
use bytes::{Bytes, BytesMut};

/// At most this many times the limit is read of a body that is too large.
const MAX_DISCARDED_LIMITS: usize = 8;

/// Why there is no body.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// The body exceeds the limit.
    #[error("the body is larger than {limit} bytes")]
    TooLarge {
        /// The limit, in bytes.
        limit: usize,
    },
    /// The connection failed before the end of the body.
    #[error("the body broke off: {0}")]
    Broken(#[source] axum::Error),
}

/// Reads a body of at most `limit` bytes.
///
/// # Errors
/// The body is larger, or its connection broke off.
pub async fn read(mut body: Body, limit: usize) -> Result<Bytes, BodyError> {
    let mut whole = BytesMut::new();
    let mut length = 0usize;
    while let Some(frame) = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
        let Ok(data) = frame.map_err(BodyError::Broken)?.into_data() else { continue };
        length = length.saturating_add(data.len());
        if length <= limit {
            whole.extend_from_slice(&data);
        } else if length > limit.saturating_mul(MAX_DISCARDED_LIMITS) {
            break;
        }
    }
    if length > limit { Err(BodyError::TooLarge { limit }) } else { Ok(whole.freeze()) }
}
