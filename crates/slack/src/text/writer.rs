//! What is noted while a message is written: whom it mentions, what in it is hidden.

use super::Hidden;
use crate::directory::Directory;
use headgate_event::{
    Timestamp,
    json::Node,
    limits::{
        SLACK_BLOCKS_DEPTH_MAX, SLACK_LABEL_BYTES_MAX, SLACK_MENTIONS_MAX, SLACK_TEXT_BYTES_MAX,
    },
};
use std::collections::BTreeMap;

/// Writes the pieces that texts and blocks share.
pub(super) struct Writer<'d> {
    directory: &'d Directory,
    pub(super) mentions: Vec<String>,
    pub(super) hidden: Vec<Hidden>,
    depth: usize,
    /// Whether what is written are words that the message only shows: whom they name, it does not.
    quoting: bool,
    naming: Naming,
    /// The names that its own markup gave ids so far: rich text has the ids alone.
    labels: BTreeMap<String, String>,
    /// How many bytes of them were written where they did not stand.
    repeated: usize,
}

/// How users, conversations, groups and moments are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Naming {
    /// With what they are called, as far as that is known.
    Names,
    /// By what they are: the id, the moment.
    Ids,
}

impl<'d> Writer<'d> {
    pub(super) fn new(directory: &'d Directory) -> Self {
        Self {
            directory,
            mentions: Vec::new(),
            hidden: Vec::new(),
            depth: 0,
            quoting: false,
            naming: Naming::Names,
            labels: BTreeMap::new(),
            repeated: 0,
        }
    }

    /// One that leaves out what things are called, so that two ways to say the same compare equal.
    pub(super) fn of_ids(directory: &'d Directory) -> Self {
        Self { naming: Naming::Ids, ..Self::new(directory) }
    }

    /// What a quotation says. Nobody is mentioned in it.
    pub(super) fn quoted(&mut self, write: impl FnOnce(&mut Self) -> String) -> String {
        let before = std::mem::replace(&mut self.quoting, true);
        let text = write(self);
        self.quoting = before;
        text
    }

    pub(super) fn hide(&mut self, what: Hidden) {
        if !self.hidden.contains(&what) {
            self.hidden.push(what);
        }
    }

    /// What one level deeper says; nothing where that is too deep.
    pub(super) fn deeper(&mut self, write: impl FnOnce(&mut Self) -> String) -> String {
        if self.depth == SLACK_BLOCKS_DEPTH_MAX {
            return String::new();
        }
        self.depth += 1;
        let text = write(self);
        self.depth -= 1;
        text
    }

    /// What the nodes say, a line each, as far as there is room.
    pub(super) fn joined<'n>(
        &mut self,
        nodes: impl Iterator<Item = Node<'n>>,
        write: impl Fn(Node<'n>, &mut Self) -> String,
    ) -> String {
        let mut text = String::new();
        for node in nodes {
            let line = self.deeper(|writer| write(node, writer));
            if !text.is_empty() && !line.is_empty() {
                text.push('\n');
            }
            text.push_str(&line);
            if text.len() > SLACK_TEXT_BYTES_MAX {
                break;
            }
        }
        text
    }

    pub(super) fn user(&mut self, id: &str, label: Option<&str>) -> String {
        let known = self.mentions.iter().any(|mention| mention == id);
        if !known && !self.quoting && self.mentions.len() < SLACK_MENTIONS_MAX {
            self.mentions.push(id.to_owned());
        }
        self.named('@', id, label)
    }

    pub(super) fn group(&mut self, id: &str, label: Option<&str>) -> String {
        self.named('@', id, label)
    }

    pub(super) fn channel(&mut self, id: &str, label: Option<&str>) -> String {
        self.named('#', id, label)
    }

