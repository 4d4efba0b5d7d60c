//! Reading a body within a limit, to its end even when it is too large: a sender that is cut off in the middle would
//! see a reset connection instead of the answer that says what is wrong.

use std::future::poll_fn;
use std::pin::Pin;

use axum::body::{Body, HttpBody};
use bytes::{Bytes, BytesMut};

/// Of a body that is too large, at most this many times the limit is read.
const PATIENCE: usize = 8;

/// Why a body is not there.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BodyError {
    #[error("the body is larger than {limit} bytes")]
    TooLarge { limit: usize },
    #[error("the body broke off: {0}")]
    Broken(#[source] axum::Error),
}

pub(crate) async fn read(mut body: Body, limit: usize) -> Result<Bytes, BodyError> {
    let mut whole = BytesMut::new();
    let mut length = 0usize;
    while let Some(frame) = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
        let Ok(data) = frame.map_err(BodyError::Broken)?.into_data() else { continue };
        length = length.saturating_add(data.len());
        if length <= limit {
            whole.extend_from_slice(&data);
        } else if length > limit.saturating_mul(PATIENCE) {
            break;
        }
    }
    if length > limit { Err(BodyError::TooLarge { limit }) } else { Ok(whole.freeze()) }
}
