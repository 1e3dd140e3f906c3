//! Where the fields of an event are: one order for all types, and the types that differ from it.
//!
//! A place is a dotted path into the inner event; `items[]` is the item of a list that has exactly
//! one. The first place that holds a text counts. An event of an unknown type is read by the
//! general order, and none is refused.

use headgate_event::json::{Kind, Node};
use std::borrow::Cow;

/// A field of the event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Field {
    Channel,
    User,
    Text,
    Thread,
    /// The message that it is about.
    Message,
}

type Places = &'static [&'static str];

/// What a type says elsewhere, or not at all: the event's type, its subtype where only that one
/// differs, the field, and its places.
type Exception = (&'static str, Option<&'static str>, Field, Places);

const CHANNEL: Places = &[
    "channel",
    "channel.id",
    "channel_id",
    "item.channel",
    "assistant_thread.channel_id",
    "new_channel_id",
];

/// The one who acts, not the one who is acted upon.
const USER: Places = &[
    "user",
    "user.id",
    "user_id",
    "assistant_thread.user_id",
    "message.user",
    "previous_message.user",
    "actor_id",
    "actor.id",
    "accepting_user.id",
    "approving_user.id",
    "declining_user.id",
    "channel.creator",
    "subteam.updated_by",
    "subteam.created_by",
    "app_request.user.id",
    "invite.inviting_user.id",
];

const TEXT: Places = &["text", "message.text", "item.message.text"];

const THREAD: Places = &[
    "thread_ts",
    "message.thread_ts",
    "previous_message.thread_ts",
    "item.message.thread_ts",
    "assistant_thread.thread_ts",
    "root.thread_ts",
];

/// For an edit `ts` is the time of the change, not the message.
const MESSAGE: Places =
    &["item.ts", "item.message.ts", "message.ts", "deleted_ts", "message_ts", "ts"];

const EXCEPTIONS: &[Exception] = &[
    // An agent must not read a retracted text as a fresh one.
    ("message", Some("message_deleted"), Field::Text, &[]),
    // What stands there says only that a key was revoked.
    ("message", Some("ekm_access_denied"), Field::Text, &[]),
    ("channel_rename", None, Field::User, &[]),
    ("group_rename", None, Field::User, &[]),
    ("subteam_created", None, Field::User, &["subteam.created_by"]),
    ("star_added", None, Field::Thread, &[]),
    ("star_removed", None, Field::Thread, &[]),
    ("agent_session_title_changed", None, Field::Text, &[]),
    ("channel_history_changed", None, Field::Message, &[]),
    ("group_history_changed", None, Field::Message, &[]),
    ("im_history_changed", None, Field::Message, &[]),
    ("function_executed", None, Field::User, &[]),
    ("function_executed", None, Field::Channel, &[]),
    ("file_deleted", None, Field::Channel, &["channel_ids[]"]),
    ("file_deleted", None, Field::User, &[]),
    ("invite_requested", None, Field::Channel, &[]),
    ("invite_requested", None, Field::User, &["invite_request.requester_ids[]", "requester_ids[]"]),
    ("invite_requested", None, Field::Text, &["invite_request.request_reason", "request_reason"]),
    ("app_requested", None, Field::Text, &["app_request.message", "message"]),
    ("link_shared", None, Field::Text, &[]),
    ("file_comment_deleted", None, Field::User, &[]),
    ("emoji_changed", None, Field::User, &[]),
];

/// Where people press, type and submit.
const CHANNEL_OF_INTERACTION: Places = &["channel_id", "channel.id", "container.channel_id"];
const USER_OF_INTERACTION: Places = &["user_id", "user.id"];
const TEXT_OF_INTERACTION: Places = &["text", "message.text"];
const THREAD_OF_INTERACTION: Places =
    &["message.thread_ts", "container.thread_ts", "original_message.thread_ts"];
const MESSAGE_OF_INTERACTION: Places =
    &["container.message_ts", "message.ts", "message_ts", "original_message.ts"];

/// The place in which a message is typed that is not sent yet: no conversation.
const COMPOSER: &str = "COMPOSER";

/// The value of a field of an inner event.
pub(crate) fn of_event<'a>(event: Node<'a>, field: Field) -> Option<Cow<'a, str>> {
    let name = |key| event.get(key).and_then(Node::as_str);
    let (kind, subtype) = (name("type").unwrap_or_default(), name("subtype"));
    let exception = EXCEPTIONS.iter().find(|(of, with, which, _)| {
        *of == kind && *which == field && with.is_none_or(|with| subtype == Some(with))
    });
    let places = exception.map_or_else(|| general(field), |(_, _, _, places)| places);
    let found = first(event, places, field)?;
    // What is typed there has an id of its own, which is that of no message.
    let typed = match field {
        Field::Channel => found == COMPOSER,
        Field::Message => name("channel") == Some(COMPOSER),
        Field::User | Field::Text | Field::Thread => false,
    };
    (!typed).then_some(found)
}

/// The value of a field of a command or interaction.
pub(crate) fn of_interaction<'a>(outer: Node<'a>, field: Field) -> Option<Cow<'a, str>> {
    let places = match field {
        Field::Channel => CHANNEL_OF_INTERACTION,
        Field::User => USER_OF_INTERACTION,
        Field::Text => TEXT_OF_INTERACTION,
        Field::Thread => THREAD_OF_INTERACTION,
        Field::Message => MESSAGE_OF_INTERACTION,
    };
    first(outer, places, field)
}

fn general(field: Field) -> Places {
    match field {
        Field::Channel => CHANNEL,
        Field::User => USER,
        Field::Text => TEXT,
        Field::Thread => THREAD,
        Field::Message => MESSAGE,
    }
}

/// The first place that holds a text. A text may be empty; an id that is empty is none.
fn first<'a>(node: Node<'a>, places: Places, field: Field) -> Option<Cow<'a, str>> {
    let times = matches!(field, Field::Thread | Field::Message);
    let text = |node: Node<'a>| match node.as_str() {
        Some(text) => Some(Cow::Borrowed(text)),
        None if times && node.kind() == Kind::Number => node.scalar(),
        None => None,
    };
    let fits = |found: &Cow<'_, str>| field == Field::Text || !found.is_empty();
    places.iter().find_map(|path| at(node, path).and_then(text).filter(fits))
}

/// The first place that holds a text or a number that is not empty.
pub(crate) fn scalar<'a>(node: Node<'a>, places: &[&str]) -> Option<Cow<'a, str>> {
    let fits = |found: &Cow<'_, str>| !found.is_empty();
    places.iter().find_map(|path| at(node, path).and_then(Node::scalar).filter(fits))
}

/// The node at a place.
pub(crate) fn at<'a>(node: Node<'a>, path: &str) -> Option<Node<'a>> {
    let Some(list) = path.strip_suffix("[]") else { return node.path(path) };
    let list = node.path(list)?;
    if list.len() == 1 { list.at(0) } else { None }
}
