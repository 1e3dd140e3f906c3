//! An event as it is stored: without its id, and with the body only in its raw bytes.

use crate::{
    Channel, Coded, Correlation, DataText, Draft, Event, EventId, EventType, Fill, Timestamp,
    Verification, event::Content,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, value::RawValue};
use std::{borrow::Cow, collections::BTreeMap};

/// About as many bytes as an event has besides its data and its prompt.
const ROOM_BESIDE: usize = 768;

/// The stored form of an event: JSON that only this crate reads and writes.
///
/// The id is not in it, because the queue gives the id after this text is made.
#[derive(Debug, Serialize, Deserialize)]
pub struct StoredEvent<'a> {
    #[serde(rename = "type")]
    event_type: Cow<'a, EventType>,
    created_at: Timestamp,
    channel: Cow<'a, Channel>,
    provider: Option<Cow<'a, str>>,
    provider_event: Option<Cow<'a, str>>,
    verification: Cow<'a, Verification>,
    dedupe_key: Option<Cow<'a, str>>,
    thread_key: Option<Cow<'a, str>>,
    correlation: Cow<'a, Correlation>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    hole: Option<(usize, Fill)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    coded: Option<Cow<'a, Coded>>,
    data: Cow<'a, str>,
    metadata: Cow<'a, BTreeMap<String, Value>>,
    prompt_ready: Cow<'a, str>,
    prompt_ready_version: u32,
}

/// Why stored bytes are no event. They are the queue's own, so this is damage or a bug.
#[derive(Debug, thiserror::Error)]
pub enum StoredError {
    /// The stored text is not the JSON of an event.
    #[error("the stored event cannot be read")]
    Unreadable(#[source] serde_json::Error),
    /// The hole of the stored data is outside it.
    #[error("the stored data has its hole outside its text")]
    Hole,
    /// The raw bytes do not fill the hole.
    #[error("the stored data and its raw bytes do not fit")]
    Fill(#[source] serde_json::Error),
}

impl StoredEvent<'_> {
    /// The stored form of a draft.
    #[expect(clippy::expect_used, reason = "strings, numbers and JSON values always serialize")]
    #[must_use]
    pub fn encode(draft: &Draft) -> Vec<u8> {
        let (data, hole) = draft.data.parts();
        let stored = StoredEvent {
            event_type: Cow::Borrowed(&draft.event_type),
            created_at: draft.created_at,
            channel: Cow::Borrowed(&draft.channel),
            provider: draft.provider.as_deref().map(Cow::Borrowed),
            provider_event: draft.provider_event.as_deref().map(Cow::Borrowed),
            verification: Cow::Borrowed(&draft.verification),
            dedupe_key: draft.dedupe.as_ref().map(|dedupe| Cow::Borrowed(dedupe.key.as_str())),
            thread_key: draft.thread_key.as_deref().map(Cow::Borrowed),
            correlation: Cow::Borrowed(&draft.correlation),
            hole,
            coded: draft.data.coding().map(Cow::Borrowed),
            data: Cow::Borrowed(data),
            metadata: Cow::Borrowed(&draft.metadata),
            prompt_ready: Cow::Borrowed(&draft.prompt.text),
            prompt_ready_version: draft.prompt.version,
        };
        let room = stored.data.len() + stored.prompt_ready.len();
        let mut bytes = Vec::with_capacity(room + room / 4 + ROOM_BESIDE);
        serde_json::to_writer(&mut bytes, &stored).expect("plain data serializes");
        bytes
    }

    /// The event of a stored form, with the id it was given and the bytes it came as.
    pub fn decode(id: EventId, stored: &[u8], raw: &[u8]) -> Result<Event, StoredError> {
        let stored: StoredEvent<'_> =
            serde_json::from_slice(stored).map_err(StoredError::Unreadable)?;
        let data = DataText::from_parts(stored.data.into_owned(), stored.hole)
            .ok_or(StoredError::Hole)?
            .coded(stored.coded.map(Cow::into_owned))
            .filled(raw)
            .map_err(StoredError::Fill)?;
        let metadata: Box<RawValue> =
            serde_json::value::to_raw_value(&*stored.metadata).map_err(StoredError::Unreadable)?;
        Ok(Event::new(Content {
            id,
            event_type: stored.event_type.into_owned(),
            created_at: stored.created_at,
            channel: stored.channel.into_owned(),
            provider: stored.provider.map(Cow::into_owned),
            provider_event: stored.provider_event.map(Cow::into_owned),
            verification: stored.verification.into_owned(),
            dedupe_key: stored.dedupe_key.map(Cow::into_owned),
            thread_key: stored.thread_key.map(Cow::into_owned),
            correlation: stored.correlation.into_owned(),
            data,
            metadata,
            prompt_ready: stored.prompt_ready.into_owned(),
            prompt_ready_version: stored.prompt_ready_version,
        }))
    }
}
