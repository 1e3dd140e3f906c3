//! A door for fuzzers and for nobody else: the log's decoders, with what must hold of any bytes.
//!
//! Here and not beside the other properties, because what is decoded is private.

use super::{
    Begun, Frame, Keys, LogOptions, OpenError, Place, Prepared, Storage, StorageFile,
    format::{BATCH_HEADER_BYTES, BatchHeader, SEGMENT_START, SegmentHeader, file_name},
    frame::{FRAME_BODY_AT, FRAME_HEAD_BYTES, frame_crc},
    reader::Reader,
    recovery,
};
use bytes::Bytes;
use headgate_event::{Draft, EventId, StoredEvent, Timestamp};
use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
};

const TAG: u64 = 0x5eed;

/// Decodes a frame as it is, and once more with a checksum that fits, so that what lies behind the
/// checksum is reached too.
///
/// # Panics
///
/// When a frame does not say of itself what it holds.
pub fn frame(bytes: &[u8]) {
    decode(bytes);
    let mut bytes = bytes.to_vec();
    if bytes.len() >= FRAME_HEAD_BYTES {
        let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        bytes[..4].copy_from_slice(&length.to_le_bytes());
        let crc = frame_crc(crc32c::crc32c(&bytes[FRAME_BODY_AT..]), &bytes);
        bytes[4..8].copy_from_slice(&crc.to_le_bytes());
        decode(&bytes);
    }
}

fn decode(bytes: &[u8]) {
    let at = Place { segment: 1, offset: SEGMENT_START };
    let Ok(frame) = Frame::decode(&Bytes::copy_from_slice(bytes), at) else { return };
    assert_eq!(Keys::decode(&frame.keys.encode()).as_ref(), Ok(&*frame.keys), "keys are kept");
    if let Ok(content) = frame.unpack() {
        assert_eq!(content.event.len() + content.raw.len(), frame.unpacked_bytes());
        // Whether it is an event or damage, it is said and nothing breaks.
        drop(StoredEvent::decode(frame.id, &content.event, &content.raw));
    }
}

/// Encodes a draft and reads it back.
///
/// # Panics
///
/// When what is read is not what was written.
pub fn round_trip(draft: &Draft) {
    let Ok(prepared) = Prepared::new(draft) else { return };
    let id = EventId::from_parts(Timestamp::from_unix_s(1), 7);
    let bytes = Bytes::from(prepared.sealed(42, id));
    let at = Place { segment: 1, offset: SEGMENT_START };
    #[expect(clippy::expect_used, reason = "what was just written can be read")]
    let frame = Frame::decode(&bytes, at).expect("a frame that was just written");
    #[expect(clippy::expect_used, reason = "what was just written can be read")]
    let content = frame.unpack().expect("a payload that was just written");
    assert_eq!((frame.seq, frame.id, frame.created_at), (42, id, draft.created_at));
    assert_eq!(*frame.keys, Keys::of(draft));
    assert_eq!(content.event, StoredEvent::encode(draft));
    assert_eq!(content.raw, draft.raw);
}

/// What is done to a segment after its batches were written.
#[derive(Clone, Copy, Debug)]
pub enum Damage {
    /// Nothing.
    None,
    /// It ends here.
    CutAt(usize),
    /// The bits of this byte that are set in the mask are flipped.
    Flip(usize, u8),
    /// Bytes that nobody wrote follow.
    Trailing,
}

/// Writes a segment of these batches, damages it, and opens it.
///
/// # Panics
///
/// When something is shown that was not written, or damage of what is known to have been durable
/// is passed over.
pub fn segment(batches: &[Vec<Draft>], damage: Damage, trailing: &[u8]) {
    let (mut bytes, ends) = written(batches);
    let whole = bytes.len();
    let (broken, flipped) = match damage {
        Damage::None => (whole, false),
        Damage::CutAt(at) => {
            bytes.truncate(at.clamp(SEGMENT_START as usize, whole));
            (bytes.len(), false)
        }
        Damage::Flip(at, mask) => {
            let at = SEGMENT_START as usize + at;
            if mask == 0 || at >= whole {
                return;
            }
            bytes[at] ^= mask;
            (at, true)
        }
        Damage::Trailing => {
            bytes.extend_from_slice(trailing);
            (whole, false)
        }
    };
    let survives = ends.iter().filter(|end| **end <= broken).count();
    // A batch behind the broken one says that the broken one was durable.
    let known_durable = flipped && survives + 1 < ends.len();
    match opened(bytes) {
        Ok(frames) => {
            assert!(!known_durable, "damage of what was durable is passed over");
            let kept: usize = batches.iter().take(survives).map(Vec::len).sum();
            assert_eq!(frames.len(), kept, "whole batches are kept, and nothing else");
            let drafts = batches.iter().flatten();
            for (at, (frame, draft)) in frames.iter().zip(drafts).enumerate() {
                assert_eq!(frame.seq, at as u64 + 1);
                let content = frame.unpack();
                assert!(content.is_ok_and(|content| content.raw == draft.raw), "byte for byte");
            }
        }
        Err(error) => assert!(known_durable, "what power cuts leave opens by itself: {error}"),
    }
}

