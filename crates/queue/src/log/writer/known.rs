//! The dedupe keys and names of the newest events, which the index may not hold yet. The writer's
//! alone.

use crate::{
    Seq,
    holder::Holder,
    log::{Committed, DedupeDigest, Keys, NameDigest, Prepared},
};
use headgate_event::{AppContent, EventId, StoreError, Timestamp, limits::BATCH_EVENTS_MAX};
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
    /// What was sent, where the key is the name of an application's event.
    content: Option<AppContent>,
}

/// What has a name that a draft of a call comes with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Owner {
    /// An event that was stored before the call.
    Stored(EventId),
    /// The draft at this place of the same call.
    Before(usize),
}

impl Owner {
    fn stored(self) -> Option<EventId> {
        match self {
            Self::Stored(id) => Some(id),
            Self::Before(_) => None,
        }
    }
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

    /// The event that has the names of a draft. Those before `kept_from` were removed, and have
    /// none any more.
    pub(super) fn holder(&self, draft: &Prepared, kept_from: Seq) -> Option<Holder> {
        Holder::of(self.holders(draft, kept_from))
    }

    /// Who has each name of a draft.
    fn holders(&self, draft: &Prepared, kept_from: Seq) -> impl Iterator<Item = Option<Holder>> {
        let held = move |(place, name)| {
            let indexed = draft.repeats().filter(|_| place == 0).map(Holder::Same);
            indexed.or_else(|| {
                let first = self.first.get(name).filter(|first| first.seq >= kept_from)?;
                Some(draft.held_by(first.id, first.content))
            })
        };
        draft.keys().names.iter().enumerate().map(held)
    }

    /// Why none of these can be stored: one has a name that belongs to another event. Looked for
    /// before any of them is taken, because a call is stored as a whole.
    pub(super) fn conflict(&self, drafts: &[Prepared], kept_from: Seq) -> Option<StoreError> {
        let mut within: HashMap<&NameDigest, (usize, &Keys)> = HashMap::new();
        for (place, draft) in drafts.iter().enumerate().filter(|(_, it)| it.given().is_none()) {
            let names = &draft.keys().names;
            let stored = self.holders(draft, kept_from);
            let holders = stored.zip(names).map(|(stored, name)| {
                let here = within.get(name);
                let stored = stored.map(|holder| holder.map(Owner::Stored));
                stored.or_else(|| {
                    here.map(|(at, keys)| draft.held_by(Owner::Before(*at), keys.content))
                })
            });
            match Holder::of(holders) {
                Some(Holder::Other(owner)) => {
                    return Some(StoreError::Conflict { place, stored: owner.stored() });
                }
                // A repeat takes no name.
                Some(Holder::Same(_)) => {}
                None => within.extend(names.iter().map(|name| (name, (place, &**draft.keys())))),
            }
        }
        None
    }

    /// Takes the keys of an event that is newer than all before.
    pub(super) fn insert(
        &mut self,
        entry: &Committed,
        digest: Option<DedupeDigest>,
        undo: &mut Vec<Undo>,
    ) {
        let Committed { seq, id, created_at, .. } = *entry;
        let named = entry.keys.names.iter().map(|name| (*name, entry.keys.content));
        for (key, content) in digest.map(|digest| (digest, None)).into_iter().chain(named) {
            let before = self.first.insert(key, First { seq, id, created_at, content });
            self.order.push_back((seq, key));
            undo.push(Undo { key, before });
        }
    }

    /// Leaves of an erased event that its names are its own.
    pub(super) fn erase(&mut self, seq: Seq) {
        for first in self.first.values_mut().filter(|first| first.seq == seq) {
            first.content = None;
        }
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
