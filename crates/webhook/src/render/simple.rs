//! Templates that show values and ask whether there are some, answered without the engine.
//!
//! Nearly all templates of provider files are of this kind, and an event has a dozen of them. What
//! they say is to the byte what the engine says; a test holds one against the other. What this file
//! is not sure of, be it a template or a value, is left to the engine.

mod read;

#[cfg(test)]
mod tests;

use super::{environment::Line, value::Subject};
use headgate_event::{
    json::{Kind, Node},
    limits::{TEMPLATE_BYTES_MAX, TEMPLATE_ITEMS_MAX},
    prompt::inline,
};
use std::borrow::Cow;

/// A template that needs no engine.
#[derive(Debug)]
pub(super) struct Simple(Vec<Piece>);

#[derive(Debug)]
enum Piece {
    /// `text`
    Text(String),
    /// `{{ expression }}`
    Show(Expression),
    /// `{% if place %}then{% else %}otherwise{% endif %}`
    If { place: Place, then: Vec<Piece>, otherwise: Vec<Piece> },
    /// `{% for item in place[:n] %}..{% endfor %}`, as long as there is nothing to go through.
    For { place: Place },
}

/// `a or b`, and what is done with the one that counts.
#[derive(Debug)]
struct Expression {
    /// The first that is true counts, else the last.
    operands: Vec<Operand>,
    steps: Vec<Step>,
}

#[derive(Debug)]
enum Operand {
    Place(Place),
    Literal(String),
}

/// What is done with a text.
#[derive(Debug)]
enum Step {
    /// `[:n]`: its first characters.
    First(usize),
    /// `| replace(from, to)`
    Replace { from: String, to: String },
    /// `place | length if place else ''`
    LengthIfAny,
}

/// Where a value is.
#[derive(Debug)]
enum Place {
    Event,
    Name,
    Action,
    /// The keys that lead to it from the body.
    Body(Vec<String>),
}

/// How values are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Voice {
    /// In a line of our own: made fit for it.
    Line,
    /// As text from outside, as it came.
    Text,
}

/// A value as templates know it.
#[derive(Clone, Debug)]
enum Found<'a> {
    Nothing,
    Truth(bool),
    Number(i64),
    Text(Cow<'a, str>),
    /// An array or an object.
    Many(Node<'a>),
}

impl Simple {
    /// The template, when it is one of these.
    pub(super) fn read(source: &str) -> Option<Self> {
        read::pieces(source).map(Self)
    }

    /// What it says; none where the engine has to be asked.
    pub(super) fn render(&self, voice: Voice, subject: &Subject<'_>) -> Option<Line> {
        let mut saying = Saying { voice, text: String::new(), tried: false, said: false };
        saying.pieces(&self.0, subject)?;
        let Saying { text, tried, said, .. } = saying;
        Some(Line { text, said: said || !tried })
    }
}

/// What is being said.
struct Saying {
    voice: Voice,
    text: String,
    tried: bool,
    said: bool,
}

impl Saying {
    fn pieces(&mut self, pieces: &[Piece], subject: &Subject<'_>) -> Option<()> {
        pieces.iter().try_for_each(|piece| match piece {
            Piece::Text(text) => self.push(text),
            Piece::Show(expression) => self.show(&expression.of(subject)?),
            Piece::If { place, then, otherwise } => {
                let taken = if place.of(subject).is_true() { then } else { otherwise };
                self.pieces(taken, subject)
            }
            Piece::For { place } => match place.of(subject) {
                Found::Nothing => Some(()),
                Found::Many(node) if node.kind() == Kind::Array && node.is_empty() => Some(()),
                _ => None,
            },
        })
    }

    fn show(&mut self, found: &Found<'_>) -> Option<()> {
        self.tried = true;
        let text = match found {
            Found::Nothing => return Some(()),
            Found::Text(text) if text.is_empty() => return Some(()),
            found => found.text(),
        };
        self.said = true;
        match self.voice {
            Voice::Line => self.push(&inline(&text)),
            Voice::Text => self.push(&text),
        }
    }

    /// The engine stops a template that says too much, in a place of its own.
    fn push(&mut self, text: &str) -> Option<()> {
        if self.text.len() > TEMPLATE_BYTES_MAX {
            return None;
        }
        self.text.push_str(text);
        Some(())
    }
}

impl Expression {
    fn of<'a>(&'a self, subject: &Subject<'a>) -> Option<Found<'a>> {
        let mut operands = self.operands.iter().map(|operand| operand.of(subject));
        let mut found = operands.next()?;
        for other in operands {
            if found.is_true() {
                break;
            }
            found = other;
        }
        self.steps.iter().try_fold(found, |found, step| step.done(found))
    }
}

impl Operand {
    fn of<'a>(&'a self, subject: &Subject<'a>) -> Found<'a> {
        match self {
            Self::Place(place) => place.of(subject),
            Self::Literal(text) => Found::Text(Cow::Borrowed(text)),
        }
    }
}

impl Step {
    fn done<'a>(&self, found: Found<'a>) -> Option<Found<'a>> {
        match (self, found) {
            (Self::LengthIfAny, found) if !found.is_true() => Some(Found::Text(Cow::Borrowed(""))),
            (Self::LengthIfAny, Found::Many(node)) => {
                i64::try_from(node.len()).ok().map(Found::Number)
            }
            (Self::First(count), Found::Text(text)) => {
                Some(Found::Text(Cow::Owned(text.chars().take(*count).collect())))
            }
            (Self::Replace { from, to }, Found::Text(text)) => {
                Some(Found::Text(Cow::Owned(text.replace(from, to))))
            }
            _ => None,
        }
    }
}

