//! Schedules: what an expression means, when it is due in its time zone, and what fires.
//!
//! Expressions and their civil times know no zone ([`CivilTimes`]); zones map civil times to
//! instants ([`Occurrence`]). This crate reads no clock, file or environment: times, keys and
//! zone data come in as arguments.

mod civil;
pub use civil::{CivilTimes, FiringClass};

mod expression;
pub use expression::{Expression, ExpressionError, Field, Fields, Lint};

mod occurrence;
pub use occurrence::{DstMark, Occurrence};
