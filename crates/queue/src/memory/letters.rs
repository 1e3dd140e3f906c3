//! The dead letters of the queue in memory.

use super::events::Events;
use crate::{
    DeadLetter, DeadLetterPage, DeadLetterQuery, DeliveryId, Seq,
    subscription::{self, DeadReason, Held, Subscriber},
};
use headgate_event::{
    EventId,
    limits::{LETTERS_WITHOUT_EVENT_MAX, LIST_EVENTS_MAX},
};
use std::collections::BTreeMap;

/// Dead letters by the generation of their subscription and the place of their event.
#[derive(Debug, Default)]
pub(super) struct Letters(BTreeMap<(u64, Seq), Letter>);

/// A letter, the id of its event, and the generation of the delivery that died.
type Letter = (subscription::DeadLetter, Option<EventId>, u64);

impl Letters {
    /// Makes the moves that are staged, and keeps the letters that they leave.
    pub(super) fn commit(&mut self, known: &Subscriber, held: &mut Held, events: &Events) {
        self.commit_of(known, held, events);
    }

    /// The same; answers how many events have a letter that had none.
    pub(super) fn commit_of(
        &mut self,
        known: &Subscriber,
        held: &mut Held,
        events: &Events,
    ) -> u64 {
        let (changes, mut added) = (held.deliveries.changes(), 0);
        for letter in changes.dead {
            let (id, seq) = (events.id_of(letter.seq), letter.seq);
            let letter = (letter, id, known.generation());
            added += u64::from(self.0.insert((known.letters(), seq), letter).is_none());
        }
        for (seq, _) in changes.redriven {
            self.0.remove(&(known.letters(), seq));
        }
        held.deliveries.commit();
        added
    }

    /// The letter of a place, and the generation of the delivery that died.
    pub(super) fn of(&self, generation: u64, seq: Seq) -> Option<(&subscription::DeadLetter, u64)> {
        self.0.get(&(generation, seq)).map(|(letter, _, given)| (letter, *given))
    }

    /// The places of the letters of a subscription.
    pub(super) fn places(&self, generation: u64) -> impl Iterator<Item = Seq> {
        self.0.range((generation, 0)..=(generation, Seq::MAX)).map(|((_, seq), _)| *seq)
    }

    /// Takes a letter away; answers whether it was of an event that expired.
    pub(super) fn delete(&mut self, generation: u64, seq: Seq) -> bool {
        let letter = self.0.remove(&(generation, seq));
        letter.is_some_and(|(letter, ..)| letter.reason == DeadReason::Expired)
    }

    /// Whether a delivery of this event is dead.
    pub(super) fn has(&self, known: &Subscriber, seq: Seq) -> bool {
        self.0.contains_key(&(known.generation(), seq))
    }

    /// Forgets what was said of an event that is erased.
    pub(super) fn erase(&mut self, seq: Seq) {
        for (_, (letter, ..)) in self.0.iter_mut().filter(|((_, of), _)| *of == seq) {
            letter.last_error = None;
        }
    }

    /// Forgets the oldest letters of a subscription whose events are removed, and leaves the
    /// newest.
    pub(super) fn forget(&mut self, known: &Subscriber, upto: Seq) {
        let generation = known.generation();
        let gone = self.0.range((generation, 0)..=(generation, upto)).map(|(key, _)| *key);
        let gone: Vec<_> = gone.rev().skip(LETTERS_WITHOUT_EVENT_MAX).collect();
        gone.into_iter().for_each(|key| drop(self.0.remove(&key)));
    }

    pub(super) fn page(&self, known: &Subscriber, query: DeadLetterQuery) -> DeadLetterPage {
        let limit = query.limit.min(LIST_EVENTS_MAX);
        if limit == 0 {
            return DeadLetterPage { dead_letters: Vec::new(), next: None };
        }
        let generation = known.generation();
        let before = query.before.unwrap_or(Seq::MAX);
        let letters = self.0.range((generation, 0)..(generation, before)).rev();
        let letter = |(_, (letter, event_id, given)): (_, &Letter)| DeadLetter {
            delivery: DeliveryId {
                subscription: known.name().to_owned(),
                generation: *given,
                seq: letter.seq,
                attempt: letter.attempts,
            },
            event_id: *event_id,
            reason: letter.reason.to_string(),
            attempts: letter.attempts,
            last_error: letter.last_error.clone(),
            at: letter.at,
        };
        DeadLetterPage::of(letters.take(limit + 1).map(letter).collect(), limit)
    }
}
