//! Erasing one event: its frame is overwritten where it is, at its length, and the checksums of
//! frame and batch are made to fit.
//!
//! Everything that is written is known before anything is: an [`Erasure`] is kept elsewhere first,
//! so that one which a crash interrupted can be done again from its beginning, whatever is in the
//! file by then. Length, sequence and id of the frame are the same before and after.

use super::{
    DedupeDigest, Frame, Keys, LogError, NameDigest, Place, Position, StorageFile,
    format::{BATCH_HEADER_BYTES, BatchHeader},
    frame::{ERASED, FRAME_BODY_AT, FRAME_HEAD_BYTES, FrameHead, frame_crc},
};
use crate::Seq;
use headgate_event::{EventId, Timestamp};
use std::{io, sync::Arc, time::Duration};

/// How much of a batch is read at once.
const STEP_BYTES: usize = 1 << 20;

/// All that erasing an event writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Erasure {
    /// The place of the event.
    pub(crate) seq: Seq,
    /// Its id.
    pub(crate) id: EventId,
    /// When it was received.
    pub(crate) created_at: Timestamp,
    /// When it was to be erased.
    pub(crate) erased_at: Timestamp,
    /// Where its frame is.
    pub(crate) position: Position,
    /// What stands for its channel and dedupe key.
    pub(crate) digest: Option<DedupeDigest>,
    /// How long a repeat of it is known.
    pub(crate) dedupe_window: Option<Duration>,
    /// The names that belonged to it, and go on belonging to it.
    pub(crate) names: Vec<NameDigest>,
    /// Where its batch begins.
    pub(crate) batch: u64,
    /// The header of its batch.
    pub(crate) header: [u8; BATCH_HEADER_BYTES],
}

impl Erasure {
    /// What is left of the event's keys. What does not fit into the frame is left out.
    fn keys(&self) -> Keys {
        let keys = Keys {
            names: self.names.clone(),
            ..Keys::erased(self.erased_at, self.digest, self.dedupe_window)
        };
        let room = (self.position.len as usize).saturating_sub(FRAME_HEAD_BYTES);
        if keys.encode().len() <= room { keys } else { Keys::erased(self.erased_at, None, None) }
    }

    /// The frame as it is read from when it is to be erased on.
    pub(super) fn frame(&self) -> Frame {
        let keys = self.keys();
        let head = FrameHead {
            length: self.position.len as usize,
            crc: 0,
            seq: self.seq,
            id: self.id,
            created_at: self.created_at,
            keys: keys.encode().len(),
            event: 0,
            raw: 0,
            compressed: false,
            erased: true,
        };
        Frame::erased(&head, self.position, Arc::new(keys))
    }

    /// The bytes of the frame.
    fn bytes(&self) -> Vec<u8> {
        let keys = self.keys().encode();
        let mut frame = vec![0; self.position.len as usize];
        frame[0..4].copy_from_slice(&self.position.len.to_le_bytes());
        frame[8..32].copy_from_slice(&self.names());
        frame[32..40].copy_from_slice(&self.created_at.unix_ms().to_le_bytes());
        let length = u32::try_from(keys.len()).unwrap_or(u32::MAX);
        frame[40..44].copy_from_slice(&length.to_le_bytes());
        frame[52..56].copy_from_slice(&ERASED.to_le_bytes());
        frame[FRAME_HEAD_BYTES..FRAME_HEAD_BYTES + keys.len()].copy_from_slice(&keys);
        let crc = frame_crc(crc32c::crc32c(&frame[FRAME_BODY_AT..]), &frame);
        frame[4..8].copy_from_slice(&crc.to_le_bytes());
        frame
    }

    /// Sequence and id, as they stand in the frame before and after.
    fn names(&self) -> [u8; 24] {
        let mut names = [0; 24];
        names[..8].copy_from_slice(&self.seq.to_le_bytes());
        names[8..].copy_from_slice(&self.id.to_bytes());
        names
    }

    /// Whether the event is where it was: a folder may have been put together from two.
    pub(super) fn fits(&self, file: &dyn StorageFile) -> io::Result<bool> {
        let bytes = file.bytes()?;
        let Some(header) = BatchHeader::decode_own(&self.header) else { return Ok(false) };
        let end = self.batch + BATCH_HEADER_BYTES as u64 + u64::from(header.payload_bytes);
        if end > bytes || self.position.end().offset > end {
            return Ok(false);
        }
        let mut head = [0; 32];
        file.read_at(self.position.offset, &mut head)?;
        Ok(head[..4] == self.position.len.to_le_bytes() && head[8..] == self.names())
    }

    /// Overwrites the frame and makes the batch fit. It is not synced.
    pub(super) fn write(&self, file: &dyn StorageFile) -> io::Result<()> {
        let header = BatchHeader::decode_own(&self.header)
            .ok_or_else(|| io::Error::other("the header of the batch is not as it was written"))?;
        file.write_at(self.position.offset, &self.bytes())?;
        let payload_crc = checksum(file, self.batch, header.payload_bytes)?;
        file.write_at(self.batch, &BatchHeader { payload_crc, ..header }.encode())
    }

    /// Where the frame begins.
    pub(super) fn place(&self) -> Place {
        Place { segment: self.position.segment, offset: self.position.offset }
    }
}

/// The checksum of the frames of a batch, as they are.
fn checksum(file: &dyn StorageFile, batch: u64, payload_bytes: u32) -> io::Result<u32> {
    let (mut at, mut left) = (batch + BATCH_HEADER_BYTES as u64, payload_bytes as usize);
    let mut buffer = vec![0; left.min(STEP_BYTES)];
    let mut crc = 0;
    while left > 0 {
        let step = left.min(STEP_BYTES);
        buffer.truncate(step);
        file.read_at(at, &mut buffer)?;
        crc = crc32c::crc32c_append(crc, &buffer);
        at += step as u64;
        left -= step;
    }
    Ok(crc)
}

/// The batch that a position is in, among those of a segment: where it begins, and its header.
pub(super) fn batch_of(
    file: &dyn StorageFile,
    tag: u64,
    start: Place,
    position: Position,
) -> Result<(u64, [u8; BATCH_HEADER_BYTES]), LogError> {
    let mut at = start;
    while at.offset < position.offset {
        let mut bytes = [0; BATCH_HEADER_BYTES];
        file.read_at(at.offset, &mut bytes).map_err(|error| LogError::io(at, error))?;
        let damaged = || LogError::damaged(at, "expected a batch, found none");
        let header = BatchHeader::decode(&bytes, tag).ok_or_else(damaged)?;
        let end = at.offset + BATCH_HEADER_BYTES as u64 + u64::from(header.payload_bytes);
        if position.offset < end {
            return Ok((at.offset, bytes));
        }
        at.offset = end;
    }
    Err(LogError::damaged(at, "no batch holds the event"))
}
