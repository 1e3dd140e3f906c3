//! Fills the sentences of the table.

use super::Telling;
use crate::mapping;
use headgate_event::{
    json::{Kind, Node},
    limits::OUTLINE_ITEMS_MAX,
    prompt::inline,
};

/// The sentence with what it names; optional parts only where all in them is known.
pub(super) fn filled(template: &str, telling: &Telling<'_>) -> String {
    let mut out = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('[') {
        let Some((optional, after)) = after.split_once(']') else { break };
        out.push_str(&part(before, telling).0);
        let (text, whole) = part(optional, telling);
        if whole {
            out.push_str(&text);
        }
        rest = after;
    }
    out.push_str(&part(rest, telling).0);
    out
}

/// A part without options, and whether all in it is known.
fn part(template: &str, telling: &Telling<'_>) -> (String, bool) {
    let (mut out, mut whole) = (String::new(), true);
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        let Some((name, after)) = after.split_once('}') else { break };
        out.push_str(before);
        let value = value(name, telling);
        whole &= value.is_some();
        out.push_str(&value.unwrap_or_else(|| missing(name).to_owned()));
        rest = after;
    }
    out.push_str(rest);
    (out, whole)
}

fn missing(name: &str) -> &'static str {
    match name {
        "user" => "somebody",
        "channel" => "an unknown conversation",
        _ if name.starts_with('@') => "somebody",
        _ => "something",
    }
}

fn value(name: &str, telling: &Telling<'_>) -> Option<String> {
    match name {
        "user" => return telling.author(),
        "channel" => return telling.place(),
        _ => {}
    }
    let sign = name.chars().next().filter(|sign| "@#&".contains(*sign));
    let path = name.trim_start_matches(['@', '#', '&']);
    let node = mapping::at(telling.payload.event()?, path)?;
    let text = shown(node).filter(|text| !text.is_empty())?;
    let directory = &telling.channel.directory;
    Some(match sign {
        Some('#') => directory.inlined('#', &text, None),
        Some(_) => directory.inlined('@', &text, None),
        None => inline(&text),
    })
}

/// A value, or the first values of a list.
fn shown(node: Node<'_>) -> Option<String> {
    if node.kind() != Kind::Array {
        return node.scalar().map(|text| text.into_owned());
    }
    let items = node.items().take(OUTLINE_ITEMS_MAX).filter_map(Node::scalar);
    let items: Vec<_> = items.collect();
    (!items.is_empty()).then(|| items.join(" "))
}
