//! Which values of a body are secrets by the keys on the way to them.

use crate::{
    json::{Kind, Node},
    limits::OUTLINE_ITEMS_MAX,
    prompt::redact::secret_name,
};

/// What a value is by its own key.
pub(super) fn of_key(key: &str, node: Node<'_>) -> Option<&'static str> {
    match node.kind() {
        Kind::String => secret_name(key.as_bytes()).or_else(|| of_many(key)),
        Kind::Array if holds_text(node) => secret_name(key.as_bytes()).or_else(|| of_many(key)),
        // `tokens: 12` is how many there are.
        Kind::Number => secret_name(key.as_bytes()),
        _ => None,
    }
}

/// What a value is by a key around it: `{"secret": {"value": ".."}}`. A payment's `authorization`
/// holds all that is worth knowing of it.
pub(super) fn under_key(key: &str, node: Node<'_>) -> Option<&'static str> {
    let text = node.kind() == Kind::String || holds_text(node);
    let what = secret_name(key.as_bytes()).or_else(|| of_many(key))?;
    (text && what != "authorization").then_some(what)
}

/// The same for a name of several: `tokens`.
fn of_many(key: &str) -> Option<&'static str> {
    secret_name(key.strip_suffix(['s', 'S'])?.as_bytes()).filter(|what| *what != "authorization")
}

/// Whether an array shows text: no more of its items than these are shown.
fn holds_text(node: Node<'_>) -> bool {
    let shown = || node.items().take(OUTLINE_ITEMS_MAX);
    node.kind() == Kind::Array && shown().any(|item| item.kind() == Kind::String)
}
