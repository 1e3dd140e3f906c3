//! The dead letters of the queue in memory.

use super::events::Events;
use crate::{
    DeadLetter, DeadLetterPage, DeadLetterQuery, DeliveryId, Seq,
    subscription::{self, Held, Subscriber},
};
use headgate_event::limits::LIST_EVENTS_MAX;
use std::collections::BTreeMap;

/// Dead letters by the generation of their subscription and the place of their event.
#[derive(Debug, Default)]
pub(super) struct Letters(BTreeMap<(u64, Seq), subscription::DeadLetter>);

impl Letters {
    /// Makes the moves that are staged, and keeps the letters that they leave.
    pub(super) fn commit(&mut self, known: &Subscriber, held: &mut Held) {
        let dead = held.deliveries.changes().dead;
        self.0.extend(dead.into_iter().map(|letter| ((known.generation(), letter.seq), letter)));
        held.deliveries.commit();
    }

    pub(super) fn page(
        &self,
        known: &Subscriber,
        query: DeadLetterQuery,
        events: &Events,
    ) -> DeadLetterPage {
        let limit = query.limit.min(LIST_EVENTS_MAX);
        if limit == 0 {
            return DeadLetterPage { dead_letters: Vec::new(), next: None };
        }
        let generation = known.generation();
        let before = query.before.unwrap_or(Seq::MAX);
        let letters = self.0.range((generation, 0)..(generation, before)).rev();
        let letter = |(_, letter): (_, &subscription::DeadLetter)| DeadLetter {
            delivery: DeliveryId {
                subscription: known.name().to_owned(),
                generation,
                seq: letter.seq,
                attempt: letter.attempts,
            },
            event_id: events.at(letter.seq).map(|stored| stored.event.id()),
            reason: letter.reason.to_string(),
            attempts: letter.attempts,
            last_error: letter.last_error.clone(),
            at: letter.at,
        };
        DeadLetterPage::of(letters.take(limit + 1).map(letter).collect(), limit)
    }
}
