//! What Resend keeps of a message: asked for with an API key, then had from the address that the
//! answer gives (<https://resend.com/docs/api-reference/emails/retrieve-received-email>).

use crate::inbound::{
    compose::Parts,
    held::{Held, NotHad},
    json::{filled, text, texts},
    provider::{CONTENT_PENDING, Handed, Origin},
};
use headgate_event::limits::INBOUND_NOTE_BYTES_MAX;
use headgate_http::Hosts;
use serde::Deserialize;
use serde_json::{Map, Value};

/// The setting that is the key.
pub(super) const API_KEY: &str = "api_key";
const API: &str = "https://api.resend.com/emails/receiving/";
/// Where a message is had from; its address needs no key.
const DOWNLOADS: &str = "*.resend.com";

/// What Resend tells of a message.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Note {
    #[serde(deserialize_with = "text")]
    from: String,
    #[serde(deserialize_with = "texts")]
    to: Vec<String>,
    #[serde(deserialize_with = "texts")]
    cc: Vec<String>,
    #[serde(deserialize_with = "texts")]
    reply_to: Vec<String>,
    #[serde(deserialize_with = "text")]
    subject: String,
    #[serde(deserialize_with = "text")]
    message_id: String,
    #[serde(deserialize_with = "text")]
    text: String,
    #[serde(deserialize_with = "text")]
    html: String,
    headers: Option<Map<String, Value>>,
    raw: Option<Raw>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Raw {
    #[serde(deserialize_with = "text")]
    download_url: String,
}

/// The message with its content, where the channel has a key.
pub(super) async fn completed(mut handed: Handed, held: Held<'_>) -> Result<Handed, NotHad> {
    let Some(key) = held.settings.get(API_KEY) else { return Ok(handed) };
    let id = handed.delivery_id.as_deref().unwrap_or_default();
    let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if id.is_empty() || !id.bytes().all(word) {
        return Err(NotHad::Failed("expected an `email_id` of letters and digits".to_owned()));
    }
    let url = format!("{API}{id}?html_format=cid");
    let told = held.fetch(&url, Some(key), INBOUND_NOTE_BYTES_MAX).await.map_err(|error| {
        // It is not the message that is too large.
        NotHad::Failed(error.to_string())
    })?;
    let note: Note = serde_json::from_slice(&told.bytes)
        .map_err(|error| NotHad::Failed(format!("expected JSON of Resend's form: {error}")))?;
    drop(told);
    match note.raw.as_ref().map(|raw| raw.download_url.trim()).filter(|url| !url.is_empty()) {
        Some(url) => {
            let hosts = Hosts::read(&[DOWNLOADS]).map_err(NotHad::Failed)?;
            hosts.admit(url).map_err(|reject| NotHad::Failed(reject.to_string()))?;
            let had = held.fetch(url, None, held.message_bytes_max).await?;
            handed.message = had.bytes;
            handed.hold = Some(had.hold);
            handed.origin = Origin::Sender;
            handed.metadata.remove("content_pending");
            handed.metadata.remove("attachments_at_provider");
        }
        None => {
            handed.message = note.parts().message();
            if !handed.metadata.contains_key("attachments_at_provider") {
                handed.metadata.remove("content_pending");
            }
        }
    }
    handed.defects.retain(|defect| *defect != CONTENT_PENDING);
    Ok(handed)
}

impl Note {
    fn parts(self) -> Parts {
        let mut parts = Parts::default();
        parts.field("From", filled(self.from));
        parts.field("To", filled(self.to.join(", ")));
        parts.field("Cc", filled(self.cc.join(", ")));
        parts.field("Reply-To", filled(self.reply_to.join(", ")));
        parts.field("Subject", filled(self.subject));
        parts.field("Message-ID", filled(self.message_id));
        let known = parts.fields.len();
        for (name, value) in self.headers.unwrap_or_default() {
            let told = |(told, _): &(String, String)| told.eq_ignore_ascii_case(&name);
            if !parts.fields.iter().take(known).any(told) {
                let value = value.as_str().map(str::to_owned);
                parts.field(&name, value);
            }
        }
        parts.text = filled(self.text);
        parts.html = filled(self.html);
        parts
    }
}
