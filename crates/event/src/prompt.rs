//! `prompt_ready`: the text of an event that a language model reads.

use crate::{Channel, Timestamp, Verification};

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
    /// What happened, in one line; values from outside went through [`inline`].
    pub headline: String,
    /// What is worth knowing, in the order of worth.
    pub facts: Vec<Fact>,
    /// Text from outside, to be fenced.
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
