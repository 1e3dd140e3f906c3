//! What the header fields of a message say.

use crate::{
    head::Head,
    parser::{Mailbox, MessageParser},
};
use headgate_event::{
    Timestamp,
    data::MailHeader,
    limits::{MAIL_ADDRESSES_MAX, MAIL_ID_BYTES_MAX, MAIL_REFERENCES_MAX},
};

/// The fields that an event is made of.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fields {
    pub(crate) from: Vec<Mailbox>,
    /// How many From fields there are; more than one is a trick.
    pub(crate) from_count: usize,
    /// Whether From could not be read, and `from` is what looks most like an address in it.
    pub(crate) from_guessed: bool,
    pub(crate) sender: Option<String>,
    pub(crate) reply_to: Vec<String>,
    pub(crate) to: Vec<String>,
    pub(crate) cc: Vec<String>,
    pub(crate) subject: String,
    pub(crate) date: Option<Timestamp>,
    /// The date as it is written, by which a repeat is known.
    pub(crate) date_text: String,
    /// With angle brackets; none when the message has none.
    pub(crate) message_id: Option<String>,
    pub(crate) in_reply_to: Option<String>,
    pub(crate) references: Vec<String>,
    pub(crate) headers: Vec<MailHeader>,
}

impl Fields {
    pub(super) fn read(
        head: &Head<'_>,
        parser: &dyn MessageParser,
        defect: &mut dyn FnMut(&str),
    ) -> Self {
        let mailboxes = |name: &str| {
            let lists = head.all(name).flat_map(|value| addresses(parser, value));
            lists.take(MAIL_ADDRESSES_MAX).collect::<Vec<_>>()
        };
        let plain =
            |name: &str| mailboxes(name).into_iter().map(|one| one.address).collect::<Vec<_>>();
        let fields = Self {
            from: mailboxes("from"),
            from_count: head.all("from").count(),
            from_guessed: head.all("from").any(|value| parser.addresses(value).is_empty()),
            sender: plain("sender").into_iter().next(),
            reply_to: plain("reply-to"),
            to: plain("to"),
            cc: plain("cc"),
            subject: head.first("subject").map(|value| parser.text(value)).unwrap_or_default(),
            date: head.first("date").and_then(|value| parser.date(value)),
            date_text: String::from_utf8_lossy(head.first("date").unwrap_or_default())
                .trim()
                .to_owned(),
            message_id: head.first("message-id").and_then(|value| ids(value).into_iter().next()),
            in_reply_to: head.first("in-reply-to").and_then(|value| ids(value).into_iter().next()),
            references: head.all("references").flat_map(ids).take(MAIL_REFERENCES_MAX).collect(),
            headers: head
                .fields
                .iter()
                .map(|field| MailHeader {
                    name: field.name.to_owned(),
                    value: parser.text(field.value),
                })
                .collect(),
        };
        fields.tell(head, defect);
        fields
    }

    fn tell(&self, head: &Head<'_>, defect: &mut dyn FnMut(&str)) {
        match (self.from_count, self.from.len()) {
            (0, _) => defect("from_missing"),
            (1, _) if self.from_guessed => defect("from_unreadable"),
            (1, 1) => {}
            _ => defect("from_not_one"),
        }
        if head.all("subject").count() > 1 {
            defect("subject_not_one");
        }
        if self.message_id.is_none() {
            defect("message_id_missing");
        }
        if self.date.is_none() {
            let code = if self.date_text.is_empty() { "date_missing" } else { "date_unreadable" };
            defect(code);
        }
        if head.fields.is_empty() {
            defect("headers_missing");
        }
    }

    /// The address of the author: of several, the first that is written.
    pub(crate) fn author(&self) -> Option<&Mailbox> {
        self.from.first()
    }
}

/// The addresses of a list; where none could be read, the one that angle brackets or a bare word
/// with an `@` show.
fn addresses(parser: &dyn MessageParser, value: &[u8]) -> Vec<Mailbox> {
    let read = parser.addresses(value);
    if !read.is_empty() {
        return read;
    }
    let text = parser.text(value);
    let within = text.rsplit_once('<').and_then(|(_, rest)| rest.split_once('>'));
    let bare = || text.split([' ', '\t', ',', ';', '<', '>', '(', ')']).find(|w| w.contains('@'));
    let found = within.map(|(address, _)| address.trim()).filter(|address| address.contains('@'));
    let address = found.or_else(bare).map(str::to_owned);
    address.map(|address| Mailbox { name: None, address }).into_iter().collect()
}

/// The Message-IDs of a value, with their angle brackets; a word without them is one, too.
fn ids(value: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(value);
    let mut found = Vec::new();
    let mut rest = text.as_ref();
    while let Some((_, after)) = rest.split_once('<') {
        let Some((id, after)) = after.split_once('>') else { break };
        found.extend(identifier(id));
        rest = after;
    }
    if found.is_empty() {
        let word = text.split_whitespace().find(|word| word.contains('@'));
        found.extend(word.or_else(|| text.split_whitespace().next()).and_then(identifier));
    }
    found
}

fn identifier(id: &str) -> Option<String> {
    let id: String = id.chars().filter(|c| !c.is_whitespace() && !c.is_control()).collect();
    let id = id.trim_matches(['<', '>']);
    (!id.is_empty() && id.len() <= MAIL_ID_BYTES_MAX).then(|| format!("<{id}>"))
}
