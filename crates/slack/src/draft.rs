//! The event of a delivery, whichever way it came.

use crate::{
    channel::{SelfEvents, SlackChannel},
    directory::Directory,
    identity::{Author, Identity, bot_users, is_without_text_change},
    interaction,
    mapping::{self, Field, scalar},
    payload::{Payload, PayloadKind},
    sentence::{self, Telling},
    text::{self, Rendered},
};
use headgate_event::{
    Correlation, Dedupe, Draft, EventType, Timestamp, Verification,
    data::SlackParts,
    json::Node,
    limits::{EVENT_TYPE_BYTES_MAX, PROMPT_BYTES_MAX},
    prompt::{self, About, PromptKey},
};
use serde_json::Value;
use std::{collections::BTreeMap, sync::Arc};

/// Who sends, in `provider`.
const PROVIDER: &str = "slack";

/// What is known of a delivery besides its payload.
#[derive(Clone, Debug)]
pub struct Receipt {
    /// When it was received.
    pub received_at: Timestamp,
    /// How it was proved.
    pub verification: Verification,
    /// The way it came.
    pub transport: Transport,
    /// When it was signed, where it was.
    pub signed_at: Option<Timestamp>,
    /// Which retry it is; none for the first delivery.
    pub retry_num: Option<u32>,
    /// Why Slack tries again, in its words.
    pub retry_reason: Option<String>,
    /// The id of the envelope in which it came over Socket Mode; a repeat has the same.
    pub envelope_id: Option<String>,
}

/// The way a delivery came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// A signed request.
    Http,
    /// A frame of Socket Mode.
    Socket,
}

/// What a delivery becomes.
#[derive(Clone, Debug)]
pub enum Drafted {
    /// An event, to be stored before the delivery is answered.
    Event(Box<Draft>),
    /// Nothing: the app itself did it, and the channel drops that.
    OwnEvent,
    /// Nothing: the answer is all that it is for.
    OnlyAnswer,
}

/// The event of a payload. Whatever the payload holds, it is never refused: what cannot be read is
/// kept as it came, and says so in `metadata.body_defects`.
#[must_use]
pub fn draft(
    channel: &SlackChannel,
    payload: &Payload,
    receipt: &Receipt,
    key: &PromptKey,
) -> Drafted {
    if matches!(payload.kind(), PayloadKind::UrlVerification | PayloadKind::Options) {
        return Drafted::OnlyAnswer;
    }
    let identity = Identity::of(payload);
    let told = parts(channel, payload, receipt, &identity);
    if channel.self_events == SelfEvents::Drop && is_droppable(&told.0) {
        return Drafted::OwnEvent;
    }
    Drafted::Event(Box::new(laid_out(channel, payload, receipt, &identity, told, key)))
}

/// The event of a message together with the `app_mention` that Slack sends of it: the message's,
/// which says that it is one and names the other's event id in `metadata.joined_event_id`.
#[must_use]
pub(crate) fn joined(
    channel: &SlackChannel,
    message: &Payload,
    receipt: &Receipt,
    mention: &Payload,
    key: &PromptKey,
) -> Draft {
    let identity = Identity::of(message);
    let (mut parts, rendered) = parts(channel, message, receipt, &identity);
    parts.is_mention = true;
    let mut draft = laid_out(channel, message, receipt, &identity, (parts, rendered), key);
    if let Some(event_id) = Identity::of(mention).event_id {
        draft.metadata.insert("joined_event_id".to_owned(), event_id.into());
    }
    draft
}

/// The event of what is known.
fn laid_out(
    channel: &SlackChannel,
    payload: &Payload,
    receipt: &Receipt,
    identity: &Identity,
    (parts, rendered): (SlackParts, Rendered),
    key: &PromptKey,
) -> Draft {
    let telling = Telling { channel, payload, parts: &parts, rendered: &rendered };
    let about = About {
        channel: &channel.channel,
        verification: &receipt.verification,
        created_at: receipt.received_at,
    };
    let rendering = sentence::rendering(&telling);
    let fits = parts.event_type.bytes().all(|byte| byte.is_ascii_graphic())
        && parts.event_type.len() <= EVENT_TYPE_BYTES_MAX;
    let window = channel.dedupe;
    let dedupe = window.map(|window| Dedupe { key: identity.dedupe_key(payload, receipt), window });
    let ts = parts.thread_ts.as_deref().or(parts.message_ts.as_deref());
    Draft {
        identity: None,
        event_type: EventType::SLACK_EVENT,
        created_at: receipt.received_at,
        channel: Arc::clone(&channel.channel),
        provider: Some(PROVIDER.to_owned()),
        provider_event: fits.then(|| parts.event_type.clone()),
        verification: receipt.verification.clone(),
        dedupe,
        thread_key: identity.thread_key(parts.channel_id.as_deref(), ts),
        correlation: Correlation::default(),
        data: parts.data(payload.raw()),
        metadata: metadata(payload),
        prompt: prompt::render(&about, &rendering, key, PROMPT_BYTES_MAX),
        raw: payload.bytes().clone(),
    }
}

