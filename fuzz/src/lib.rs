//! What the fuzz targets share: mutations that keep TTLV well-formed, a server to send requests
//! to, and the seeds.
//!
//! Knows what the targets need and nothing of libFuzzer.

pub mod chance;
pub mod mutation;
pub mod seeds;
pub mod server;

use claviger_ttlv::{FrameLength, Limits, Tag, frame_length};

/// Cuts an input into messages by the length of their outermost item, as a connection does. What
/// is no whole message comes last, as it is.
pub fn messages(input: &[u8]) -> Vec<&[u8]> {
    let mut messages = Vec::new();
    let mut rest = input;
    while let Some(&[t0, t1, t2]) = rest.first_chunk::<3>() {
        let tag = Tag::new(u32::from_be_bytes([0, t0, t1, t2]));
        match frame_length(rest, tag, &Limits::default()) {
            Ok(FrameLength::Known(length)) if length <= rest.len() => {
                let (message, after) = rest.split_at(length);
                messages.push(message);
                rest = after;
            }
            _ => break,
        }
    }
    if !rest.is_empty() {
        messages.push(rest);
    }
    messages
}
