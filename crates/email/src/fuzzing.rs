//! What the fuzzers call of what is private.

/// HTML as the text of it, as that without quotes, and how many bytes of it are hidden.
#[must_use]
pub fn html(html: &str) -> (String, String, u64) {
    use crate::html::{Wanted, text};
    let all = text(html, Wanted::All);
    (all.text, text(html, Wanted::New).text, all.hidden_bytes)
}

/// What is new in a text.
#[must_use]
pub fn reply(text: &str) -> String {
    crate::reply::stripped(text)
}
