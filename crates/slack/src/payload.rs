//! What Slack sent, read once: a JSON body, the JSON in a form, or the fields of a form.
//!
//! A form is decoded once and looked at by its keys, never by what its text holds somewhere. What
//! cannot be read is kept as it is, with the defect named; not for what an event means.

mod form;

use crate::mapping::scalar;
use bytes::Bytes;
use headgate_event::{
    Fill,
    data::SlackRaw,
    json::{Doc, Kind, Node},
};
use headgate_http::RawRequest;
use http::{HeaderMap, header::CONTENT_ENCODING};
use serde_json::value::RawValue;

pub(crate) use form::{asks_ssl_check, is_ssl_check};

/// What the event of a payload that names none is called.
const UNKNOWN: &str = "unknown";

/// The outer payload of one delivery.
#[derive(Debug)]
pub struct Payload {
    doc: Option<Doc>,
    bytes: Bytes,
    raw: Raw,
    defect: Option<&'static str>,
}

/// How the bytes are shown.
#[derive(Debug)]
enum Raw {
    Bytes(Fill),
    /// The fields of a slash command.
    Fields(Box<RawValue>),
}

/// What a payload is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PayloadKind {
    /// An event of the Events API.
    Event,
    /// The notice that Slack holds events back.
    RateLimited,
    /// The question whether the URL is ours.
    UrlVerification,
    /// A slash command.
    SlashCommand,
    /// A question for the options of a menu, whose answer is all that it is for.
    Options,
    /// A press, a form, a shortcut: whatever else people do with an app.
    Interaction,
    /// Nothing that can be read.
    Unreadable,
}

/// Whether a body is not as it reads: some coding is named that changes it. `identity`, or nothing,
/// names none (RFC 9110, 12.5.3).
fn is_encoded(headers: &HeaderMap) -> bool {
    let changes = |coding: &[u8]| {
        let coding = coding.trim_ascii();
        !coding.is_empty() && !coding.eq_ignore_ascii_case(b"identity")
    };
    let mut values = headers.get_all(CONTENT_ENCODING).iter();
    values.any(|value| value.as_bytes().split(|byte| *byte == b',').any(changes))
}

impl Payload {
    /// A payload that is JSON by itself, as Events API and Socket Mode bring it.
    #[must_use]
    pub fn json(bytes: Bytes) -> Self {
        match Doc::parse(bytes.clone()) {
            Ok(doc) if doc.root().kind() == Kind::Object => {
                Self { doc: Some(doc), bytes, raw: Raw::Bytes(Fill::Json), defect: None }
            }
            Ok(_) => Self::unreadable(bytes, "no_object"),
            Err(_) => Self::unreadable(bytes, "no_json"),
        }
    }

    /// The payload in a request, whatever Content-Type it names: a body that begins with a brace
    /// is JSON, any other a form.
    pub(crate) fn of_request(request: &RawRequest) -> Self {
        let body = request.body.clone();
        if is_encoded(&request.headers) {
            return Self::unreadable(body, "content_encoding");
        }
        match body.iter().find(|byte| !byte.is_ascii_whitespace()) {
            Some(b'{' | b'[') => Self::json(body),
            _ => Self::of_form(body),
        }
    }

    /// What came where a payload should: a message of Socket Mode that has none. It is kept and not
    /// read, since nothing says what in it is what.
    #[must_use]
    pub fn missing(message: Bytes) -> Self {
        match Self::json(message) {
            Self { defect: None, bytes, .. } => Self::unreadable(bytes, "no_payload"),
            broken => broken,
        }
    }

    /// A form is a command when it has one, whatever else is in it: people write the text of a
    /// command, and `payload=` is a text like any other.
    fn of_form(body: Bytes) -> Self {
        if form::value(&body, "command").is_some() {
            let Some((doc, raw)) = form::object(&form::fields(&body)) else {
                return Self::unreadable(body, "no_json");
            };
            let defect = (!form::is_text(&body)).then_some("no_utf8");
            return Self { doc: Some(doc), bytes: body, raw: Raw::Fields(raw), defect };
        }
        match form::value(&body, "payload") {
            Some(payload) => {
                let read = Self::json(Bytes::from(payload));
                match read.defect {
                    None => read,
                    Some(defect) => Self::unreadable(body, defect),
                }
            }
            None => Self::unreadable(body, "no_payload"),
        }
    }

    fn unreadable(bytes: Bytes, defect: &'static str) -> Self {
        let text = std::str::from_utf8(&bytes).is_ok();
        let fill = if text { Fill::Text } else { Fill::Base64 };
        Self { doc: None, bytes, raw: Raw::Bytes(fill), defect: Some(defect) }
    }

    /// What it is.
    #[must_use]
    pub fn kind(&self) -> PayloadKind {
        let Some(root) = self.root() else { return PayloadKind::Unreadable };
        match root.get("type").and_then(Node::as_str) {
            Some("event_callback") => PayloadKind::Event,
            Some("app_rate_limited") => PayloadKind::RateLimited,
            Some("url_verification") if self.challenge().is_some() => PayloadKind::UrlVerification,
            Some("block_suggestion" | "dialog_suggestion") => PayloadKind::Options,
            _ if root.get("event").is_some() => PayloadKind::Event,
            None if root.get("command").is_some() => PayloadKind::SlashCommand,
            _ => PayloadKind::Interaction,
        }
    }

    /// What its event is called: `app_mention`, `slash_command`, `view_submission`, ..
    #[must_use]
    pub fn event_type(&self) -> &str {
        let Some(root) = self.root() else { return "unreadable" };
        let own = |node: Node<'_>| node.get("type").and_then(Node::as_str).is_some();
        let name = match self.kind() {
            PayloadKind::SlashCommand => Some("slash_command"),
            PayloadKind::Event if self.event().is_some_and(own) => {
                self.event().and_then(|event| event.get("type")).and_then(Node::as_str)
            }
            PayloadKind::Event => None,
            _ => root.get("type").and_then(Node::as_str),
        };
        name.filter(|name| !name.is_empty()).unwrap_or(UNKNOWN)
    }

    /// The text to send back to a `url_verification`.
    #[must_use]
    pub fn challenge(&self) -> Option<&str> {
        self.root()?.get("challenge")?.as_str()
    }

    /// The app that it names; a form may name it by its view alone.
    #[must_use]
    pub fn app(&self) -> Option<String> {
        let places = ["api_app_id", "view.app_id"];
        scalar(self.root()?, &places).map(|app| app.into_owned())
    }

    /// The outer object.
    pub(crate) fn root(&self) -> Option<Node<'_>> {
        self.doc.as_ref().map(Doc::root)
    }

    /// What happened: the inner object of an event, else the outer one.
    pub(crate) fn event(&self) -> Option<Node<'_>> {
        let root = self.root()?;
        match root.get("event") {
            Some(event) if event.kind() == Kind::Object => Some(event),
            _ => Some(root),
        }
    }

    /// The bytes of `raw`.
    pub(crate) fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// How `raw` is made of them.
    pub(crate) fn raw(&self) -> SlackRaw<'_> {
        match &self.raw {
            Raw::Bytes(fill) => SlackRaw::Bytes(*fill),
            Raw::Fields(json) => SlackRaw::Made(json),
        }
    }

    /// What is wrong with it.
    pub(crate) fn defect(&self) -> Option<&'static str> {
        let event = || self.root().and_then(|root| root.get("event"));
        let whole = |event: Node<'_>| event.kind() == Kind::Object;
        match self.kind() {
            PayloadKind::Event if !event().is_some_and(whole) => Some("no_event"),
            _ => self.defect,
        }
    }
}
