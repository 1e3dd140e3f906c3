//! `data` of `slack.event`.

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
    /// The outer payload, token for token.
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
    /// Team, conversation and message in one key.
    #[serde(default)]
    pub message_key: Option<String>,
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
    /// The message as plain text, blocks and attachments included.
    #[serde(default)]
    pub text_rendered: Option<String>,
}
