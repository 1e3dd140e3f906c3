//! A bound on bytes for all bodies together, and what one body holds of it.

use metrics::gauge;
use std::{fmt, sync::Arc, time::Duration};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

/// What the bodies of all requests share; one permit is one byte.
#[derive(Clone, Debug)]
pub(super) struct ByteBound {
    permits: Arc<Semaphore>,
    kind: BoundKind,
    bytes_max: usize,
}

/// What the bytes are in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BoundKind {
    Memory,
    Spool,
}

/// A part of the bound that grows with its body and is given back when dropped.
#[derive(Debug)]
pub(crate) struct Share {
    bound: ByteBound,
    permit: Option<OwnedSemaphorePermit>,
}

/// What a request holds of the memory for bodies. Given back when the last clone is dropped; the
/// default holds nothing.
#[derive(Clone, Default)]
pub struct BodyHold {
    share: Option<Arc<Share>>,
}

/// A bound is used up.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the bodies that are in flight use up the {bytes_max} bytes of {} for them", .kind.name())]
pub struct Exhausted {
    kind: BoundKind,
    bytes_max: usize,
}

impl ByteBound {
    pub(super) fn new(kind: BoundKind, bytes_max: usize) -> Self {
        let bytes_max = bytes_max.min(Semaphore::MAX_PERMITS);
        Self { permits: Arc::new(Semaphore::new(bytes_max)), kind, bytes_max }
    }

    /// A share that holds nothing yet.
    pub(super) fn share(&self) -> Share {
        Share { bound: self.clone(), permit: None }
    }

    fn exhausted(&self) -> Exhausted {
        Exhausted { kind: self.kind, bytes_max: self.bytes_max }
    }

    /// The permits for so many bytes; more than can ever be had is refused here.
    fn permits_for(&self, bytes: usize) -> Result<u32, Exhausted> {
        u32::try_from(bytes)
            .ok()
            .filter(|_| bytes <= self.bytes_max)
            .ok_or_else(|| self.exhausted())
    }
}

impl BoundKind {
    fn name(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Spool => "temporary files",
        }
    }

    fn gauge(self) -> metrics::Gauge {
        match self {
            Self::Memory => gauge!("headgate_http_bodies_in_flight_bytes"),
            Self::Spool => gauge!("headgate_http_spool_bytes"),
        }
    }
}

impl Share {
    /// Makes the share larger at once, or not at all.
    pub(crate) fn grow(&mut self, bytes: usize) -> Result<(), Exhausted> {
        let permits = self.bound.permits_for(bytes)?;
        let more = Arc::clone(&self.bound.permits).try_acquire_many_owned(permits);
        self.take(more.map_err(|_| self.bound.exhausted())?);
        Ok(())
    }

    /// Makes the share larger, and waits a while for others to give theirs back. Only for a share
    /// that holds nothing: two that held some could wait for one another.
    pub(super) async fn grow_within(
        &mut self,
        bytes: usize,
        wait: Duration,
    ) -> Result<(), Exhausted> {
        debug_assert!(self.permit.is_none(), "a share that waits holds nothing");
        let permits = self.bound.permits_for(bytes)?;
        let more = Arc::clone(&self.bound.permits).acquire_many_owned(permits);
        let more = timeout(wait, more).await.map_err(|_| self.bound.exhausted())?;
        self.take(more.map_err(|_| self.bound.exhausted())?);
        Ok(())
    }

    /// Gives all of it back.
    pub(super) fn release(&mut self) {
        if let Some(permit) = self.permit.take() {
            self.bound.kind.gauge().decrement(permit.num_permits() as f64);
        }
    }

    pub(super) fn into_hold(self) -> BodyHold {
        BodyHold { share: Some(Arc::new(self)) }
    }

    fn take(&mut self, more: OwnedSemaphorePermit) {
        self.bound.kind.gauge().increment(more.num_permits() as f64);
        match &mut self.permit {
            Some(permit) => permit.merge(more),
            none => *none = Some(more),
        }
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.release();
    }
}

impl BodyHold {
    /// A share of the same bound that holds nothing yet; none when this holds nothing and counts
    /// against no bound.
    pub(crate) fn another(&self) -> Option<Share> {
        self.share.as_ref().map(|share| share.bound.share())
    }

    /// How many bytes are held.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let permit = self.share.as_ref().and_then(|share| share.permit.as_ref());
        permit.map_or(0, OwnedSemaphorePermit::num_permits)
    }
}

impl fmt::Debug for BodyHold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BodyHold").field("bytes", &self.bytes()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_grows_up_to_the_bound_and_gives_back_when_dropped() {
        let bound = ByteBound::new(BoundKind::Memory, 10);
        let mut share = bound.share();
        share.grow(4).expect("fits");
        share.grow(6).expect("fits");
        assert!(bound.share().grow(1).is_err());
        let hold = share.into_hold();
        let again = hold.clone();
        drop(hold);
        assert_eq!(again.bytes(), 10);
        assert!(bound.share().grow(1).is_err());
        drop(again);
        bound.share().grow(10).expect("all is back");
    }

    #[tokio::test(start_paused = true)]
    async fn waiting_for_a_share_has_an_end() {
        let bound = ByteBound::new(BoundKind::Memory, 10);
        let mut first = bound.share();
        first.grow(1).expect("fits");
        let error = bound.share().grow_within(10, Duration::from_secs(5)).await;
        assert_eq!(
            error.expect_err("used up").to_string(),
            "the bodies that are in flight use up the 10 bytes of memory for them"
        );
        drop(first);
        bound.share().grow_within(10, Duration::from_secs(5)).await.expect("all is back");
    }

    #[tokio::test]
    async fn more_than_can_ever_be_had_is_refused_without_waiting() {
        let bound = ByteBound::new(BoundKind::Spool, 10);
        assert!(bound.share().grow_within(11, Duration::MAX).await.is_err());
        assert!(bound.share().grow(usize::MAX).is_err());
    }
}
