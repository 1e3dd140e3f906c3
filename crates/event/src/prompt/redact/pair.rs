//! Secrets that are told by the word before them: `password=x`, `Authorization: x`, `Bearer x`.

use super::shapes::is_word;

/// The ends of names whose value is a secret, and what it is. Case, `-` and `_` do not matter.
const NAMES: [(&str, &str); 17] = [
    ("password", "password"),
    ("passwd", "password"),
    ("passphrase", "password"),
    ("pwd", "password"),
    ("secret", "secret"),
    ("token", "token"),
    ("apikey", "API key"),
    ("accesskey", "key"),
    ("accesskeyid", "key"),
    ("secretkey", "key"),
    ("privatekey", "key"),
    ("signingkey", "key"),
    ("encryptionkey", "key"),
    ("authkey", "key"),
    ("credential", "credential"),
    ("authorization", "authorization"),
    ("cookie", "cookie"),
];

/// Values that only stand for one.
const PLACEHOLDERS: [&str; 14] = [
    "true",
    "false",
    "null",
    "none",
    "nil",
    "undefined",
    "string",
    "str",
    "required",
    "optional",
    "empty",
    "hidden",
    "redacted",
    "bool",
];

/// What the value of this name is, when it is a secret.
pub(in crate::prompt) fn secret_name(name: &[u8]) -> Option<&'static str> {
    let known = |known: &str| {
        let mut name = name.iter().rev().filter(|byte| **byte != b'-' && **byte != b'_');
        known.bytes().rev().all(|byte| name.next().is_some_and(|n| n.to_ascii_lowercase() == byte))
    };
    NAMES.iter().find(|(end, _)| known(end)).map(|(_, what)| *what)
}

/// Where the credential after `Bearer` or `Basic` is.
pub(super) fn credential(text: &[u8], word: &[u8], end: usize) -> Option<(usize, usize)> {
    let len_min = match word.len() {
        6 if word.eq_ignore_ascii_case(b"bearer") => 8,
        5 if word.eq_ignore_ascii_case(b"basic") => 12,
        _ => return None,
    };
    let from = end + spaces(text, end);
    let rest = text.get(from..).filter(|_| from > end)?;
    let len = rest.iter().take_while(|byte| is_word(**byte) || b".~+/=".contains(byte)).count();
    let value = rest.get(..len)?;
    let mixed = value.windows(2).any(|pair| matches!(pair, [b'a'..=b'z', b'A'..=b'Z']));
    let digit = value.iter().any(u8::is_ascii_digit);
    (len >= len_min && (digit || mixed || len >= 24)).then_some((from, from + len))
}

/// Where the value of a secret name is, and what it is.
pub(super) fn value(text: &[u8], word: &[u8], end: usize) -> Option<(usize, usize, &'static str)> {
    let (from, assigned) = separator(text, end)?;
    let what = secret_name(word)?;
    let rest = text.get(from..)?;
    let escape = usize::from(rest.starts_with(b"\\"));
    if let Some(quote) = rest.get(escape).filter(|byte| b"\"'`".contains(byte)) {
        let from = from + escape + 1;
        let rest = text.get(from..)?;
        let len = rest.iter().position(|byte| byte == quote || b"\\\n".contains(byte))?;
        let value = rest.get(..len)?;
        return (!is_placeholder(value)).then_some((from, from + len, what));
    }
    let line = matches!(what, "authorization" | "cookie");
    let ends = |byte: &u8| match byte {
        b'\n' | b'"' | b'`' => true,
        b' ' | b'\t' | b'\'' | b'&' | b';' | b',' | b')' | b']' | b'}' | b'<' => !line,
        _ => false,
    };
    let len = rest.iter().position(ends).unwrap_or(rest.len());
    let value = rest.get(..len)?;
    let last = rest.get(len).is_none_or(|byte| *byte == b'\n');
    // Prose has colons after such words too: there a value has digits or ends its line.
    let told = assigned || line || (len >= 6 && (last || value.iter().any(u8::is_ascii_digit)));
    (told && !is_placeholder(value)).then_some((from, from + len, what))
}

/// Where the value after a name begins, and whether it is assigned (`=`) or said (`:`).
fn separator(text: &[u8], end: usize) -> Option<(usize, bool)> {
    let mut at = end;
    at += usize::from(text.get(at) == Some(&b'\\'));
    at += usize::from(text.get(at).is_some_and(|byte| b"\"'`".contains(byte)));
    at += spaces(text, at);
    let (len, assigned) = match text.get(at..)? {
        [b'=', b'=', ..] | [b':', b':', ..] | [b':', b'/', b'/', ..] => return None,
        [b'=', b'>', ..] | [b':', b'=', ..] => (2, true),
        [b'=', ..] => (1, true),
        [b':', ..] => (1, false),
        _ => return None,
    };
    at += len;
    Some((at + spaces(text, at), assigned))
}

/// A few spaces or tabs from `at` on.
fn spaces(text: &[u8], at: usize) -> usize {
    text.iter().skip(at).take(4).take_while(|byte| b" \t".contains(byte)).count()
}

fn is_placeholder(value: &[u8]) -> bool {
    value.is_empty()
        || value.first().is_some_and(|first| b"$<{[(*%/".contains(first))
        || value.contains(&b'(')
        || PLACEHOLDERS.iter().any(|word| value.eq_ignore_ascii_case(word.as_bytes()))
        || [
            &b"process.env"[..],
            b"os.environ",
            b"env.",
            b"secrets.",
            b"config.",
            b"self.",
            b"this.",
        ]
        .iter()
        .any(|from| value.starts_with(from))
}
