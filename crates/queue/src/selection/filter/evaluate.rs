//! Whether an event fits a filter.
//!
//! What it asks of `data` is picked out in one pass: serde walks the text, goes into what a path
//! leads through, and passes over everything else without looking at it.

use super::syntax::{Comparison, Expression, Field, Literal, Number, Path, Paths, Test};
use headgate_event::Event;
use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::{borrow::Cow, cmp::Ordering, collections::BTreeMap, fmt};

/// A value that was found.
#[derive(Clone, Debug, PartialEq)]
enum Found<'a> {
    Null,
    Bool(bool),
    Number(Number),
    Text(Cow<'a, str>),
    /// An array or an object, which is nothing but there.
    Nested,
}

/// Whether an event fits an expression whose paths these are.
pub(super) fn fits(expression: &Expression, paths: &Paths, event: &Event) -> bool {
    let mut found = vec![Found::Null; paths.count];
    if paths.count > 0 {
        let mut text = serde_json::Deserializer::from_str(event.data().get());
        // Deeper than this only what is passed over is, and that does not recurse.
        let walked = Walk { paths, found: &mut found }.deserialize(&mut text);
        debug_assert!(walked.is_ok(), "what is stored is JSON: {walked:?}");
    }
    holds(expression, &|path| match path {
        Path::Field(field) => of_event(event, *field),
        Path::Data(steps) => {
            paths.number(steps).and_then(|at| found.get(at).cloned()).unwrap_or(Found::Null)
        }
    })
}

fn holds<'a>(expression: &Expression, value: &impl Fn(&Path) -> Found<'a>) -> bool {
    match expression {
        Expression::All(parts) => parts.iter().all(|part| holds(part, value)),
        Expression::Any(parts) => parts.iter().any(|part| holds(part, value)),
        Expression::Not(inner) => !holds(inner, value),
        Expression::Test(path, test) => passes(&value(path), test),
    }
}

fn passes(found: &Found<'_>, test: &Test) -> bool {
    match test {
        Test::Is(literal) => found.is(literal),
        Test::IsNot(literal) => !found.is(literal),
        Test::In(literals) => literals.iter().any(|literal| found.is(literal)),
        Test::Compares(way, literal) => found.order(literal).is_some_and(|order| way.takes(order)),
        Test::StartsWith(start) => matches!(found, Found::Text(text) if text.starts_with(start)),
        Test::Exists => *found != Found::Null,
    }
}

fn of_event(event: &Event, field: Field) -> Found<'_> {
    let correlation = event.correlation();
    let text = match field {
        Field::Type => Some(event.event_type().as_str()),
        Field::Channel => Some(event.channel().id.as_str()),
        Field::Provider => event.provider(),
        Field::ProviderEvent => event.provider_event(),
        Field::ThreadKey => event.thread_key(),
        Field::FlowId => correlation.flow_id.as_deref(),
        Field::FlowType => correlation.flow_type.as_deref(),
        Field::ProposalId => correlation.proposal_id.as_deref(),
        Field::DealId => correlation.deal_id.as_deref(),
        Field::SessionId => correlation.session_id.as_deref(),
        Field::EventId => crate::Selectable::from(event).event_id,
        Field::Verification => Some(match event.verification().is_verified() {
            true => "verified",
            false => "unverified",
        }),
    };
    text.map_or(Found::Null, |text| Found::Text(Cow::Borrowed(text)))
}

impl Found<'_> {
    fn is(&self, literal: &Literal) -> bool {
        match (self, literal) {
            (Self::Null, Literal::Null) => true,
            (Self::Bool(found), Literal::Bool(wanted)) => found == wanted,
            (Self::Number(_), Literal::Number(_)) | (Self::Text(_), Literal::Text(_)) => {
                self.order(literal) == Some(Ordering::Equal)
            }
            _ => false,
        }
    }

    fn order(&self, literal: &Literal) -> Option<Ordering> {
        match (self, literal) {
            (Self::Number(found), Literal::Number(wanted)) => found.order(*wanted),
            (Self::Text(found), Literal::Text(wanted)) => Some(found.as_ref().cmp(wanted)),
            _ => None,
        }
    }
}

