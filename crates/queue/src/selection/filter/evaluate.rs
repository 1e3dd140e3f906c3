//! Whether an event fits a filter.

use super::{
    paths::{Asked, Place},
    syntax::{Comparison, Expression, Field, Literal, Number, Path, Test},
    walk::Picked,
};
use headgate_event::Event;
use std::{borrow::Cow, cmp::Ordering};

/// A value that was found.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Found<'a> {
    Null,
    Bool(bool),
    Number(Number),
    Text(Cow<'a, str>),
    /// An array or an object, which is nothing but there.
    Nested,
}

/// Whether an event fits an expression that asks this of its data.
pub(super) fn fits(expression: &Expression, asked: &Asked, event: &Event) -> bool {
    let picked = Picked::of(asked, event.data().get());
    holds(expression, &|path, test| match path {
        Path::Field(field) => passes(&of_event(event, *field), test),
        Path::Data(steps) => match asked.place(steps, test) {
            Some(Place::Value(at)) => passes(picked.values.get(at).unwrap_or(&Found::Null), test),
            Some(Place::Answer(at)) => {
                let one_passes = picked.answers.get(at).copied().unwrap_or_default();
                one_passes != matches!(test, Test::IsNot(_))
            }
            None => passes(&Found::Null, test),
        },
    })
}

fn holds(expression: &Expression, test: &impl Fn(&Path, &Test) -> bool) -> bool {
    match expression {
        Expression::All(parts) => parts.iter().all(|part| holds(part, test)),
        Expression::Any(parts) => parts.iter().any(|part| holds(part, test)),
        Expression::Not(inner) => !holds(inner, test),
        Expression::Test(path, asked) => test(path, asked),
    }
}

/// Whether a value is what a test asks for.
pub(super) fn passes(found: &Found<'_>, test: &Test) -> bool {
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
