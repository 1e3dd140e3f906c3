//! Rich text: what people write in Slack itself, with its structure. Its texts are not escaped.

use super::{kind, writer::Writer};
use crate::mapping::scalar;
use headgate_event::{json::Node, limits::SLACK_PIECES_MAX};

/// A block of rich text.
pub(super) fn rich_text(block: Node<'_>, writer: &mut Writer<'_>) -> String {
    writer.joined(parts(block), |part, writer| match kind(part) {
        "rich_text_list" => list(part, writer),
        "rich_text_quote" => {
            let text = inline_all(part, writer);
            text.lines().map(|line| format!("> {line}")).collect::<Vec<_>>().join("\n")
        }
        "rich_text_preformatted" => format!("```\n{}\n```", inline_all(part, writer)),
        _ => inline_all(part, writer),
    })
}

fn parts<'n>(node: Node<'n>) -> impl Iterator<Item = Node<'n>> {
    node.get("elements").into_iter().flat_map(Node::items)
}

/// One list: each item with its bullet or number, as deep as it stands.
fn list(list: Node<'_>, writer: &mut Writer<'_>) -> String {
    let number = |key| list.get(key).and_then(Node::as_i64).unwrap_or_default();
    let depth = usize::try_from(number("indent").clamp(0, 8)).unwrap_or_default();
    let first = number("offset").clamp(0, 1 << 20) + 1;
    let ordered = list.get("style").and_then(Node::as_str) == Some("ordered");
    let mut lines = Vec::new();
    for (at, item) in (first..).zip(parts(list).take(SLACK_PIECES_MAX)) {
        let text = writer.deeper(|writer| inline_all(item, writer));
        let mark = if ordered { format!("{at}.") } else { "-".to_owned() };
        lines.push(format!("{}{mark} {text}", "  ".repeat(depth)));
    }
    lines.join("\n")
}

/// What stands in a line. One that has elements of its own, as an item may, is a line as well.
fn inline_all(section: Node<'_>, writer: &mut Writer<'_>) -> String {
    let mut out = String::new();
    for element in parts(section) {
        out.push_str(&inline(element, writer));
        if out.len() > headgate_event::limits::SLACK_TEXT_BYTES_MAX {
            break;
        }
    }
    out
}

fn inline(element: Node<'_>, writer: &mut Writer<'_>) -> String {
    let of = |key| element.get(key).and_then(Node::as_str);
    let id = |key| of(key).unwrap_or_default();
    match kind(element) {
        "text" => styled(element, id("text")),
        "link" => writer.link(id("url"), of("text")),
        "user" => writer.user(id("user_id"), None),
        "usergroup" => writer.group(id("usergroup_id"), None),
        "channel" => writer.channel(id("channel_id"), None),
        "broadcast" => format!("@{}", id("range")),
        "emoji" => emoji(element, id("name")),
        "color" => id("value").to_owned(),
        "team" => format!("@{}", id("team_id")),
        "date" => {
            let ts = scalar(element, &["timestamp"]).unwrap_or_default();
            let date = writer.date(&ts, id("format"), id("fallback"), of("url"));
            date.unwrap_or_else(|| id("fallback").to_owned())
        }
        "message_mention" => {
            of("url").or(of("permalink")).or(of("text")).unwrap_or_default().to_owned()
        }
        kind if kind.starts_with("rich_text_") => writer.deeper(|writer| {
            if kind == "rich_text_list" {
                list(element, writer)
            } else {
                inline_all(element, writer)
            }
        }),
        _ => of("text").or(of("fallback")).or(of("alt_text")).unwrap_or_default().to_owned(),
    }
}

/// An emoji as the text of a message names it, with the tone of skin where it has one.
fn emoji(element: Node<'_>, name: &str) -> String {
    let tone = element.get("skin_tone").and_then(Node::as_i64);
    match tone.filter(|tone| (2..=6).contains(tone) && !name.contains("::")) {
        Some(tone) => format!(":{name}::skin-tone-{tone}:"),
        None => format!(":{name}:"),
    }
}

/// A text with its marks, which stand inside of the white space around it.
fn styled(element: Node<'_>, text: &str) -> String {
    let is = |name: &str| {
        element.get("style").and_then(|style| style.get(name)).and_then(Node::as_bool) == Some(true)
    };
    let words = text.trim();
    if words.is_empty() {
        return text.to_owned();
    }
    let marks: String = [("bold", '*'), ("italic", '_'), ("strike", '~'), ("code", '`')]
        .iter()
        .filter(|(name, _)| is(name))
        .map(|(_, mark)| *mark)
        .collect();
    if marks.is_empty() {
        return text.to_owned();
    }
    let end: String = marks.chars().rev().collect();
    let (before, after) = text.split_once(words).unwrap_or_default();
    format!("{before}{marks}{words}{end}{after}")
}
