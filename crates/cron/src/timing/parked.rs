//! The timing of a schedule that cannot fire, because its channel or its zone is missing: it is
//! never due, and remembers what it was, so that the schedule goes on when that is back.

/// A timing that is never due, because of something that is missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parked {
    expression: Box<str>,
    timezone: Box<str>,
    fingerprint: u64,
    why: Box<str>,
}

impl Parked {
    /// What is known of the timing, as it was written, and why it cannot be. `fingerprint` is that
    /// of the timing it was, as the schedule's cursor has it: by that it goes on as the same one.
    #[must_use]
    pub fn new((expression, timezone): (&str, &str), fingerprint: u64, why: &str) -> Self {
        let [expression, timezone, why] = [expression, timezone, why].map(Into::into);
        Self { expression, timezone, fingerprint, why }
    }

    pub(super) fn expression(&self) -> &str {
        &self.expression
    }

    pub(super) fn timezone(&self) -> &str {
        &self.timezone
    }

    pub(super) fn fingerprint(&self) -> u64 {
        self.fingerprint
    }

    pub(super) fn why(&self) -> &str {
        &self.why
    }
}
