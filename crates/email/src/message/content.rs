//! Which parts are the text of a message, and that text.
//!
//! Parts in one `multipart/alternative` say the same: of them the plain one is the text and the
//! HTML one the HTML. Parts beside each other are put together, as programs do that split a text
//! around its pictures. Everything else is an attachment; nothing is dropped.

use crate::{
    flowed::{DeleteSpace, unwrapped},
    html::{self, Wanted},
    parser::MessageParser,
    reply,
    structure::{Part, Structure},
    transfer,
};
use headgate_event::limits::{MAIL_HTML_BYTES_MAX, MAIL_TEXT_BYTES_MAX};

/// The text of a message.
#[derive(Clone, Debug, Default)]
pub(crate) struct Content {
    pub(crate) text: Option<String>,
    pub(crate) html: Option<String>,
    pub(crate) reply_text: Option<String>,
    /// `plain` or `html`.
    pub(crate) source: Option<&'static str>,
    pub(crate) hidden_bytes: u64,
    pub(crate) is_truncated: bool,
}

/// What is said once: a part, or the parts of one alternative.
#[derive(Debug, Default)]
struct Saying {
    /// The alternative it is in.
    within: Option<usize>,
    plain: Vec<String>,
    html: Vec<String>,
}

/// Reads the text, and says which parts are attachments.
pub(super) fn read(
    raw: &[u8],
    structure: &Structure<'_>,
    parser: &dyn MessageParser,
    defect: &mut dyn FnMut(&str),
) -> (Content, Vec<usize>) {
    let mut sayings: Vec<Saying> = Vec::new();
    let mut rest = Vec::new();
    let mut room = MAIL_TEXT_BYTES_MAX + MAIL_HTML_BYTES_MAX;
    let mut is_truncated = false;
    for (index, part) in structure.parts.iter().enumerate() {
        if part.children > 0 {
            continue;
        }
        let Some(is_html) = text_kind(structure, index) else {
            rest.push(index);
            continue;
        };
        if room == 0 {
            is_truncated = true;
            rest.push(index);
            continue;
        }
        let within = alternative_of(structure, index);
        let text = text_of(raw, part, parser, defect);
        room = room.saturating_sub(text.len());
        let same = sayings.last_mut().filter(|last| within.is_some() && last.within == within);
        let saying = match same {
            Some(saying) => saying,
            None => {
                sayings.push(Saying { within, ..Saying::default() });
                let Some(saying) = sayings.last_mut() else { continue };
                saying
            }
        };
        if is_html { saying.html.push(text) } else { saying.plain.push(text) }
    }
    let mut content = together(&sayings);
    content.is_truncated |= is_truncated;
    (content, rest)
}

/// Whether a part is text to be read, and then whether it is HTML.
fn text_kind(structure: &Structure<'_>, index: usize) -> Option<bool> {
    let part = structure.parts.get(index)?;
    let is_html = part.media.is("text", "html");
    // A multipart in which no part was found is what it shows: text.
    let is_plain = part.media.is("text", "plain") || part.media.kind == "multipart";
    let attached = part.disposition.as_ref().is_some_and(|one| one.kind == "attachment");
    let named = part.disposition.as_ref().is_some_and(|one| one.parameter("filename").is_some())
        || part.media.parameter("name").is_some();
    let alone = part.parent.is_none();
    let text = (is_html || is_plain) && !attached && (alone || !named);
    (text && is_read(structure, part)).then_some(is_html)
}

/// Whether what is around a part makes it one that is read: the first of a `related`, of a `signed`
/// and of a report is, the others belong to it.
fn is_read(structure: &Structure<'_>, part: &Part<'_>) -> bool {
    let mut inner = part;
    while let Some(outer) = inner.parent.and_then(|parent| structure.parts.get(parent)) {
        let first_only = ["related", "signed", "report"].contains(&outer.media.subkind.as_str());
        if first_only && inner.position > 0 || outer.media.subkind == "encrypted" {
            return false;
        }
        inner = outer;
    }
    true
}

