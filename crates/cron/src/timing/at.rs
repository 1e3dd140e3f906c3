//! One moment, and no other.

use super::every::utc;
use crate::Occurrence;
use headgate_event::Timestamp;

/// One moment. It fires once; a schedule that is made after it never fires.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct At {
    occurrence: Occurrence,
    text: Box<str>,
    timezone: Box<str>,
}

impl At {
    /// A moment that is known in UTC.
    #[must_use]
    pub fn instant(at: Timestamp) -> Self {
        let occurrence = Occurrence { at, nominal: Vec::new(), offset: utc(), dst: None };
        Self { occurrence, text: at.to_string().into(), timezone: "UTC".into() }
    }

    /// A moment that was named by a wall clock: what it is, as written, and the IANA name of the
    /// zone of that clock.
    #[must_use]
    pub fn civil(occurrence: Occurrence, text: &str, timezone: &str) -> Self {
        Self { occurrence, text: text.into(), timezone: timezone.into() }
    }

    pub(super) fn next_after(&self, cursor: Timestamp) -> Option<Occurrence> {
        (self.occurrence.at > cursor).then(|| self.occurrence.clone())
    }

    pub(super) fn at(&self) -> Timestamp {
        self.occurrence.at
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn timezone(&self) -> &str {
        &self.timezone
    }
}