impl Number {
    fn order(self, other: Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Whole(one), Self::Whole(other)) => Some(one.cmp(&other)),
            (one, other) => one.float().partial_cmp(&other.float()),
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "beside a float a whole number is one too")]
    fn float(self) -> f64 {
        match self {
            Self::Whole(number) => number as f64,
            Self::Float(number) => number,
        }
    }
}

impl Comparison {
    fn takes(self, order: Ordering) -> bool {
        match self {
            Self::Less => order.is_lt(),
            Self::LessOrEqual => order.is_le(),
            Self::More => order.is_gt(),
            Self::MoreOrEqual => order.is_ge(),
        }
    }
}

/// Where a key leads, found without keeping the key.
struct Key<'w>(&'w BTreeMap<String, Paths>);

impl<'a, 'w> DeserializeSeed<'a> for Key<'w> {
    type Value = Option<&'w Paths>;

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'w> Visitor<'_> for Key<'w> {
    type Value = Option<&'w Paths>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: de::Error>(self, key: &str) -> Result<Self::Value, E> {
        Ok(self.0.get(key))
    }
}

/// Walks a value beside the paths that lead through it. Of a key that comes twice the last counts.
struct Walk<'w, 'a> {
    paths: &'w Paths,
    found: &'w mut Vec<Found<'a>>,
}

impl<'a> Walk<'_, 'a> {
    fn note(&mut self, value: Found<'a>) {
        self.forget(self.paths);
        if let Some(slot) = self.paths.ends.and_then(|at| self.found.get_mut(at)) {
            *slot = value;
        }
    }

    /// What an earlier member of the same name had inside does not count.
    fn forget(&mut self, paths: &Paths) {
        for inner in paths.keys.values().chain(paths.items.values()) {
            if let Some(slot) = inner.ends.and_then(|at| self.found.get_mut(at)) {
                *slot = Found::Null;
            }
            self.forget(inner);
        }
    }
}

impl<'a> DeserializeSeed<'a> for Walk<'_, 'a> {
    type Value = ();

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'a> Visitor<'a> for Walk<'_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: de::Error>(mut self) -> Result<(), E> {
        self.note(Found::Null);
        Ok(())
    }

    fn visit_bool<E: de::Error>(mut self, truth: bool) -> Result<(), E> {
        self.note(Found::Bool(truth));
        Ok(())
    }

    fn visit_u64<E: de::Error>(mut self, number: u64) -> Result<(), E> {
        self.note(Found::Number(Number::Whole(number.into())));
        Ok(())
    }

    fn visit_i64<E: de::Error>(mut self, number: i64) -> Result<(), E> {
        self.note(Found::Number(Number::Whole(number.into())));
        Ok(())
    }

    fn visit_f64<E: de::Error>(mut self, number: f64) -> Result<(), E> {
        self.note(Found::Number(Number::Float(number)));
        Ok(())
    }

    fn visit_borrowed_str<E: de::Error>(mut self, text: &'a str) -> Result<(), E> {
        self.note(Found::Text(Cow::Borrowed(text)));
        Ok(())
    }

    fn visit_str<E: de::Error>(mut self, text: &str) -> Result<(), E> {
        self.note(Found::Text(Cow::Owned(text.to_owned())));
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'a>>(mut self, mut items: A) -> Result<(), A::Error> {
        self.note(Found::Nested);
        let mut at = 0;
        loop {
            let more = match self.paths.items.get(&at) {
                Some(paths) => {
                    let walk = Walk { paths, found: &mut *self.found };
                    items.next_element_seed(walk)?.is_some()
                }
                None => items.next_element::<IgnoredAny>()?.is_some(),
            };
            if !more {
                return Ok(());
            }
            at += 1;
        }
    }

    fn visit_map<A: MapAccess<'a>>(mut self, mut members: A) -> Result<(), A::Error> {
        self.note(Found::Nested);
        while let Some(paths) = members.next_key_seed(Key(&self.paths.keys))? {
            match paths {
                Some(paths) => members.next_value_seed(Walk { paths, found: &mut *self.found })?,
                None => drop(members.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
}
