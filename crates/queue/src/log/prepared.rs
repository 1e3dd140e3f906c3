//! A draft made ready for the log by the request's task, so that the writer has little to do.

use super::{
    DedupeDigest, Keys,
    frame::{COMPRESSED, FRAME_BODY_AT, FRAME_HEAD_BYTES, frame_crc},
};
use crate::{Seq, holder::Holder};
use headgate_event::{
    AppContent, Draft, EventId, StoreError, StoredEvent, Timestamp,
    limits::{COMPRESS_BYTES_MIN, FRAME_BYTES_MAX},
};
use std::{cell::RefCell, fmt, io, sync::Arc};
use zstd::bulk::Compressor;

/// How hard bodies are compressed: zstd's fastest ordinary level.
const COMPRESSION_LEVEL: i32 = 1;

/// The bytes of a frame, whole but for the sequence and the id.
pub(crate) struct Prepared {
    frame: Vec<u8>,
    body_crc: u32,
    created_at: Timestamp,
    keys: Arc<Keys>,
    digest: Option<DedupeDigest>,
    given: Option<EventId>,
    repeats: Option<EventId>,
}

impl Prepared {
    /// Encodes a draft, and compresses it when that is worth it.
    pub(crate) fn new(draft: &Draft) -> Result<Self, StoreError> {
        let keys = Keys::of(draft);
        let section = keys.encode();
        let event = StoredEvent::encode(draft);
        let bytes = section.len() + event.len() + draft.raw.len();
        if bytes > FRAME_BYTES_MAX {
            return Err(StoreError::TooLarge { bytes, bytes_max: FRAME_BYTES_MAX });
        }
        let content = event.len() + draft.raw.len();
        // What Headgate itself says of an event is not counted: a short body with a long prompt
        // would cost more time than it gives back in bytes.
        let body = draft.raw.len().max(draft.data.parts().0.len());
        let compressed = (body >= COMPRESS_BYTES_MIN)
            .then(|| compress(&[event.as_slice(), &draft.raw].concat()).ok())
            .flatten()
            .filter(|compressed| compressed.len() < content);
        let payload = compressed.as_ref().map_or(content, Vec::len);
        let mut frame = Vec::with_capacity(FRAME_HEAD_BYTES + section.len() + payload);
        frame.resize(FRAME_HEAD_BYTES, 0);
        frame.extend_from_slice(&section);
        if let Some(compressed) = &compressed {
            frame.extend_from_slice(compressed);
            frame[52..56].copy_from_slice(&COMPRESSED.to_le_bytes());
        } else {
            frame.extend_from_slice(&event);
            frame.extend_from_slice(&draft.raw);
        }
        let length = frame.len();
        for (at, number) in
            [(0, length), (40, section.len()), (44, event.len()), (48, draft.raw.len())]
        {
            frame[at..at + 4].copy_from_slice(&four_bytes(number));
        }
        frame[32..40].copy_from_slice(&draft.created_at.unix_ms().to_le_bytes());
        let body_crc = crc32c::crc32c(&frame[FRAME_BODY_AT..]);
        let (created_at, digest) = (draft.created_at, keys.dedupe_digest());
        let keys = Arc::new(keys);
        Ok(Self { frame, body_crc, created_at, keys, digest, given: None, repeats: None })
    }

    /// The same under an id that it has already. It is stored whatever its dedupe key says.
    pub(crate) fn under(self, id: EventId) -> Self {
        Self { given: Some(id), ..self }
    }

    /// The id that it has already.
    pub(super) fn given(&self) -> Option<EventId> {
        self.given
    }

    /// The same as a repeat of this event, which has its first name in the index. The others may
    /// be those of an event that is not indexed yet.
    pub(crate) fn repeating(self, id: Option<EventId>) -> Self {
        Self { repeats: id, ..self }
    }

    /// The indexed event that has its first name.
    pub(super) fn repeats(&self) -> Option<EventId> {
        self.repeats
    }

    /// The length of the frame.
    pub(crate) fn len(&self) -> usize {
        self.frame.len()
    }

    /// The frame as far as it is known: without sequence, id and checksum.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.frame
    }

    /// The checksum of what is known of the frame.
    pub(super) fn body_crc(&self) -> u32 {
        self.body_crc
    }

    /// When the event was received.
    pub(crate) fn created_at(&self) -> Timestamp {
        self.created_at
    }

    /// What an index needs of it.
    pub(crate) fn keys(&self) -> &Arc<Keys> {
        &self.keys
    }

    /// What stands for its channel and dedupe key.
    pub(crate) fn digest(&self) -> Option<DedupeDigest> {
        self.digest
    }

    /// What a stored event is to it that has one of its names.
    pub(crate) fn held_by<T>(&self, event: T, content: Option<AppContent>) -> Holder<T> {
        let both = self.keys.content.zip(content);
        let agrees = both.is_some_and(|(sent, stored)| sent.agrees(&stored));
        if agrees { Holder::Same(event) } else { Holder::Other(event) }
    }

    /// The frame with what the writer knows.
    pub(super) fn sealed(mut self, seq: Seq, id: EventId) -> Vec<u8> {
        self.frame[8..16].copy_from_slice(&seq.to_le_bytes());
        self.frame[16..32].copy_from_slice(&id.to_bytes());
        let crc = frame_crc(self.body_crc, &self.frame);
        self.frame[4..8].copy_from_slice(&crc.to_le_bytes());
        self.frame
    }
}

impl fmt::Debug for Prepared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prepared").field("bytes", &self.len()).finish_non_exhaustive()
    }
}

/// A length that was checked against the limit of a frame, as it is stored.
fn four_bytes(length: usize) -> [u8; 4] {
    u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes()
}

fn compress(content: &[u8]) -> io::Result<Vec<u8>> {
    thread_local! {
        // A context is some hundred KiB, too much to make anew for every event.
        static COMPRESSOR: RefCell<Option<Compressor<'static>>> = const { RefCell::new(None) };
    }
    COMPRESSOR.with_borrow_mut(|kept| {
        let compressor = match kept {
            Some(compressor) => compressor,
            None => kept.insert(Compressor::new(COMPRESSION_LEVEL)?),
        };
        compressor.compress(content)
    })
}
