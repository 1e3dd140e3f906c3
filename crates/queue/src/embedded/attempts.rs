//! What came of attempts, and how the deliveries of one event stand.

use super::{Embedded, state};
use crate::{
    Attempts, EventDelivery, QueueError, SettleError, Standing, Tried, attempt::parted,
    subscription::standing,
};
use headgate_event::{BoxFuture, EventId};

impl Attempts for Embedded {
    fn settle_tried(
        &self,
        subscription: &str,
        tried: Vec<Tried>,
    ) -> BoxFuture<'_, Result<Vec<Result<(), SettleError>>, QueueError>> {
        let (settlements, attempts) = parted(tried);
        Box::pin(self.settle_for(subscription.to_owned(), settlements, attempts))
    }

    fn deliveries_of(
        &self,
        event: EventId,
    ) -> BoxFuture<'_, Result<Option<Vec<EventDelivery>>, QueueError>> {
        let (path, known) = (self.folder.join("headgate.db"), self.registry.all());
        Box::pin(self.reading(move |reading| {
            let Some(located) = reading.located(event)? else { return Ok(None) };
            let seq = located.seq;
            let failed =
                |error| QueueError::unavailable(format!("the state cannot be read: {error}"));
            // Looked at before the deliveries: what dies in between counts as settled, not as lost.
            let mut attempts = state::attempts_of(&path, seq).map_err(failed)?;
            let dead = state::dead_of(&path, seq).map_err(failed)?;
            let mut deliveries = Vec::new();
            for subscriber in known {
                let selection = subscriber.held().spec.selection.clone();
                if !reading.wants(&selection, seq)? {
                    continue;
                }
                let generation = subscriber.generation();
                let is_dead = dead.contains(&generation);
                let ended = if is_dead { Standing::Dead } else { Standing::Settled };
                let attempts = attempts.remove(&generation).unwrap_or_default();
                deliveries.extend(standing(&subscriber, seq, ended, attempts));
            }
            Ok(Some(deliveries))
        }))
    }
}
