//! What an index and a filter need of an event, without opening its payload.

use crate::Selectable;
use headgate_event::{AppContent, ChannelType, Correlation, Draft, Timestamp};
use sha2::{Digest as _, Sha256};
use std::time::Duration;

/// What stands for channel and dedupe key together: their SHA-256. An erased event keeps it, so
/// that a repeat is still known.
pub(crate) type DedupeDigest = [u8; 32];

/// What stands for channel and name together: their SHA-256.
pub(crate) type NameDigest = [u8; 32];

/// The keys of one event, kept uncompressed in its frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Keys {
    /// What happened.
    pub event_type: String,
    /// The id of the channel.
    pub channel: String,
    /// The type of the channel.
    pub channel_kind: ChannelType,
    /// Who sent it.
    pub provider: Option<String>,
    /// The provider's name of what happened.
    pub provider_event: Option<String>,
    /// What makes a repeat known, unique in the channel.
    pub dedupe_key: Option<String>,
    /// How long a repeat is known, in whole milliseconds; there when the key is.
    pub dedupe_window: Option<Duration>,
    /// What belongs together.
    pub thread_key: Option<String>,
    /// The application's correlation ids.
    pub correlation: Correlation,
    /// The application's id of its event.
    pub event_id: Option<String>,
    /// What stands for each name that belongs to this event alone, as long as it is stored.
    pub names: Vec<NameDigest>,
    /// What was sent under the names; there when there are any.
    pub content: Option<AppContent>,
    /// What stands for channel and dedupe key of an erased event, which has neither.
    pub digest: Option<DedupeDigest>,
    /// When the event was erased: then all but the digest, its window and the names is gone.
    pub erased_at: Option<Timestamp>,
}

// The tags of the fields. They are never used for anything else; unknown ones are skipped.
const EVENT_TYPE: u8 = 1;
const CHANNEL: u8 = 2;
const CHANNEL_KIND: u8 = 3;
const PROVIDER: u8 = 4;
const PROVIDER_EVENT: u8 = 5;
const DEDUPE_KEY: u8 = 6;
const DEDUPE_WINDOW: u8 = 7;
const THREAD_KEY: u8 = 8;
const FLOW_ID: u8 = 9;
const FLOW_TYPE: u8 = 10;
const PROPOSAL_ID: u8 = 11;
const DEAL_ID: u8 = 12;
const SESSION_ID: u8 = 13;
const DEDUPE_DIGEST: u8 = 14;
const ERASED_AT: u8 = 15;
const EVENT_ID: u8 = 16;
/// One field for each name.
const NAME: u8 = 17;
/// The digest of the content, followed by its time where it had one.
const CONTENT: u8 = 18;

impl Keys {
    /// The keys of a draft.
    pub(super) fn of(draft: &Draft) -> Self {
        let dedupe = draft.dedupe.as_ref();
        let identity = draft.identity.as_ref();
        let names = identity.map(|one| one.names.iter().map(|name| name_digest(draft, name)));
        Self {
            event_type: draft.event_type.as_str().to_owned(),
            channel: draft.channel.id.clone(),
            // A draft of an unknown type is never made: whoever restores one refuses it.
            channel_kind: draft.channel.kind.known().copied().unwrap_or(ChannelType::App),
            provider: draft.provider.clone(),
            provider_event: draft.provider_event.clone(),
            dedupe_key: dedupe.map(|dedupe| dedupe.key.clone()),
            dedupe_window: dedupe.map(|dedupe| Duration::from_millis(whole_ms(dedupe.window))),
            thread_key: draft.thread_key.clone(),
            correlation: draft.correlation.clone(),
            event_id: identity.map(|one| one.event_id.clone()),
            names: names.into_iter().flatten().collect(),
            content: identity.map(|one| one.content),
            digest: None,
            erased_at: None,
        }
    }

    /// What is left of an event that was erased.
    pub(super) fn erased(
        erased_at: Timestamp,
        digest: Option<DedupeDigest>,
        dedupe_window: Option<Duration>,
    ) -> Self {
        let dedupe_window = dedupe_window.filter(|_| digest.is_some());
        Self { digest, dedupe_window, erased_at: Some(erased_at), ..Self::empty() }
    }

    /// Whether the event was erased.
    pub(crate) fn is_erased(&self) -> bool {
        self.erased_at.is_some()
    }

    /// What stands for channel and dedupe key; none without a dedupe key.
    pub(crate) fn dedupe_digest(&self) -> Option<DedupeDigest> {
        let made = self.dedupe_key.as_ref().map(|key| Self::digest_of(&self.channel, key));
        made.or(self.digest)
    }

    /// What stands for a channel and a dedupe key.
    pub(crate) fn digest_of(channel: &str, key: &str) -> DedupeDigest {
        // No text holds the byte between the two.
        let digest = Sha256::new_with_prefix(channel.as_bytes());
        digest.chain_update([0xff]).chain_update(key.as_bytes()).finalize().into()
    }

