//! What happens to times of the day that do not exist or come twice. The mapping is in `next`.

use std::{fmt, str::FromStr};

/// What the turning of the wall clock does to a schedule. The default is cronie's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct DstPolicy {
    /// For times that do not exist.
    pub gap: Gap,
    /// For times that come twice.
    pub fold: Fold,
}

/// What becomes of a time that does not exist, because the wall clock was put forward past it.
///
/// Times in a gap of more than 3 hours (a day left out at the date line) never come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Gap {
    /// Fixed times as [`Gap::After`], intervals as [`Gap::Skip`].
    #[default]
    Cron,
    /// It does not come that day.
    Skip,
    /// It comes at the first instant after the gap.
    After,
    /// It comes as much later as the gap is long: 02:30 becomes 03:30.
    Shift,
}

/// What becomes of a time that comes twice, because the wall clock was put back to before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Fold {
    /// Fixed times as [`Fold::First`], intervals as [`Fold::Both`].
    #[default]
    Cron,
    /// It comes the first time only.
    First,
    /// It comes the second time only.
    Second,
    /// It comes both times.
    Both,
}

/// A word that names no policy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected one of {expected}, found `{found}`")]
pub struct PolicyError {
    expected: &'static str,
    found: String,
}

impl Gap {
    /// The words that a configuration uses, for errors.
    pub const EXPECTED: &str = "`cron`, `skip`, `after`, `shift`";

    /// The word that a configuration uses.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cron => "cron",
            Self::Skip => "skip",
            Self::After => "after",
            Self::Shift => "shift",
        }
    }
}

impl Fold {
    /// The words that a configuration uses, for errors.
    pub const EXPECTED: &str = "`cron`, `first`, `second`, `both`";

    /// The word that a configuration uses.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cron => "cron",
            Self::First => "first",
            Self::Second => "second",
            Self::Both => "both",
        }
    }
}

impl FromStr for Gap {
    type Err = PolicyError;

    fn from_str(text: &str) -> Result<Self, PolicyError> {
        [Self::Cron, Self::Skip, Self::After, Self::Shift]
            .into_iter()
            .find(|gap| gap.as_str() == text)
            .ok_or_else(|| PolicyError::new(Self::EXPECTED, text))
    }
}

impl FromStr for Fold {
    type Err = PolicyError;

    fn from_str(text: &str) -> Result<Self, PolicyError> {
        [Self::Cron, Self::First, Self::Second, Self::Both]
            .into_iter()
            .find(|fold| fold.as_str() == text)
            .ok_or_else(|| PolicyError::new(Self::EXPECTED, text))
    }
}

impl PolicyError {
    fn new(expected: &'static str, found: &str) -> Self {
        Self { expected, found: found.chars().take(64).collect() }
    }
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Fold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_is_read_from_the_word_it_is_written_with() {
        for gap in [Gap::Cron, Gap::Skip, Gap::After, Gap::Shift] {
            assert_eq!(gap.to_string().parse(), Ok(gap));
        }
        for fold in [Fold::Cron, Fold::First, Fold::Second, Fold::Both] {
            assert_eq!(fold.to_string().parse(), Ok(fold));
        }
    }

    #[test]
    fn another_word_is_refused_with_the_known_ones() {
        let error = "never".parse::<Gap>().expect_err("no policy");
        insta::assert_snapshot!(error,
            @"expected one of `cron`, `skip`, `after`, `shift`, found `never`");
        let error = "later".parse::<Fold>().expect_err("no policy");
        insta::assert_snapshot!(error,
            @"expected one of `cron`, `first`, `second`, `both`, found `later`");
    }
}
