//! Looking up the names of endpoints: bounded in number, remembered for a while, and without the
//! addresses that may not be called.

use crate::{address::is_private, target::Reach};
use headgate_event::limits::{PUSH_ADDRESSES_KEPT, PUSH_LOOKUPS_MAX};
use hyper_util::client::legacy::connect::dns::Name;
use std::{
    net::SocketAddr,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
};
use tokio::{sync::Semaphore, time::Instant};

/// The look-ups of all endpoints. The system makes each on a thread of its own that cannot be
/// stopped, so they are counted.
#[derive(Clone, Debug)]
pub(crate) struct Lookups(Arc<Semaphore>);

/// The resolver of one endpoint. A clone is the same.
#[derive(Clone, Debug)]
pub(crate) struct Resolver {
    reach: Reach,
    lookups: Lookups,
    /// While it is locked one look-up is under way.
    turn: Arc<tokio::sync::Mutex<()>>,
    found: Arc<Mutex<Option<Found>>>,
}

/// Addresses, and when they were found.
type Found = (Instant, Vec<SocketAddr>);

/// Why there is no address.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ResolveError {
    /// All of them are private.
    #[error("all addresses of the host are private")]
    Private,
    /// The system has none.
    #[error("{0}")]
    Unknown(String),
}

impl Lookups {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Semaphore::new(PUSH_LOOKUPS_MAX)))
    }
}

impl Resolver {
    pub(crate) fn new(reach: Reach, lookups: Lookups) -> Self {
        Self { reach, lookups, turn: Arc::default(), found: Arc::default() }
    }

    async fn resolve(self, host: String) -> Result<Vec<SocketAddr>, ResolveError> {
        let _one = self.turn.lock().await;
        if let Some(found) = self.fresh(Instant::now()) {
            return Ok(found);
        }
        let unknown = |reason: String| ResolveError::Unknown(reason);
        let permit = Arc::clone(&self.lookups.0).acquire_owned().await;
        let permit = permit.map_err(|error| unknown(error.to_string()))?;
        // The look-up goes on when nobody waits for it any more, and has its permit until it ends.
        let looking = tokio::spawn(async move {
            let found = tokio::net::lookup_host((host.as_str(), 0)).await;
            drop(permit);
            found.map(Iterator::collect::<Vec<_>>)
        });
        let found = looking.await.map_err(|error| unknown(error.to_string()))?;
        let mut found = found.map_err(|error| unknown(error.to_string()))?;
        if found.is_empty() {
            return Err(unknown("none was found".to_owned()));
        }
        if self.reach == Reach::PublicOnly {
            found.retain(|address| !is_private(address.ip()));
        }
        if found.is_empty() {
            return Err(ResolveError::Private);
        }
        let kept = Some((Instant::now(), found.clone()));
        *self.found.lock().unwrap_or_else(PoisonError::into_inner) = kept;
        Ok(found)
    }

    fn fresh(&self, now: Instant) -> Option<Vec<SocketAddr>> {
        let found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, addresses) = found.as_ref()?;
        (now.saturating_duration_since(*at) < PUSH_ADDRESSES_KEPT).then(|| addresses.clone())
    }
}

impl tower::Service<Name> for Resolver {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = ResolveError;
    type Future =
        Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send + 'static>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), ResolveError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let (resolver, host) = (self.clone(), name.as_str().to_owned());
        Box::pin(async move { resolver.resolve(host).await.map(Vec::into_iter) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_name_with_private_addresses_only_is_refused_after_its_look_up() {
        let resolver = |reach| Resolver::new(reach, Lookups::new());
        let anywhere = resolver(Reach::Anywhere).resolve("localhost".to_owned()).await;
        assert!(anywhere.is_ok_and(|found| found.iter().all(|one| one.ip().is_loopback())));
        for host in ["localhost", "2130706433"] {
            let public = resolver(Reach::PublicOnly).resolve(host.to_owned()).await;
            assert!(matches!(public, Err(ResolveError::Private)), "{host}: {public:?}");
        }
    }
}
