//! Attachments, which is where most alerts keep all they say, and files.

use super::{blocks, mrkdwn, writer::Writer};
use crate::mapping::scalar;
use headgate_event::{json::Node, limits::SLACK_PIECES_MAX};

/// One attachment. Its `fallback` speaks only where nothing else does: it is a notice for clients
/// that show no attachments, and often says no more than that.
pub(super) fn attachment(attachment: Node<'_>, writer: &mut Writer<'_>) -> String {
    let markup = |key: &str, writer: &mut Writer<'_>| {
        let text = attachment.get(key).and_then(Node::as_str).unwrap_or_default();
        mrkdwn::rendered(text, writer)
    };
    let of = |key: &str| attachment.get(key).and_then(Node::as_str).unwrap_or_default();
    let mut lines = vec![markup("pretext", writer), markup("author_name", writer)];
    let title = markup("title", writer);
    lines.push(match of("title_link") {
        "" => title,
        link => writer.link(link, Some(&title)),
    });
    lines.push(markup("text", writer));
    for field in list(attachment, "fields") {
        lines.push(named(field, writer));
    }
    lines.push(writer.joined(list(attachment, "blocks"), blocks::marked_block));
    for quoted in list(attachment, "message_blocks") {
        let inner = quoted.get("message").unwrap_or(quoted);
        lines.push(writer.joined(list(inner, "blocks"), blocks::marked_block));
    }
    for file in list(attachment, "files") {
        lines.push(self::file(file));
    }
    for action in list(attachment, "actions") {
        let words = action.get("text").and_then(Node::as_str).unwrap_or_default();
        let button = (!words.is_empty()).then(|| format!("[button: {}]", mrkdwn::unescape(words)));
        lines.extend(button);
    }
    lines.retain(|line| !line.trim().is_empty());
    if lines.is_empty() {
        lines.push(markup("fallback", writer));
    }
    for picture in ["image_url", "thumb_url"].map(of).into_iter().filter(|url| !url.is_empty()) {
        lines.push(format!("[image: {picture}]"));
    }
    lines.push(markup("footer", writer));
    lines.push(of("from_url").to_owned());
    lines.retain(|line| !line.trim().is_empty());
    lines.dedup();
    lines.join("\n")
}

fn list<'n>(node: Node<'n>, key: &str) -> impl Iterator<Item = Node<'n>> + use<'n> {
    node.get(key).into_iter().flat_map(Node::items).take(SLACK_PIECES_MAX)
}

fn named(field: Node<'_>, writer: &mut Writer<'_>) -> String {
    let of = |key: &str| scalar(field, &[key]).unwrap_or_default();
    let (title, value) = (of("title"), of("value"));
    let title = mrkdwn::rendered(&title, writer);
    let value = mrkdwn::rendered(&value, writer);
    match (title.as_str(), value.as_str()) {
        ("", value) => value.to_owned(),
        (title, "") => title.to_owned(),
        (title, value) => format!("{title}: {value}"),
    }
}

/// A file: what it is called and is, and where people find it. Its other addresses need a token.
pub(super) fn file(file: Node<'_>) -> String {
    let of = |places: &[&str]| scalar(file, places);
    let name = of(&["name", "title", "id"]).unwrap_or_default();
    let mut words = vec![if name.is_empty() { "without a name".into() } else { name }];
    words.extend(of(&["mimetype", "filetype"]));
    words.extend(of(&["size"]).map(|size| format!("{size} bytes").into()));
    words.extend(of(&["permalink"]));
    format!("[file: {}]", words.join(", "))
}
