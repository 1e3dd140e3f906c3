//! Which stored events a body means: the filters of a list, and a window of time.

use crate::{
    error::ApiError,
    filters::{self, FilterName},
};
use headgate_event::Timestamp;
use headgate_queue::{EventQuery, KeyName};
use schemars::JsonSchema;
use serde::Deserialize;

/// Which stored events; what is left out lets all of them through.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, expecting = "a JSON object")]
#[schemars(rename = "EventQueryAsk")]
pub(crate) struct EventQueryAsk {
    /// Any of these channels, by id.
    channels: Vec<String>,
    /// Any of these types.
    types: Vec<String>,
    /// Any of these providers.
    providers: Vec<String>,
    /// Any of these provider's names of what happened; a final `*` stands for any end.
    provider_event: Vec<String>,
    /// Any of these threads.
    thread_key: Vec<String>,
    /// Any of these runs of a flow.
    flow_id: Vec<String>,
    /// Any of these kinds of flow.
    flow_type: Vec<String>,
    /// Any of these proposals.
    proposal_id: Vec<String>,
    /// Any of these deals.
    deal_id: Vec<String>,
    /// Any of these sessions.
    session_id: Vec<String>,
    /// Any of these ids that applications gave their events.
    event_id: Vec<String>,
    /// What holds of them besides, such as `data.body.action == "opened"`.
    filter: Option<String>,
    /// Received at or after this moment.
    since: Option<Timestamp>,
    /// Received before this moment.
    until: Option<Timestamp>,
}

impl EventQueryAsk {
    /// The query; `place` names the object in which it stands.
    pub(crate) fn query(&self, place: &str) -> Result<EventQuery, ApiError> {
        let wanted = |filter| self.wanted(filter).iter().map(String::as_str);
        let selection = filters::selection(wanted).map_err(|error| {
            let message = format!("`{place}.{}`: {}", error.filter.field(), error.why);
            ApiError::invalid("invalid_body", message)
        })?;
        Ok(EventQuery { selection, since: self.since, until: self.until })
    }

    fn wanted(&self, filter: FilterName) -> &[String] {
        match filter {
            FilterName::Types => &self.types,
            FilterName::Channels => &self.channels,
            FilterName::Providers => &self.providers,
            FilterName::Expression => self.filter.as_slice(),
            FilterName::Key(KeyName::ProviderEvent) => &self.provider_event,
            FilterName::Key(KeyName::ThreadKey) => &self.thread_key,
            FilterName::Key(KeyName::FlowId) => &self.flow_id,
            FilterName::Key(KeyName::FlowType) => &self.flow_type,
            FilterName::Key(KeyName::ProposalId) => &self.proposal_id,
            FilterName::Key(KeyName::DealId) => &self.deal_id,
            FilterName::Key(KeyName::SessionId) => &self.session_id,
            FilterName::Key(KeyName::EventId) => &self.event_id,
        }
    }
}
