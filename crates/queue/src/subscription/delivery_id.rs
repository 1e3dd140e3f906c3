//! The id of a delivery, by which it is settled, also after a restart.

use crate::Seq;
use std::{fmt, str::FromStr};

/// The id of a delivery: `{subscription}.{generation}.{seq}.{attempt}`.
///
/// It names everything that is needed to settle the delivery, so an ack survives a restart. The
/// generation tells a subscription from an earlier one of the same name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DeliveryId {
    /// The name of the subscription.
    pub subscription: String,
    /// Which subscription of that name.
    pub generation: u64,
    /// The place of the event.
    pub seq: Seq,
    /// Which attempt, from 1.
    pub attempt: u32,
}

/// A text that is not a delivery id.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a delivery id")]
pub struct DeliveryIdError {
    text: String,
}

impl fmt::Display for DeliveryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}.{}", self.subscription, self.generation, self.seq, self.attempt)
    }
}

impl FromStr for DeliveryId {
    type Err = DeliveryIdError;

    fn from_str(text: &str) -> Result<Self, DeliveryIdError> {
        let error = || DeliveryIdError { text: text.chars().take(120).collect() };
        let mut parts = text.rsplitn(4, '.');
        let mut next = || parts.next().ok_or_else(error);
        let (attempt, seq, generation, subscription) = (next()?, next()?, next()?, next()?);
        let id = Self {
            subscription: subscription.to_owned(),
            generation: generation.parse().map_err(|_| error())?,
            seq: seq.parse().map_err(|_| error())?,
            attempt: attempt.parse().map_err(|_| error())?,
        };
        // One text for one id: `+1` and `01` parse as numbers but are no ids of ours.
        if id.to_string() == text { Ok(id) } else { Err(error()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_read_as_it_was_written() {
        let id = DeliveryId { subscription: "agent-2".into(), generation: 3, seq: 42, attempt: 1 };
        assert_eq!(id.to_string(), "agent-2.3.42.1");
        assert_eq!("agent-2.3.42.1".parse(), Ok(id));
    }

    #[test]
    fn what_was_never_given_is_no_id() {
        for text in ["", "a", "a.1.2", "a.1.2.x", "a.1.02.1", "a.1.+2.1", "a.1.-2.1", "a.1.2.3 "] {
            assert!(text.parse::<DeliveryId>().is_err(), "{text}");
        }
    }
}
