//! What an application's own event is known by, as long as it is stored.
//!
//! An application may send an event again, and may by mistake give two events one id. The first is
//! nothing, the second is an error, and which it is is decided by the content as it was sent.

use crate::{Correlation, Event, Timestamp};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// What an application's own event is known by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppIdentity {
    /// The application's id of the event.
    pub event_id: String,
    /// Names of which each belongs to one stored event of its channel at most.
    pub names: Vec<String>,
    /// What was sent under them.
    pub content: AppContent,
}

/// What stands for the content of an event as it was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AppContent {
    /// A digest of all of it but its ids and its time.
    pub digest: [u8; 32],
    /// The time; none when the application gave none.
    pub timestamp: Option<Timestamp>,
}

/// The content of an event as it was sent, apart from its ids and its time.
#[derive(Clone, Copy, Debug)]
pub struct SentContent<'a> {
    /// What happened.
    pub event_type: &'a str,
    /// The payload as `data` shows it.
    pub payload: &'a str,
    /// What it belongs to.
    pub correlation: &'a Correlation,
    /// What is kept beside the payload.
    pub metadata: &'a BTreeMap<String, Value>,
    /// What belongs together.
    pub thread_key: Option<&'a str>,
    /// What makes a repeat known.
    pub dedupe_key: Option<&'a str>,
    /// What else came with it, such as the attributes of a CloudEvent.
    pub context: Option<&'a Value>,
}

impl AppContent {
    /// Whether both are the same event, sent twice. Where one has no time, the other's is not
    /// compared.
    #[must_use]
    pub fn agrees(&self, other: &Self) -> bool {
        let same_time = match (self.timestamp, other.timestamp) {
            (Some(one), Some(other)) => one == other,
            _ => true,
        };
        self.digest == other.digest && same_time
    }
}

impl AppIdentity {
    /// The name of an event by its id. A CloudEvent is known by its source and its id together.
    #[must_use]
    pub fn name(event_id: &str, source: Option<&str>) -> String {
        match source {
            Some(source) => format!("cloudevent:{source}\n{event_id}"),
            None => format!("event:{event_id}"),
        }
    }

    /// The name of one event of a request: who made the request, its key, the place in it.
    #[must_use]
    pub fn request_name(who: &str, idempotency_key: &str, place: usize) -> String {
        format!("request:{who}:{place}:{idempotency_key}")
    }

    /// What a stored event is known by; none for what no application emitted. The name of its
    /// request is not in it any more.
    #[must_use]
    pub fn of_stored(event: &Event) -> Option<Self> {
        if event.channel().kind != crate::ChannelType::App {
            return None;
        }
        let data = event.app()?;
        let metadata: Value = serde_json::from_str(event.metadata().get()).ok()?;
        let context = metadata.get(crate::cloudevents::METADATA);
        let source = context.and_then(|context| context.get("source")).and_then(Value::as_str);
        let content = SentContent {
            event_type: event.event_type().as_str(),
            payload: data.payload.get(),
            correlation: event.correlation(),
            metadata: &data.metadata,
            thread_key: event.thread_key(),
            dedupe_key: event.dedupe_key(),
            context,
        };
        Some(Self {
            event_id: data.event_id.clone(),
            names: vec![Self::name(&data.event_id, source)],
            content: AppContent { digest: content.digest(), timestamp: Some(data.timestamp) },
        })
    }
}

impl SentContent<'_> {
    /// What stands for it: the same for the same content, whatever the order of its fields was.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        let mut digest = Sha256::new();
        let mut add = |text: Option<&str>| {
            // Presence and length first, so that no two contents run into one another.
            let length = text.map_or(u64::MAX, |text| text.len() as u64);
            digest.update(length.to_le_bytes());
            digest.update(text.unwrap_or_default());
        };
        let Correlation { flow_id, flow_type, proposal_id, deal_id, session_id } = self.correlation;
        add(Some(self.event_type));
        add(Some(self.payload));
        for id in [flow_id, flow_type, proposal_id, deal_id, session_id] {
            add(id.as_deref());
        }
        add(self.thread_key);
        add(self.dedupe_key);
        let metadata = serde_json::to_string(self.metadata).unwrap_or_default();
        add(Some(&metadata));
        add(self.context.map(Value::to_string).as_deref());
        digest.finalize().into()
    }
}
