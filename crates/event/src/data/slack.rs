//! `data` of `slack.event`.

use crate::body::{DataText, Fill};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// What happened in Slack. Every field is always present, null where the event has none.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct SlackData {
    /// The workspace, as the outer payload names it.
    pub team_id: Option<String>,
    /// The workspace's name, null unless configured.
    pub team_name: Option<String>,
    /// The inner event's type, or `slash_command`, `block_actions`, `view_submission`, ...
    pub event_type: String,
    /// The event's own timestamp, `1618307540.000400`.
    pub event_ts: Option<String>,
    /// The conversation.
    pub channel_id: Option<String>,
    /// Who did it.
    pub user_id: Option<String>,
    /// The text, null where the event has none or took it away.
    pub text: Option<String>,
    /// The thread's first message.
    pub thread_ts: Option<String>,
    /// The outer payload, token for token: of an interaction the JSON in its form, of a slash
    /// command the fields of its form as an object. A string where a body is not JSON, in base64
    /// where it is no text either.
    #[schemars(with = "serde_json::Value")]
    pub raw: Box<RawValue>,
    /// The app.
    #[serde(default)]
    pub api_app_id: Option<String>,
    /// Slack's id of the event, the same on a retry.
    #[serde(default)]
    pub event_id: Option<String>,
    /// The message's subtype.
    #[serde(default)]
    pub subtype: Option<String>,
    /// The kind of conversation: `channel`, `group`, `im`, `mpim`.
    #[serde(default)]
    pub channel_type: Option<String>,
    /// The bot that did it.
    #[serde(default)]
    pub bot_id: Option<String>,
    /// The timestamp of the message this is about.
    #[serde(default)]
    pub message_ts: Option<String>,
    /// App, conversation and message in one key, with `/changed` or `/deleted` where that happened
    /// to it. A `message` and the `app_mention` of the same message have the same one.
    #[serde(default)]
    pub message_key: Option<String>,
    /// What its author's program called the message: the same in every workspace that shares the
    /// conversation.
    #[serde(default)]
    pub client_msg_id: Option<String>,
    /// The workspace in which the app is installed.
    #[serde(default)]
    pub installation_team_id: Option<String>,
    /// Whether the app itself is mentioned.
    #[serde(default)]
    pub is_mention: bool,
    /// Whether a bot did it.
    #[serde(default)]
    pub is_bot: bool,
    /// Whether the app itself did it; null where the payload does not tell.
    #[serde(default)]
    pub is_self: Option<bool>,
    /// Whether an edit left the text as it was.
    #[serde(default)]
    pub no_text_change: bool,
    /// Which retry of Slack brought it.
    #[serde(default)]
    pub retry_num: Option<u32>,
    /// Why Slack tried again.
    #[serde(default)]
    pub retry_reason: Option<String>,
    /// `http` or `socket`.
    #[serde(default)]
    pub transport: Option<String>,
    /// The message as plain text, blocks, attachments and files included; null where there is no
    /// message.
    #[serde(default)]
    pub text_rendered: Option<String>,
    /// The users that the message mentions, in the order of the text.
    #[serde(default)]
    pub mentions: Vec<String>,
    /// What a person does not see as the text has it: `link_label` (it names another host than its
    /// link), `text_differs` (`text` is not what the blocks show), `invisible_characters`.
    #[serde(default)]
    pub hidden_text: Vec<String>,
}

/// Everything of [`SlackData`] but the outer payload, which stays in the raw bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "each is the field of the same name in `SlackData`")]
pub struct SlackParts {
    pub team_id: Option<String>,
    pub team_name: Option<String>,
    pub event_type: String,
    pub event_ts: Option<String>,
    pub channel_id: Option<String>,
    pub user_id: Option<String>,
    pub text: Option<String>,
    pub thread_ts: Option<String>,
    pub api_app_id: Option<String>,
    pub event_id: Option<String>,
    pub subtype: Option<String>,
    pub channel_type: Option<String>,
    pub bot_id: Option<String>,
    pub message_ts: Option<String>,
    pub message_key: Option<String>,
    pub client_msg_id: Option<String>,
    pub installation_team_id: Option<String>,
    pub is_mention: bool,
    pub is_bot: bool,
    pub is_self: Option<bool>,
    pub no_text_change: bool,
    pub retry_num: Option<u32>,
    pub retry_reason: Option<String>,
    pub transport: Option<String>,
    pub text_rendered: Option<String>,
    pub mentions: Vec<String>,
    pub hidden_text: Vec<String>,
}

/// Where the outer payload of an event is.
#[derive(Clone, Copy, Debug)]
pub enum SlackRaw<'a> {
    /// It is the raw bytes.
    Bytes(Fill),
    /// It is made of the raw bytes: the fields of a form.
    Made(&'a RawValue),
}

impl SlackParts {
    /// The `data` of the event, with a hole where the raw bytes belong.
    #[must_use]
    pub fn data(&self, raw: SlackRaw<'_>) -> DataText {
        match raw {
            SlackRaw::Bytes(fill) => DataText::from_object(self).hole("raw", fill),
            SlackRaw::Made(json) => DataText::from_object(self).field("raw", json),
        }
    }
}
