//! Walking through the batches of one segment, to where they end.

use crate::{
    Seq,
    log::{
        OpenError, StorageFile,
        format::{
            BATCH_HEADER_BYTES, BATCH_MAGIC, BatchHeader, SEGMENT_START, SegmentHeader, file_name,
        },
        frame::FrameHead,
    },
};
use headgate_event::EventId;

/// How much is read at once.
const WINDOW_BYTES: usize = 1 << 20;

/// Where the batches of a segment end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Walk {
    /// The end of the last whole batch.
    pub end: u64,
    /// Where that batch begins; `end` when there is none.
    pub last_batch: u64,
    /// The newest sequence.
    pub head: Seq,
    /// The newest id.
    pub last_id: EventId,
}

/// What is found at an offset.
enum Step {
    /// A whole batch, with its length and its last id.
    Batch { length: u64, count: u32, last_id: EventId },
    /// Something else.
    Broken(&'static str),
}

impl Walk {
    /// Reads the segment from its first batch to its last.
    pub(super) fn through(
        file: &dyn StorageFile,
        header: &SegmentHeader,
        bytes: u64,
    ) -> Result<Self, OpenError> {
        let mut window = Window { file, header, bytes, start: 0, buffer: Vec::new() };
        let mut walk = Self {
            end: SEGMENT_START,
            last_batch: SEGMENT_START,
            head: header.first_seq - 1,
            last_id: header.last_id,
        };
        while walk.end < bytes {
            match window.step(walk)? {
                Step::Batch { length, count, last_id } => {
                    walk = Self {
                        end: walk.end + length,
                        last_batch: walk.end,
                        head: walk.head + Seq::from(count),
                        last_id,
                    };
                }
                Step::Broken(reason) => {
                    let Some(later) = window.later_than(walk.end)? else { break };
                    let reason = format!("{reason}, and the batch at offset {later} came after it");
                    return Err(OpenError::damaged(header.first_seq, walk.end, reason));
                }
            }
        }
        Ok(walk)
    }
}

/// A part of the file in memory, moved along.
struct Window<'a> {
    file: &'a dyn StorageFile,
    header: &'a SegmentHeader,
    bytes: u64,
    start: u64,
    buffer: Vec<u8>,
}

impl Window<'_> {
    /// What begins where the walk stands.
    fn step(&mut self, walk: Walk) -> Result<Step, OpenError> {
        let at = walk.end;
        let Some(header) = self.batch_header(at)? else {
            return Ok(Step::Broken("expected a batch, found none"));
        };
        let payload_at = at + BATCH_HEADER_BYTES as u64;
        let payload_bytes = u64::from(header.payload_bytes);
        if payload_bytes > self.bytes - payload_at {
            return Ok(Step::Broken("a batch is cut short"));
        }
        let segment = self.header.first_seq;
        let payload = self.view(payload_at, header.payload_bytes as usize)?;
        if crc32c::crc32c(payload) != header.payload_crc {
            return Ok(Step::Broken("the checksum of a batch does not fit"));
        }
        // The checksums fit, so these are the bytes that were written: no power cut did this.
        let last_id = check_frames(payload, &header, walk)
            .map_err(|reason| OpenError::damaged(segment, at, reason))?;
        let length = BATCH_HEADER_BYTES as u64 + payload_bytes;
        Ok(Step::Batch { length, count: header.count, last_id })
    }

    /// The batch header at an offset, if there is one.
    fn batch_header(&mut self, at: u64) -> Result<Option<BatchHeader>, OpenError> {
        if self.bytes - at < BATCH_HEADER_BYTES as u64 {
            return Ok(None);
        }
        let tag = self.header.tag;
        let bytes = self.view(at, BATCH_HEADER_BYTES)?;
        Ok(bytes.first_chunk().and_then(|bytes| BatchHeader::decode(bytes, tag)))
    }

    /// The first batch behind a broken place that says that place was durable.
    fn later_than(&mut self, broken: u64) -> Result<Option<u64>, OpenError> {
        let header = BATCH_HEADER_BYTES as u64;
        let mut at = broken + 1;
        while self.bytes.saturating_sub(at) >= header {
            let length = (self.bytes - at).min(WINDOW_BYTES as u64);
            let view = self.view(at, usize::try_from(length).unwrap_or(WINDOW_BYTES))?;
            let magic = view.windows(BATCH_MAGIC.len()).position(|four| four == BATCH_MAGIC);
            let Some(skipped) = magic else {
                at += length - (BATCH_MAGIC.len() as u64 - 1);
                continue;
            };
            at += skipped as u64;
            let found = if self.bytes - at < header { None } else { self.batch_header(at)? };
            if found.is_some_and(|batch| (broken + 1..=at).contains(&batch.durable_end)) {
                return Ok(Some(at));
            }
            at += 1;
        }
        Ok(None)
    }

    /// The bytes from an offset on, which are inside the file.
    fn view(&mut self, at: u64, length: usize) -> Result<&[u8], OpenError> {
        let held = self.start..self.start + self.buffer.len() as u64;
        let end = at + length as u64;
        if at < held.start || end > held.end {
            let wanted = (self.bytes - at).min(length.max(WINDOW_BYTES) as u64);
            self.buffer.resize(usize::try_from(wanted).unwrap_or(length), 0);
            self.start = at;
            self.file.read_at(at, &mut self.buffer).map_err(|source| {
                let file = file_name(self.header.first_seq);
                OpenError::Io { action: "read", file, source }
            })?;
        }
        let from = usize::try_from(at - self.start).unwrap_or(usize::MAX);
        Ok(&self.buffer[from..from + length])
    }
}

/// Whether a payload holds the frames that its header and the batches before it announce; gives
/// the id of the last one.
fn check_frames(payload: &[u8], header: &BatchHeader, walk: Walk) -> Result<EventId, String> {
    let (found, next) = (header.first_seq, walk.head + 1);
    if found != next {
        return Err(format!("expected a batch with event {next}, found one with {found}"));
    }
    if header.durable_end > walk.end || header.count == 0 {
        return Err("the header of a batch says what cannot be".to_owned());
    }
    let (mut rest, mut seq, mut last_id) = (payload, walk.head, walk.last_id);
    while !rest.is_empty() {
        let head = FrameHead::decode(rest)?;
        rest = rest.get(head.length..).ok_or("a frame reaches beyond its batch")?;
        seq += 1;
        if head.seq != seq {
            return Err(format!("expected event {seq}, found {}", head.seq));
        }
        if head.id <= last_id {
            return Err(format!("expected an id after {last_id}, found {}", head.id));
        }
        last_id = head.id;
    }
    let (expected, found) = (u64::from(header.count), seq - walk.head);
    if expected != found {
        return Err(format!("expected {expected} frames in a batch, found {found}"));
    }
    Ok(last_id)
}
