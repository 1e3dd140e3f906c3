//! The draft of an event that is already complete: what storing it once more needs.

use crate::{
    AppIdentity, Coded, Codings, DataText, Dedupe, Draft, Event, Fill, Open,
    limits::BODY_BYTES_MAX, prompt::Prompt,
};
use bytes::Bytes;
use serde_json::value::RawValue;
use std::{borrow::Cow, collections::BTreeMap, sync::Arc, time::Duration};

/// Why an event cannot be stored once more.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// The metadata is no JSON object.
    #[error("`metadata` is not an object")]
    Metadata(#[source] serde_json::Error),
    /// A dedupe key comes with its window, and a window with its key.
    #[error("expected `dedupe_key` and its window together, found one of them")]
    Dedupe,
    /// A later version wrote it, with a word that this one does not know: what is stored must be
    /// told apart by all that is read of it.
    #[error("`{field}`: expected a word that this version knows, found `{word}`")]
    Unknown {
        /// Where it stands.
        field: &'static str,
        /// The word.
        word: String,
    },
}

impl Draft {
    /// The draft that makes this event again: from the event as on the wire, the exact bytes that
    /// came, and how long its dedupe key counts.
    pub fn restored(
        event: &Event,
        raw: Bytes,
        dedupe_window: Option<Duration>,
    ) -> Result<Self, RestoreError> {
        let dedupe = match (event.dedupe_key(), dedupe_window) {
            (Some(key), Some(window)) => Some(Dedupe { key: key.to_owned(), window }),
            (None, None) => None,
            _ => return Err(RestoreError::Dedupe),
        };
        let (channel, proof) = (event.channel(), event.verification());
        known("channel.type", &channel.kind)?;
        known("verification.verdict", &proof.verdict)?;
        known("verification.covers", &proof.covers)?;
        let metadata =
            serde_json::from_str(event.metadata().get()).map_err(RestoreError::Metadata)?;
        Ok(Self {
            event_type: event.event_type().clone(),
            created_at: event.created_at(),
            channel: Arc::new(channel.clone()),
            provider: event.provider().map(str::to_owned),
            provider_event: event.provider_event().map(str::to_owned),
            verification: proof.clone(),
            dedupe,
            identity: AppIdentity::of_stored(event),
            thread_key: event.thread_key().map(str::to_owned),
            correlation: event.correlation().clone(),
            data: hollow(event.data(), &raw),
            metadata,
            prompt: Prompt {
                text: event.prompt_ready().to_owned(),
                version: event.prompt_ready_version(),
            },
            raw,
        })
    }
}

fn known<T>(field: &'static str, word: &Open<T>) -> Result<(), RestoreError> {
    match word {
        Open::Known(_) => Ok(()),
        Open::Other(word) => {
            let word = word.chars().take(80).collect();
            Err(RestoreError::Unknown { field, word })
        }
    }
}

/// The `data` with a hole where one of its fields repeats the raw bytes, so that they are stored
/// once; whole when none does.
fn hollow(data: &RawValue, raw: &[u8]) -> DataText {
    let text = data.get();
    let fields: BTreeMap<Cow<'_, str>, &RawValue> = serde_json::from_str(text).unwrap_or_default();
    let decoded = decoded(&fields, raw);
    let came = decoded.as_ref().map_or(raw, |(_, body)| body);
    let hollow = hollow_of(text, &fields, came);
    hollow.map_or_else(
        || DataText::whole(&data),
        |hollow| hollow.coded(decoded.map(|(coded, _)| coded)),
    )
}

/// The raw bytes as they were before their content encoding; none when they had none, or none that
/// was undone.
fn decoded(fields: &BTreeMap<Cow<'_, str>, &RawValue>, raw: &[u8]) -> Option<(Coded, Vec<u8>)> {
    let header: Option<String> =
        serde_json::from_str(fields.get("content_encoding")?.get()).unwrap_or_default();
    let codings = Codings::read(&header?).ok()??;
    let body = codings.decode(raw, BODY_BYTES_MAX, |_| true).ok()?;
    Some((Coded { codings, bytes: body.len() }, body))
}

fn hollow_of(
    text: &str,
    fields: &BTreeMap<Cow<'_, str>, &RawValue>,
    raw: &[u8],
) -> Option<DataText> {
    for fill in [Fill::Json, Fill::Text, Fill::Base64] {
        let Some(shown) = DataText::shown(fill, raw) else { continue };
        let Some(value) = fields.values().find(|value| value.get() == shown.get()) else {
            continue;
        };
        // The value is a part of the text, so the distance of their addresses is its place.
        let at = value.get().as_ptr() as usize - text.as_ptr() as usize;
        let (before, rest) = text.split_at(at);
        let after = rest.get(shown.get().len()..).unwrap_or_default();
        if let Some(hollow) = DataText::from_parts(format!("{before}{after}"), Some((at, fill))) {
            return Some(hollow);
        }
    }
    None
}
