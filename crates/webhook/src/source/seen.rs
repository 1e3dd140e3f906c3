//! Bodies that came lately, where a sender gives nothing by which a repeat is known.
//!
//! Equal bodies may be two events, so nothing is dropped: the later one names the earlier. What is
//! remembered is lost with the process; it is a hint, and no promise rests on it.

use super::Proved;
use headgate_event::{
    Accepted, Draft, EventId, Timestamp,
    limits::{BODIES_SEEN_MAX, POSSIBLE_DUPLICATE_WITHIN},
};
use sha2::{Digest, Sha256};
use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Where an event names the one that it may be a repeat of.
const POSSIBLE_DUPLICATE: &str = "possible_duplicate_of";

/// Bodies that came lately.
#[derive(Debug, Default)]
pub(super) struct Seen(Mutex<Bodies>);

/// A body in its channel.
type Mark = [u8; 16];

#[derive(Debug, Default)]
struct Bodies {
    /// Since when the younger ones are kept.
    since: Timestamp,
    young: HashMap<Mark, (EventId, Timestamp)>,
    old: HashMap<Mark, (EventId, Timestamp)>,
}

/// What is known of a request's events by their bodies, each in its place.
#[derive(Debug, Default)]
pub(super) struct Marks(Vec<Option<Mark>>);

impl Seen {
    /// Tells the events of a request that may be repeats, and marks those that are known by nothing
    /// but their bodies.
    pub(super) fn mark(&self, proved: &mut Proved, now: Timestamp) -> Marks {
        let Proved::Events(_, drafts) = proved else { return Marks::default() };
        let marks: Vec<Option<Mark>> = drafts.iter().map(mark).collect();
        if marks.iter().any(Option::is_some) {
            let bodies = self.bodies();
            for (draft, mark) in drafts.iter_mut().zip(&marks) {
                if let Some(before) = mark.as_ref().and_then(|mark| bodies.event(mark, now)) {
                    let before = before.to_string().into();
                    draft.metadata.insert(POSSIBLE_DUPLICATE.to_owned(), before);
                }
            }
        }
        Marks(marks)
    }

    /// Remembers what was stored.
    pub(super) fn note(&self, marks: &Marks, accepted: &[Accepted], now: Timestamp) {
        for (mark, accepted) in marks.0.iter().zip(accepted) {
            if let (Some(mark), Accepted::New(id)) = (mark, accepted) {
                self.bodies().note(*mark, *id, now);
            }
        }
    }

    fn bodies(&self) -> MutexGuard<'_, Bodies> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Bodies {
    fn event(&self, mark: &Mark, now: Timestamp) -> Option<EventId> {
        let (id, at) = self.young.get(mark).or_else(|| self.old.get(mark))?;
        (now.since(*at) <= POSSIBLE_DUPLICATE_WITHIN).then_some(*id)
    }

    /// What is in the older half is older than anybody asks for when it goes, or more than is kept.
    fn note(&mut self, mark: Mark, id: EventId, now: Timestamp) {
        let is_over = now.since(self.since) > POSSIBLE_DUPLICATE_WITHIN;
        if is_over || self.young.len() >= BODIES_SEEN_MAX / 2 {
            self.old = std::mem::take(&mut self.young);
            self.since = now;
        }
        self.young.insert(mark, (id, now));
    }
}

/// What an event is known by when its sender gives nothing.
fn mark(draft: &Draft) -> Option<Mark> {
    if draft.dedupe.is_some() {
        return None;
    }
    let mut digest = Sha256::new();
    digest.update(draft.channel.id.as_bytes());
    digest.update([0]);
    digest.update(&draft.raw);
    digest.finalize().first_chunk().copied()
}
