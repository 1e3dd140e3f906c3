//! `data` of `webhook.received`.

use crate::{
    Coded, Open,
    body::{BodyEncoding, DataText, Fill},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::{borrow::Cow, collections::BTreeMap};

/// A request that a webhook channel took.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct WebhookData {
    /// The method, upper case.
    pub method: String,
    /// The path without query; a secret in it is masked.
    pub path: String,
    /// The query without `?`, as sent.
    pub query: String,
    /// Lower-case names; repeats joined with `, `; values that are secret redacted.
    pub headers: BTreeMap<String, String>,
    /// How `body` or `body_raw_b64` holds the body.
    pub body_encoding: Open<BodyEncoding>,
    /// The JSON, token for token; a string for text; null for base64.
    #[schemars(with = "serde_json::Value")]
    pub body: Box<RawValue>,
    /// The body in base64 where it is neither JSON nor text, else empty.
    pub body_raw_b64: String,
    /// The size of the body as it came, in bytes; compressed when it came so.
    pub body_size_bytes: u64,
    /// The Content-Type as sent.
    pub content_type: Option<String>,
    /// The address of the sender, as far as trusted proxies tell it.
    pub remote_ip: Option<String>,
    /// The Content-Encoding as sent. `body` is what it was before, unless
    /// `metadata.body_defects` says that this could not be undone.
    #[serde(default)]
    pub content_encoding: Option<String>,
}

/// Everything of [`WebhookData`] but the body, which stays in the raw bytes where it is shown as it
/// came.
#[derive(Debug, Serialize)]
pub struct WebhookParts<'a> {
    /// The method, upper case.
    pub method: &'a str,
    /// The path without query; a secret in it is masked.
    pub path: &'a str,
    /// The query without `?`, as sent.
    pub query: &'a str,
    /// Lower-case names; repeats joined with `, `; values that are secret redacted.
    pub headers: &'a BTreeMap<&'a str, Cow<'a, str>>,
    /// How the body is shown.
    pub body_encoding: BodyEncoding,
    /// The size of the body as it came, in bytes.
    #[serde(skip)]
    pub body_size_bytes: u64,
    /// The Content-Type as sent.
    #[serde(skip)]
    pub content_type: Option<&'a str>,
    /// The address of the sender.
    #[serde(skip)]
    pub remote_ip: Option<&'a str>,
    /// The Content-Encoding as sent.
    #[serde(skip)]
    pub content_encoding: Option<&'a str>,
    /// How the body as it came is decoded; none when it is shown as it came.
    #[serde(skip)]
    pub coded: Option<Coded>,
    /// The body as it is shown, where it is not as it came: something in it is secret.
    #[serde(skip)]
    pub clean: Option<&'a [u8]>,
}

#[derive(Serialize)]
struct AfterBody<'a> {
    body_size_bytes: u64,
    content_type: Option<&'a str>,
    remote_ip: Option<&'a str>,
    content_encoding: Option<&'a str>,
}

impl WebhookParts<'_> {
    /// The `data` of the event, with a hole where the body belongs.
    #[must_use]
    pub fn data(&self) -> DataText {
        let after = AfterBody {
            body_size_bytes: self.body_size_bytes,
            content_type: self.content_type,
            remote_ip: self.remote_ip,
            content_encoding: self.content_encoding,
        };
        let text = DataText::from_object(self);
        let fill = match self.body_encoding {
            BodyEncoding::Json => Fill::Json,
            BodyEncoding::Text => Fill::Text,
            BodyEncoding::Base64 => Fill::Base64,
        };
        if let Some(shown) = self.clean.and_then(|clean| DataText::shown(fill, clean)) {
            let text = match fill {
                Fill::Base64 => text.field("body", ()).field("body_raw_b64", shown),
                Fill::Json | Fill::Text => text.field("body", shown).field("body_raw_b64", ""),
            };
            return text.object(&after);
        }
        let text = match self.body_encoding {
            BodyEncoding::Json => text.hole("body", Fill::Json).field("body_raw_b64", ""),
            BodyEncoding::Text => text.hole("body", Fill::Text).field("body_raw_b64", ""),
            BodyEncoding::Base64 => text.field("body", ()).hole("body_raw_b64", Fill::Base64),
        };
        text.object(&after).coded(self.coded.clone())
    }
}
