//! What a message of Socket Mode says: `hello`, `disconnect`, or an envelope with something to
//! store.
//!
//! Whatever comes is one of the three. What cannot be read is an envelope too, kept whole, with
//! its id where that could be read before it broke. Not for what a payload means.

use bytes::Bytes;
use headgate_event::limits::{
    SOCKET_ENVELOPE_ID_BYTES_MAX, SOCKET_LIFE_DEFAULT, SOCKET_LIFE_MAX, SOCKET_LIFE_MIN,
};
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::{borrow::Cow, fmt, time::Duration};

/// The longest reason of a retry that is kept, in characters.
const RETRY_REASON_CHARS_MAX: usize = 64;

/// A message, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// The connection listens from here on.
    Hello(Hello),
    /// The connection will be closed.
    Disconnect(DisconnectReason),
    /// Something to store.
    Envelope(Envelope),
}

/// What `hello` tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hello {
    /// How many connections the app has, this one among them.
    pub connections: Option<u32>,
    /// How long this one will live, within what is believed.
    pub life: Duration,
}

/// Why Slack is about to close a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DisconnectReason {
    /// It will be closed within seconds.
    Warning,
    /// Its time is over.
    RefreshRequested,
    /// The app has more connections than it may have.
    TooManyWebsockets,
    /// Socket Mode is switched off for the app.
    LinkDisabled,
    /// One that nobody wrote down.
    Other,
}

/// Something to store, and what to acknowledge it by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// What the acknowledgement names; none when there is none to be had.
    pub id: Option<String>,
    /// What kind of envelope it is.
    pub kind: EnvelopeKind,
    /// The payload as it came; the whole message where it has no object for a payload.
    pub payload: Bytes,
    /// Which of the two it is.
    pub part: Part,
    /// Whether the acknowledgement may carry an answer.
    pub takes_answer: bool,
    /// Which attempt of Slack's it is, from 0.
    pub retry_attempt: Option<u32>,
    /// Why Slack tries again, in its words.
    pub retry_reason: Option<String>,
}

/// What of a message is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Its payload, which is an object.
    Payload,
    /// All of it: it has no such payload, or cannot be read.
    Message,
}

/// What kind an envelope is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EnvelopeKind {
    /// An event of the Events API.
    EventsApi,
    /// A press, a form, a shortcut.
    Interactive,
    /// A slash command.
    SlashCommands,
    /// A type that nobody wrote down.
    Unknown,
    /// A message that cannot be read.
    Unreadable,
}

/// The members of a message that are looked at, as they are written.
#[derive(Default)]
struct Members<'a> {
    kind: Option<&'a RawValue>,
    reason: Option<&'a RawValue>,
    connections: Option<&'a RawValue>,
    debug: Option<&'a RawValue>,
    id: Option<&'a RawValue>,
    payload: Option<&'a RawValue>,
    takes_answer: Option<&'a RawValue>,
    retry_attempt: Option<&'a RawValue>,
    retry_reason: Option<&'a RawValue>,
}

impl Message {
    /// Reads a message, text or binary.
    #[must_use]
    pub fn read(bytes: &Bytes) -> Self {
        let mut members = Members::default();
        let mut json = serde_json::Deserializer::from_slice(bytes);
        let whole = members.deserialize_from(&mut json).and_then(|()| json.end()).is_ok();
        if !whole {
            let all = (Part::Message, bytes.clone());
            return Self::Envelope(members.envelope(EnvelopeKind::Unreadable, all));
        }
        let kind = members.kind.and_then(text);
        match kind.as_deref() {
            Some("hello") if members.id.is_none() => Self::Hello(members.hello()),
            Some("disconnect") if members.id.is_none() => Self::Disconnect(members.reason()),
            kind => {
                let object = members.payload.filter(|payload| payload.get().starts_with('{'));
                let payload = object.map(|payload| bytes.slice_ref(payload.get().as_bytes()));
                let found = match payload {
                    Some(payload) => (Part::Payload, payload),
                    None => (Part::Message, bytes.clone()),
                };
                Self::Envelope(members.envelope(EnvelopeKind::of(kind), found))
            }
        }
    }
}

