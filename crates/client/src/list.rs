//! Events that are stored: one, or pages by filter.

use crate::{address::segment, client::Client, error::ClientError, http::Call};
use headgate_event::{Event, EventId};
use serde::Deserialize;

/// Which events are listed. All of it holds; of one filter given more than once, any.
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct Filter {
    pairs: Vec<(&'static str, String)>,
}

/// One page of a list, newest first.
#[derive(Debug, Deserialize)]
pub struct Page {
    /// The events.
    pub events: Vec<Event>,
    /// Where the next page begins; none at the end.
    pub next_cursor: Option<String>,
}

impl Filter {
    /// Every event.
    pub fn all() -> Self {
        Self::default()
    }

    /// Of this type.
    pub fn event_type(self, name: impl Into<String>) -> Self {
        self.with("type", name)
    }

    /// That came by this channel.
    pub fn channel(self, id: impl Into<String>) -> Self {
        self.with("channel", id)
    }

    /// Of this provider.
    pub fn provider(self, name: impl Into<String>) -> Self {
        self.with("provider", name)
    }

    /// Of this name of the provider's.
    pub fn provider_event(self, name: impl Into<String>) -> Self {
        self.with("provider_event", name)
    }

    /// That belong together by this key.
    pub fn thread_key(self, key: impl Into<String>) -> Self {
        self.with("thread_key", key)
    }

    /// Of this undertaking.
    pub fn flow_id(self, id: impl Into<String>) -> Self {
        self.with("flow_id", id)
    }

    /// About this deal.
    pub fn deal_id(self, id: impl Into<String>) -> Self {
        self.with("deal_id", id)
    }

    /// About this proposal.
    pub fn proposal_id(self, id: impl Into<String>) -> Self {
        self.with("proposal_id", id)
    }

    /// Of this session.
    pub fn session_id(self, id: impl Into<String>) -> Self {
        self.with("session_id", id)
    }

    /// That came at this time (RFC 3339) or after it.
    pub fn since(self, time: impl Into<String>) -> Self {
        self.with("since", time)
    }

    /// That came before this time (RFC 3339).
    pub fn until(self, time: impl Into<String>) -> Self {
        self.with("until", time)
    }

    /// So many on a page, 1 to 500.
    pub fn limit(self, limit: usize) -> Self {
        self.with("limit", limit.to_string())
    }

    fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.pairs.push((name, value.into()));
        self
    }

    fn query(&self, cursor: Option<&str>) -> String {
        let pairs = self.pairs.iter().map(|(name, value)| (*name, value.as_str()));
        let pairs = pairs.chain(cursor.map(|cursor| ("cursor", cursor)));
        form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
    }
}

impl Client {
    /// One page of events, newest first: the first, or the one where `cursor` begins.
    pub async fn list_events(
        &self,
        filter: &Filter,
        cursor: Option<&str>,
    ) -> Result<Page, ClientError> {
        let call = Call::get(format!("/v1/events?{}", filter.query(cursor)));
        self.http.call_again(&call).await
    }

    /// One event.
    pub async fn get_event(&self, id: EventId) -> Result<Event, ClientError> {
        let call = Call::get(format!("/v1/events/{}", segment(&id.to_string())));
        self.http.call_again(&call).await
    }
}
