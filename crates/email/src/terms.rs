//! The terms on which a channel takes messages.

use crate::{Met, Require};
use headgate_event::{data::Auth, limits::MAIL_DEDUPE_WINDOW_DEFAULT};
use std::time::Duration;

/// The terms of a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// What a message has to be proved by.
    pub require: Require,
    /// What becomes of a message that is not.
    pub unproven: Unproven,
    /// How long a repeat is known; none to keep every repeat.
    pub dedupe: Option<Duration>,
}

/// What becomes of a message that is not what its channel asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unproven {
    /// It is refused.
    #[default]
    Reject,
    /// It is an event that says so.
    Flag,
}

/// What the terms of a channel make of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It is what is asked for.
    Proven,
    /// It is not, and is taken all the same.
    Flagged,
    /// It is not, and is refused.
    Refused,
    /// It is refused for this time: what is asked for could not be found out.
    NotYet,
}

impl Terms {
    /// What becomes of a message with these verdicts.
    #[must_use]
    pub fn judge(&self, auth: Option<&Auth>) -> Taken {
        match (self.require.met_by(auth), self.unproven) {
            (Met::Yes, _) => Taken::Proven,
            (Met::No | Met::Unknown, Unproven::Flag) => Taken::Flagged,
            (Met::No, Unproven::Reject) => Taken::Refused,
            (Met::Unknown, Unproven::Reject) => Taken::NotYet,
        }
    }
}

impl Default for Terms {
    fn default() -> Self {
        Self {
            require: Require::Nothing,
            unproven: Unproven::Reject,
            dedupe: Some(MAIL_DEDUPE_WINDOW_DEFAULT),
        }
    }
}
