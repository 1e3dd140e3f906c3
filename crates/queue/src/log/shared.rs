//! What the writer, the readers and the handles of a log share.

use super::{Committed, LogOptions, OpenError, reader::Reader, tail::Tail};
use crate::Seq;
use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicU64, Ordering},
};
use tokio::sync::{Notify, watch};

/// One segment, as it is listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SegmentInfo {
    /// The first sequence it holds, which names its file.
    pub first_seq: Seq,
    /// The last sequence it holds; `first_seq - 1` while it is empty.
    pub last_seq: Seq,
    /// Its length in durable bytes.
    pub bytes: u64,
}

/// What the writer and the readers share.
pub(super) struct Shared {
    pub reader: Reader,
    pub tail: Tail,
    pub head: watch::Sender<Seq>,
    /// The newest event that the index is known to hold.
    pub indexed: AtomicU64,
    /// Told whenever the index has caught up by some events.
    pub room: Notify,
    /// Why nothing can be stored at present.
    pub fault: Mutex<Option<String>>,
    /// Why nothing is taken although it could be stored: too little of the disk is free.
    pub shortage: Mutex<Option<String>>,
}

impl Shared {
    /// How many durable events the index may not hold yet.
    pub(super) fn lag(&self) -> u64 {
        self.head.borrow().saturating_sub(self.indexed.load(Ordering::Acquire))
    }

    pub(super) fn fault(&self) -> Option<String> {
        self.fault.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn set_fault(&self, reason: Option<String>) {
        *self.fault.lock().unwrap_or_else(PoisonError::into_inner) = reason;
    }

    pub(super) fn has_room(&self) -> bool {
        self.shortage.lock().unwrap_or_else(PoisonError::into_inner).is_none()
    }

    pub(super) fn shortage(&self) -> Option<String> {
        self.shortage.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn segments(&self) -> Vec<SegmentInfo> {
        let head = *self.head.borrow();
        let extents = self.reader.extents();
        let lasts = extents.keys().skip(1).map(|next| next - 1).chain([head]);
        let info = |((first, end), last): ((&Seq, &u64), Seq)| SegmentInfo {
            first_seq: *first,
            last_seq: last.max(first - 1),
            bytes: *end,
        };
        extents.iter().zip(lasts).map(info).collect()
    }

    /// What is stored beyond the index, unless it is more than memory shall hold.
    pub(super) fn unindexed(
        &self,
        head: Seq,
        options: &LogOptions,
    ) -> Result<Vec<Committed>, OpenError> {
        let indexed = options.indexed.unwrap_or(head);
        let after = indexed.max(self.reader.first_seq().saturating_sub(1));
        if head.saturating_sub(after) > options.index_lag_events_max {
            return Ok(Vec::new());
        }
        let mut entries = Vec::new();
        let mut place = self.reader.place_before(after + 1);
        loop {
            let scanned = self.reader.scan(place, usize::MAX, 1 << 20)?;
            if scanned.frames.is_empty() {
                return Ok(entries);
            }
            place = scanned.next;
            entries.extend(scanned.frames.iter().filter(|f| f.seq > after).map(Committed::of));
        }
    }
}
