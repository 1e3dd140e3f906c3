//! An event before it has an id.

use crate::{
    AppIdentity, Channel, Correlation, DataText, EventType, Timestamp, Verification, prompt::Prompt,
};
use bytes::Bytes;
use serde_json::Value;
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// An event as a source makes it; the queue's writer gives it its id.
#[derive(Clone, Debug)]
pub struct Draft {
    /// What happened.
    pub event_type: EventType,
    /// When it was received.
    pub created_at: Timestamp,
    /// The way it came in.
    pub channel: Arc<Channel>,
    /// Who sends to a webhook channel.
    pub provider: Option<String>,
    /// The provider's name of what happened.
    pub provider_event: Option<String>,
    /// How it was proved genuine.
    pub verification: Verification,
    /// What makes a repeat of it known; none when every event counts.
    pub dedupe: Option<Dedupe>,
    /// What an application's own event is known by as long as it is stored.
    pub identity: Option<AppIdentity>,
    /// What belongs together.
    pub thread_key: Option<String>,
    /// The application's correlation ids.
    pub correlation: Correlation,
    /// The `data`, with a hole where `raw` belongs.
    pub data: DataText,
    /// What is kept beside the data.
    pub metadata: BTreeMap<String, Value>,
    /// The text a model reads.
    pub prompt: Prompt,
    /// The exact bytes that came.
    pub raw: Bytes,
}

/// What makes a repeat of an event known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dedupe {
    /// The key, unique in its channel.
    pub key: String,
    /// How long a repeat is known.
    pub window: Duration,
}
