//! Making, changing, forgetting and listing subscriptions.

use super::{Embedded, committer::Call};
use crate::{QueueError, SubscriptionSpec, SubscriptionStatus, subscription::Subscriber};
use headgate_event::EventId;
use std::sync::Arc;

impl Embedded {
    /// The subscription of this name.
    pub(super) fn known(&self, name: &str) -> Result<Arc<Subscriber>, QueueError> {
        let unknown = || QueueError::UnknownSubscription { name: name.to_owned() };
        self.registry.named(name).ok_or_else(unknown)
    }

    pub(super) async fn put(
        &self,
        spec: SubscriptionSpec,
    ) -> Result<SubscriptionStatus, QueueError> {
        spec.check()?;
        let (now, start) = (self.clock.now(), spec.start);
        let start = self.reading(move |reading| reading.place_of(start)).await?;
        let put = |answer| Call::Put { spec, start, now, answer };
        let known = self.committer.call(put).await?;
        let mut statuses = self.status_of(vec![known]).await?;
        statuses.pop().ok_or_else(|| QueueError::unavailable("the subscription has no status"))
    }

    pub(super) async fn delete(&self, name: String) -> Result<(), QueueError> {
        self.committer.call(|answer| Call::Delete { name, answer }).await
    }

    pub(super) async fn statuses(&self) -> Result<Vec<SubscriptionStatus>, QueueError> {
        self.status_of(self.registry.all()).await
    }

    /// Whether a subscription has yet to settle an event. One that does not exist, and an event
    /// that is gone or not wanted, leave nothing to settle.
    pub async fn is_unsettled(&self, name: &str, event: EventId) -> Result<bool, QueueError> {
        let Some(known) = self.registry.named(name) else { return Ok(false) };
        self.reading(move |reading| {
            let Some(located) = reading.located(event)? else { return Ok(false) };
            let (awaits, selection) = {
                let held = known.held();
                (held.deliveries.awaits(located.seq), held.spec.selection.clone())
            };
            Ok(awaits && reading.wants(&selection, located.seq)?)
        })
        .await
    }

    async fn status_of(
        &self,
        known: Vec<Arc<Subscriber>>,
    ) -> Result<Vec<SubscriptionStatus>, QueueError> {
        let now = self.clock.now();
        self.reading(move |reading| {
            let head = *reading.log.head().borrow();
            let mut statuses = Vec::with_capacity(known.len());
            for subscriber in known {
                let (status, oldest) = subscriber.status(head);
                let located = oldest.map_or(Ok(None), |seq| reading.locate(seq))?;
                statuses.push(status.aged(now, located.map(|located| located.created_at)));
            }
            Ok(statuses)
        })
        .await
    }
}
