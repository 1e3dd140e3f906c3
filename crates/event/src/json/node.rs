//! One value of a document.

use super::{Doc, tape::Entry, tape::Span};
use std::{borrow::Cow, fmt};

/// One value of a [`Doc`]. It is two words: copy it freely.
#[derive(Clone, Copy)]
pub struct Node<'a> {
    doc: &'a Doc,
    index: u32,
}

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `null`
    Null,
    /// `true` or `false`
    Bool,
    /// A number, kept as it was written.
    Number,
    /// A string.
    String,
    /// An array.
    Array,
    /// An object.
    Object,
}

impl<'a> Node<'a> {
    pub(super) fn new(doc: &'a Doc, index: u32) -> Self {
        Self { doc, index }
    }

    /// Its place in the document, for [`Doc::node`].
    #[must_use]
    pub fn index(self) -> usize {
        self.index as usize
    }

    /// What it is.
    #[must_use]
    pub fn kind(self) -> Kind {
        match self.entry() {
            Entry::Null => Kind::Null,
            Entry::Bool(_) => Kind::Bool,
            Entry::Number(_) => Kind::Number,
            Entry::Plain(_) | Entry::Unescaped(_) => Kind::String,
            Entry::Array(_) => Kind::Array,
            Entry::Object(_) => Kind::Object,
        }
    }

    /// The value of `key` in an object; of the last one where the key is repeated, as most parsers
    /// have it.
    #[must_use]
    pub fn get(self, key: &str) -> Option<Node<'a>> {
        let Entry::Object(extent) = self.entry() else { return None };
        let (doc, mut at, mut found) = (self.doc, self.index + 1, None);
        for _ in 0..extent.count {
            let name = Self { doc, index: at };
            at = doc.tape.after(at + 1);
            if name.bytes() == Some(key.as_bytes()) {
                found = Some(Self { doc, index: name.index + 1 });
            }
        }
        found
    }

    /// The item at `position` of an array, from 0.
    #[must_use]
    pub fn at(self, position: usize) -> Option<Node<'a>> {
        self.items().nth(position)
    }

    /// The value at a dotted path such as `pull_request.head.ref` or `items.0.id`.
    ///
    /// A key that has a dot in it cannot be reached so.
    #[must_use]
    pub fn path(self, path: &str) -> Option<Node<'a>> {
        path.split('.').try_fold(self, |node, step| match node.kind() {
            Kind::Array => node.at(step.parse().ok()?),
            _ => node.get(step),
        })
    }

    /// The text of a string.
    #[must_use]
    pub fn as_str(self) -> Option<&'a str> {
        match self.entry() {
            Entry::Plain(_) | Entry::Unescaped(_) => self.text(),
            _ => None,
        }
    }

    /// The truth of a Boolean.
    #[must_use]
    pub fn as_bool(self) -> Option<bool> {
        if let Entry::Bool(truth) = self.entry() { Some(truth) } else { None }
    }

    /// A number that is written as an integer and fits.
    #[must_use]
    pub fn as_i64(self) -> Option<i64> {
        self.number()?.parse().ok()
    }

    /// A number, as near as an `f64` can hold it.
    #[must_use]
    pub fn as_f64(self) -> Option<f64> {
        self.number()?.parse().ok()
    }

    /// A string, a number as it was written, or a Boolean, as text.
    #[must_use]
    pub fn scalar(self) -> Option<Cow<'a, str>> {
        match self.entry() {
            Entry::Bool(truth) => Some(Cow::Borrowed(if truth { "true" } else { "false" })),
            Entry::Number(_) | Entry::Plain(_) | Entry::Unescaped(_) => {
                self.text().map(Cow::Borrowed)
            }
            Entry::Null | Entry::Array(_) | Entry::Object(_) => None,
        }
    }

    /// How many items an array or pairs an object has; 0 for everything else.
    #[must_use]
    pub fn len(self) -> usize {
        match self.entry() {
            Entry::Array(extent) | Entry::Object(extent) => extent.count as usize,
            _ => 0,
        }
    }

    /// Whether it has neither items nor pairs.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The items of an array; none of everything else.
    pub fn items(self) -> impl Iterator<Item = Node<'a>> + use<'a> {
        let count = if self.kind() == Kind::Array { self.len() } else { 0 };
        self.inner().take(count)
    }

    /// The keys and values of an object in the order of the text, repeated keys too; none of
    /// everything else.
    pub fn entries(self) -> impl Iterator<Item = (&'a str, Node<'a>)> + use<'a> {
        self.pairs().map(|(name, value)| (name.text().unwrap_or_default(), value))
    }

    fn pairs(self) -> impl Iterator<Item = (Node<'a>, Node<'a>)> + use<'a> {
        let count = if self.kind() == Kind::Object { self.len() } else { 0 };
        let mut inner = self.inner();
        std::iter::from_fn(move || Some((inner.next()?, inner.next()?))).take(count)
    }

    /// The nodes that follow, each with all in it as one step.
    fn inner(self) -> impl Iterator<Item = Node<'a>> + use<'a> {
        let doc = self.doc;
        std::iter::successors(Some(self.index + 1), move |index| Some(doc.tape.after(*index)))
            .map(move |index| Node { doc, index })
    }

    fn number(self) -> Option<&'a str> {
        if let Entry::Number(_) = self.entry() { self.text() } else { None }
    }

    fn text(self) -> Option<&'a str> {
        // The bytes were checked as a whole; a span of them is checked again because a `str` cannot
        // be had otherwise without `unsafe`. The strings that prompts read are short.
        std::str::from_utf8(self.bytes()?).ok()
    }

    fn bytes(self) -> Option<&'a [u8]> {
        let doc = self.doc;
        let of = |text: &'a [u8], span: Span| Some(span.of(text));
        match self.entry() {
            Entry::Number(span) | Entry::Plain(span) => of(&doc.text, span),
            Entry::Unescaped(span) => of(doc.tape.unescaped.as_bytes(), span),
            _ => None,
        }
    }

    fn entry(self) -> Entry {
        self.doc.tape.entry(self.index).unwrap_or(Entry::Null)
    }
}

impl fmt::Debug for Node<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Node").field("index", &self.index).field("kind", &self.kind()).finish()
    }
}
