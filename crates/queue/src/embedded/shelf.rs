//! Events that were leased lately, in memory: one that many subscriptions take is read and decoded
//! once, and not by each of them.
//!
//! Nothing rests on it: what is not here is read from the log. It holds no event that is erased,
//! because erasing clears it, and what was read before that is not put on it afterwards.

use crate::{Seq, weight};
use headgate_event::{
    Event,
    limits::{SHELF_BYTES_MAX, SHELF_EVENT_BYTES_MAX, SHELF_EVENT_OVERHEAD_BYTES},
};
use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
};

/// The events, up to so many bytes; the one that came first leaves first.
#[derive(Debug, Default)]
pub(super) struct Shelf(Mutex<Held>);

#[derive(Debug, Default)]
struct Held {
    events: BTreeMap<Seq, Event>,
    /// Their places, as they came.
    order: VecDeque<Seq>,
    bytes: usize,
    clearings: u64,
}

/// When a read begins whose events are put on the shelf.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ReadFrom(u64);

impl Shelf {
    /// A read begins.
    pub(super) fn begin(&self) -> ReadFrom {
        ReadFrom(self.held().clearings)
    }

    /// Puts events on it that were read since, unless it was cleared meanwhile.
    pub(super) fn put<'a>(
        &self,
        read: ReadFrom,
        events: impl IntoIterator<Item = (Seq, &'a Event)>,
    ) {
        let mut held = self.held();
        if held.clearings == read.0 {
            events.into_iter().for_each(|(seq, event)| held.put(seq, event));
        }
    }

    /// The events of these places, as far as they are here without a gap.
    pub(super) fn run(&self, places: impl IntoIterator<Item = Seq>) -> Vec<(Seq, Event)> {
        let held = self.held();
        let event = |seq: Seq| Some((seq, held.events.get(&seq)?.clone()));
        places.into_iter().map_while(event).collect()
    }

    /// Lets go of all of them.
    pub(super) fn clear(&self) {
        let mut held = self.held();
        *held = Held { clearings: held.clearings.wrapping_add(1), ..Held::default() };
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    fn put(&mut self, seq: Seq, event: &Event) {
        let bytes = taken(event);
        if bytes > SHELF_EVENT_BYTES_MAX || self.events.contains_key(&seq) {
            return;
        }
        self.events.insert(seq, event.clone());
        self.order.push_back(seq);
        self.bytes += bytes;
        while self.bytes > SHELF_BYTES_MAX
            && let Some(first) = self.order.pop_front()
        {
            let gone = self.events.remove(&first);
            self.bytes -= gone.as_ref().map_or(0, taken);
        }
    }
}

/// What an event takes of memory.
fn taken(event: &Event) -> usize {
    weight(event) + SHELF_EVENT_OVERHEAD_BYTES
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::embedded::tests::draft;
    use headgate_event::{EventId, StoredEvent, Timestamp};

    fn event_of(prompt: &str) -> Event {
        let mut draft = draft("");
        prompt.clone_into(&mut draft.prompt.text);
        let id = EventId::from_parts(Timestamp::from_unix_ms(1_795_222_923_456), 7);
        StoredEvent::decode(id, &StoredEvent::encode(&draft), &draft.raw).expect("an event")
    }

    #[test]
    fn what_was_put_on_it_is_found_up_to_the_first_gap() {
        let shelf = Shelf::default();
        let events: Vec<(Seq, Event)> = [3, 4, 6].map(|seq| (seq, event_of("x"))).into();
        shelf.put(shelf.begin(), events.iter().map(|(seq, event)| (*seq, event)));
        let found = |first: Seq| shelf.run(first..10).into_iter().map(|(seq, _)| seq);
        assert_eq!(found(3).collect::<Vec<_>>(), [3, 4]);
        assert_eq!(found(2).count(), 0);
        assert_eq!(found(6).collect::<Vec<_>>(), [6]);
    }

    #[test]
    fn the_first_leave_first_when_there_are_too_many_bytes() {
        let (shelf, event) = (Shelf::default(), event_of(&"x".repeat(8 << 10)));
        let many = (SHELF_BYTES_MAX / taken(&event)) as Seq;
        shelf.put(shelf.begin(), (1..=many + 2).map(|seq| (seq, &event)));
        assert!(shelf.run(1..=2).is_empty());
        assert_eq!(shelf.run(3..=many + 2).len() as Seq, many);
        assert!(shelf.held().bytes <= SHELF_BYTES_MAX);
    }

    #[test]
    fn one_that_is_large_is_not_kept() {
        let (shelf, event) = (Shelf::default(), event_of(&"x".repeat(SHELF_EVENT_BYTES_MAX)));
        shelf.put(shelf.begin(), [(1, &event)]);
        assert!(shelf.run([1]).is_empty());
        assert_eq!(shelf.held().bytes, 0);
    }

    #[test]
    fn what_was_read_before_it_was_cleared_is_not_put_on_it() {
        let (shelf, event) = (Shelf::default(), event_of("x"));
        let read = shelf.begin();
        shelf.put(read, [(1, &event)]);
        shelf.clear();
        assert!(shelf.run([1]).is_empty());
        shelf.put(read, [(1, &event)]);
        assert!(shelf.run([1]).is_empty());
        shelf.put(shelf.begin(), [(1, &event)]);
        assert_eq!(shelf.run([1]).len(), 1);
    }
}
