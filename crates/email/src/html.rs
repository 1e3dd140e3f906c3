//! HTML as the text a person sees of it, in time and memory that grow with its length alone.
//!
//! It renders nothing, fetches nothing and keeps no tree: tags come from html5gum's tokenizer, a
//! stack of open elements says what is hidden, and the text is written as it comes. What a person
//! does not see (`display:none` and its like) is left out and counted, because it is where
//! instructions to a model are hidden.

mod element;
mod style;
mod writer;

use element::{Element, Elements, Tag};
use headgate_event::limits::{MAIL_HTML_DEPTH_MAX, MAIL_HTML_READ_BYTES_MAX, MAIL_LINK_BYTES_MAX};
use html5gum::{
    Span, Tokenizer,
    emitters::callback::{CallbackEmitter, CallbackEvent},
};
use std::convert::Infallible;
use writer::Writer;

/// What is wanted of an HTML text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// All that a person sees.
    All,
    /// What its author wrote: without what mail programs mark as quoted.
    New,
}

/// The text of an HTML part.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct HtmlText {
    /// Lines of text; links are `text (url)`, quotes begin with `>`.
    pub(crate) text: String,
    /// Text that a person would not see, in bytes; without scripts, styles and the title.
    pub(crate) hidden_bytes: u64,
    /// Whether there is more of it than was read.
    pub(crate) is_cut: bool,
    /// Whether something that a mail program marks as quoted was left out.
    pub(crate) has_quote: bool,
}

/// Makes text of HTML.
pub(crate) fn text(html: &str, wanted: Wanted) -> HtmlText {
    let end = html.floor_char_boundary(MAIL_HTML_READ_BYTES_MAX);
    let mut page = Page::new(wanted);
    let mut emitter =
        CallbackEmitter::new(|event: CallbackEvent<'_>, _: Span<()>| -> Option<Infallible> {
            page.see(&event);
            None
        });
    emitter.naively_switch_states(true);
    let read = html.get(..end).unwrap_or_default();
    let Ok(()) = Tokenizer::new_with_emitter(read, emitter).finish();
    page.finish(end < html.len())
}

struct Page {
    wanted: Wanted,
    elements: Elements,
    writer: Writer,
    /// The start tag that is being read.
    tag: Tag,
    attribute: Vec<u8>,
    hidden_bytes: u64,
    has_quote: bool,
    /// What follows is the message that is answered, to the end.
    is_over: bool,
    /// Elements nest deeper than anybody reads.
    is_too_deep: bool,
}

impl Page {
    fn new(wanted: Wanted) -> Self {
        Self {
            wanted,
            elements: Elements::default(),
            writer: Writer::default(),
            tag: Tag::default(),
            attribute: Vec::new(),
            hidden_bytes: 0,
            has_quote: false,
            is_over: false,
            is_too_deep: false,
        }
    }

    fn see(&mut self, event: &CallbackEvent<'_>) {
        match event {
            CallbackEvent::OpenStartTag { name } => self.tag = Tag::named(name),
            CallbackEvent::AttributeName { name } => {
                self.attribute.clear();
                self.attribute.extend_from_slice(name);
                self.tag.attribute(name, b"");
            }
            CallbackEvent::AttributeValue { value } => self.tag.attribute(&self.attribute, value),
            CallbackEvent::CloseStartTag { .. } => self.open(),
            CallbackEvent::EndTag { name } => self.close(name),
            CallbackEvent::String { value } => self.write(&String::from_utf8_lossy(value)),
            _ => {}
        }
    }

    fn open(&mut self) {
        let tag = std::mem::take(&mut self.tag);
        self.is_too_deep |= self.elements.depth() >= MAIL_HTML_DEPTH_MAX;
        if self.is_too_deep {
            return;
        }
        for closed in self.elements.closed_by(&tag.element) {
            self.left(&closed);
        }
        if self.wanted == Wanted::New && (tag.is_quote || tag.ends_new) {
            self.has_quote = true;
            self.is_over |= tag.ends_new;
        }
        let dropped = self.wanted == Wanted::New && tag.is_quote;
        let skipped = self.elements.is_skipped() || self.is_over;
        if !(skipped || dropped || tag.is_unseen()) {
            self.writer.open(&tag.element);
            if tag.element == Element::Image && !tag.alternative.trim().is_empty() {
                self.writer.text(&format!("[{}]", tag.alternative.trim()));
            }
        }
        if !tag.element.is_void() {
            let link = (tag.element == Element::Link && !skipped)
                .then(|| (tag.target.clone(), self.writer.mark()));
            self.elements.push(tag, dropped, link);
        }
    }

    fn close(&mut self, name: &[u8]) {
        let element = Element::named(name);
        // `</p>` and `</br>` alone are an empty paragraph and a break.
        for closed in self.elements.close(&element) {
            self.left(&closed);
        }
    }

    fn left(&mut self, closed: &element::Open) {
        if closed.was_skipped || closed.is_skipping() || self.is_over {
            return;
        }
        if let Some((target, mark)) = &closed.link {
            self.writer.end_link(target, *mark, MAIL_LINK_BYTES_MAX);
        }
        self.writer.close(&closed.element);
    }

    fn write(&mut self, text: &str) {
        if self.elements.is_hidden() || self.is_too_deep {
            let seen = text.split_whitespace().map(str::len).sum::<usize>();
            self.hidden_bytes += seen as u64;
        } else if !self.elements.is_skipped() && !self.is_over {
            self.writer.text(text);
        }
    }

    fn finish(self, is_cut: bool) -> HtmlText {
        HtmlText {
            text: self.writer.finish(),
            hidden_bytes: self.hidden_bytes,
            is_cut: is_cut || self.is_too_deep,
            has_quote: self.has_quote,
        }
    }
}

#[cfg(test)]
mod tests;
