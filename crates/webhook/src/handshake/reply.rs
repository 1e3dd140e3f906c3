//! What a handshake is answered.

use super::{is_plain, is_word};
use crate::provider::Problems;
use base64::{Engine, engine::general_purpose::STANDARD};
use headgate_event::Secret;
use headgate_http::{Answer, empty_answer, json_answer, text_answer};
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderName, HeaderValue, StatusCode};
use serde::Deserialize;
use serde_json::{Map, Value};
use sha2::Sha256;
use std::{collections::BTreeMap, ops::Range};

/// What stands for the challenge.
const CHALLENGE: &str = "{challenge}";
/// What stands for its HMAC-SHA256 by the channel's first secret.
const HMAC_HEX: &str = "{hmac.hex}";
const HMAC_BASE64: &str = "{hmac.base64}";

/// An answer as a provider file has it.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReplyTable {
    status: Option<u16>,
    text: Option<String>,
    #[serde(default)]
    json: BTreeMap<String, Value>,
    #[serde(default)]
    headers: Vec<(String, String)>,
}

#[derive(Debug)]
pub(super) struct Reply {
    status: StatusCode,
    body: ReplyBody,
    headers: Vec<(HeaderName, String)>,
}

#[derive(Debug)]
enum ReplyBody {
    Empty,
    Text(String),
    Json(BTreeMap<String, Value>),
}

impl Reply {
    pub(super) fn read(
        table: ReplyTable,
        at: &Range<usize>,
        problems: &mut Problems,
    ) -> Option<Self> {
        let status = table.status.unwrap_or(200);
        let status = StatusCode::from_u16(status).ok().filter(StatusCode::is_success);
        if status.is_none() {
            problems.add(at.clone(), "expected a 2xx status in `answer`");
        }
        let body = match (table.text, table.json.is_empty()) {
            (Some(text), true) => ReplyBody::Text(text),
            (None, false) => ReplyBody::Json(table.json),
            (None, true) => ReplyBody::Empty,
            (Some(_), false) => {
                problems.add(at.clone(), "expected one of `answer.text` and `answer.json`");
                return None;
            }
        };
        let mut headers = Vec::new();
        for (name, value) in table.headers {
            headers.push((problems.header(&name, at.clone())?, value));
        }
        Some(Self { status: status?, body, headers })
    }

    /// Whether a challenge can be put into it.
    pub(super) fn takes(&self, challenge: &str) -> bool {
        if self.signs() { is_word(challenge) } else { is_plain(challenge) }
    }

    /// Whether it holds a challenge under the channel's secret.
    pub(super) fn signs(&self) -> bool {
        self.mentions("{hmac.")
    }

    fn mentions(&self, what: &str) -> bool {
        match &self.body {
            ReplyBody::Empty => false,
            ReplyBody::Text(text) => text.contains(what),
            ReplyBody::Json(members) => {
                members.values().filter_map(Value::as_str).any(|text| text.contains(what))
            }
        }
    }

    pub(super) fn answer(&self, challenge: &str, secret: Option<&Secret>) -> Answer {
        let digest = secret.filter(|_| self.signs()).map(|key| digest(key, challenge));
        let digest = digest.unwrap_or_default();
        let fill = |text: &str| {
            text.replace(HMAC_HEX, &hex::encode(&digest))
                .replace(HMAC_BASE64, &STANDARD.encode(&digest))
                .replace(CHALLENGE, challenge)
        };
        let mut answer = match &self.body {
            ReplyBody::Empty => empty_answer(self.status),
            ReplyBody::Text(text) => text_answer(self.status, fill(text)),
            ReplyBody::Json(members) => {
                let member = |(name, value): (&String, &Value)| {
                    let value = value.as_str().map_or_else(|| value.clone(), |t| fill(t).into());
                    (name.clone(), value)
                };
                let object: Map<String, Value> = members.iter().map(member).collect();
                json_answer(self.status, &object)
            }
        };
        let nosniff = HeaderValue::from_static("nosniff");
        answer.headers_mut().insert(http::header::X_CONTENT_TYPE_OPTIONS, nosniff);
        for (name, value) in &self.headers {
            if let Ok(value) = HeaderValue::from_str(&fill(value)) {
                answer.headers_mut().insert(name.clone(), value);
            }
        }
        answer
    }
}

#[expect(clippy::expect_used, reason = "HMAC takes keys of every length")]
fn digest(secret: &Secret, challenge: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose()).expect("any length");
    mac.update(challenge.as_bytes());
    mac.finalize().into_bytes().to_vec()
}