    /// The fields one after the other: tag, length, bytes.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(256);
        if let Some(erased_at) = self.erased_at {
            self.encode_remains(erased_at, &mut out);
            return out;
        }
        put(&mut out, EVENT_TYPE, Some(self.event_type.as_bytes()));
        put(&mut out, CHANNEL, Some(self.channel.as_bytes()));
        put(&mut out, CHANNEL_KIND, Some(&[kind_byte(self.channel_kind)]));
        let window = self.dedupe_window.map(|window| whole_ms(window).to_le_bytes());
        put(&mut out, DEDUPE_WINDOW, window.as_ref().map(<[u8; 8]>::as_slice));
        let correlation = &self.correlation;
        for (tag, text) in [
            (PROVIDER, &self.provider),
            (PROVIDER_EVENT, &self.provider_event),
            (DEDUPE_KEY, &self.dedupe_key),
            (THREAD_KEY, &self.thread_key),
            (FLOW_ID, &correlation.flow_id),
            (FLOW_TYPE, &correlation.flow_type),
            (PROPOSAL_ID, &correlation.proposal_id),
            (DEAL_ID, &correlation.deal_id),
            (SESSION_ID, &correlation.session_id),
            (EVENT_ID, &self.event_id),
        ] {
            put(&mut out, tag, text.as_ref().map(String::as_bytes));
        }
        self.names.iter().for_each(|name| put(&mut out, NAME, Some(name)));
        put(&mut out, CONTENT, self.content.map(content_bytes).as_deref());
        out
    }

    fn encode_remains(&self, erased_at: Timestamp, out: &mut Vec<u8>) {
        put(out, ERASED_AT, Some(&erased_at.unix_ms().to_le_bytes()));
        let window = self.dedupe_window.map(|window| whole_ms(window).to_le_bytes());
        put(out, DEDUPE_WINDOW, window.as_ref().map(<[u8; 8]>::as_slice));
        put(out, DEDUPE_DIGEST, self.digest.as_ref().map(<[u8; 32]>::as_slice));
        self.names.iter().for_each(|name| put(out, NAME, Some(name)));
    }

    /// The keys in these bytes; the reason when they are none.
    pub(super) fn decode(mut bytes: &[u8]) -> Result<Self, &'static str> {
        let (mut event_type, mut channel, mut channel_kind) = (None, None, None);
        let mut keys = Self::empty();
        while let Some((&tag, rest)) = bytes.split_first() {
            let (length, rest) = rest.split_first_chunk().ok_or("a key has no length")?;
            let length = usize::try_from(u32::from_le_bytes(*length)).unwrap_or(usize::MAX);
            let (value, rest) = rest.split_at_checked(length).ok_or("a key is cut short")?;
            bytes = rest;
            match tag {
                EVENT_TYPE => event_type = Some(text(value)?),
                CHANNEL => channel = Some(text(value)?),
                CHANNEL_KIND => channel_kind = Some(kind_of(value)?),
                DEDUPE_WINDOW => {
                    let ms = value.try_into().map_err(|_| "the dedupe window is not 8 bytes")?;
                    keys.dedupe_window = Some(Duration::from_millis(u64::from_le_bytes(ms)));
                }
                DEDUPE_DIGEST => {
                    let digest = value.try_into().map_err(|_| "the digest is not 32 bytes")?;
                    keys.digest = Some(digest);
                }
                ERASED_AT => {
                    let ms = value.try_into().map_err(|_| "the erasing time is not 8 bytes")?;
                    keys.erased_at = Some(Timestamp::from_unix_ms(i64::from_le_bytes(ms)));
                }
                NAME => keys.names.push(value.try_into().map_err(|_| "a name is not 32 bytes")?),
                CONTENT => keys.content = Some(content_of(value)?),
                _ => {
                    if let Some(field) = keys.field(tag) {
                        *field = Some(text(value)?);
                    }
                }
            }
        }
        if keys.is_erased() {
            return Ok(keys);
        }
        keys.event_type = event_type.ok_or("the keys hold no event type")?;
        keys.channel = channel.ok_or("the keys hold no channel")?;
        keys.channel_kind = channel_kind.ok_or("the keys hold no channel type")?;
        Ok(keys)
    }

    /// The text of a tag that may be missing; `None` for tags of later versions.
    fn field(&mut self, tag: u8) -> Option<&mut Option<String>> {
        Some(match tag {
            PROVIDER => &mut self.provider,
            PROVIDER_EVENT => &mut self.provider_event,
            DEDUPE_KEY => &mut self.dedupe_key,
            THREAD_KEY => &mut self.thread_key,
            FLOW_ID => &mut self.correlation.flow_id,
            FLOW_TYPE => &mut self.correlation.flow_type,
            PROPOSAL_ID => &mut self.correlation.proposal_id,
            DEAL_ID => &mut self.correlation.deal_id,
            SESSION_ID => &mut self.correlation.session_id,
            EVENT_ID => &mut self.event_id,
            _ => return None,
        })
    }

    /// The keys of a frame that stands for a lost event: nothing is known of it.
    pub(super) fn lost() -> Self {
        Self::empty()
    }

    /// Whether the event was lost. Every other one has a type, or says that it was erased.
    pub(crate) fn is_lost(&self) -> bool {
        self.event_type.is_empty() && !self.is_erased()
    }

    fn empty() -> Self {
        Self {
            event_type: String::new(),
            channel: String::new(),
            channel_kind: ChannelType::App,
            provider: None,
            provider_event: None,
            dedupe_key: None,
            dedupe_window: None,
            thread_key: None,
            correlation: Correlation::default(),
            event_id: None,
            names: Vec::new(),
            content: None,
            digest: None,
            erased_at: None,
        }
    }
}

