//! What a key promises, by its name, and what is noise to a reader.

use crate::json::{Kind, Node};

/// What a step away from the root costs in rank.
pub(super) const STEP: usize = 20;
/// The rank of a text that people wrote: after what it is about.
pub(super) const TEXT: usize = 18;
/// The rank of how many items there are: before what is in them.
pub(super) const ITEMS: usize = 32;
/// The rank of a value whose name promises nothing.
pub(super) const UNTOLD: usize = 1000;

/// What happened, to what, who did it, when, how much: lower is more telling.
const TOLD: [(usize, &[&str]); 6] = [
    (
        0,
        &[
            "type",
            "event",
            "eventtype",
            "eventname",
            "eventkey",
            "eventcode",
            "objectkind",
            "action",
            "kind",
            "status",
            "state",
            "topic",
            "result",
            "outcome",
            "conclusion",
            "reason",
            "severity",
            "priority",
            "trigger",
            "command",
            "error",
        ],
    ),
    (10, &["name", "title", "subject", "fullname", "summary", "slug"]),
    (
        15,
        &[
            "id",
            "number",
            "key",
            "url",
            "htmlurl",
            "weburl",
            "permalink",
            "link",
            "object",
            "ref",
            "branch",
            "tag",
            "tagname",
            "version",
            "environment",
        ],
    ),
    (
        20,
        &[
            "user",
            "author",
            "sender",
            "email",
            "login",
            "username",
            "from",
            "to",
            "actor",
            "customer",
            "owner",
            "displayname",
            "nickname",
            "assignee",
            "pusher",
            "createdby",
            "account",
            "organization",
            "phone",
        ],
    ),
    (
        30,
        &[
            "createdat",
            "timestamp",
            "date",
            "time",
            "occurredat",
            "eventtime",
            "created",
            "startedat",
            "finishedat",
            "duedate",
            "dueat",
            "createdon",
            "datecreated",
        ],
    ),
    (
        40,
        &[
            "amount",
            "total",
            "currency",
            "price",
            "quantity",
            "count",
            "balance",
            "amountdue",
            "amountpaid",
            "subtotal",
            "additions",
            "deletions",
            "changedfiles",
            "size",
        ],
    ),
];
const TEXTS: [&str; 12] = [
    "body",
    "text",
    "message",
    "description",
    "content",
    "comment",
    "note",
    "details",
    "plain",
    "raw",
    "markdown",
    "stacktrace",
];
const WRAPPERS: [&str; 7] =
    ["data", "payload", "object", "event", "body", "resource", "attributes"];
const NOISE: [&str; 18] = [
    "nodeid",
    "links",
    "avatar",
    "avatarurl",
    "gravatarid",
    "icon",
    "iconurl",
    "image",
    "photo",
    "giturl",
    "sshurl",
    "cloneurl",
    "svnurl",
    "hash",
    "etag",
    "checksum",
    "digest",
    "signature",
];
const PEOPLE: [&str; 5] = ["login", "username", "displayname", "nickname", "emailaddress"];
const OF_PEOPLE: [&str; 8] =
    ["id", "type", "url", "htmlurl", "weburl", "uuid", "accountid", "siteadmin"];

/// The rank of a value by its key, at the root; none when the key promises nothing.
pub(super) fn told(key: &str, value: Node<'_>) -> Option<usize> {
    let told = letters(key, |key| {
        TOLD.iter().find(|(_, words)| words.contains(&key)).map(|(rank, _)| *rank)
    })
    .flatten()?;
    // `tag: false` says what it is not.
    (told == 0 || value.as_bool() != Some(false)).then_some(told)
}

/// Whether it holds what people write.
pub(super) fn is_text(key: &str) -> bool {
    is_one_of(key, &TEXTS)
}

/// Whether it only wraps what the body is about, or tells whose name comes: neither is a step.
pub(super) fn is_no_step(key: &str, value: Node<'_>) -> bool {
    value.kind() == Kind::Object && (WRAPPERS.contains(&key) || told(key, value) == Some(20))
}

/// What else the pairs around a value say of it.
#[derive(Clone, Copy, Default)]
pub(super) struct Siblings {
    /// Someone is named, so that ids and links of the same one say nothing more.
    person: bool,
    /// There is a plain text, so that the same as HTML says nothing more.
    text: bool,
}

impl Siblings {
    pub(super) fn of<'a>(keys: impl Iterator<Item = &'a str>) -> Self {
        keys.fold(Self::default(), |known, key| Self {
            person: known.person || is_one_of(key, &PEOPLE),
            text: known.text || matches!(key, "text" | "raw" | "plain" | "body"),
        })
    }

    pub(super) fn outdo(self, key: &str) -> bool {
        (self.person && is_one_of(key, &OF_PEOPLE))
            || (self.text && matches!(key, "html" | "markdown" | "body_html"))
    }
}

/// Whether a value is for programs: hashes, pictures, templates and links of an API.
pub(super) fn is_noise(key: &str, value: Node<'_>) -> bool {
    if is_one_of(key, &NOISE) {
        return true;
    }
    let Some(text) = value.as_str() else { return false };
    if is_link(text) {
        let host = text.split("://").nth(1).unwrap_or_default();
        return text.contains('{')
            || host.starts_with("api.")
            || text.contains("/api/")
            || text.contains("/_apis/")
            || is_machine_link(key, value);
    }
    is_hash(text)
}

/// Whether a string is a digest in hex.
pub(super) fn is_hash(text: &str) -> bool {
    text.len() >= 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// `forks_url` and its like, of which GitHub sends dozens.
fn is_machine_link(key: &str, value: Node<'_>) -> bool {
    let seen = ["invoice", "receipt", "target", "public", "short"];
    key.ends_with("_url")
        && told(key, value).is_none()
        && !seen.iter().any(|word| key.contains(word))
}

pub(super) fn is_link(text: &str) -> bool {
    text.starts_with("https://") || text.starts_with("http://")
}

/// Whether a long string is data and no text: nothing but visible ASCII, without a space.
pub(super) fn is_blob(text: &str) -> bool {
    text.bytes().take(200).all(|byte| byte.is_ascii_graphic())
}

fn is_one_of(key: &str, words: &[&str]) -> bool {
    letters(key, |key| words.contains(&key)).unwrap_or(false)
}

/// Looks at a key without its `_` and `-` and its case; none when it is longer than any word here.
fn letters<T>(key: &str, look: impl FnOnce(&str) -> T) -> Option<T> {
    let mut letters = [0; 16];
    let mut len = 0;
    for byte in key.bytes().filter(|byte| !b"_-".contains(byte)) {
        *letters.get_mut(len)? = byte.to_ascii_lowercase();
        len += 1;
    }
    Some(look(std::str::from_utf8(letters.get(..len)?).ok()?))
}
