//! What came of attempts, in memory.

use super::{Inner, Memory};
use crate::{
    Attempt, Attempts, EventDelivery, QueueError, Seq, SettleError, Standing, Tried,
    attempt::parted,
    subscription::{Subscriber, standing},
};
use headgate_event::{BoxFuture, EventId};
use std::{collections::BTreeMap, sync::Arc};

/// Attempts by the generation of their subscription and the place of their event.
#[derive(Debug, Default)]
pub(super) struct Kept(BTreeMap<(u64, Seq), Vec<Attempt>>);

impl Kept {
    /// Forgets what came of attempts at an event that is erased.
    pub(super) fn erase(&mut self, seq: Seq) {
        self.0.retain(|(_, of), _| *of != seq);
    }
}

impl Attempts for Memory {
    fn settle_tried(
        &self,
        subscription: &str,
        tried: Vec<Tried>,
    ) -> BoxFuture<'_, Result<Vec<Result<(), SettleError>>, QueueError>> {
        let name = subscription.to_owned();
        Box::pin(async move {
            let known = self.subscriber(&name)?;
            let (settlements, attempts) = parted(tried);
            let settled = self.settle_for(&known, settlements)?;
            let mut inner = self.open()?;
            for one in attempts {
                let kept = &mut inner.attempts.0;
                kept.entry((known.generation(), one.seq)).or_default().push(one.attempt);
            }
            Ok(settled)
        })
    }

    fn deliveries_of(
        &self,
        event: EventId,
    ) -> BoxFuture<'_, Result<Option<Vec<EventDelivery>>, QueueError>> {
        Box::pin(async move {
            let inner = self.open()?;
            let Inner { events, letters, subscribers, attempts, .. } = &*inner;
            let Some(stored) = events.place_of_id(event).and_then(|seq| events.at(seq)) else {
                return Ok(None);
            };
            let seq = stored.seq;
            let wants = |known: &&Arc<Subscriber>| known.held().spec.selection.wants(&stored.event);
            let deliveries = subscribers.values().filter(wants).filter_map(|known| {
                let kept = attempts.0.get(&(known.generation(), seq)).cloned();
                let ended =
                    if letters.has(known, seq) { Standing::Dead } else { Standing::Settled };
                standing(known, seq, ended, kept.unwrap_or_default())
            });
            Ok(Some(deliveries.collect()))
        })
    }
}
