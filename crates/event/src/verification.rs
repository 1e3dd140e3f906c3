//! How an event was proved genuine, and what the proof covers.

use crate::Open;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// Whether the sender proved itself. What was refused is no event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// The proof was checked and holds.
    Verified,
    /// Anyone could have sent it.
    Unverified,
}

/// What the proof covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Covers {
    /// The body and the time of sending.
    #[serde(rename = "body+time")]
    BodyAndTime,
    /// The body alone: it can be replayed.
    #[serde(rename = "body")]
    Body,
    /// The URL and the body.
    #[serde(rename = "url+body")]
    UrlAndBody,
    /// The URL alone.
    #[serde(rename = "url")]
    Url,
    /// Nothing of the content: the sender knows a shared token.
    #[serde(rename = "token")]
    Token,
    /// The connection it came over.
    #[serde(rename = "connection")]
    Connection,
    /// Nothing.
    #[serde(rename = "none")]
    None,
}

/// How an event was proved genuine.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Verification {
    /// Whether the sender proved itself.
    pub verdict: Open<Verdict>,
    /// By what: a provider's scheme (`github`), `dmarc`, `internal`, `api_key:{name}`, `none`.
    pub method: Cow<'static, str>,
    /// What the proof covers.
    pub covers: Open<Covers>,
    /// A remark for the operator.
    pub detail: Option<String>,
    /// Which of the channel's secrets matched, counted from 0.
    pub key: Option<u32>,
}

impl Verification {
    /// Whether the sender proved itself. A verdict that this version does not know is no proof.
    #[must_use]
    pub fn is_verified(&self) -> bool {
        self.verdict == Verdict::Verified
    }

    /// The verification of something that anyone could have sent.
    #[must_use]
    pub fn none() -> Self {
        Self {
            verdict: Verdict::Unverified.into(),
            method: "none".into(),
            covers: Covers::None.into(),
            detail: None,
            key: None,
        }
    }

    /// The verification of what Headgate itself makes: a schedule that fires.
    #[must_use]
    pub fn internal() -> Self {
        Self {
            verdict: Verdict::Verified.into(),
            method: "internal".into(),
            covers: Covers::BodyAndTime.into(),
            detail: None,
            key: None,
        }
    }
}

impl Open<Covers> {
    /// The word on the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Known(covers) => covers.as_str(),
            Self::Other(word) => word,
        }
    }
}

impl Covers {
    /// The word on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BodyAndTime => "body+time",
            Self::Body => "body",
            Self::UrlAndBody => "url+body",
            Self::Url => "url",
            Self::Token => "token",
            Self::Connection => "connection",
            Self::None => "none",
        }
    }
}
