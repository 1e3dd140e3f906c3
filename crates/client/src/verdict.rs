//! What becomes of a delivery: by a handler's result, and on the wire.

use crate::limits::REASON_BYTES_MAX;
use headgate_event::limits::RETRY_AFTER_MS_MAX;
use serde::Serialize;
use std::time::Duration;

/// What became of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is done, and never comes again.
    Ack,
    /// It comes again: after this long, or as the policy of the subscription says.
    Retry {
        /// How long to wait.
        after: Option<Duration>,
        /// Why, for the operator.
        reason: Option<String>,
    },
    /// It never comes again and is kept as a dead letter.
    Bury {
        /// Why, for the operator.
        reason: String,
    },
}

/// The error of a handler that wants its event again after this long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the handler asked for another try after {0:?}")]
pub struct RetryAfter(pub Duration);

/// The error of a handler that never wants its event again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Bury(pub String);

/// What a handler may return: nothing, a [`Verdict`], or a `Result` of these with any error.
///
/// An error means another try. [`RetryAfter`] and [`Bury`] are errors with an order in them, also
/// as the source of another error.
pub trait Handled {
    /// What becomes of the event.
    fn verdict(self) -> Verdict;
}

impl Handled for () {
    fn verdict(self) -> Verdict {
        Verdict::Ack
    }
}

impl Handled for Verdict {
    fn verdict(self) -> Verdict {
        self
    }
}

impl<T: Handled, E: Into<Box<dyn std::error::Error + Send + Sync>>> Handled for Result<T, E> {
    fn verdict(self) -> Verdict {
        match self {
            Ok(handled) => handled.verdict(),
            Err(error) => of_error(&*error.into()),
        }
    }
}

fn of_error(error: &(dyn std::error::Error + 'static)) -> Verdict {
    let mut reason = String::new();
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(RetryAfter(after)) = error.downcast_ref() {
            return Verdict::Retry { after: Some(*after), reason: Some(error.to_string()) };
        }
        if let Some(Bury(why)) = error.downcast_ref() {
            return Verdict::Bury { reason: why.clone() };
        }
        let text = error.to_string();
        if !reason.ends_with(&text) {
            reason = if reason.is_empty() { text } else { format!("{reason}: {text}") };
        }
        cause = error.source();
    }
    Verdict::Retry { after: None, reason: Some(reason) }
}

impl Verdict {
    /// Another try, as the policy says.
    pub(crate) fn retry(reason: impl Into<String>) -> Self {
        Self::Retry { after: None, reason: Some(reason.into()) }
    }

    /// What the API calls it.
    pub(crate) fn verb(&self) -> &'static str {
        match self {
            Self::Ack => "ack",
            Self::Retry { .. } => "retry",
            Self::Bury { .. } => "bury",
        }
    }
}

/// What is said of deliveries in one go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Batch {
    pub(crate) verdicts: Vec<(String, Verdict)>,
    pub(crate) extensions: Vec<String>,
    pub(crate) lease_ms: u64,
}

/// The body of a settle call.
#[derive(Debug, Default, Serialize)]
pub(crate) struct SettleBody<'a> {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ack: Vec<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    retry: Vec<Terms<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    bury: Vec<Terms<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    extend: Vec<Terms<'a>>,
}

/// What is said of one delivery; with `type` it is a frame of a stream.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Terms<'a> {
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    verb: Option<&'static str>,
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    after_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lease_ms: Option<u64>,
}

impl Batch {
    pub(crate) fn is_empty(&self) -> bool {
        self.verdicts.is_empty() && self.extensions.is_empty()
    }

    /// The body of a settle call.
    pub(crate) fn body(&self) -> SettleBody<'_> {
        let mut body = SettleBody::default();
        for (id, verdict) in &self.verdicts {
            match verdict {
                Verdict::Ack => body.ack.push(id),
                Verdict::Retry { .. } => body.retry.push(Terms::of(id, verdict)),
                Verdict::Bury { .. } => body.bury.push(Terms::of(id, verdict)),
            }
        }
        body.extend = self.extensions.iter().map(|id| self.extension(id)).collect();
        body
    }

    /// The frames of a stream.
    pub(crate) fn frames(&self) -> impl Iterator<Item = Terms<'_>> {
        let verdicts = self.verdicts.iter();
        let verdicts = verdicts
            .map(|(id, verdict)| Terms { verb: Some(verdict.verb()), ..Terms::of(id, verdict) });
        let extensions = self.extensions.iter();
        verdicts.chain(extensions.map(|id| Terms { verb: Some("extend"), ..self.extension(id) }))
    }

    fn extension<'a>(&self, id: &'a str) -> Terms<'a> {
        Terms { id, lease_ms: Some(self.lease_ms), ..Terms::default() }
    }
}

impl<'a> Terms<'a> {
    fn of(id: &'a str, verdict: &'a Verdict) -> Self {
        let (after, reason) = match verdict {
            Verdict::Ack => (None, None),
            Verdict::Retry { after, reason } => (*after, reason.as_deref()),
            Verdict::Bury { reason } => (None, Some(reason.as_str())),
        };
        let milliseconds = |after: Duration| {
            u64::try_from(after.as_millis()).unwrap_or(u64::MAX).min(RETRY_AFTER_MS_MAX)
        };
        Self { id, after_ms: after.map(milliseconds), reason: reason.map(short), ..Self::default() }
    }
}

fn short(reason: &str) -> &str {
    reason.split_at(reason.floor_char_boundary(REASON_BYTES_MAX)).0
}
