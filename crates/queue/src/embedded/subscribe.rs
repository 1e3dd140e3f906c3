//! Making, changing, forgetting and listing subscriptions.

use super::{Embedded, committer::Call};
use crate::{QueueError, SubscriptionSpec, SubscriptionStatus, subscription::Subscriber};
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