impl<'a> Members<'a> {
    /// Fills the members in as they come: those before a break stay.
    fn deserialize_from<D: Deserializer<'a>>(&mut self, json: D) -> Result<(), D::Error> {
        DeserializeSeed::deserialize(Reading(self), json)
    }

    fn hello(&self) -> Hello {
        #[derive(serde::Deserialize)]
        struct Debug {
            approximate_connection_time: Option<u64>,
        }
        let debug: Option<Debug> =
            self.debug.and_then(|debug| serde_json::from_str(debug.get()).ok());
        let seconds = debug.and_then(|debug| debug.approximate_connection_time);
        let life = match seconds {
            None | Some(0) => SOCKET_LIFE_DEFAULT,
            Some(seconds) => Duration::from_secs(seconds).clamp(SOCKET_LIFE_MIN, SOCKET_LIFE_MAX),
        };
        Hello { connections: self.connections.and_then(number), life }
    }

    fn reason(&self) -> DisconnectReason {
        match self.reason.and_then(text).as_deref() {
            Some("warning") => DisconnectReason::Warning,
            Some("refresh_requested") => DisconnectReason::RefreshRequested,
            Some("too_many_websockets") => DisconnectReason::TooManyWebsockets,
            Some("link_disabled") => DisconnectReason::LinkDisabled,
            _ => DisconnectReason::Other,
        }
    }

    fn envelope(&self, kind: EnvelopeKind, (part, payload): (Part, Bytes)) -> Envelope {
        let is_id = |id: &String| !id.is_empty() && id.len() <= SOCKET_ENVELOPE_ID_BYTES_MAX;
        let reason = self.retry_reason.and_then(text).filter(|reason| !reason.is_empty());
        Envelope {
            id: self.id.and_then(text).filter(is_id),
            kind,
            payload,
            part,
            takes_answer: self.takes_answer.is_some_and(|answer| answer.get() == "true"),
            retry_attempt: self.retry_attempt.and_then(number),
            retry_reason: reason
                .map(|reason| reason.chars().take(RETRY_REASON_CHARS_MAX).collect()),
        }
    }
}

fn text(json: &RawValue) -> Option<String> {
    serde_json::from_str(json.get()).ok()
}

fn number(json: &RawValue) -> Option<u32> {
    serde_json::from_str(json.get()).ok()
}

/// Reads the members of one object.
struct Reading<'m, 'a>(&'m mut Members<'a>);

impl<'a> DeserializeSeed<'a> for Reading<'_, 'a> {
    type Value = ();

    fn deserialize<D: Deserializer<'a>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_map(self)
    }
}

impl<'a> Visitor<'a> for Reading<'_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<(), A::Error> {
        let members = self.0;
        while let Some(key) = map.next_key::<Cow<'a, str>>()? {
            let place = match &*key {
                "type" => &mut members.kind,
                "reason" => &mut members.reason,
                "num_connections" => &mut members.connections,
                "debug_info" => &mut members.debug,
                "envelope_id" => &mut members.id,
                "payload" => &mut members.payload,
                "accepts_response_payload" => &mut members.takes_answer,
                "retry_attempt" => &mut members.retry_attempt,
                "retry_reason" => &mut members.retry_reason,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            *place = Some(map.next_value::<&RawValue>()?);
        }
        Ok(())
    }
}

impl EnvelopeKind {
    fn of(kind: Option<&str>) -> Self {
        match kind {
            Some("events_api") => Self::EventsApi,
            Some("interactive") => Self::Interactive,
            Some("slash_commands") => Self::SlashCommands,
            _ => Self::Unknown,
        }
    }

    /// The word for it in metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::EventsApi => "events_api",
            Self::Interactive => "interactive",
            Self::SlashCommands => "slash_commands",
            Self::Unknown => "unknown",
            Self::Unreadable => "unreadable",
        }
    }
}

impl DisconnectReason {
    /// The word for it in logs and metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Warning => "warning",
            Self::RefreshRequested => "refresh_requested",
            Self::TooManyWebsockets => "too_many_websockets",
            Self::LinkDisabled => "link_disabled",
            Self::Other => "other",
        }
    }
}
