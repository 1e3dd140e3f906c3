//! Mailgun routes: a form, signed by HMAC over a time and a token and nothing else. To a URL that
//! ends in `mime` it sends the message itself.

use super::{
    compose::{Content, File, Parts},
    form::Form,
    json,
    proof::{Keys, admit, mismatch, proved, seconds},
    provider::{Check, Handed, Origin, Provider, SecretError, Unreadable, Window},
};
use headgate_event::{
    Covers, Secret, Timestamp, Verification,
    data::Envelope,
    limits::{INBOUND_RETRIED_AGE_MAX, INBOUND_SIGNED_AGE_MAX},
};
use headgate_http::{RawRequest, Reject, Verify};
use http::StatusCode;
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::Value;
use std::{collections::BTreeMap, fmt, time::Duration};

const SECRET_FORM: &str = "the HTTP webhook signing key";

#[derive(Debug)]
pub(super) struct Mailgun;

struct Signed {
    keys: Keys,
    window: Window,
}

/// The pairs of a JSON object, repeated keys too.
struct Pairs(Vec<(String, Value)>);

impl Provider for Mailgun {
    fn name(&self) -> &'static str {
        "mailgun"
    }

    fn secret_form(&self) -> &'static str {
        SECRET_FORM
    }

    fn check(&self, secrets: &[Secret], window: Window) -> Result<Check, (usize, SecretError)> {
        let keys = Keys::of_texts(secrets, SECRET_FORM)?;
        Ok(Box::new(Signed { keys, window }))
    }

    fn read(&self, request: &RawRequest) -> Result<Handed, Unreadable> {
        let form = Form::read(request)?;
        let text = |name: &str| form.text(name).map(|text| text.trim().to_owned());
        let recipients = text("recipient").unwrap_or_default();
        let recipients = recipients.split(',').map(|one| one.trim().to_owned());
        let envelope = Envelope {
            mail_from: text("sender"),
            rcpt_to: recipients.filter(|one| !one.is_empty()).collect(),
            ..Envelope::default()
        };
        // The header fields of a message are fields of the form, too: one called `body-mime` is not
        // the message. Of a message itself no headers are listed.
        let (message, origin) = match (form.bytes("message-headers"), form.bytes("body-mime")) {
            (None, Some(message)) => (message.clone(), Origin::Sender),
            _ => (parts(&form)?.message(), Origin::Parts),
        };
        // What `store()` kept at Mailgun is told of and has to be fetched there.
        let kept = text("attachments").and_then(|text| serde_json::from_str::<Value>(&text).ok());
        let kept = kept.filter(|kept| kept.as_array().is_some_and(|list| !list.is_empty()));
        let mut metadata = BTreeMap::new();
        if let Some(kept) = kept {
            metadata.insert("content_pending".to_owned(), true.into());
            metadata.insert("attachments_at_provider".to_owned(), kept);
        }
        let delivery_id = text("token");
        Ok(Handed { message, origin, envelope, delivery_id, metadata, ..Handed::default() })
    }

    /// A retry bears the token of the first attempt, and as it seems its time: Mailgun's
    /// documentation asks that the time be not too far from ours, and does not say which it is.
    /// It is believed for as long as the token is known, with which alone a request is good once.
    fn signed_age_max(&self, known_for: Option<Duration>) -> Duration {
        let known_for = known_for.unwrap_or_default();
        known_for.clamp(INBOUND_SIGNED_AGE_MAX, INBOUND_RETRIED_AGE_MAX)
    }

    /// Anything else is tried again for eight hours.
    fn refusal(&self) -> StatusCode {
        StatusCode::NOT_ACCEPTABLE
    }
}

fn parts(form: &Form) -> Result<Parts, Unreadable> {
    let headers = form.bytes("message-headers");
    let headers = headers.ok_or_else(|| Unreadable::missing("`message-headers` or `body-mime`"))?;
    let fields: Vec<(String, String)> = json::read(headers)?;
    let text = |name: &str| form.text(name).map(|text| text.into_owned());
    let ids = form.bytes("content-id-map").and_then(|map| serde_json::from_slice(map).ok());
    let Pairs(ids) = ids.unwrap_or(Pairs(Vec::new()));
    let id_of = |field: &str| {
        let named = ids.iter().find(|(id, name)| !id.is_empty() && name == field);
        named.map(|(id, _)| id.clone())
    };
    let count = text("attachment-count").and_then(|text| text.trim().parse().ok());
    let count: usize = count.unwrap_or(0).min(form.fields().len());
    let file = |number: usize| {
        let name = format!("attachment-{number}");
        let field = form.field(&name)?;
        Some(File {
            name: field.filename.clone().unwrap_or_default(),
            content_type: field.content_type.clone().unwrap_or_default(),
            content_id: id_of(&name),
            content: Content::Bytes(field.value.clone()),
        })
    };
    Ok(Parts {
        fields,
        text: text("body-plain"),
        html: text("body-html"),
        files: (1..=count).filter_map(file).collect(),
    })
}

impl Verify for Signed {
    fn verify(&self, request: &RawRequest, now: Timestamp) -> Result<Verification, Reject> {
        let form = Form::read(request).map_err(|why| {
            Reject::unauthorized("missing_signature", "the body is no form with a signature")
                .with_cause(why)
        })?;
        let field = |name: &'static str| {
            let value = form.bytes(name).filter(|value| !value.is_empty());
            value.ok_or_else(|| {
                let message = format!("field `{name}` is missing or empty");
                Reject::unauthorized("missing_signature", message)
            })
        };
        let (time, token) = (field("timestamp")?, field("token")?);
        let mut digest = [0; 32];
        hex::decode_to_slice(field("signature")?, &mut digest).map_err(|_| {
            let message = "field `signature` is not 64 hex digits";
            Reject::unauthorized("malformed_signature", message)
        })?;
        let signed = seconds(time, "field `timestamp`")?;
        let key = self.keys.signer(&[time, token], &[digest]).ok_or_else(mismatch)?;
        admit(signed, now, self.window)?;
        // The message itself is not signed: whoever saw a request can send another with its token
        // once, and the token is what makes a repeat known.
        Ok(proved("hmac", Covers::Token, key))
    }
}

impl<'de> Deserialize<'de> for Pairs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct All;
        impl<'de> Visitor<'de> for All {
            type Value = Pairs;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }
        deserializer.deserialize_map(All)
    }
}
