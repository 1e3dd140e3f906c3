//! The text of a message as a person sees it: blocks, text, attachments and files in plain words.
//!
//! Structure decides: rich text before `text`, which people do not see beside it, then other blocks
//! and attachments that say more, then files. Not for events that have no message.

mod attachments;
mod blocks;
mod elements;
mod mrkdwn;
mod seen;
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
    /// The users that its own text and blocks mention, each once, in their order. Attachments show
    /// what others wrote: pages, alerts, messages that are shared.
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
const MESSAGES: [&str; 3] = ["message", "item.message", "original_message"];
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
    let mut shown = Words::of(&rich);
    for block in blocks {
        let words = blocks::block(block, &mut writer);
        shown.add(&Words::of(&words));
        said.add(&blocks::marked(block, words));
    }
    let is_seen = shown.is_empty() || shown.contains(&Words::of(&own));
    if !is_seen && !seen::is_seen(text, list("blocks")) {
        writer.hide(Hidden::TextDiffers);
    }
    for attachment in list("attachments") {
        said.add(&writer.quoted(|writer| attachments::attachment(attachment, writer)));
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

/// What somebody wrote into a field for rich text.
pub(crate) fn rich(block: Node<'_>, directory: &Directory) -> String {
    bounded(elements::rich_text(block, &mut Writer::new(directory)))
}

/// A text without its markup, and whom it mentions.
#[cfg(feature = "fuzzing")]
pub(crate) fn with_mentions(text: &str, directory: &Directory) -> (String, Vec<String>) {
    let mut writer = Writer::new(directory);
    let text = mrkdwn::rendered(text, &mut writer);
    (text, writer.mentions)
}

/// What is said so far, and its words.
#[derive(Default)]
struct Said {
    text: String,
    words: Words,
}

impl Said {
    /// Adds a part that is not in those before it already.
    fn add(&mut self, part: &str) {
        let part = part.trim_matches('\n').trim_end();
        let words = Words::of(part);
        let full = self.text.len() > SLACK_TEXT_BYTES_MAX;
        let repeated = !words.is_empty() && self.words.contains(&words);
        if part.trim().is_empty() || full || repeated {
            return;
        }
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        self.text.push_str(part);
        self.words.add(&words);
    }
}

/// The words of a text, whatever marks stand around them: each with a space before it, and one at
/// the end, so that `no` is not found in `now`.
#[derive(Default)]
struct Words(String);

impl Words {
    fn of(text: &str) -> Self {
        let words = text.split(|char: char| !char.is_alphanumeric());
        let mut out = String::with_capacity(text.len() + 2);
        for word in words.filter(|word| !word.is_empty()) {
            out.push(' ');
            out.push_str(word);
        }
        if !out.is_empty() {
            out.push(' ');
        }
        Self(out)
    }

    fn add(&mut self, more: &Self) {
        self.0.truncate(self.0.trim_end().len());
        self.0.push_str(&more.0);
        if more.is_empty() && !self.is_empty() {
            self.0.push(' ');
        }
    }

    fn contains(&self, other: &Self) -> bool {
        self.0.contains(&other.0)
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use headgate_event::{json::Doc, limits::SLACK_LABEL_BYTES_MAX};

    fn read(message: &str) -> Rendered {
        let doc = Doc::parse(message.to_owned().into()).expect("JSON");
        rendered(doc.root(), &Directory::default())
    }

    #[test]
    fn a_short_part_is_said_although_its_letters_are_in_a_longer_word() {
        let message =
            r#"{"text": "Deploy now?", "attachments": [{"text": "no"}, {"text": "now?"}]}"#;
        assert_eq!(read(message).text.as_deref(), Some("Deploy now?\nno"));
    }

    #[test]
    fn blocks_that_say_what_the_text_says_are_said_once() {
        let block = |text: &str| {
            format!(r#"{{"type": "section", "text": {{"type": "mrkdwn", "text": "{text}"}}}}"#)
        };
        let message =
            format!(r#"{{"text": "a *b* c", "blocks": [{}, {}]}}"#, block("a b"), block("*c* d"));
        let read = read(&message);
        assert_eq!(read.text.as_deref(), Some("a *b* c\n*c* d"));
        assert_eq!(read.hidden, [], "people see all of the text");
    }

    #[test]
    fn a_blank_rich_text_does_not_hide_the_text() {
        let blank = r#"{"type": "rich_text", "elements": [{"type": "rich_text_section",
            "elements": [{"type": "text", "text": " "}]}]}"#;
        let message = format!(r#"{{"text": "seen", "blocks": [{blank}]}}"#);
        assert_eq!(read(&message).text.as_deref(), Some("seen"));
    }

    #[test]
    fn every_block_but_a_divider_says_something() {
        let only = |block: &str| read(&format!(r#"{{"blocks": [{block}]}}"#)).text;
        assert_eq!(only(r#"{"type": "divider"}"#), None);
        for kind in ["section", "header", "context", "actions", "input", "table", "card", "call"] {
            let text = only(&format!(r#"{{"type": "{kind}", "block_id": "b"}}"#));
            assert!(text.is_some_and(|text| text.contains(kind)), "{kind}");
        }
        let picker = r#"{"type": "actions", "elements": [{"type": "datepicker"}]}"#;
        assert_eq!(only(picker).as_deref(), Some("[block without words: actions]"));
        let beside = read(&format!(r#"{{"text": "when?", "blocks": [{picker}]}}"#));
        assert_eq!(beside.text.as_deref(), Some("when?\n[block without words: actions]"));
        assert_eq!(beside.hidden, []);
        let attached = read(&format!(r#"{{"attachments": [{{"blocks": [{picker}]}}]}}"#));
        assert_eq!(attached.text.as_deref(), Some("[block without words: actions]"));
    }

    #[test]
    fn a_call_says_what_it_is_called_and_where_people_join_it() {
        let call = r#"{"type": "call", "call_id": "R1", "call": {"v1": {"id": "R1",
            "name": "Stand &amp; up", "join_url": "https://calls.example/1", "app_id": "A1"}}}"#;
        let read = read(&format!(r#"{{"text": "", "blocks": [{call}]}}"#));
        assert_eq!(read.text.as_deref(), Some("[call: Stand & up](https://calls.example/1)"));
    }

    #[test]
    fn a_name_is_not_written_without_end() {
        let name = "n".repeat(SLACK_LABEL_BYTES_MAX);
        let text = format!("<@U1|{name}>{}", "<@U1>".repeat(100_000));
        let doc = Doc::parse(format!(r#"{{"text": "{text}"}}"#).into()).expect("JSON");
        let text = doc.root().get("text").and_then(Node::as_str).expect("a text");
        let directory = Directory::default();
        let written = mrkdwn::rendered(text, &mut Writer::new(&directory));
        assert!(written.len() < text.len() + 2 * SLACK_TEXT_BYTES_MAX, "{}", written.len());
    }

    #[test]
    fn blocks_that_never_end_nesting_are_passed_over_at_some_depth() {
        let mut block = r#"{"type": "made_up", "text": "deep"}"#.to_owned();
        for _ in 0..40 {
            block = format!(r#"{{"type": "made_up", "body": {block}}}"#);
        }
        let message = format!(r#"{{"text": "top", "blocks": [{block}]}}"#);
        let text = read(&message).text.expect("a text");
        assert!(text.starts_with("top") && !text.contains("deep"), "{text}");
    }
}
