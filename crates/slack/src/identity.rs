//! Who did it in which app and workspace, and what makes a repeat and a thread known.

use crate::{
    draft::Receipt,
    mapping::{self, scalar},
    payload::{Payload, PayloadKind},
};
use headgate_event::{
    json::{Kind, Node},
    limits::{DEDUPE_KEY_BYTES_MAX, THREAD_KEY_BYTES_MAX},
};
use sha2::{Digest, Sha256};

/// Slackbot, which is part of every workspace.
const SLACKBOT: &str = "USLACKBOT";

/// The app and the workspaces of a payload.
#[derive(Clone, Debug, Default)]
pub(crate) struct Identity {
    pub(crate) api_app_id: Option<String>,
    /// Where it happened, as the outer payload has it.
    pub(crate) team_id: Option<String>,
    /// Where the app is installed that it was sent to.
    pub(crate) installation_team_id: Option<String>,
    pub(crate) event_id: Option<String>,
}

impl Identity {
    pub(crate) fn of(payload: &Payload) -> Self {
        let Some(root) = payload.root() else { return Self::default() };
        let first = |places: &[&str]| scalar(root, places).map(|text| text.into_owned());
        let team_id = match payload.kind() {
            PayloadKind::Event | PayloadKind::RateLimited => first(&["team_id"]),
            // A form over Slack Connect belongs to the workspace that installed the app.
            _ => first(&[
                "view.app_installed_team_id",
                "team.id",
                "team_id",
                "user.team_id",
                "view.team_id",
            ]),
        };
        let installation = first(&["authorizations.0.team_id", "context_team_id"]);
        Self {
            api_app_id: payload.app(),
            installation_team_id: installation.or_else(|| team_id.clone()),
            event_id: first(&["event_id"]),
            team_id,
        }
    }

    /// What makes a repeat known. Two apps can share the id of an event, and so can two workspaces.
    ///
    /// What has no id of its own is known by its trigger, which is a live token and so only told by
    /// its digest, else by its bytes. Slack sends the same bytes again, signed at another time; but
    /// what people do is never sent again, so that there the time counts too: a captured request is
    /// no second event, a person who does the same again is.
    ///
    /// Over Socket Mode a repeat has the same envelope, and says in it that it is one. So what cannot
    /// be read, or has neither id nor signed time, is known by its envelope.
    pub(crate) fn dedupe_key(&self, payload: &Payload, receipt: &Receipt) -> String {
        let app = self.api_app_id.as_deref().unwrap_or("-");
        let team = self.installation_team_id.as_deref().unwrap_or("-");
        let root = payload.root();
        let first = |places: &[&str]| root.and_then(|root| scalar(root, places));
        let minute = first(&["minute_rate_limited"]);
        let trigger = first(&["trigger_id"]);
        let envelope = receipt.envelope_id.as_deref();
        let what = match (payload.kind(), &self.event_id, minute, trigger) {
            (PayloadKind::Event, Some(event), ..) => event.clone(),
            (PayloadKind::RateLimited, _, Some(minute), _) => format!("rate_limited/{minute}"),
            (PayloadKind::SlashCommand | PayloadKind::Interaction, _, _, Some(trigger)) => {
                let user = first(&["user_id", "user.id"]).unwrap_or_default();
                let action = first(&["command", "actions.0.action_id", "callback_id"]);
                let action = action.unwrap_or_default();
                format!(
                    "trigger/{}",
                    digest(&[trigger.as_bytes(), user.as_bytes(), action.as_bytes()])
                )
            }
            (PayloadKind::Event | PayloadKind::RateLimited, ..) => bytes(&[payload.bytes()]),
            _ if envelope.is_some() => format!("envelope/{}", envelope.unwrap_or_default()),
            (PayloadKind::Unreadable, ..) => bytes(&[payload.bytes()]),
            _ => {
                let time = receipt.signed_at.map(|time| time.unix_s().to_string());
                bytes(&[time.unwrap_or_default().as_bytes(), payload.bytes()])
            }
        };
        bounded(format!("{app}/{team}/{what}"), DEDUPE_KEY_BYTES_MAX)
    }