    /// An id with its name: the one that stands here, else one that it had before.
    fn named(&mut self, sign: char, id: &str, label: Option<&str>) -> String {
        if self.naming == Naming::Ids {
            return format!("{sign}{id}");
        }
        let label = label.map(str::trim).filter(|label| !label.is_empty());
        let is_kept = |label: &&str| {
            let fits = label.len() <= SLACK_LABEL_BYTES_MAX && !self.quoting;
            fits && self.labels.len() < SLACK_MENTIONS_MAX && !self.labels.contains_key(id)
        };
        if let Some(label) = label.filter(is_kept) {
            self.labels.insert(id.to_owned(), label.to_owned());
        }
        let known = self.labels.get(id).filter(|_| label.is_none());
        let room = SLACK_TEXT_BYTES_MAX - self.repeated;
        let known = known.filter(|known| known.len() <= room);
        self.repeated += known.map_or(0, String::len);
        self.directory.written(sign, id, label.or(known.map(String::as_str)))
    }

    /// A link with its label. What looks like an address and is that of another host is noted.
    pub(super) fn link(&mut self, url: &str, label: Option<&str>) -> String {
        let label = label.map(str::trim).filter(|label| !label.is_empty() && *label != url);
        let bare = url.strip_prefix("mailto:").or_else(|| url.strip_prefix("tel:"));
        let Some(label) = label.filter(|label| Some(*label) != bare) else {
            return bare.unwrap_or(url).to_owned();
        };
        self.note_label(url, label);
        let label = label.replace('[', "\\[").replace(']', "\\]");
        format!("[{label}]({})", url.replace(')', "%29"))
    }

    fn note_label(&mut self, url: &str, label: &str) {
        if host(label).is_some_and(|named| Some(named) != host(url)) {
            self.hide(Hidden::LinkLabel);
        }
    }

    /// A moment, linked where it leads somewhere.
    pub(super) fn date(
        &mut self,
        ts: &str,
        format: &str,
        fallback: &str,
        url: Option<&str>,
    ) -> Option<String> {
        let fallback = if self.naming == Naming::Ids { "" } else { fallback.trim() };
        let shown = moment(ts, format, fallback)?;
        let Some(url) = url.filter(|url| !url.is_empty()) else { return Some(shown) };
        // Where a client cannot show the moment, this is the label that people see.
        self.note_label(url, fallback);
        Some(self.link(url, Some(&shown)))
    }
}

/// A moment, with what a person reads of it where a client cannot show it.
fn moment(ts: &str, format: &str, fallback: &str) -> Option<String> {
    let seconds: i64 = ts.parse().ok()?;
    let time = Timestamp::from_unix_s(seconds).to_string().replace(".000Z", "Z");
    let mut shown = String::new();
    let mut rest = format;
    let mut placed = false;
    while let Some((before, after)) = rest.split_once('{') {
        let Some((_, after)) = after.split_once('}') else { break };
        shown.push_str(before);
        if !placed {
            shown.push_str(&time);
        }
        placed = true;
        rest = after;
    }
    shown.push_str(rest);
    let shown = if placed { shown.trim().to_owned() } else { time };
    Some(if fallback.is_empty() { shown } else { format!("{shown} ({fallback})") })
}

/// The host in what is, or looks like, an address: lower case, without `www.`.
fn host(text: &str) -> Option<String> {
    let text = text.trim();
    let after = text.split_once("://").map_or(text, |(_, rest)| rest);
    let authority = after.split(['/', '?', '#']).next()?;
    let name = authority.rsplit_once('@').map_or(authority, |(_, name)| name);
    let name = name.split(':').next()?.to_ascii_lowercase();
    let name = name.strip_prefix("www.").unwrap_or(&name).to_owned();
    let fits = |part: &str| {
        !part.is_empty() && part.chars().all(|char| char.is_alphanumeric() || char == '-')
    };
    let last = name.rsplit('.').next()?;
    let named = name.contains('.') && name.split('.').all(fits);
    let top = last.len() >= 2 && last.chars().all(char::is_alphabetic);
    (named && top).then_some(name)
}
