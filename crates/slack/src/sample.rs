//! Requests as Slack sends them, written by us, to try a channel with.
//!
//! They name no app, so that a channel takes them whose secret belongs to one.

use crate::verify::{SIGNATURE, TIMESTAMP, sign};
use bytes::Bytes;
use headgate_event::{Secret, Timestamp};
use http::{HeaderMap, HeaderName, HeaderValue, header::CONTENT_TYPE};
use serde_json::Value;

/// A request as Slack sends it.
#[derive(Clone, Debug)]
pub struct Sample {
    /// What happened.
    pub event: &'static str,
    /// The media type of the body.
    pub content_type: &'static str,
    /// The body.
    pub body: Bytes,
}

/// How a body says what happened.
#[derive(Clone, Copy)]
enum Form {
    /// As JSON.
    Json,
    /// Each member is a field of a form.
    Fields,
    /// As JSON in the field `payload` of a form.
    Payload,
}

/// The first one is what is sent when none is asked for.
const SAMPLES: [(&str, Form, &str); 8] = [
    ("app_mention", Form::Json, include_str!("../samples/app_mention.json")),
    ("message", Form::Json, include_str!("../samples/message.json")),
    ("message_in_a_thread", Form::Json, include_str!("../samples/message_in_a_thread.json")),
    ("reaction_added", Form::Json, include_str!("../samples/reaction_added.json")),
    ("slash_command", Form::Fields, include_str!("../samples/slash_command.json")),
    ("block_actions", Form::Payload, include_str!("../samples/block_actions.json")),
    ("view_submission", Form::Payload, include_str!("../samples/view_submission.json")),
    ("url_verification", Form::Json, include_str!("../samples/url_verification.json")),
];

impl Sample {
    /// What there are samples of.
    pub fn events() -> impl Iterator<Item = &'static str> {
        SAMPLES.iter().map(|(event, ..)| *event)
    }

    /// A sample of an event that happened at `now`, or of the usual one. Its ids are made from
    /// `fresh`, which is random: with the same one it is the same delivery.
    ///
    /// ```
    /// # use headgate_event::Timestamp;
    /// # use headgate_slack::Sample;
    /// let sample = Sample::of(Some("message"), 7, Timestamp::from_unix_s(1_776_590_124)).unwrap();
    /// assert!(String::from_utf8_lossy(&sample.body).contains("Ev0000000000000007"));
    /// ```
    #[must_use]
    pub fn of(event: Option<&str>, fresh: u64, now: Timestamp) -> Option<Self> {
        let asked = |known: &str| event.is_none_or(|event| event == known);
        let (event, form, text) = SAMPLES.iter().find(|(known, ..)| asked(known))?;
        let text = text.replace("{fresh}", &format!("{fresh:016X}"));
        let text = text.replace("{s}", &now.unix_s().to_string());
        let (content_type, body) = match form {
            Form::Json => ("application/json", text),
            Form::Fields => ("application/x-www-form-urlencoded", fields(&text)),
            Form::Payload => {
                let mut body = form_urlencoded::Serializer::new(String::new());
                ("application/x-www-form-urlencoded", body.append_pair("payload", &text).finish())
            }
        };
        Some(Self { event, content_type, body: body.into() })
    }

    /// The headers of a request with this body, without proof.
    #[must_use]
    pub fn headers(&self) -> HeaderMap {
        HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(self.content_type))])
    }

    /// The headers with the proof of an app whose signing secret this is.
    #[must_use]
    pub fn signed(&self, secret: &Secret, now: Timestamp) -> HeaderMap {
        let mut headers = self.headers();
        let signature = HeaderValue::from_str(&sign(secret, now, &self.body));
        headers.insert(HeaderName::from_static(TIMESTAMP), now.unix_s().into());
        headers.extend(signature.ok().map(|value| (HeaderName::from_static(SIGNATURE), value)));
        headers
    }
}

/// The members of an object of texts as a form.
fn fields(text: &str) -> String {
    let mut form = form_urlencoded::Serializer::new(String::new());
    let object: Option<Value> = serde_json::from_str(text).ok();
    for (name, value) in object.as_ref().and_then(Value::as_object).into_iter().flatten() {
        form.append_pair(name, value.as_str().unwrap_or_default());
    }
    form.finish()
}
