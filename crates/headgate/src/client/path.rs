//! A path with its query, percent-encoded.

use std::fmt::Write;

/// The path of a call, built part by part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallPath {
    text: String,
    has_query: bool,
}

impl CallPath {
    /// A path as it is.
    #[must_use]
    pub fn new(path: &str) -> Self {
        Self { text: path.to_owned(), has_query: false }
    }

    /// One more segment.
    #[must_use]
    pub fn segment(mut self, segment: &str) -> Self {
        self.text.push('/');
        encode(segment, &mut self.text);
        self
    }

    /// One more parameter.
    #[must_use]
    pub fn parameter(mut self, name: &str, value: &str) -> Self {
        self.text.push(if self.has_query { '&' } else { '?' });
        self.has_query = true;
        encode(name, &mut self.text);
        self.text.push('=');
        encode(value, &mut self.text);
        self
    }

    /// A parameter for each value.
    #[must_use]
    pub fn parameters<'a>(self, name: &str, values: impl IntoIterator<Item = &'a String>) -> Self {
        values.into_iter().fold(self, |path, value| path.parameter(name, value))
    }

    /// A parameter for each value of each name.
    #[must_use]
    pub fn each<'a>(self, named: impl IntoIterator<Item = (&'a str, &'a [String])>) -> Self {
        named.into_iter().fold(self, |path, (name, values)| path.parameters(name, values))
    }

    /// The path as it is sent.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

/// Everything but the unreserved characters of RFC 3986, section 2.3, is encoded.
fn encode(text: &str, out: &mut String) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_person_types_stays_one_value() {
        let path = CallPath::new("/v1/events")
            .segment("a/b?")
            .parameter("since", "2026-11-21T01:02:03+01:00")
            .parameters("type", &["a&b=c".to_owned(), "ü".to_owned()]);
        assert_eq!(
            path.as_str(),
            "/v1/events/a%2Fb%3F?since=2026-11-21T01%3A02%3A03%2B01%3A00&type=a%26b%3Dc&type=%C3%BC"
        );
    }
}
