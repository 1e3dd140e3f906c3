//! An outline of a body that no provider file describes: what is most telling, in few lines.
//!
//! It is a guess by the names of keys, made the same way every time. The whole body is in the
//! event's `data`; what is left out here is only out of the prompt.

mod label;
mod secret;
mod walk;
mod worth;

use super::{Fact, Foreign, inline};
use crate::{
    json::{Kind, Node},
    limits::{OUTLINE_FACTS_BYTES_MAX, OUTLINE_FACTS_MAX, OUTLINE_ITEMS_MAX, OUTLINE_TEXTS_MAX},
};
use walk::{Found, Walk};

/// A value of so many bytes that was shown before is not shown again.
const REPEATED_BYTES_MIN: usize = 24;

/// What an unknown body says: short values as facts, long ones as texts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outline {
    /// The most telling values first, then others in the order of the body.
    pub facts: Vec<Fact>,
    /// The long texts, with their path as label.
    pub foreign: Vec<Foreign>,
}

impl Outline {
    /// The same, with labels that say what it is the outline of: `payload.title`.
    #[must_use]
    pub fn under(mut self, name: &str) -> Self {
        let named = |label: &str| match label.strip_prefix("body") {
            Some(rest) if rest.is_empty() || rest.starts_with('.') => format!("{name}{rest}"),
            _ => format!("{name}.{label}"),
        };
        for fact in &mut self.facts {
            fact.label = named(&fact.label);
        }
        for foreign in &mut self.foreign {
            foreign.label = foreign.label.as_deref().map(named);
        }
        self
    }
}

/// The outline of a JSON value.
///
/// What happened comes first, then to what, who did it, when and how much; what is nearer to the
/// root before what is deeper. Nulls, empty values, hashes, pictures and links for programs are
/// left out. Labels are paths (`pull_request.head.ref`). However large the body is, the work is
/// bounded, and so is the outline.
#[must_use]
pub fn outline(node: Node<'_>) -> Outline {
    let mut walk = Walk::over(node);
    walk.facts.sort_by_key(|found| found.rank);
    walk.texts.sort_by_key(|found| found.rank);
    let facts = facts(&walk);
    let mut seen: Vec<&str> = Vec::new();
    walk.texts.retain(|found| {
        let text = found.node.as_str().unwrap_or_default();
        let new = seen.len() < OUTLINE_TEXTS_MAX && !seen.contains(&text);
        seen.extend(new.then_some(text));
        new
    });
    let text = |found: &Found<'_>| {
        let text = found.node.as_str().unwrap_or_default().to_owned();
        Foreign { label: Some(walk.label(found)), text }
    };
    let foreign = walk.texts.iter().take(OUTLINE_TEXTS_MAX).map(text).collect();
    Outline { facts, foreign }
}

fn facts(walk: &Walk<'_>) -> Vec<Fact> {
    let mut facts: Vec<Fact> = Vec::new();
    let mut bytes = 0;
    let mut looked_at = 0;
    for found in &walk.facts {
        let value = shown(walk, found);
        if value.len() >= REPEATED_BYTES_MIN && facts.iter().any(|fact| fact.value == value) {
            looked_at += 1;
            continue;
        }
        let label = walk.label(found);
        bytes += label.len() + value.len() + 3;
        if bytes > OUTLINE_FACTS_BYTES_MAX || facts.len() == OUTLINE_FACTS_MAX {
            break;
        }
        looked_at += 1;
        facts.push(Fact { label, value });
    }
    let texts = walk.texts.len().saturating_sub(OUTLINE_TEXTS_MAX);
    let more = walk.facts.len() - looked_at + texts;
    if more > 0 || walk.cut {
        let value = match more {
            _ if walk.cut => "many more values".to_owned(),
            1 => "1 more value".to_owned(),
            more => format!("{more} more values"),
        };
        facts.push(fact("Not shown", value));
    }
    if facts.is_empty() && walk.texts.is_empty() {
        facts.push(fact("body", "nothing to show".into()));
    }
    facts
}

/// The outline of a text that is not JSON: its size, and itself.
#[must_use]
pub fn text_outline(text: &str) -> Outline {
    if text.trim().is_empty() {
        let value = if text.is_empty() { "empty" } else { "blank" };
        return Outline { facts: vec![fact("Body", value.into())], foreign: Vec::new() };
    }
    let lines = match text.lines().count() {
        1 => "1 line".to_owned(),
        lines => format!("{lines} lines"),
    };
    let size = format!("{} bytes of text in {lines}", text.len());
    let foreign = Foreign { label: None, text: text.to_owned() };
    Outline { facts: vec![fact("Body", size)], foreign: vec![foreign] }
}

fn fact(label: &str, value: String) -> Fact {
    Fact { label: label.to_owned(), value }
}

fn shown(walk: &Walk<'_>, found: &Found<'_>) -> String {
    if let Some(what) = walk.secret(found) {
        return format!("[redacted: {what}]");
    }
    if found.node.kind() == Kind::Array {
        return listed(found.node);
    }
    found.node.scalar().map_or_else(String::new, |text| inline(&text))
}

/// How many items there are, and the first of them where they are short.
fn listed(array: Node<'_>) -> String {
    let count = match array.len() {
        1 => "1 item".to_owned(),
        count => format!("{count} items"),
    };
    let first: Vec<_> = array
        .items()
        .take(OUTLINE_ITEMS_MAX)
        .filter_map(|item| item.scalar().filter(|text| !worth::is_hash(text)))
        .map(|text| inline(&text))
        .collect();
    if first.is_empty() {
        return count;
    }
    let more = if array.len() > first.len() { ", …" } else { "" };
    format!("{count}: {}{more}", first.join(", "))
}
