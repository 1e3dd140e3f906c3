//! The text of a message as a person sees it: blocks, text, attachments and files in plain words.
//!
//! Structure decides: rich text before `text`, which people do not see beside it, then other blocks
//! and attachments that say more, then files. Not for events that have no message.

mod attachments;
mod blocks;
mod elements;
mod mrkdwn;
mod writer;

pub(crate) use mrkdwn::plain;

use crate::directory::Directory;
use headgate_event::{
    json::{Kind, Node},
    limits::{SLACK_PIECES_MAX, SLACK_TEXT_BYTES_MAX},
    prompt::clean,
};
use writer::Writer;

/// A message as a person sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Rendered {
    /// None where there is no message, or nothing in it.
    pub(crate) text: Option<String>,
    /// The users that it mentions, each once, in its order.
    pub(crate) mentions: Vec<String>,
    /// What a person does not see as the text has it.
    pub(crate) hidden: Vec<Hidden>,
}

/// A difference between what a person sees and what a program reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hidden {
    /// The label of a link names another host than the link.
    LinkLabel,
    /// `text` is not what the blocks show.
    TextDiffers,
    /// Characters that show nothing.
    InvisibleCharacters,
}

/// What Slack itself puts into `text` where an app sent blocks alone.
const NOTICE: &str = "This content can't be displayed.";

/// Where the message of an event is; a retracted one is not read.
const MESSAGES: [&str; 2] = ["message", "item.message"];
const RETRACTED: [&str; 2] = ["message_deleted", "ekm_access_denied"];

/// The message of an event.
pub(crate) fn rendered(event: Node<'_>, directory: &Directory) -> Rendered {
    let subtype = event.get("subtype").and_then(Node::as_str);
    if subtype.is_some_and(|subtype| RETRACTED.contains(&subtype)) {
        return Rendered::default();
    }
    let is_object = |node: &Node<'_>| node.kind() == Kind::Object;
    let nested = MESSAGES.iter().find_map(|path| event.path(path)).filter(is_object);
    of_message(nested.unwrap_or(event), directory)
}

fn of_message(message: Node<'_>, directory: &Directory) -> Rendered {
    let mut writer = Writer::new(directory);
    let list = |key| message.get(key).into_iter().flat_map(Node::items).take(SLACK_PIECES_MAX);
    let (rich_blocks, blocks): (Vec<_>, Vec<_>) =
        list("blocks").partition(|block| kind(*block) == "rich_text");
    let text = message.get("text").and_then(Node::as_str).unwrap_or_default();
    let is_notice = text == NOTICE && !(rich_blocks.is_empty() && blocks.is_empty());
    let text = if is_notice { "" } else { text };
    let own = mrkdwn::rendered(text, &mut writer);
    let rich = writer.joined(rich_blocks.into_iter(), blocks::block);
    let mut said = Said::default();
    said.add(if rich.trim().is_empty() { &own } else { &rich });
    let mut shown = letters(&rich);
    for block in blocks {
        let block = blocks::block(block, &mut writer);
        shown.push_str(&letters(&block));
        said.add(&block);
    }
    if !shown.is_empty() && !shown.contains(&letters(&own)) {
        writer.hide(Hidden::TextDiffers);
    }
    for attachment in list("attachments") {
        said.add(&attachments::attachment(attachment, &mut writer));
    }
    let single = message.get("file").filter(|file| file.get("name").is_some());
    let single = single.filter(|_| message.get("files").is_none());
    for file in list("files").chain(single).filter(|file| file.kind() == Kind::Object) {
        said.add(&attachments::file(file));
    }
    if clean(&said.text).removed + clean(&own).removed > 0 {
        writer.hide(Hidden::InvisibleCharacters);
    }
    let text = (!said.text.is_empty()).then(|| bounded(said.text));
    let Writer { mentions, hidden, .. } = writer;
    Rendered { text, mentions, hidden }
}

/// A text without its markup, and whom it mentions.
#[cfg(feature = "fuzzing")]
pub(crate) fn with_mentions(text: &str, directory: &Directory) -> (String, Vec<String>) {
    let mut writer = Writer::new(directory);
    let text = mrkdwn::rendered(text, &mut writer);
    (text, writer.mentions)
}

/// What is said so far, and its letters.
#[derive(Default)]
struct Said {
    text: String,
    letters: String,
}

impl Said {
    /// Adds a part that is not in those before it already.
    fn add(&mut self, part: &str) {
        let part = part.trim_matches('\n').trim_end();
        let letters = letters(part);
        let full = self.text.len() > SLACK_TEXT_BYTES_MAX;
        let repeated = !letters.is_empty() && self.letters.contains(&letters);
        if part.trim().is_empty() || full || repeated {
            return;
        }
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        self.text.push_str(part);
        self.letters.push_str(&letters);
    }
}

/// The letters and digits of a text: what is left of it whatever marks stand around them.
fn letters(text: &str) -> String {
    text.chars().filter(|char| char.is_alphanumeric()).collect()
}

fn kind(node: Node<'_>) -> &str {
    node.get("type").and_then(Node::as_str).unwrap_or_default()
}

fn bounded(mut text: String) -> String {
    if text.len() > SLACK_TEXT_BYTES_MAX {
        text.truncate(text.floor_char_boundary(SLACK_TEXT_BYTES_MAX));
        text.push('…');
    }
    text
}

impl Hidden {
    /// The word for it in an event.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::LinkLabel => "link_label",
            Self::TextDiffers => "text_differs",
            Self::InvisibleCharacters => "invisible_characters",
        }
    }
}
