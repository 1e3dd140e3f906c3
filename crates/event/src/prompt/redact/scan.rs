//! One pass over a text that finds secrets, word by word.
//!
//! The time is linear: every search ends where the next one begins, or is made once.

use super::{pair, shapes};
use std::borrow::Cow;

/// A text without secrets: each becomes `[redacted: what it was]`.
///
/// It knows the tokens of well-known issuers, JSON Web Tokens, private keys in PEM, bearer and
/// basic credentials, user and password in a URL, and what follows names such as `password=`.
///
/// ```
/// # use headgate_event::prompt::redact::secrets;
/// assert_eq!(secrets("password=hunter2 &c"), "password=[redacted: password] &c");
/// assert_eq!(secrets("at 9c5d3f1"), "at 9c5d3f1");
/// ```
#[must_use]
pub fn secrets(text: &str) -> Cow<'_, str> {
    let mut scan = Scan { text, out: String::new(), copied: 0, ends: true };
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        at = if shapes::is_word(*byte) {
            let len = bytes.iter().skip(at).take_while(|byte| shapes::is_word(**byte)).count();
            scan.word(at, at + len)
        } else if *byte == b':' && bytes.get(at..).is_some_and(|rest| rest.starts_with(b"://")) {
            scan.url(at + 3)
        } else {
            at + 1
        };
    }
    if scan.copied == 0 {
        return Cow::Borrowed(text);
    }
    scan.out.push_str(text.get(scan.copied..).unwrap_or_default());
    Cow::Owned(scan.out)
}

struct Scan<'t> {
    text: &'t str,
    out: String,
    /// Up to where the text is in `out`.
    copied: usize,
    /// Whether a block in PEM may still end further on.
    ends: bool,
}

impl Scan<'_> {
    /// Judges the word from `at` to `end` and says where to go on.
    fn word(&mut self, at: usize, end: usize) -> usize {
        let bytes = self.text.as_bytes();
        let rest = bytes.get(at..).unwrap_or_default();
        let word = bytes.get(at..end).unwrap_or_default();
        if let Some((len, name)) = shapes::token(rest, word.len()) {
            return self.redact(at, at + len, name);
        }
        if word.ends_with(b"-----BEGIN")
            && let Some(len) = self.pem(end - 10)
        {
            return self.redact(end - 10, end - 10 + len, "private key");
        }
        if let Some((from, to)) = pair::credential(bytes, word, end) {
            return self.redact(from, to, "credential");
        }
        if let Some((from, to, name)) = pair::value(bytes, word, end) {
            return self.redact(from, to, name);
        }
        end
    }

    /// User and password before the `@` of a URL.
    fn url(&mut self, at: usize) -> usize {
        let rest = self.text.as_bytes().get(at..).unwrap_or_default();
        let len = rest
            .iter()
            .take_while(|byte| byte.is_ascii_graphic() && !b"/?#\"'<>`\\(){}".contains(byte))
            .count();
        let authority = rest.get(..len).unwrap_or_default();
        let user = authority.iter().rposition(|byte| *byte == b'@');
        let userinfo = user.and_then(|end| authority.get(..end)).unwrap_or_default();
        match userinfo.iter().position(|byte| *byte == b':') {
            Some(colon) if colon + 1 < userinfo.len() => {
                self.redact(at, at + userinfo.len(), "credentials")
            }
            _ => at,
        }
    }

    /// The length of the private key in PEM that begins at `at`.
    fn pem(&mut self, at: usize) -> Option<usize> {
        let block = self.text.get(at..)?;
        let label = block.get(10..)?.split("-----").next()?;
        if label.len() > 40 || !label.ends_with("PRIVATE KEY") {
            return None;
        }
        let head = 10 + label.len();
        let body = block.get(head..)?;
        let end = if self.ends { body.find("-----END") } else { None };
        let Some(end) = end else {
            self.ends = false;
            // Cut off: as far as it looks like PEM.
            let pem = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/=\\\n\t -:,".contains(byte);
            return Some(head + body.bytes().take_while(|byte| pem(byte)).count());
        };
        let tail = body.get(end + 8..)?;
        let close = tail.find("-----").filter(|len| *len <= 40).map_or(0, |len| len + 5);
        Some(head + end + 8 + close)
    }

    fn redact(&mut self, from: usize, to: usize, name: &str) -> usize {
        self.out.push_str(self.text.get(self.copied..from).unwrap_or_default());
        self.out.push_str("[redacted: ");
        self.out.push_str(name);
        self.out.push(']');
        self.copied = to;
        to
    }
}