impl<'a> From<&'a Keys> for Selectable<'a> {
    fn from(keys: &'a Keys) -> Self {
        Self {
            event_type: &keys.event_type,
            channel: &keys.channel,
            provider: keys.provider.as_deref(),
            provider_event: keys.provider_event.as_deref(),
            thread_key: keys.thread_key.as_deref(),
            correlation: &keys.correlation,
            event_id: keys.event_id.as_deref(),
            event: None,
        }
    }
}

fn name_digest(draft: &Draft, name: &str) -> NameDigest {
    // No text holds the byte between the two, which is not that of dedupe keys.
    let digest = Sha256::new_with_prefix(draft.channel.id.as_bytes());
    digest.chain_update([0xfe]).chain_update(name.as_bytes()).finalize().into()
}

fn content_bytes(content: AppContent) -> Vec<u8> {
    let time = content.timestamp.map(|time| time.unix_ms().to_le_bytes());
    [content.digest.as_slice(), time.as_ref().map_or(&[], <[u8; 8]>::as_slice)].concat()
}

fn content_of(value: &[u8]) -> Result<AppContent, &'static str> {
    let wrong = "the content is not 32 or 40 bytes";
    let (digest, time) = value.split_first_chunk().ok_or(wrong)?;
    let timestamp = match time {
        [] => None,
        time => {
            let ms = time.try_into().map_err(|_| wrong)?;
            Some(Timestamp::from_unix_ms(i64::from_le_bytes(ms)))
        }
    };
    Ok(AppContent { digest: *digest, timestamp })
}

fn put(out: &mut Vec<u8>, tag: u8, value: Option<&[u8]>) {
    let Some(value) = value else { return };
    // A longer value makes a frame that is refused as too large before it is written.
    let length = u32::try_from(value.len()).unwrap_or(u32::MAX);
    out.push(tag);
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(value);
}

fn text(value: &[u8]) -> Result<String, &'static str> {
    std::str::from_utf8(value).map(str::to_owned).map_err(|_| "a key is not UTF-8")
}

fn whole_ms(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

fn kind_byte(kind: ChannelType) -> u8 {
    match kind {
        ChannelType::Webhook => 1,
        ChannelType::Email => 2,
        ChannelType::Slack => 3,
        ChannelType::Cron => 4,
        ChannelType::App => 5,
    }
}

fn kind_of(value: &[u8]) -> Result<ChannelType, &'static str> {
    Ok(match value {
        [1] => ChannelType::Webhook,
        [2] => ChannelType::Email,
        [3] => ChannelType::Slack,
        [4] => ChannelType::Cron,
        [5] => ChannelType::App,
        _ => return Err("the channel type is unknown"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn any_text() -> impl Strategy<Value = Option<String>> {
        proptest::option::of(".{0,40}")
    }

    proptest! {
        #[test]
        fn keys_are_read_as_they_were_written(
            event_type in ".{1,20}",
            kind in 1_u8..=5,
            texts in proptest::collection::vec(any_text(), 4),
            ids in proptest::collection::vec(any_text(), 5),
            window in proptest::option::of(any::<u64>()),
            names in proptest::collection::vec(any::<[u8; 32]>(), 0..3),
            content in proptest::option::of((any::<[u8; 32]>(), proptest::option::of(any::<i64>()))),
        ) {
            let keys = Keys {
                channel: "billing".to_owned(),
                channel_kind: kind_of(&[kind]).expect("known"),
                event_type,
                provider: texts[0].clone(),
                provider_event: texts[1].clone(),
                dedupe_key: texts[2].clone(),
                dedupe_window: window.map(Duration::from_millis),
                thread_key: texts[3].clone(),
                correlation: Correlation {
                    flow_id: ids[0].clone(),
                    flow_type: ids[1].clone(),
                    proposal_id: ids[2].clone(),
                    deal_id: ids[3].clone(),
                    session_id: ids[4].clone(),
                },
                event_id: texts[3].clone(),
                names,
                content: content.map(|(digest, ms)| {
                    AppContent { digest, timestamp: ms.map(Timestamp::from_unix_ms) }
                }),
                digest: None,
                erased_at: None,
            };
            prop_assert_eq!(Keys::decode(&keys.encode()), Ok(keys));
        }

        #[test]
        fn any_bytes_are_keys_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Keys::decode(&bytes);
        }
    }

    #[test]
    fn a_key_of_a_later_version_is_skipped() {
        let keys = Keys { event_type: "a".into(), channel: "b".into(), ..Keys::empty() };
        let mut bytes = keys.encode();
        put(&mut bytes, 200, Some(b"later"));
        assert_eq!(Keys::decode(&bytes), Ok(keys));
    }
}
