//! The path to a value as the label of a line.

use super::walk::Name;
use crate::{limits::PROMPT_VALUE_BYTES_MAX, prompt::inline::quoted};

/// What a body without keys is called.
const ROOT: &str = "body";

/// The path with dots between its names. A key comes from outside, as values do: what is more than
/// a word is quoted, and what could pass for a line of our own says that it is the body's.
pub(super) fn path(names: &[Name<'_>]) -> String {
    let mut path = String::new();
    if names.first().is_none_or(|first| !is_plain(first)) {
        path.push_str(ROOT);
    }
    for name in names {
        if !path.is_empty() {
            path.push('.');
        }
        match name {
            Name::Item(position) => path.push_str(&position.to_string()),
            Name::Key(key) if is_word(key) => path.push_str(key),
            Name::Key(key) => path.push_str(&quoted(key)),
        }
    }
    if path.len() > PROMPT_VALUE_BYTES_MAX {
        path.truncate(path.floor_char_boundary(PROMPT_VALUE_BYTES_MAX - '…'.len_utf8()));
        path.push('…');
    }
    path
}

/// Whether a path may begin with it.
fn is_plain(name: &Name<'_>) -> bool {
    // The line that says how an event was verified is ours alone.
    const OURS: [&str; 4] = ["channel", "verified", "notverified", "verification"];
    match name {
        Name::Item(_) => false,
        Name::Key(key) => {
            let letters: String = key.chars().filter(char::is_ascii_alphanumeric).collect();
            !OURS.contains(&letters.to_ascii_lowercase().as_str())
        }
    }
}

fn is_word(key: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"_-$@".contains(&byte);
    !key.is_empty() && key.len() <= 64 && key.bytes().all(fits)
}