/// Opens a segment of any bytes behind a header that fits; whatever they are, it is said.
pub fn any_segment(bytes: &[u8]) {
    let mut segment = header().encode().to_vec();
    segment.extend_from_slice(bytes);
    drop(opened(segment));
}

fn header() -> SegmentHeader {
    let last_id = EventId::from_bytes([0; 16]);
    SegmentHeader { first_seq: 1, tag: TAG, previous: 0, previous_end: 0, last_id }
}

/// The bytes of a segment, and where each of its batches ends.
fn written(batches: &[Vec<Draft>]) -> (Vec<u8>, Vec<usize>) {
    let (mut bytes, mut ends, mut seq) = (header().encode().to_vec(), Vec::new(), 0);
    for drafts in batches {
        let first_seq = seq + 1;
        let mut payload = Vec::new();
        for draft in drafts {
            let Ok(prepared) = Prepared::new(draft) else { continue };
            seq += 1;
            let id = EventId::from_parts(Timestamp::from_unix_s(1), u128::from(seq));
            payload.extend_from_slice(&prepared.sealed(seq, id));
        }
        let four_bytes = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let header = BatchHeader {
            tag: TAG,
            first_seq,
            durable_end: bytes.len() as u64,
            count: four_bytes((seq + 1 - first_seq) as usize),
            payload_bytes: four_bytes(payload.len()),
            payload_crc: crc32c::crc32c(&payload),
        };
        bytes.extend_from_slice(&header.encode());
        bytes.extend_from_slice(&payload);
        ends.push(bytes.len());
    }
    debug_assert!(ends.first().is_none_or(|end| *end > BATCH_HEADER_BYTES));
    (bytes, ends)
}

/// What a log shows that has only this segment.
fn opened(bytes: Vec<u8>) -> Result<Vec<Frame>, OpenError> {
    let storage: Arc<dyn Storage> = Arc::new(OneFile(Arc::new(Content(Mutex::new(bytes)))));
    let recovered = recovery::recover(&storage, LogOptions::default().indexed, &Begun::default())?;
    let reader = Reader::new(storage, recovered.extents, &recovered.active);
    let (mut frames, mut place) = (Vec::new(), reader.place_before(1));
    loop {
        let scanned = reader.scan(place, 64, 1 << 20)?;
        if scanned.frames.is_empty() {
            assert_eq!(frames.len() as u64, recovered.head, "all that is counted is read");
            return Ok(frames);
        }
        place = scanned.next;
        frames.extend(scanned.frames);
    }
}

/// A folder of one segment, in memory.
#[derive(Debug)]
struct OneFile(Arc<Content>);

#[derive(Debug)]
struct Content(Mutex<Vec<u8>>);

impl Content {
    fn with<T>(&self, act: impl FnOnce(&mut Vec<u8>) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Storage for OneFile {
    fn list(&self) -> io::Result<Vec<String>> {
        Ok(vec![file_name(1)])
    }

    fn create(&self, _: &str) -> io::Result<Arc<dyn StorageFile>> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn open(&self, _: &str) -> io::Result<Arc<dyn StorageFile>> {
        Ok(Arc::clone(&self.0) as _)
    }

    fn rename(&self, _: &str, _: &str) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn remove(&self, _: &str) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn sync_folder(&self) -> io::Result<()> {
        Ok(())
    }

    fn free_bytes(&self) -> io::Result<u64> {
        Ok(u64::MAX)
    }
}

impl StorageFile for Content {
    fn bytes(&self) -> io::Result<u64> {
        Ok(self.with(|bytes| bytes.len() as u64))
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let from = usize::try_from(offset).unwrap_or(usize::MAX);
        self.with(|bytes| {
            let found = bytes.get(from..).and_then(|rest| rest.get(..buffer.len()));
            buffer.copy_from_slice(found.ok_or(io::ErrorKind::UnexpectedEof)?);
            Ok(())
        })
    }

    fn write_at(&self, offset: u64, written: &[u8]) -> io::Result<()> {
        let from = usize::try_from(offset).unwrap_or(usize::MAX);
        let end = from.checked_add(written.len()).ok_or(io::ErrorKind::FileTooLarge)?;
        self.with(|bytes| {
            bytes.resize(bytes.len().max(end), 0);
            bytes[from..end].copy_from_slice(written);
        });
        Ok(())
    }

    fn truncate(&self, length: u64) -> io::Result<()> {
        self.with(|bytes| bytes.truncate(usize::try_from(length).unwrap_or(usize::MAX)));
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }
}
