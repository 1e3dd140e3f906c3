//! Resend: JSON that says that a message came and names what is in it. The texts and files stay at
//! Resend: with an API key they are fetched (`held`), without one the event says `content_pending`.
//! Signed as Svix signs.

mod held;

use super::{
    compose::Parts,
    held::{Held, NotHad},
    json::{self, filled, text, texts},
    proof::{Keys, admit, header, mismatch, proved, seconds},
    provider::{
        CONTENT_PENDING, Check, Handed, Origin, Provider, SecretError, Setting, Unreadable, Window,
    },
};
use base64::{Engine, engine::general_purpose::STANDARD};
use headgate_event::{BoxFuture, Covers, Secret, Timestamp, Verification, data::Envelope};
use headgate_http::{RawRequest, Reject, Verify};
use http::StatusCode;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

const SECRET_FORM: &str = "`whsec_` and the signing secret in base64";
/// What is read of a header with several signatures.
const SIGNATURES_MAX: usize = 16;

#[derive(Debug)]
pub(super) struct Resend;

struct Signed {
    keys: Keys,
    window: Window,
}

#[derive(Deserialize)]
struct Notice {
    #[serde(rename = "type", default, deserialize_with = "text")]
    kind: String,
    /// Of another form in each type.
    #[serde(default)]
    data: Value,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Inbound {
    #[serde(deserialize_with = "text")]
    email_id: String,
    #[serde(deserialize_with = "text")]
    created_at: String,
    #[serde(deserialize_with = "text")]
    from: String,
    #[serde(deserialize_with = "texts")]
    to: Vec<String>,
    #[serde(deserialize_with = "texts")]
    cc: Vec<String>,
    #[serde(deserialize_with = "texts")]
    bcc: Vec<String>,
    #[serde(deserialize_with = "text")]
    subject: String,
    #[serde(deserialize_with = "text")]
    message_id: String,
    attachments: Value,
}

impl Provider for Resend {
    fn name(&self) -> &'static str {
        "resend"
    }

    fn secret_form(&self) -> &'static str {
        SECRET_FORM
    }

    fn settings(&self) -> &'static [Setting] {
        &[Setting {
            name: held::API_KEY,
            about: "an API key with full access, by which the content of a message is fetched",
            is_required: false,
        }]
    }

    fn check(&self, secrets: &[Secret], window: Window) -> Result<Check, (usize, SecretError)> {
        let keys = secrets.iter().enumerate().map(|(at, one)| key(one).map_err(|e| (at, e)));
        let keys: Vec<Vec<u8>> = keys.collect::<Result<_, _>>()?;
        Ok(Box::new(Signed { keys: Keys::new(keys.iter().map(Vec::as_slice)), window }))
    }

    fn read(&self, request: &RawRequest) -> Result<Handed, Unreadable> {
        let Notice { kind, data } = json::read(&request.body)?;
        if kind != "email.received" {
            // One webhook of Resend's may be told of everything, what becomes of sent mail too.
            let other = filled(kind.chars().take(40).collect());
            let missing = || Unreadable::missing("the type `email.received`");
            return Err(other.map_or_else(missing, Unreadable::OtherEvent));
        }
        let data: Inbound = json::value(data)?;
        let id = filled(data.email_id).ok_or_else(|| Unreadable::missing("an `email_id`"))?;
        let rcpt_to = [data.to.clone(), data.cc.clone(), data.bcc].concat();
        let envelope = Envelope { rcpt_to, ..Envelope::default() };
        let mut parts = Parts::default();
        parts.field("From", filled(data.from));
        parts.field("To", filled(data.to.join(", ")));
        parts.field("Cc", filled(data.cc.join(", ")));
        parts.field("Subject", filled(data.subject));
        parts.field("Message-ID", filled(data.message_id));
        let mut metadata = BTreeMap::new();
        metadata.insert("content_pending".to_owned(), true.into());
        metadata.insert("provider_email_id".to_owned(), id.clone().into());
        metadata.insert("provider_received_at".to_owned(), data.created_at.into());
        if data.attachments.as_array().is_some_and(|list| !list.is_empty()) {
            metadata.insert("attachments_at_provider".to_owned(), data.attachments);
        }
        let message = parts.message();
        let (origin, delivery_id) = (Origin::Parts, Some(id));
        let defects = vec![CONTENT_PENDING];
        Ok(Handed {
            message,
            origin,
            envelope,
            delivery_id,
            metadata,
            defects,
            ..Handed::default()
        })
    }

    fn complete<'a>(
        &'a self,
        handed: Handed,
        held: Held<'a>,
    ) -> BoxFuture<'a, Result<Handed, NotHad>> {
        Box::pin(held::completed(handed, held))
    }

    /// Any other answer is tried again for a day, and after some days of them Svix stops.
    fn refusal(&self) -> StatusCode {
        StatusCode::OK
    }
}

fn key(secret: &Secret) -> Result<Vec<u8>, SecretError> {
    let wrong = |found| SecretError { expected: SECRET_FORM, found };
    let text = secret.expose().trim_ascii();
    let text = text.strip_prefix(b"whsec_").ok_or_else(|| wrong("no `whsec_`"))?;
    let key = STANDARD.decode(text).map_err(|_| wrong("no base64 after `whsec_`"))?;
    if key.len() < 16 { Err(wrong("less than 16 bytes")) } else { Ok(key) }
}

impl Verify for Signed {
    fn verify(&self, request: &RawRequest, now: Timestamp) -> Result<Verification, Reject> {
        let id = header(request, "svix-id", "missing_signature")?;
        let time = header(request, "svix-timestamp", "missing_timestamp")?;
        let sent = header(request, "svix-signature", "missing_signature")?;
        let each = sent.split(|byte| *byte == b' ').take(SIGNATURES_MAX);
        let digest = |one: &[u8]| {
            let decoded = STANDARD.decode(one.strip_prefix(b"v1,")?).ok()?;
            <[u8; 32]>::try_from(decoded).ok()
        };
        let signatures: Vec<_> = each.filter_map(digest).collect();
        if signatures.is_empty() {
            let message = "header `svix-signature` holds no `v1,` and 32 bytes in base64";
            return Err(Reject::unauthorized("malformed_signature", message));
        }
        let signed = seconds(time, "header `svix-timestamp`")?;
        let pieces = [id, b".", time, b".", &request.body];
        let key = self.keys.signer(&pieces, &signatures).ok_or_else(mismatch)?;
        admit(signed, now, self.window)?;
        Ok(proved("svix", Covers::BodyAndTime, key))
    }
}
