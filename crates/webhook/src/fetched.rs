//! What is fetched from senders: certificates, sets of keys, addresses to confirm by.
//!
//! This crate opens no socket: whoever runs it brings a [`Fetch`], which takes care of connections,
//! addresses and sizes. Here is which URLs may be fetched at all, how long what came is kept, and
//! how often anyone may make us fetch. Each channel has its own of both, so that junk that is sent
//! to one starves no other.

use bytes::Bytes;
use headgate_event::{
    BoxFuture, Secret, Timestamp,
    limits::{FETCHED_AGAIN_AFTER, FETCHED_COUNT_MAX, FETCHED_FRESH, FETCHES_PER_MINUTE_MAX},
};
use rustls_pki_types::TrustAnchor;
use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// Fetches over `https`, without redirects, from public addresses alone.
pub trait Fetch: Send + Sync {
    /// The body of a 200 answer.
    fn fetch<'a>(&'a self, url: &'a str) -> BoxFuture<'a, Result<Bytes, FetchError>>;

    /// The body of a 200 answer to a POST of JSON.
    fn post<'a>(
        &'a self,
        url: &'a str,
        _body: &'a Secret,
    ) -> BoxFuture<'a, Result<Bytes, FetchError>> {
        let reason = "nothing is posted here".to_owned();
        Box::pin(async move { Err(FetchError { url: url.to_owned(), reason }) })
    }

    /// Whom it trusts: chains of certificates have to end in one of these.
    fn anchors(&self) -> &[TrustAnchor<'static>];
}

/// Something that has to be fetched before a request can be checked.
#[derive(Clone, Debug)]
pub struct Wanted {
    url: String,
    /// Under which it is kept.
    name: String,
    /// What is posted for it; it holds credentials.
    body: Option<Secret>,
}

/// Why something could not be fetched. It is our fault or the network's, and may pass.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot fetch `{url}`: {reason}")]
pub struct FetchError {
    /// What was to be fetched.
    pub url: String,
    /// What went wrong.
    pub reason: String,
}

/// What was fetched, and by what it is fetched.
#[derive(Default)]
pub struct Fetched {
    fetch: Option<Arc<dyn Fetch>>,
    kept: Mutex<Kept>,
    /// The same for each channel.
    channels: Mutex<BTreeMap<String, Arc<Fetched>>>,
}

#[derive(Default)]
struct Kept {
    /// By URL, and the name of what is asked for there.
    by_url: BTreeMap<String, Found>,
    /// When the newest fetches of what was not known began.
    begun: Vec<Timestamp>,
}

/// Something that came.
struct Found {
    bytes: Bytes,
    at: Timestamp,
    /// When it was asked for last.
    asked: Timestamp,
}

impl Wanted {
    /// What one of several things at a URL is asked for with.
    pub(crate) fn asked(url: String, name: &str, body: Secret) -> Self {
        Self { name: format!("{url} {name}"), url, body: Some(body) }
    }

    /// Where it is.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What is posted for it.
    #[must_use]
    pub fn body(&self) -> Option<&Secret> {
        self.body.as_ref()
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }
}

impl From<&str> for Wanted {
    fn from(url: &str) -> Self {
        Self { url: url.to_owned(), name: url.to_owned(), body: None }
    }
}

impl Fetched {
    /// Fetches with this.
    #[must_use]
    pub fn new(fetch: Arc<dyn Fetch>) -> Self {
        Self { fetch: Some(fetch), ..Self::default() }
    }

    /// What was fetched for one channel, over reloads.
    pub(crate) fn of_channel(&self, id: &str) -> Arc<Self> {
        let mut channels = self.channels.lock().unwrap_or_else(PoisonError::into_inner);
        let own = || Arc::new(Self { fetch: self.fetch.clone(), ..Self::default() });
        Arc::clone(channels.entry(id.to_owned()).or_insert_with(own))
    }

    pub(crate) fn anchors(&self) -> &[TrustAnchor<'static>] {
        self.fetch.as_ref().map_or(&[], |fetch| fetch.anchors())
    }

    /// What came from a URL, and when, while it is fresh.
    pub(crate) fn find(&self, url: &str, now: Timestamp) -> Option<(Bytes, Timestamp)> {
        let kept = self.kept();
        let found = kept.by_url.get(url).filter(|found| now.since(found.at) < FETCHED_FRESH)?;
        Some((found.bytes.clone(), found.at))
    }

    /// Fetches something and keeps it.
    pub async fn bring(&self, wanted: impl Into<Wanted>, now: Timestamp) -> Result<(), FetchError> {
        let wanted = wanted.into();
        let bytes = self.had(&wanted, now).await?;
        let (name, mut kept) = (wanted.name, self.kept());
        if kept.by_url.len() >= FETCHED_COUNT_MAX && !kept.by_url.contains_key(&name) {
            let oldest = kept.by_url.iter().min_by_key(|(_, found)| found.at.unix_ms());
            if let Some(oldest) = oldest.map(|(url, _)| url.clone()) {
                kept.by_url.remove(&oldest);
            }
        }
        kept.by_url.insert(name, Found { bytes, at: now, asked: now });
        Ok(())
    }

    /// Fetches something once, unless too much is fetched already.
    pub(crate) async fn visit(&self, url: &str, now: Timestamp) -> Result<Bytes, FetchError> {
        self.had(&url.into(), now).await
    }

    async fn had(&self, wanted: &Wanted, now: Timestamp) -> Result<Bytes, FetchError> {
        let url = wanted.url();
        let failed = |reason: &str| FetchError { url: url.to_owned(), reason: reason.to_owned() };
        let fetch = self.fetch.as_ref().ok_or_else(|| failed("nothing is fetched here"))?;
        if !self.kept().admits(wanted.name(), now) {
            return Err(failed("too much was fetched within a minute"));
        }
        match wanted.body() {
            None => fetch.fetch(url).await,
            Some(body) => fetch.post(url, body).await,
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    /// Whether something may be fetched. What came before may be had again now and then, whatever
    /// else is asked for: addresses that somebody makes up shall not keep a sender out.
    fn admits(&mut self, url: &str, now: Timestamp) -> bool {
        if let Some(known) = self.by_url.get_mut(url)
            && now.since(known.asked) >= FETCHED_AGAIN_AFTER
        {
            known.asked = now;
            return true;
        }
        self.begun.retain(|at| now.since(*at) < Duration::from_secs(60));
        let has_room = self.begun.len() < FETCHES_PER_MINUTE_MAX;
        if has_room {
            self.begun.push(now);
        }
        has_room
    }
}

impl fmt::Debug for Fetched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fetched").finish_non_exhaustive()
    }
}
