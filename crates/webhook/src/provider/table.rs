//! The shape of a provider file. What its `[verify]` table holds is its scheme's affair.

use crate::{
    handshake::HandshakeTable,
    identity::{IdentityTable, SplitTable},
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
    pub(super) split: Option<SplitTable>,
    #[serde(default)]
    pub(super) setting: Vec<Spanned<SettingTable>>,
    #[serde(default)]
    pub(super) handshake: Vec<Spanned<HandshakeTable>>,
    #[serde(default)]
    pub(super) unconfirmed: Vec<String>,
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
    /// A text for senders that wait for it.
    pub(super) text: Option<String>,
}

/// What a channel has to say beside its secrets.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SettingTable {
    pub(super) name: String,
    pub(super) about: String,
    #[serde(default = "yes")]
    pub(super) required: bool,
}

fn yes() -> bool {
    true
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