impl Place {
    fn of<'a>(&self, subject: &Subject<'a>) -> Found<'a> {
        let keys = match self {
            Self::Event => {
                return Found::text_of(subject.names.event.as_deref().unwrap_or_default());
            }
            Self::Name => return Found::text_of(&subject.names.name),
            Self::Action => return Found::text_of(&subject.names.action),
            Self::Body(keys) => keys,
        };
        let root = subject.content.doc.as_deref().map(headgate_event::json::Doc::root);
        let node = root.and_then(|root| keys.iter().try_fold(root, |node, key| node.get(key)));
        node.map_or(Found::Nothing, Found::of)
    }
}

impl<'a> Found<'a> {
    fn of(node: Node<'a>) -> Self {
        match node.kind() {
            Kind::Null => Self::Nothing,
            Kind::Bool => node.as_bool().map_or(Self::Nothing, Self::Truth),
            Kind::Number => match node.as_i64() {
                Some(number) => Self::Number(number),
                None => node.scalar().map_or(Self::Nothing, Self::Text),
            },
            Kind::String => node.as_str().map_or(Self::Nothing, Self::text_of),
            Kind::Array | Kind::Object => Self::Many(node),
        }
    }

    fn text_of(text: &'a str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }

    fn is_true(&self) -> bool {
        match self {
            Self::Nothing => false,
            Self::Truth(truth) => *truth,
            Self::Number(number) => *number != 0,
            Self::Text(text) => !text.is_empty(),
            Self::Many(node) => !node.is_empty(),
        }
    }

    /// Scalars as they are, a list by its items, anything else not at all.
    fn text(&self) -> Cow<'a, str> {
        match self {
            Self::Nothing => Cow::Borrowed(""),
            Self::Truth(truth) => Cow::Borrowed(if *truth { "true" } else { "false" }),
            Self::Number(number) => Cow::Owned(number.to_string()),
            Self::Text(text) => text.clone(),
            Self::Many(node) => {
                let items = node.items().take(TEMPLATE_ITEMS_MAX).map(|item| Self::of(item).text());
                let items: Vec<_> = items.filter(|item| !item.is_empty()).collect();
                Cow::Owned(items.join(", "))
            }
        }
    }
}
