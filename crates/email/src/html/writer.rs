//! The lines of a text as they are written: spaces put together, blocks on lines of their own.

use super::element::Element;
use headgate_event::limits::MAIL_QUOTE_DEPTH_MAX;

/// A text that grows.
#[derive(Debug, Default)]
pub(super) struct Writer {
    out: String,
    /// Line ends to write before the next text: 1 for a line of its own, 2 for a paragraph.
    breaks: usize,
    /// Whether a space goes before the next text of the line.
    space: bool,
    quotes: usize,
    preformatted: usize,
}

impl Writer {
    pub(super) fn open(&mut self, element: &Element) {
        match element {
            Element::Paragraph => self.line(2),
            Element::Quote => {
                self.line(1);
                self.quotes += 1;
            }
            Element::Preformatted => {
                self.line(1);
                self.preformatted += 1;
            }
            Element::Block(_) | Element::Row => self.line(1),
            Element::Item => {
                self.line(1);
                self.text("-");
                self.space = true;
            }
            Element::Break => self.breaks = (self.breaks + 1).min(3),
            Element::Rule => {
                self.line(1);
                self.text("---");
                self.line(1);
            }
            Element::Cell => self.space = true,
            _ => {}
        }
    }

    pub(super) fn close(&mut self, element: &Element) {
        match element {
            Element::Paragraph => self.line(2),
            Element::Quote => {
                self.line(1);
                self.quotes = self.quotes.saturating_sub(1);
            }
            Element::Preformatted => {
                self.line(1);
                self.preformatted = self.preformatted.saturating_sub(1);
            }
            Element::Block(_) | Element::Item | Element::Row => self.line(1),
            Element::Cell => self.space = true,
            _ => {}
        }
    }

    pub(super) fn text(&mut self, text: &str) {
        if self.preformatted > 0 {
            for (number, line) in text.split('\n').enumerate() {
                if number > 0 {
                    self.breaks = (self.breaks + 1).min(3);
                }
                let line = line.trim_end_matches('\r');
                if !line.is_empty() {
                    self.word(line);
                }
            }
            return;
        }
        let is_blank = |char: char| char.is_whitespace() && char != '\u{a0}';
        self.space |= text.starts_with(is_blank);
        let mut words = text.split(is_blank).filter(|word| !word.is_empty()).peekable();
        while let Some(word) = words.next() {
            self.word(&word.replace('\u{a0}', " "));
            self.space |= words.peek().is_some();
        }
        self.space |= text.ends_with(is_blank);
    }

    /// Where the text of a link begins.
    pub(super) fn mark(&self) -> usize {
        self.out.len()
    }

    /// Writes where a link leads after its text, unless the text says so.
    pub(super) fn end_link(&mut self, target: &str, mark: usize, bytes_max: usize) {
        let target = target.trim();
        let shown = self.out.get(mark..).unwrap_or_default().trim();
        let bare = |url: &str| {
            let url = url.trim_end_matches('/');
            let scheme = ["https://", "http://", "mailto:"];
            scheme.iter().find_map(|scheme| url.strip_prefix(scheme)).unwrap_or(url).to_owned()
        };
        let says_it = !shown.is_empty() && bare(shown) == bare(target);
        if target.is_empty() || target.starts_with('#') || says_it || shown.is_empty() {
            return;
        }
        let one_line: String = target.chars().filter(|char| !char.is_whitespace()).collect();
        let end = one_line.floor_char_boundary(bytes_max);
        let more = if end < one_line.len() { "…" } else { "" };
        self.space = true;
        self.word(&format!("({}{more})", one_line.get(..end).unwrap_or_default()));
    }

    fn line(&mut self, breaks: usize) {
        if !self.out.is_empty() {
            self.breaks = self.breaks.max(breaks);
        }
        self.space = false;
    }

    fn word(&mut self, word: &str) {
        let begins = self.out.is_empty();
        if begins || self.breaks > 0 {
            if !begins {
                self.out.extend(std::iter::repeat_n('\n', self.breaks));
            }
            for _ in 0..self.quotes.min(MAIL_QUOTE_DEPTH_MAX) {
                self.out.push('>');
            }
            if self.quotes > 0 {
                self.out.push(' ');
            }
        } else if self.space {
            self.out.push(' ');
        }
        (self.breaks, self.space) = (0, false);
        self.out.push_str(word);
    }

    pub(super) fn finish(self) -> String {
        self.out
    }
}