/// The outermost alternative a part is in.
fn alternative_of(structure: &Structure<'_>, index: usize) -> Option<usize> {
    let mut found = None;
    let mut at = structure.parts.get(index)?.parent;
    while let Some(outer) = at {
        let part = structure.parts.get(outer)?;
        if part.media.is("multipart", "alternative") {
            found = Some(outer);
        }
        at = part.parent;
    }
    found
}

/// The text of a part in whatever charset, with line feeds as its line ends.
pub(super) fn text_of(
    raw: &[u8],
    part: &Part<'_>,
    parser: &dyn MessageParser,
    defect: &mut dyn FnMut(&str),
) -> String {
    let body = raw.get(part.body.clone()).unwrap_or_default();
    let bytes = transfer::decode(body, part.encoding);
    let charset = part.media.parameter("charset").unwrap_or_default().trim();
    let is_utf8 = ["", "utf-8", "utf8", "us-ascii", "ascii"]
        .iter()
        .any(|known| known.eq_ignore_ascii_case(charset));
    let text = match std::str::from_utf8(&bytes) {
        Ok(text) if is_utf8 => text.to_owned(),
        _ if is_utf8 => {
            defect("charset_wrong");
            parser.decode(&bytes, "windows-1252").unwrap_or_default()
        }
        known => parser.decode(&bytes, charset).unwrap_or_else(|| {
            defect("charset_unknown");
            known.map_or_else(|_| String::from_utf8_lossy(&bytes).into_owned(), str::to_owned)
        }),
    };
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let text = text.replace("\r\n", "\n").replace('\0', "");
    let flowed =
        part.media.parameter("format").is_some_and(|one| one.eq_ignore_ascii_case("flowed"));
    if flowed && part.media.is("text", "plain") {
        let deletes = part.media.parameter("delsp").is_some_and(|v| v.eq_ignore_ascii_case("yes"));
        return unwrapped(&text, if deletes { DeleteSpace::Yes } else { DeleteSpace::No });
    }
    text
}

fn together(sayings: &[Saying]) -> Content {
    let mut content = Content::default();
    let (mut texts, mut replies, mut pages) = (Vec::new(), Vec::new(), Vec::new());
    let (mut from_plain, mut from_html) = (false, false);
    for saying in sayings {
        let plain = saying.plain.join("\n");
        let html = saying.html.join("\n");
        let page = (!html.is_empty()).then(|| html::text(&html, Wanted::All));
        if let Some(page) = &page {
            content.hidden_bytes += page.hidden_bytes;
        }
        // A plain part that is empty, or says only that there is HTML, stands for nothing.
        match page {
            Some(page) if plain.trim().is_empty() => {
                from_html = true;
                let own = html::text(&html, Wanted::New);
                let shown = if own.text.trim().is_empty() { &page.text } else { &own.text };
                replies.push(reply::stripped(shown));
                content.is_truncated |= page.is_cut;
                texts.push(page.text);
            }
            _ if !plain.is_empty() => {
                from_plain = true;
                replies.push(reply::stripped(&plain));
                texts.push(plain);
            }
            _ => {}
        }
        if !html.is_empty() {
            pages.push(html);
        }
    }
    content.source = match (from_plain, from_html) {
        (true, _) => Some("plain"),
        (false, true) => Some("html"),
        (false, false) => None,
    };
    let joined = |pieces: Vec<String>| (!pieces.is_empty()).then(|| pieces.join("\n"));
    content.reply_text = content.capped(joined(replies), MAIL_TEXT_BYTES_MAX);
    content.text = content.capped(joined(texts), MAIL_TEXT_BYTES_MAX);
    content.html = content.capped(joined(pages), MAIL_HTML_BYTES_MAX);
    content
}

impl Content {
    fn capped(&mut self, text: Option<String>, bytes_max: usize) -> Option<String> {
        let mut text = text?;
        if text.len() > bytes_max {
            self.is_truncated = true;
            text.truncate(text.floor_char_boundary(bytes_max));
        }
        Some(text)
    }
}
