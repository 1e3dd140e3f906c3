//! What a filter says once it is read, and how it is written.

use std::fmt;

/// An expression.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Expression {
    /// All of them hold.
    All(Vec<Expression>),
    /// One of them holds.
    Any(Vec<Expression>),
    /// It does not hold.
    Not(Box<Expression>),
    /// A value compares as said.
    Test(Path, Test),
}

/// What is asked of a value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Test {
    /// It is this.
    Is(Literal),
    /// It is not this.
    IsNot(Literal),
    /// It is one of these.
    In(Vec<Literal>),
    /// It is less or more.
    Compares(Comparison, Literal),
    /// It is a text that begins so.
    StartsWith(String),
    /// It is there and not null.
    Exists,
}

/// Which way a value compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Comparison {
    Less,
    LessOrEqual,
    More,
    MoreOrEqual,
}

/// A value that is written in a filter.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Literal {
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
}

/// A number: whole ones are compared digit for digit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Number {
    Whole(i128),
    Float(f64),
}

/// Where a value is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Path {
    /// A field of the event beside its data.
    Field(Field),
    /// Inside `data`.
    Data(Vec<Step>),
}

/// One step into `data`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Step {
    /// A member of an object.
    Key(String),
    /// An item of an array, from 0.
    Item(usize),
    /// Every item of an array.
    Each,
}

/// A field of the event beside its data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Field {
    Type,
    Channel,
    Provider,
    ProviderEvent,
    ThreadKey,
    FlowId,
    FlowType,
    ProposalId,
    DealId,
    SessionId,
    EventId,
    Verification,
}

impl Field {
    /// All of them.
    pub(crate) const ALL: [Self; 12] = [
        Self::Type,
        Self::Channel,
        Self::Provider,
        Self::ProviderEvent,
        Self::ThreadKey,
        Self::FlowId,
        Self::FlowType,
        Self::ProposalId,
        Self::DealId,
        Self::SessionId,
        Self::EventId,
        Self::Verification,
    ];

    /// Its name in a filter.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Type => "type",
            Self::Channel => "channel",
            Self::Provider => "provider",
            Self::ProviderEvent => "provider_event",
            Self::ThreadKey => "thread_key",
            Self::FlowId => "flow_id",
            Self::FlowType => "flow_type",
            Self::ProposalId => "proposal_id",
            Self::DealId => "deal_id",
            Self::SessionId => "session_id",
            Self::EventId => "event_id",
            Self::Verification => "verification",
        }
    }
}

impl Expression {
    /// Calls `each` with every test.
    pub(crate) fn each_test<'a>(&'a self, each: &mut impl FnMut(&'a Path, &'a Test)) {
        match self {
            Self::All(parts) | Self::Any(parts) => {
                parts.iter().for_each(|part| part.each_test(each))
            }
            Self::Not(inner) => inner.each_test(each),
            Self::Test(path, test) => each(path, test),
        }
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let joined = |f: &mut fmt::Formatter<'_>, parts: &[Self], between: &str| {
            for (at, part) in parts.iter().enumerate() {
                let before = if at == 0 { "" } else { between };
                match part {
                    Self::All(_) | Self::Any(_) => write!(f, "{before}({part})")?,
                    Self::Not(_) | Self::Test(..) => write!(f, "{before}{part}")?,
                }
            }
            Ok(())
        };
        match self {
            Self::All(parts) => joined(f, parts, " && "),
            Self::Any(parts) => joined(f, parts, " || "),
            Self::Not(inner) => write!(f, "!({inner})"),
            Self::Test(path, test) => match test {
                Test::Is(value) => write!(f, "{path} == {value}"),
                Test::IsNot(value) => write!(f, "{path} != {value}"),
                Test::Compares(way, value) => write!(f, "{path} {} {value}", way.as_str()),
                Test::StartsWith(text) => write!(f, "{path} startsWith {}", quoted(text)),
                Test::Exists => write!(f, "exists({path})"),
                Test::In(values) => {
                    let values: Vec<String> = values.iter().map(Literal::to_string).collect();
                    write!(f, "{path} in [{}]", values.join(", "))
                }
            },
        }
    }
}

impl Comparison {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::More => ">",
            Self::MoreOrEqual => ">=",
        }
    }
}

impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(truth) => write!(f, "{truth}"),
            Self::Number(Number::Whole(number)) => write!(f, "{number}"),
            Self::Number(Number::Float(number)) => write!(f, "{number:?}"),
            Self::Text(text) => f.write_str(&quoted(text)),
        }
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let steps = match self {
            Self::Field(field) => return f.write_str(field.as_str()),
            Self::Data(steps) => steps,
        };
        f.write_str("data")?;
        for step in steps {
            match step {
                Step::Key(key) if super::token::is_word(key) => write!(f, ".{key}")?,
                Step::Key(key) => write!(f, "[{}]", quoted(key))?,
                Step::Item(item) => write!(f, "[{item}]")?,
                Step::Each => f.write_str("[*]")?,
            }
        }
        Ok(())
    }
}

/// A text in quotes, as JSON writes it.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
