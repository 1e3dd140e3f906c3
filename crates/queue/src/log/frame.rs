//! One event in the log: a head, its keys, and a payload that may be compressed.
//!
//! The checksum of a frame runs over its body first and its head after it, because the request's
//! task makes the body and the writer adds what is known last: sequence and id.

use super::{
    Keys, LogError, Place, Position,
    format::{id_at, number_u32, number_u64},
};
use crate::Seq;
use bytes::Bytes;
use headgate_event::{EventId, Timestamp, limits::FRAME_BYTES_MAX};
use std::{cell::RefCell, io, sync::Arc};

/// The length of what precedes the keys.
pub(super) const FRAME_HEAD_BYTES: usize = 64;
/// Where the part begins that the request's task makes.
pub(super) const FRAME_BODY_AT: usize = 32;
/// The longest frame that is written or read.
pub(super) const FRAME_LENGTH_MAX: usize = FRAME_HEAD_BYTES + FRAME_BYTES_MAX;
/// The flag of a payload that is compressed.
pub(super) const COMPRESSED: u32 = 1;
/// The flag of an event that was erased: after the keys that are left there are zeros.
pub(super) const ERASED: u32 = 2;

/// The flag of a frame that stands for an event that was lost.
pub(super) const LOST: u32 = 4;

/// The head of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FrameHead {
    /// The length of the whole frame.
    pub length: usize,
    /// The checksum of the whole frame.
    pub crc: u32,
    /// Its place in the order.
    pub seq: Seq,
    /// The id of the event.
    pub id: EventId,
    /// When the event was received.
    pub created_at: Timestamp,
    /// The length of the keys.
    pub keys: usize,
    /// The length of the event, uncompressed.
    pub event: usize,
    /// The length of the raw bytes, uncompressed.
    pub raw: usize,
    /// Whether the payload is compressed.
    pub compressed: bool,
    /// Whether the event was erased.
    pub erased: bool,
}

/// One event as the log holds it; the payload stays packed until it is asked for.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    /// Its place in the order.
    pub seq: Seq,
    /// The id of the event.
    pub id: EventId,
    /// When the event was received.
    pub created_at: Timestamp,
    /// Where it is.
    pub position: Position,
    /// What an index needs of it.
    pub keys: Arc<Keys>,
    event_bytes: usize,
    raw_bytes: usize,
    compressed: bool,
    payload: Bytes,
}

/// What was in a frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unpacked {
    /// The stored form of the event.
    pub event: Bytes,
    /// The exact bytes that came.
    pub raw: Bytes,
}

impl FrameHead {
    /// The head in the first bytes of a frame, when its lengths can be those of a frame.
    pub(super) fn decode(bytes: &[u8]) -> Result<Self, &'static str> {
        let bytes: &[u8; FRAME_HEAD_BYTES] =
            bytes.first_chunk().ok_or("the head of a frame is cut short")?;
        let length_at = |at| usize::try_from(number_u32(bytes, at)).unwrap_or(usize::MAX);
        let flags = number_u32(bytes, 52);
        let head = Self {
            length: length_at(0),
            crc: number_u32(bytes, 4),
            seq: number_u64(bytes, 8),
            id: id_at(bytes, 16),
            created_at: Timestamp::from_unix_ms(number_u64(bytes, 32).cast_signed()),
            keys: length_at(40),
            event: length_at(44),
            raw: length_at(48),
            compressed: flags == COMPRESSED,
            erased: flags == ERASED,
        };
        let known = [0, COMPRESSED, ERASED, LOST].contains(&flags);
        if !known || number_u64(bytes, 56) != 0 {
            return Err("a frame has flags that were never written");
        }
        let content = head.keys.saturating_add(head.event).saturating_add(head.raw);
        if head.length > FRAME_LENGTH_MAX || content > FRAME_BYTES_MAX {
            return Err("a frame is longer than any that was written");
        }
        let shortest = FRAME_HEAD_BYTES + head.keys;
        let fits = if head.compressed {
            head.length >= shortest
        } else if head.erased {
            head.length >= shortest && head.event == 0 && head.raw == 0
        } else {
            head.length == FRAME_HEAD_BYTES + content
        };
        if fits { Ok(head) } else { Err("the lengths of a frame do not fit each other") }
    }
}

impl Frame {
    /// The frame that these bytes hold from their first to their last.
    pub(super) fn decode(bytes: &Bytes, at: Place) -> Result<Self, LogError> {
        Self::parse(bytes, at).map_err(|reason| LogError::damaged(at, reason))
    }

