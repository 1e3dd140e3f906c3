//! The dedupe keys of the newest events, which the index may not hold yet. The writer's alone.

use crate::{
    Seq,
    log::{Committed, DedupeDigest, Keys},
};
use headgate_event::{EventId, Timestamp, limits::BATCH_EVENTS_MAX};
use std::collections::{HashMap, VecDeque};

/// How many keys are let go of before a batch, so that a large step of the index delays none.
const LET_GO_MAX: usize = 4 * BATCH_EVENTS_MAX;

/// The keys of all events after the floor.
#[derive(Debug)]
pub(super) struct Known {
    floor: Seq,
    first: HashMap<DedupeDigest, First>,
    order: VecDeque<(Seq, DedupeDigest)>,
}

/// What is needed to take an insertion back.
#[derive(Debug)]
pub(super) struct Undo {
    key: DedupeDigest,
    before: Option<First>,
}

#[derive(Clone, Copy, Debug)]
struct First {
    seq: Seq,
    id: EventId,
    created_at: Timestamp,
}

impl Known {
    /// Without keys; it will know those of all events after this one.
    pub(super) fn after(floor: Seq) -> Self {
        Self { floor, first: HashMap::new(), order: VecDeque::new() }
    }

    /// Nothing is known of events up to this one.
    pub(super) fn floor(&self) -> Seq {
        self.floor
    }

    /// The event that a draft with these keys repeats, when it is within the draft's window.
    pub(super) fn find(
        &self,
        keys: &Keys,
        digest: Option<DedupeDigest>,
        created_at: Timestamp,
    ) -> Option<EventId> {
        let first = self.first.get(&digest?)?;
        let window = keys.dedupe_window.unwrap_or_default();
        (created_at.since(first.created_at) < window).then_some(first.id)
    }

    /// Takes the key of an event that is newer than all before.
    pub(super) fn insert(
        &mut self,
        entry: &Committed,
        digest: Option<DedupeDigest>,
    ) -> Option<Undo> {
        let key = digest?;
        let Committed { seq, id, created_at, .. } = *entry;
        let before = self.first.insert(key, First { seq, id, created_at });
        self.order.push_back((seq, key));
        Some(Undo { key, before })
    }

    /// Takes back what a batch that was not stored has inserted after `head`.
    pub(super) fn undo(&mut self, batch: Vec<Undo>, head: Seq) {
        for Undo { key, before } in batch.into_iter().rev() {
            match before {
                Some(before) => self.first.insert(key, before),
                None => self.first.remove(&key),
            };
        }
        while self.order.back().is_some_and(|(seq, _)| *seq > head) {
            self.order.pop_back();
        }
    }

    /// Lets go of keys up to this event, not too many at a time.
    pub(super) fn let_go(&mut self, upto: Seq) {
        for _ in 0..LET_GO_MAX {
            let Some((seq, key)) = self.order.pop_front_if(|(seq, _)| *seq <= upto) else {
                self.floor = self.floor.max(upto);
                return;
            };
            if self.first.get(&key).is_some_and(|first| first.seq == seq) {
                self.first.remove(&key);
            }
            self.floor = self.floor.max(seq);
        }
    }
}
