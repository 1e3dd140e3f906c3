//! The shape of a provider file. What its `[verify]` table holds is its scheme's affair.

use crate::{
    identity::IdentityTable,
    render::{EventTable, PromptTable},
    sample::SampleTable,
};
use headgate_event::{Size, Span};
use serde::{Deserialize, de::IgnoredAny};
use toml::Spanned;

/// A provider file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FileTable {
    pub(super) name: Spanned<String>,
    pub(super) title: Spanned<String>,
    pub(super) docs: Option<String>,
    #[serde(default)]
    pub(super) request: RequestTable,
    #[serde(default)]
    pub(super) answer: AnswerTable,
    #[serde(default)]
    pub(super) sender: SenderTable,
    #[serde(rename = "verify")]
    pub(super) _verify: IgnoredAny,
    #[serde(default)]
    pub(super) identity: IdentityTable,
    pub(super) prompt: PromptTable,
    #[serde(default)]
    pub(super) event: Vec<EventTable>,
    pub(super) sample: Option<SampleTable>,
}

/// What its requests are like.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RequestTable {
    pub(super) body_max: Option<Spanned<Size>>,
}

/// What it wants to hear when an event is stored.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AnswerTable {
    pub(super) status: Option<Spanned<u16>>,
    #[serde(default)]
    pub(super) body: AnswerBody,
}

/// The body of the answer when an event is stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AnswerBody {
    /// The id of the event, as JSON.
    #[default]
    Json,
    /// None, for senders that take nothing else.
    Empty,
}

/// How it behaves towards answers; for people to read.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SenderTable {
    pub(super) timeout: Option<Span>,
    pub(super) retries: Option<String>,
    pub(super) stops: Option<String>,
}

/// The one table of a file that its scheme reads.
#[derive(Deserialize)]
pub(crate) struct VerifyTable<T> {
    pub(crate) verify: T,
}
