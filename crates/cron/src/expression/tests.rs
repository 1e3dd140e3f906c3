//! Expressions against three other judges: a walk over every day and minute, written from the
//! rules and not from the code; the search of the `cron` crate; and, for `L`, `W` and `#`, croner.

mod croner;
mod engine;
mod made;
mod seeds;
mod walk;
mod words;
