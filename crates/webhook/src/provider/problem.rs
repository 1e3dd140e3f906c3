//! What is wrong with a provider file, and where.

use crate::sample::SampleFile;
use http::HeaderName;
use serde::de::DeserializeOwned;
use std::ops::Range;
use toml::{
    Spanned,
    de::{DeValue, ValueDeserializer},
};

/// One thing that is wrong with a provider file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}: {message}")]
pub struct ProviderError {
    /// The file, as it was given.
    pub file: String,
    /// The line, counted from 1.
    pub line: usize,
    /// The place in the text, in bytes.
    pub offset: usize,
    /// What was expected and what was found.
    pub message: String,
}

/// A provider file as it is written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ProviderText<'a> {
    pub(crate) file: &'a str,
    pub(crate) text: &'a str,
    /// The part of the text that is meant; all of it when there is none.
    pub(crate) part: Option<&'a Spanned<DeValue<'a>>>,
    /// The samples beside it.
    pub(crate) samples: &'a [SampleFile],
}

/// All that is wrong with one provider file.
#[derive(Debug)]
pub(crate) struct Problems {
    file: String,
    /// Where lines end.
    line_ends: Vec<usize>,
    found: Vec<ProviderError>,
}

impl ProviderText<'_> {
    /// Reads the file in the shape of `T`; a file of another shape is a problem.
    pub(crate) fn table<T: DeserializeOwned>(&self, problems: &mut Problems) -> Option<T> {
        let read = match self.part {
            None => toml::from_str(self.text),
            Some(part) => T::deserialize(ValueDeserializer::from(part.clone())),
        };
        match read {
            Ok(table) => Some(table),
            Err(error) => {
                problems.add(error.span().unwrap_or(0..0), error.message());
                None
            }
        }
    }
}

impl Problems {
    /// None yet.
    pub(crate) fn of(text: &ProviderText<'_>) -> Self {
        let line_ends = text.text.match_indices('\n').map(|(at, _)| at).collect();
        Self { file: text.file.to_owned(), line_ends, found: Vec::new() }
    }

    /// One more, at a place in the text.
    pub(crate) fn add(&mut self, at: Range<usize>, message: impl Into<String>) {
        let line = self.line_ends.partition_point(|end| *end < at.start) + 1;
        let (file, message) = (self.file.clone(), message.into());
        self.found.push(ProviderError { file, line, offset: at.start, message });
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.found.len()
    }

    /// All of them, in the order of the file.
    pub(crate) fn into_errors(mut self) -> Vec<ProviderError> {
        self.found.sort_by_key(|error| error.line);
        self.found
    }

    /// A header name as provider files have it: lower case.
    pub(crate) fn header(&mut self, name: &str, at: Range<usize>) -> Option<HeaderName> {
        let read = HeaderName::from_lowercase(name.as_bytes()).ok();
        if read.is_none() {
            self.add(at, format!("expected a lower-case header name, found `{name}`"));
        }
        read
    }
}
