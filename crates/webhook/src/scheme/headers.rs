//! A header under its name or its older ones, as a provider file gives it.

use crate::provider::Problems;
use headgate_http::{RawRequest, Reject};
use http::HeaderName;
use serde::{Deserialize, Deserializer, de};
use std::fmt;
use toml::Spanned;

/// A header under its name or its older ones; the first that is sent counts.
#[derive(Clone, Debug)]
pub(super) struct Headers {
    pub(super) first: HeaderName,
    pub(super) others: Vec<HeaderName>,
}

/// One header name, or a list of which the first that is sent counts.
pub(super) struct Names(pub(super) Vec<String>);

impl Headers {
    /// The names in a provider file.
    pub(super) fn read(names: &Spanned<Names>, problems: &mut Problems) -> Option<Self> {
        let mut read = Vec::new();
        for name in &names.get_ref().0 {
            read.push(problems.header(name, names.span())?);
        }
        let mut read = read.into_iter();
        let Some(first) = read.next() else {
            problems.add(names.span(), "expected a header name, found an empty list");
            return None;
        };
        Some(Self { first, others: read.collect() })
    }

    /// The name that a sender of ours uses.
    pub(super) fn name(&self) -> HeaderName {
        self.first.clone()
    }

    /// All of its names.
    pub(super) fn names(&self) -> impl Iterator<Item = &HeaderName> {
        std::iter::once(&self.first).chain(&self.others)
    }

    pub(super) fn has(&self, name: &HeaderName) -> bool {
        self.names().any(|known| known == name)
    }

    /// The value as it came; `missing` is the code of its refusal.
    pub(super) fn bytes<'s, 'a>(
        &'s self,
        request: &'a RawRequest,
        missing: &'static str,
    ) -> Result<(&'s HeaderName, &'a [u8]), Reject> {
        for name in self.names() {
            match request.single_header(name.as_str())? {
                None => {}
                Some([]) => break,
                Some(value) => return Ok((name, value)),
            }
        }
        Err(Reject::unauthorized(missing, format!("header `{}` is missing or empty", self.first)))
    }

    /// The value as text; `missing` and `malformed` are the codes of its refusals.
    pub(super) fn text<'a>(
        &self,
        request: &'a RawRequest,
        missing: &'static str,
        malformed: &'static str,
    ) -> Result<&'a str, Reject> {
        let (name, value) = self.bytes(request, missing)?;
        std::str::from_utf8(value)
            .ok()
            .filter(|text| text.is_ascii())
            .ok_or_else(|| Reject::unauthorized(malformed, format!("header `{name}` is not ASCII")))
    }
}

impl<'de> Deserialize<'de> for Names {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneOrMany;
        impl<'de> de::Visitor<'de> for OneOrMany {
            type Value = Names;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a header name or a list of them")
            }

            fn visit_str<E: de::Error>(self, name: &str) -> Result<Names, E> {
                Ok(Names(vec![name.to_owned()]))
            }

            fn visit_seq<A: de::SeqAccess<'de>>(self, mut list: A) -> Result<Names, A::Error> {
                let mut names = Vec::new();
                while let Some(name) = list.next_element()? {
                    names.push(name);
                }
                Ok(Names(names))
            }
        }
        deserializer.deserialize_any(OneOrMany)
    }
}