    /// What belongs together: the installation's workspace, because the outer one is that of the
    /// author in a conversation that several share.
    pub(crate) fn thread_key(&self, channel: Option<&str>, ts: Option<&str>) -> Option<String> {
        let team = self.installation_team_id.as_deref().unwrap_or("-");
        let key = format!("{team}/{}/{}", channel?, ts?);
        Some(bounded(key, THREAD_KEY_BYTES_MAX))
    }

    /// The key that all that is said of one message has.
    pub(crate) fn message_key(
        &self,
        event: Node<'_>,
        channel: Option<&str>,
        ts: Option<&str>,
    ) -> Option<String> {
        let name = |key| event.get(key).and_then(Node::as_str).unwrap_or_default();
        let change = match (name("type"), name("subtype")) {
            ("message", "message_changed") => "/changed",
            ("message", "message_deleted") => "/deleted",
            ("message" | "app_mention", _) => "",
            _ => return None,
        };
        let app = self.api_app_id.as_deref().unwrap_or("-");
        Some(bounded(format!("{app}/{}/{}{change}", channel?, ts?), THREAD_KEY_BYTES_MAX))
    }
}

/// Who wrote or did it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Author {
    pub(crate) bot_id: Option<String>,
    pub(crate) is_bot: bool,
    /// Unknown where the payload names no author, or a bot without saying whose.
    pub(crate) is_self: Option<bool>,
}

impl Author {
    /// The author of an event; of an edit or deletion the author of its message.
    pub(crate) fn of(payload: &Payload, event: Node<'_>) -> Self {
        let written = ["message", "previous_message"].iter().find_map(|key| event.get(key));
        let about = written.filter(|node| node.kind() == Kind::Object).unwrap_or(event);
        let within = |places: &[&str]| scalar(about, places).or_else(|| scalar(event, places));
        let bot_id = within(&["bot_id", "bot_profile.id"]).map(|id| id.into_owned());
        let app = within(&["app_id", "bot_profile.app_id"]);
        let user = mapping::of_event(event, mapping::Field::User);
        let subtype = scalar(about, &["subtype"]);
        let slackbot = user.as_deref() == Some(SLACKBOT);
        let bots = bot_users(payload);
        let own_user = user.as_deref().is_some_and(|user| bots.iter().any(|bot| bot == user));
        let of_bot = subtype.as_deref() == Some("bot_message") || slackbot || own_user;
        let is_bot = bot_id.is_some() || of_bot;
        // What bots write says so; what they do otherwise only their user tells.
        let wrote = matches!(payload.event_type(), "message" | "app_mention");
        let is_self = match (app, payload.app()) {
            _ if own_user => Some(true),
            (Some(app), Some(own)) if is_bot => Some(app == own),
            _ if slackbot => Some(false),
            _ if user.is_some() && !is_bot && (wrote || !bots.is_empty()) => Some(false),
            _ => None,
        };
        Self { bot_id, is_bot, is_self }
    }
}

/// The users that the app itself is, as far as the payload tells.
pub(crate) fn bot_users(payload: &Payload) -> Vec<String> {
    let list = payload.root().and_then(|root| root.get("authorizations"));
    let of_bot = |entry: &Node<'_>| entry.get("is_bot").and_then(Node::as_bool) == Some(true);
    let entries = list.into_iter().flat_map(Node::items).take(16).filter(of_bot);
    entries.filter_map(|entry| entry.get("user_id")?.as_str().map(str::to_owned)).collect()
}

/// Whether an edit left the text as it was: Slack unfolded a link in it, or took it away.
pub(crate) fn is_without_text_change(event: Node<'_>) -> bool {
    let of = |path| event.path(path).and_then(Node::scalar);
    let changed = of("subtype").as_deref() == Some("message_changed");
    changed
        && of("message.text").is_some()
        && of("message.text") == of("previous_message.text")
        && of("message.edited.ts") == of("previous_message.edited.ts")
}

/// A key within its limit; a longer one by its digest.
fn bounded(key: String, bytes_max: usize) -> String {
    if key.len() <= bytes_max { key } else { format!("sha256:{}", digest(&[key.as_bytes()])) }
}

fn bytes(parts: &[&[u8]]) -> String {
    format!("bytes/{}", digest(parts))
}

/// The digest of parts, told apart by their lengths.
fn digest(parts: &[&[u8]]) -> String {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update((part.len() as u64).to_be_bytes());
        digest.update(part);
    }
    hex::encode(digest.finalize())
}
