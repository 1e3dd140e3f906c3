//! What a key is bound to: subscriptions it may consume, channels whose events it may see.
//!
//! A bound key may do what it is bound to and nothing else: a call that does not keep to bounds is
//! closed to it. The list of those that do is here.

use super::Who;
use crate::{calls::Verb, error::ApiError};
use headgate_event::Event;
use headgate_queue::{Selection, SubscriptionSpec};
use http::StatusCode;

/// What a key is bound to; where both are empty, to nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bounds {
    /// The subscriptions that it may lease, settle and stream.
    pub subscriptions: Vec<String>,
    /// The channels whose events it may see, and to which it may emit.
    pub channels: Vec<String>,
}

/// The calls that look at what a key is bound to.
const KEPT: [(Verb, &str); 9] = [
    (Verb::Get, "/v1/events"),
    (Verb::Post, "/v1/events"),
    (Verb::Get, "/v1/events/{id}"),
    (Verb::Get, "/events"),
    (Verb::Get, "/events/{event_id}"),
    (Verb::Get, "/v1/subscriptions/{name}"),
    (Verb::Post, "/v1/subscriptions/{name}/lease"),
    (Verb::Post, "/v1/subscriptions/{name}/settle"),
    (Verb::Get, "/openapi.json"),
];

/// Whether a call is open to keys that are bound.
pub(crate) fn is_kept_by(method: Verb, path: &str) -> bool {
    KEPT.contains(&(method, path))
}

impl Bounds {
    /// Whether it binds at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.subscriptions.is_empty() && self.channels.is_empty()
    }
}

impl Who {
    /// Refuses a bound key where a call does not look at what it is bound to.
    pub(crate) fn check_unbound(&self) -> Result<(), ApiError> {
        match self.bounds() {
            None => Ok(()),
            Some(_) => Err(self.outside("this call")),
        }
    }

    /// Narrows a selection to the channels whose events may be seen.
    pub(crate) fn narrow(&self, selection: &mut Selection) -> Result<(), ApiError> {
        let Some(bounds) = self.bounds() else { return Ok(()) };
        if bounds.channels.is_empty() {
            return Err(self.outside("events of channels"));
        }
        if selection.channels.is_empty() {
            selection.channels.clone_from(&bounds.channels);
            return Ok(());
        }
        selection.channels.iter().try_for_each(|channel| self.check_channel(channel))
    }

    /// Lets an event be seen.
    pub(crate) fn check_event(&self, event: &Event) -> Result<(), ApiError> {
        self.check_channel(&event.channel().id)
    }

    /// Lets events of a channel be seen or emitted.
    pub(crate) fn check_channel(&self, channel: &str) -> Result<(), ApiError> {
        match self.bounds() {
            Some(bounds) if !bounds.channels.iter().any(|bound| bound == channel) => {
                Err(self.outside(&format!("channel `{channel}`")))
            }
            _ => Ok(()),
        }
    }

    /// Lets a subscription be consumed.
    pub(crate) fn check_subscription(&self, spec: &SubscriptionSpec) -> Result<(), ApiError> {
        let Some(bounds) = self.bounds() else { return Ok(()) };
        let name = &spec.name;
        let named = bounds.subscriptions.is_empty() || bounds.subscriptions.contains(name);
        let within = bounds.channels.is_empty()
            || (!spec.selection.channels.is_empty()
                && spec.selection.channels.iter().all(|it| bounds.channels.contains(it)));
        if named && within {
            return Ok(());
        }
        Err(self.outside(&format!("subscription `{name}`")))
    }

    /// What its key is bound to; none when it is not.
    pub(crate) fn bounds(&self) -> Option<&Bounds> {
        self.key().map(|key| &key.bounds).filter(|bounds| !bounds.is_empty())
    }

    fn outside(&self, what: &str) -> ApiError {
        let name = self.name().unwrap_or_default();
        let shown: String = what.chars().take(120).collect();
        let message = format!("key `{name}` is bound, and {shown} is not what it is bound to");
        ApiError::new(StatusCode::FORBIDDEN, "outside_bounds", message)
    }
}
