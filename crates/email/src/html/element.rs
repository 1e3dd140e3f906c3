//! Elements: what a tag says, and which elements are open.

use super::style;
use headgate_event::limits::MAIL_LINK_BYTES_MAX;
use std::collections::HashMap;

/// An element, as far as its text is concerned.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) enum Element {
    Paragraph,
    Block(&'static str),
    Item,
    Cell,
    Row,
    Quote,
    Preformatted,
    Break,
    Rule,
    Image,
    Link,
    /// One whose text nobody sees: a script, a style, the title.
    Unseen(&'static str),
    /// One without content.
    Void,
    /// One within a line, or unknown; by its name's digest.
    #[default]
    Nameless,
    Inline(u64),
}

const BLOCKS: &[&str] = &[
    "address",
    "article",
    "aside",
    "body",
    "center",
    "dd",
    "details",
    "dir",
    "div",
    "dl",
    "dt",
    "fieldset",
    "figcaption",
    "figure",
    "footer",
    "form",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "html",
    "main",
    "nav",
    "ol",
    "section",
    "summary",
    "table",
    "tbody",
    "tfoot",
    "thead",
    "ul",
    "caption",
];
const UNSEEN: &[&str] =
    &["script", "style", "title", "template", "head", "noframes", "noembed", "iframe", "xml"];
const VOID: &[&str] =
    &["area", "base", "col", "embed", "input", "link", "meta", "param", "source", "track", "wbr"];

impl Element {
    pub(super) fn named(name: &[u8]) -> Self {
        let known = |list: &[&'static str]| {
            list.iter().find(|known| known.as_bytes().eq_ignore_ascii_case(name)).copied()
        };
        match name.to_ascii_lowercase().as_slice() {
            b"p" => Self::Paragraph,
            b"li" => Self::Item,
            b"td" | b"th" => Self::Cell,
            b"tr" => Self::Row,
            b"blockquote" => Self::Quote,
            b"pre" | b"textarea" => Self::Preformatted,
            b"br" => Self::Break,
            b"hr" => Self::Rule,
            b"img" => Self::Image,
            b"a" => Self::Link,
            _ => known(BLOCKS)
                .map(Self::Block)
                .or_else(|| known(UNSEEN).map(Self::Unseen))
                .or_else(|| known(VOID).map(|_| Self::Void))
                .unwrap_or_else(|| Self::Inline(digest(name))),
        }
    }

    pub(super) fn is_void(&self) -> bool {
        matches!(self, Self::Break | Self::Rule | Self::Image | Self::Void)
    }

    /// Whether an end tag of an element within a line stops at it (HTML, 13.2.6.4.7, `special`).
    fn is_special(&self) -> bool {
        !matches!(self, Self::Link | Self::Inline(_) | Self::Nameless)
    }
}

/// FNV-1a; two elements that meet in it would only close each other.
fn digest(name: &[u8]) -> u64 {
    name.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte.to_ascii_lowercase())).wrapping_mul(0x0100_0000_01b3)
    })
}

/// A start tag.
#[derive(Debug, Default)]
pub(super) struct Tag {
    pub(super) element: Element,
    /// Where a link leads.
    pub(super) target: String,
    /// What stands for an image.
    pub(super) alternative: String,
    pub(super) is_hidden: bool,
    /// A mail program marks what is in it as quoted.
    pub(super) is_quote: bool,
    /// A mail program marks the beginning of what is answered: all that follows is.
    pub(super) ends_new: bool,
}

impl Tag {
    pub(super) fn named(name: &[u8]) -> Self {
        Self { element: Element::named(name), ..Self::default() }
    }

    pub(super) fn attribute(&mut self, name: &[u8], value: &[u8]) {
        let text = || {
            let value = value.get(..value.len().min(4 * MAIL_LINK_BYTES_MAX)).unwrap_or_default();
            String::from_utf8_lossy(value).into_owned()
        };
        match name.to_ascii_lowercase().as_slice() {
            b"hidden" => self.is_hidden = true,
            b"style" => self.is_hidden |= style::hides(&String::from_utf8_lossy(value)),
            b"href" => self.target = text(),
            b"alt" => self.alternative = text(),
            b"class" => {
                let class = text();
                self.is_quote |= class.split_whitespace().any(is_quote_class);
            }
            b"id" => self.identifier(&text()),
            b"type" if self.element == Element::Quote => {
                self.is_quote |= value.eq_ignore_ascii_case(b"cite");
            }
            _ => {}
        }
    }

    fn identifier(&mut self, id: &str) {
        // Outlook writes its header block into the first and the answered message after it.
        self.ends_new |= matches!(
            id,
            "divRplyFwdMsg" | "appendonsend" | "mail-editor-reference-message-container"
        );
        self.is_quote |=
            matches!(id, "OLK_SRC_BODY_SECTION" | "isForwardContent" | "isReplyContent")
                || id.starts_with("yahoo_quoted")
                || id.starts_with("yiv") && id.ends_with("yahoo_quoted");
    }

