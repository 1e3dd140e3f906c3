//! `prompt_ready`: the text of an event that a language model reads.
//!
//! A source or a provider file says *what* is worth saying (a [`Rendering`]); this module says how
//! it is laid out, cleaned, fenced and cut ([`render`]). The same event and key give the same
//! bytes, of every build with the same [`VERSION`]: a changed byte is a new version.
//!
//! Nothing here reads a clock or asks a model, and nothing here knows a provider.

mod clean;
mod fence;
mod inline;
mod outline;
pub mod redact;
mod render;

use crate::{Channel, Timestamp, Verification};
pub use clean::{Cleaned, clean};
use hmac::{Hmac, KeyInit, Mac};
pub use inline::inline;
pub use outline::{Outline, outline, text_outline};
pub use render::render;
use sha2::Sha256;
use std::fmt;

/// The version of the rules, kept with every text they made.
pub const VERSION: u32 = 1;

/// The text a model reads, and the version of the rules that made it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prompt {
    /// At most [`PROMPT_BYTES_MAX`](crate::limits::PROMPT_BYTES_MAX) bytes.
    pub text: String,
    /// The version of the rules.
    pub version: u32,
}

/// The installation's key, by which a fence cannot be guessed.
#[derive(Clone)]
pub struct PromptKey([u8; 32]);

/// What a source or provider wants said of an event; the engine lays it out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rendering {
    /// What happened, in one line without a time and a final dot: `GitHub pull_request opened`. The
    /// engine adds ` at 2026-04-19T09:15:22Z.`; values from outside went through [`inline`].
    pub headline: String,
    /// What is worth knowing, in the order of worth. One without a value is left out.
    pub facts: Vec<Fact>,
    /// Texts from outside, to be fenced.
    pub foreign: Vec<Foreign>,
}

/// One line of a prompt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// Our word for it.
    pub label: String,
    /// The value; parts from outside went through [`inline`].
    pub value: String,
}

/// A text from outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Foreign {
    /// What it is, when there is more than one.
    pub label: Option<String>,
    /// The text as it came.
    pub text: String,
}

/// What the engine itself says of an event.
#[derive(Clone, Copy, Debug)]
pub struct About<'a> {
    /// The way it came in.
    pub channel: &'a Channel,
    /// How it was proved genuine.
    pub verification: &'a Verification,
    /// When it was received.
    pub created_at: Timestamp,
}

impl PromptKey {
    /// The key of an installation, kept for ever: with another one the same event reads otherwise.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// A key for another purpose of the installation, from which this one cannot be found out.
    #[must_use]
    #[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
    pub fn derived(&self, purpose: &str) -> [u8; 32] {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("any length");
        mac.update(purpose.as_bytes());
        mac.finalize().into_bytes().into()
    }
}

impl fmt::Debug for PromptKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PromptKey(..)")
    }
}