/// That the app came or went is worth knowing although it is what the app itself did.
fn is_droppable(parts: &SlackParts) -> bool {
    let moves = ["member_joined_channel", "member_left_channel"];
    parts.is_self == Some(true) && !moves.contains(&parts.event_type.as_str())
}

fn metadata(payload: &Payload) -> BTreeMap<String, Value> {
    let defects = payload.defect().map(|defect| vec![defect].into());
    defects.map(|defects| ("body_defects".to_owned(), defects)).into_iter().collect()
}

/// Everything of `data` but the outer payload.
fn parts(
    channel: &SlackChannel,
    payload: &Payload,
    receipt: &Receipt,
    identity: &Identity,
) -> (SlackParts, Rendered) {
    let known = SlackParts {
        team_name: identity.team_id.as_ref().and_then(|id| channel.team_names.get(id)).cloned(),
        team_id: identity.team_id.clone(),
        api_app_id: identity.api_app_id.clone(),
        event_id: identity.event_id.clone(),
        installation_team_id: identity.installation_team_id.clone(),
        event_type: payload.event_type().to_owned(),
        retry_num: receipt.retry_num,
        retry_reason: receipt.retry_reason.clone(),
        transport: Some(receipt.transport.as_str().to_owned()),
        ..SlackParts::default()
    };
    let Some((root, event)) = payload.root().zip(payload.event()) else {
        let event_ts = Some(slack_time(receipt.received_at));
        return (SlackParts { event_ts, ..known }, Rendered::default());
    };
    let rendered = text::rendered(event, &channel.directory);
    let of_app = matches!(payload.kind(), PayloadKind::Event | PayloadKind::RateLimited);
    let parts = if of_app {
        of_event(known, payload, event, identity)
    } else {
        of_interaction(known, root, &channel.directory)
    };
    let bots = bot_users(payload);
    let mentioned = rendered.mentions.iter().any(|user| bots.contains(user));
    let parts = SlackParts {
        event_ts: Some(event_ts(root, event, receipt)),
        is_mention: parts.event_type == "app_mention" || mentioned,
        text_rendered: rendered.text.clone(),
        mentions: rendered.mentions.clone(),
        hidden_text: rendered.hidden.iter().map(|what| what.as_str().to_owned()).collect(),
        ..parts
    };
    (parts, rendered)
}

fn of_event(
    known: SlackParts,
    payload: &Payload,
    event: Node<'_>,
    identity: &Identity,
) -> SlackParts {
    let field = |field| mapping::of_event(event, field).map(|text| text.into_owned());
    let own = |places: &[&str]| scalar(event, places).map(|text| text.into_owned());
    let (channel_id, message_ts) = (field(Field::Channel), field(Field::Message));
    let author = Author::of(payload, event);
    SlackParts {
        user_id: field(Field::User),
        text: field(Field::Text),
        thread_ts: field(Field::Thread),
        subtype: own(&["subtype"]),
        channel_type: own(&["channel_type"]),
        client_msg_id: own(&["client_msg_id", "message.client_msg_id"]),
        message_key: identity.message_key(event, channel_id.as_deref(), message_ts.as_deref()),
        bot_id: author.bot_id,
        is_bot: author.is_bot,
        is_self: author.is_self,
        no_text_change: is_without_text_change(event),
        channel_id,
        message_ts,
        ..known
    }
}

fn of_interaction(known: SlackParts, root: Node<'_>, directory: &Directory) -> SlackParts {
    let field = |field| mapping::of_interaction(root, field).map(|text| text.into_owned());
    let text = match known.event_type.as_str() {
        "slash_command" | "message_action" => field(Field::Text),
        _ => interaction::value(root, directory),
    };
    SlackParts {
        channel_id: field(Field::Channel),
        user_id: field(Field::User),
        thread_ts: field(Field::Thread),
        message_ts: field(Field::Message),
        is_self: Some(false),
        text,
        ..known
    }
}

/// When it happened, in Slack's own form, as near as the payload tells it.
fn event_ts(root: Node<'_>, event: Node<'_>, receipt: &Receipt) -> String {
    let own = ["event_ts", "ts", "action_ts", "actions.0.action_ts"];
    if let Some(ts) = scalar(event, &own) {
        return ts.into_owned();
    }
    let seconds = scalar(root, &["event_time", "minute_rate_limited"]);
    match seconds.filter(|text| text.bytes().all(|byte| byte.is_ascii_digit())) {
        Some(seconds) => format!("{seconds}.000000"),
        None => slack_time(receipt.signed_at.unwrap_or(receipt.received_at)),
    }
}

/// A moment as Slack writes them: seconds and microseconds.
fn slack_time(time: Timestamp) -> String {
    format!("{}.{:03}000", time.unix_s(), time.unix_ms().rem_euclid(1000))
}

impl Transport {
    /// The word for it in an event.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Socket => "socket",
        }
    }
}