    /// Whether nobody sees what is in it.
    pub(super) fn is_unseen(&self) -> bool {
        self.is_hidden || matches!(self.element, Element::Unseen(_))
    }
}

fn is_quote_class(class: &str) -> bool {
    matches!(
        class,
        "gmail_quote"
            | "gmail_quote_container"
            | "gmail_attr"
            | "gmail_extra"
            | "yahoo_quoted"
            | "moz-cite-prefix"
            | "protonmail_quote"
            | "tutanota_quote"
            | "zmail_extra"
    )
}

/// An element that is open.
#[derive(Debug)]
pub(super) struct Open {
    pub(super) element: Element,
    is_hidden: bool,
    is_unseen: bool,
    is_dropped: bool,
    /// Whether an element around it left its text out.
    pub(super) was_skipped: bool,
    /// Where a link leads, and where its text begins.
    pub(super) link: Option<(String, usize)>,
}

impl Open {
    /// Whether it leaves out the text in it.
    pub(super) fn is_skipping(&self) -> bool {
        self.is_hidden || self.is_unseen || self.is_dropped
    }
}

/// The open elements, and where those of each kind are, so that an end tag is settled at once.
#[derive(Debug, Default)]
pub(super) struct Elements {
    open: Vec<Open>,
    places: HashMap<Element, Vec<usize>>,
    special: Vec<usize>,
    hidden: usize,
    unseen: usize,
    dropped: usize,
}

impl Elements {
    /// Whether text is hidden from a reader although it is text.
    pub(super) fn is_hidden(&self) -> bool {
        self.hidden > 0 && self.unseen == 0
    }

    /// Whether text is left out, for whatever reason.
    pub(super) fn is_skipped(&self) -> bool {
        self.hidden + self.unseen + self.dropped > 0
    }

    pub(super) fn depth(&self) -> usize {
        self.open.len()
    }

    pub(super) fn push(&mut self, tag: Tag, is_dropped: bool, link: Option<(String, usize)>) {
        let is_unseen = matches!(tag.element, Element::Unseen(_));
        let was_skipped = self.is_skipped();
        self.hidden += usize::from(tag.is_hidden);
        self.unseen += usize::from(is_unseen);
        self.dropped += usize::from(is_dropped);
        let place = self.open.len();
        if tag.element.is_special() {
            self.special.push(place);
        }
        self.places.entry(tag.element.clone()).or_default().push(place);
        let Tag { element, is_hidden, .. } = tag;
        self.open.push(Open { element, is_hidden, is_unseen, is_dropped, was_skipped, link });
    }

    /// What the end tag of an element closes: nothing, or everything down to it.
    pub(super) fn close(&mut self, element: &Element) -> Vec<Open> {
        let Some(place) = self.places.get(element).and_then(|places| places.last()).copied() else {
            return Vec::new();
        };
        // `<span hidden><div></span>` closes no span: what follows is as hidden as a reader has it.
        let blocked = matches!(element, Element::Inline(_) | Element::Nameless)
            && self.special.last().is_some_and(|special| *special > place);
        if blocked { Vec::new() } else { self.pop_to(place) }
    }

    /// What the start tag of an element closes without an end tag (HTML, 13.1.2.4).
    pub(super) fn closed_by(&mut self, element: &Element) -> Vec<Open> {
        let Some(top) = self.open.last() else { return Vec::new() };
        let is_block = matches!(
            element,
            Element::Block(_)
                | Element::Paragraph
                | Element::Item
                | Element::Quote
                | Element::Preformatted
                | Element::Rule
        );
        let same = top.element == *element
            && matches!(element, Element::Item | Element::Cell | Element::Row);
        let row_after_cell = top.element == Element::Cell && *element == Element::Row;
        // What comes after a head that nobody closed is seen.
        let body = top.element == Element::Unseen("head")
            && (is_block || matches!(element, Element::Inline(_) | Element::Link));
        let closes =
            same || row_after_cell || body || (top.element == Element::Paragraph && is_block);
        if closes { self.pop_to(self.open.len() - 1) } else { Vec::new() }
    }

    fn pop_to(&mut self, place: usize) -> Vec<Open> {
        let mut closed = self.open.split_off(place.min(self.open.len()));
        for one in &closed {
            self.hidden -= usize::from(one.is_hidden);
            self.unseen -= usize::from(one.is_unseen);
            self.dropped -= usize::from(one.is_dropped);
            if let Some(places) = self.places.get_mut(&one.element) {
                places.pop();
            }
            if one.element.is_special() {
                self.special.pop();
            }
        }
        closed.reverse();
        closed
    }
}
