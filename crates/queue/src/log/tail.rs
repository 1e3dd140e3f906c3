//! What is durable but may not be indexed yet, in memory.

use super::{Frame, Keys, Position};
use crate::Seq;
use headgate_event::{EventId, Timestamp};
use std::{
    collections::VecDeque,
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

/// An event of the log, without its payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Committed {
    /// Its place in the order.
    pub seq: Seq,
    /// Its id.
    pub id: EventId,
    /// When it was received.
    pub created_at: Timestamp,
    /// Where its frame is.
    pub position: Position,
    /// What an index needs of it.
    pub keys: Arc<Keys>,
}

/// The newest events, without gaps and in their order.
pub(super) struct Tail {
    entries: RwLock<Entries>,
}

struct Entries {
    /// The sequence of the first entry, or of the next event when there is none.
    first: Seq,
    queue: VecDeque<Committed>,
}

impl Committed {
    /// The entry of a frame.
    pub(crate) fn of(frame: &Frame) -> Self {
        Self {
            seq: frame.seq,
            id: frame.id,
            created_at: frame.created_at,
            position: frame.position,
            keys: Arc::clone(&frame.keys),
        }
    }
}

impl Tail {
    /// Empty; the next event comes after this one.
    pub(super) fn after(head: Seq) -> Self {
        Self { entries: RwLock::new(Entries { first: head + 1, queue: VecDeque::new() }) }
    }

    /// Takes the entries before the next event, which end where the tail ends.
    pub(super) fn restore(&self, entries: Vec<Committed>) {
        let mut tail = self.write();
        if let Some(first) = entries.first() {
            tail.first = first.seq;
            tail.queue = entries.into();
        }
    }

    /// Adds the next events.
    pub(super) fn push(&self, batch: Vec<Committed>) {
        self.write().queue.extend(batch);
    }

    /// Lets go of everything up to this sequence.
    pub(super) fn let_go(&self, upto: Seq) {
        let gone: Vec<Committed> = {
            let mut tail = self.write();
            let count = tail.index_of(upto.saturating_add(1)).min(tail.queue.len());
            tail.first += count as u64;
            tail.queue.drain(..count).collect()
        };
        // Freeing many keys takes a while, which is not the writer's to wait for.
        drop(gone);
    }

    /// Leaves of an event what an erased one has.
    pub(super) fn erase(&self, frame: &Frame) {
        let mut tail = self.write();
        let at = tail.index_of(frame.seq);
        if frame.seq >= tail.first
            && let Some(entry) = tail.queue.get_mut(at)
        {
            entry.keys = Arc::clone(&frame.keys);
        }
    }

    pub(super) fn first_seq(&self) -> Seq {
        self.read().first
    }

    pub(super) fn entries(&self, after: Seq, max: usize) -> Vec<Committed> {
        let tail = self.read();
        let from = tail.index_of(after.saturating_add(1));
        tail.queue.iter().skip(from).take(max).cloned().collect()
    }

    pub(super) fn entries_before(&self, seq: Seq, max: usize) -> Vec<Committed> {
        let tail = self.read();
        let upto = tail.index_of(seq).min(tail.queue.len());
        tail.queue.range(..upto).rev().take(max).cloned().collect()
    }

    pub(super) fn by_seq(&self, seq: Seq) -> Option<Committed> {
        let tail = self.read();
        (seq >= tail.first).then(|| tail.queue.get(tail.index_of(seq)).cloned()).flatten()
    }

    /// Ids rise with sequences, so this is a search in order.
    pub(super) fn by_id(&self, id: EventId) -> Option<Committed> {
        let tail = self.read();
        let at = tail.queue.binary_search_by_key(&id, |entry| entry.id).ok()?;
        tail.queue.get(at).cloned()
    }

    fn read(&self) -> RwLockReadGuard<'_, Entries> {
        self.entries.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Entries> {
        self.entries.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entries {
    /// How many entries precede this sequence, at least.
    fn index_of(&self, seq: Seq) -> usize {
        usize::try_from(seq.saturating_sub(self.first)).unwrap_or(usize::MAX)
    }
}