    fn parse(bytes: &Bytes, at: Place) -> Result<Self, &'static str> {
        let head = FrameHead::decode(bytes)?;
        if head.length != bytes.len() {
            return Err("a frame is not as long as it was written");
        }
        if head.crc != frame_crc(crc32c::crc32c(&bytes[FRAME_BODY_AT..]), bytes) {
            return Err("the checksum of a frame does not fit");
        }
        let payload_at = FRAME_HEAD_BYTES + head.keys;
        let keys = Keys::decode(&bytes[FRAME_HEAD_BYTES..payload_at])?;
        if head.erased != keys.is_erased() {
            return Err("a frame is erased in part");
        }
        let len = u32::try_from(bytes.len()).map_err(|_| "a frame is too long")?;
        Ok(Self {
            seq: head.seq,
            id: head.id,
            created_at: head.created_at,
            position: Position { segment: at.segment, offset: at.offset, len },
            keys: Arc::new(keys),
            event_bytes: head.event,
            raw_bytes: head.raw,
            compressed: head.compressed,
            payload: bytes.slice(payload_at..),
        })
    }

    /// What a frame is as soon as it is to be erased, whatever is still in the file.
    pub(super) fn erased(head: &FrameHead, position: Position, keys: Arc<Keys>) -> Self {
        let FrameHead { seq, id, created_at, .. } = *head;
        let (event_bytes, raw_bytes, compressed) = (0, 0, false);
        let payload = Bytes::new();
        Self { seq, id, created_at, position, keys, event_bytes, raw_bytes, compressed, payload }
    }

    /// How many bytes [`Self::unpack`] gives.
    pub(crate) fn unpacked_bytes(&self) -> usize {
        self.event_bytes + self.raw_bytes
    }

    /// The event and its raw bytes, decompressed when they are compressed.
    pub(crate) fn unpack(&self) -> Result<Unpacked, LogError> {
        let expected = self.unpacked_bytes();
        let content = if self.compressed {
            let damaged = |error: io::Error| {
                self.damaged(format!("the payload does not decompress: {error}"))
            };
            Bytes::from(decompress(&self.payload, expected).map_err(damaged)?)
        } else {
            self.payload.clone()
        };
        if content.len() != expected {
            let found = content.len();
            return Err(self.damaged(format!(
                "expected a payload of {expected} bytes, found {found} after decompressing"
            )));
        }
        let raw = content.slice(self.event_bytes..);
        Ok(Unpacked { event: content.slice(..self.event_bytes), raw })
    }

    fn damaged(&self, reason: String) -> LogError {
        let Position { segment, offset, .. } = self.position;
        LogError::damaged(Place { segment, offset }, reason)
    }
}

/// A frame in the place of an event that was lost, with these encoded keys.
pub(super) fn lost_frame(seq: Seq, id: EventId, keys: &[u8]) -> Vec<u8> {
    let mut frame = vec![0; FRAME_HEAD_BYTES];
    frame.extend_from_slice(keys);
    let four = |length: usize| u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes();
    let length = frame.len();
    frame[0..4].copy_from_slice(&four(length));
    frame[8..16].copy_from_slice(&seq.to_le_bytes());
    frame[16..32].copy_from_slice(&id.to_bytes());
    frame[32..40].copy_from_slice(&id.time().unix_ms().to_le_bytes());
    frame[40..44].copy_from_slice(&four(keys.len()));
    frame[52..56].copy_from_slice(&LOST.to_le_bytes());
    let crc = frame_crc(crc32c::crc32c(&frame[FRAME_BODY_AT..]), &frame);
    frame[4..8].copy_from_slice(&crc.to_le_bytes());
    frame
}

/// The checksum of a frame, from that of its body and the head that the writer has completed.
pub(super) fn frame_crc(body_crc: u32, frame: &[u8]) -> u32 {
    crc32c::crc32c_append(body_crc, &frame[8..FRAME_BODY_AT])
}

/// At most `bytes_max` bytes; more is an error.
fn decompress(payload: &[u8], bytes_max: usize) -> io::Result<Vec<u8>> {
    thread_local! {
        // A context is 150 KiB, too much to make anew for every frame.
        static DECOMPRESSOR: RefCell<zstd::bulk::Decompressor<'static>> = RefCell::default();
    }
    DECOMPRESSOR.with_borrow_mut(|zstd| zstd.decompress(payload, bytes_max))
}
