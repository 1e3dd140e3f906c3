//! Block Kit in plain words. A block that is not known says what texts are in it, and that it is
//! not known.

use super::{elements, kind, mrkdwn, writer::Writer};
use headgate_event::{
    json::{Kind, Node},
    limits::SLACK_PIECES_MAX,
};

/// Keys under which blocks of every kind keep what they show.
const SHOWN: [&str; 9] = [
    "title",
    "subtitle",
    "text",
    "body",
    "label",
    "description",
    "alt_text",
    "placeholder",
    "fallback",
];
/// Blocks that hold others and say nothing themselves.
const KNOWN_AS_NESTED: [&str; 10] = [
    "alert",
    "card",
    "carousel",
    "task_card",
    "plan",
    "context_actions",
    "contact_card",
    "condition",
    "actions",
    "input",
];

/// One block.
pub(super) fn block(block: Node<'_>, writer: &mut Writer<'_>) -> String {
    let of = |key| block.get(key);
    match kind(block) {
        "rich_text" => elements::rich_text(block, writer),
        "section" => {
            let parts = of("text").into_iter().chain(list(of("fields"))).chain(of("accessory"));
            writer.joined(parts, element)
        }
        "header" => of("text").map_or_else(String::new, |text| text_object(text, writer)),
        "context" => writer.joined(list(of("elements")), element),
        "divider" => String::new(),
        "image" | "markdown" | "video" | "file" => element(block, writer),
        "table" | "data_table" => writer.joined(list(of("rows")), row),
        "call" => call(block, writer),
        known if KNOWN_AS_NESTED.contains(&known) => nested(block, writer),
        unknown => {
            let inside = nested(block, writer);
            let name = unknown.chars().take(40).collect::<String>();
            format!("[unknown block {name}]{}{inside}", if inside.is_empty() { "" } else { "\n" })
        }
    }
}

/// A block with its words; one that people see and that has none says what it is. Rich text is
/// what people write: where it is blank they wrote nothing.
pub(super) fn marked(block: Node<'_>, words: String) -> String {
    match kind(block) {
        "divider" | "rich_text" => words,
        kind if words.trim().is_empty() => format!("[block without words: {kind}]"),
        _ => words,
    }
}

/// A block of an attachment or a quoted message.
pub(super) fn marked_block(block: Node<'_>, writer: &mut Writer<'_>) -> String {
    let words = self::block(block, writer);
    marked(block, words)
}

/// A call: what it is called and where people join it.
fn call(block: Node<'_>, writer: &mut Writer<'_>) -> String {
    let of = |path| block.path(path).and_then(Node::as_str).unwrap_or_default();
    let name = mrkdwn::unescape(of("call.v1.name"));
    let words = if name.is_empty() { "call".to_owned() } else { format!("call: {name}") };
    match of("call.v1.join_url") {
        "" => format!("[{words}]"),
        url => writer.link(url, Some(&words)),
    }
}

fn list<'n>(node: Option<Node<'n>>) -> impl Iterator<Item = Node<'n>> {
    node.into_iter().flat_map(Node::items).take(SLACK_PIECES_MAX)
}

/// A text with its kind: markup or plain. Both are escaped.
pub(super) fn text_object(text: Node<'_>, writer: &mut Writer<'_>) -> String {
    let Some(content) = text.as_str().or_else(|| text.get("text")?.as_str()) else {
        return String::new();
    };
    match kind(text) {
        "plain_text" | "raw_text" => mrkdwn::unescape(content),
        _ => mrkdwn::rendered(content, writer),
    }
}

/// What stands in a block: a text, an image, a button, a control.
fn element(element: Node<'_>, writer: &mut Writer<'_>) -> String {
    let text = |key: &str, writer: &mut Writer<'_>| {
        element.get(key).map_or_else(String::new, |text| text_object(text, writer))
    };
    match kind(element) {
        "mrkdwn" | "plain_text" | "raw_text" => text_object(element, writer),
        "rich_text" => elements::rich_text(element, writer),
        "markdown" => element.get("text").and_then(Node::as_str).unwrap_or_default().to_owned(),
        "image" => {
            let (title, alt) = (text("title", writer), text("alt_text", writer));
            let same = title.is_empty() || title == alt;
            let words = if same { alt } else { format!("{title}: {alt}") };
            format!("[image: {}]", if words.is_empty() { "without words" } else { &words })
        }
        "button" | "workflow_button" => {
            let words = format!("button: {}", text("text", writer));
            match element.get("url").and_then(Node::as_str) {
                Some(url) => writer.link(url, Some(&words)),
                None => format!("[{words}]"),
            }
        }
        "video" => {
            let title = text("title", writer);
            let url = element.get("title_url").and_then(Node::as_str).unwrap_or_default();
            let about = text("description", writer);
            let about = if about.is_empty() { text("alt_text", writer) } else { about };
            format!("[video: {title}] {url} {about}").trim_end().to_owned()
        }
        "file" => {
            let id = element.get("external_id").and_then(Node::as_str).unwrap_or_default();
            format!("[file: {id}]")
        }
        _ => nested(element, writer),
    }
}

/// The texts in something whatever it is, in its order.
fn nested(node: Node<'_>, writer: &mut Writer<'_>) -> String {
    let mut lines = Vec::new();
    for (key, value) in node.entries().take(SLACK_PIECES_MAX) {
        let line = match value.kind() {
            Kind::String if SHOWN.contains(&key) => {
                mrkdwn::rendered(value.as_str().unwrap_or_default(), writer)
            }
            Kind::Object => writer.deeper(|writer| element(value, writer)),
            Kind::Array => writer.joined(list(Some(value)), |item, writer| {
                if item.kind() == Kind::Object {
                    element_or_block(item, writer)
                } else {
                    String::new()
                }
            }),
            _ => String::new(),
        };
        if !line.trim().is_empty() {
            lines.push(line);
        }
    }
    lines.join("\n")
}

/// Items of unknown lists may be blocks themselves.
fn element_or_block(node: Node<'_>, writer: &mut Writer<'_>) -> String {
    match kind(node) {
        "section" | "header" | "context" | "table" | "divider" => block(node, writer),
        _ => element(node, writer),
    }
}

/// One row of a table.
fn row(row: Node<'_>, writer: &mut Writer<'_>) -> String {
    let cells: Vec<_> = list(Some(row))
        .map(|cell| writer.deeper(|writer| element(cell, writer)).replace('\n', " "))
        .collect();
    cells.join(" | ")
}
