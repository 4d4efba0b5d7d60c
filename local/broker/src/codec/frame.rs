//! Splits a byte stream into MQTT packets.

use super::DecodeError;
use crate::limits;

/// The bounds of the next packet, or the bytes still missing.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Frame {
    /// At least this number of further bytes is needed.
    Missing(usize),
    /// The fixed header's first byte, and the body's range `body_start..end`.
    Complete { first: u8, body_start: usize, end: usize },
}

/// Finds the packet at the start of `received`.
pub(crate) fn next_frame(received: &[u8]) -> Result<Frame, DecodeError> {
    let Some((&first, rest)) = received.split_first() else { return Ok(Frame::Missing(2)) };
    let mut length = 0;
    for (index, shift) in [0, 7, 14, 21].into_iter().enumerate() {
        let Some(&byte) = rest.get(index) else { return Ok(Frame::Missing(1)) };
        length |= usize::from(byte & 0x7F) << shift;
        if byte & 0x80 == 0 {
            if length > limits::MAX_PACKET_BYTES {
                return Err(DecodeError::TooLarge(length));
            }
            let body_start = index + 2;
            let end = body_start + length;
            return Ok(match end.checked_sub(received.len()) {
                None | Some(0) => Frame::Complete { first, body_start, end },
                Some(missing) => Frame::Missing(missing),
            });
        }
    }
    Err(DecodeError::Malformed("a remaining length of more than four bytes"))
}
