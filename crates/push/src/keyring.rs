//! What a push is signed with, tied to the URL that it is meant for.
//!
//! A subscription and its credentials are stored one after the other. So that nothing that looks
//! between the two, and no crash there, sends to one URL what was meant for another, credentials
//! say whose they are; while a URL changes, those of both are kept.

use crate::credentials::{Credentials, Kept};
use headgate_queue::PushSpec;
use std::collections::BTreeMap;

/// The place of credentials that were kept before they were tied to a URL.
const UNTIED: &str = "";

/// What one push is signed with, by its URL: one, or two while the URL changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keyring(BTreeMap<String, Credentials>);

impl Keyring {
    /// Credentials that are meant for the URL of this push.
    #[must_use]
    pub fn of(spec: &PushSpec, credentials: Credentials) -> Self {
        Self(BTreeMap::from([(spec.url.clone(), credentials)]))
    }

    /// The same, and what another one has for other URLs.
    #[must_use]
    pub fn and(mut self, other: &Self) -> Self {
        for (url, credentials) in &other.0 {
            self.0.entry(url.clone()).or_insert_with(|| credentials.clone());
        }
        self
    }

    /// The credentials that are meant for the URL of this push, when there are any.
    #[must_use]
    pub fn fitting(&self, spec: &PushSpec) -> Option<&Credentials> {
        self.0.get(&spec.url).or_else(|| self.0.get(UNTIED))
    }

    /// As it is kept in the state.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let kept: BTreeMap<&String, Kept> =
            self.0.iter().map(|(url, credentials)| (url, credentials.kept())).collect();
        serde_json::to_vec(&kept).unwrap_or_default()
    }

    /// From what is kept in the state.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        if let Ok(untied) = serde_json::from_slice::<Kept>(bytes) {
            return Some(Self(BTreeMap::from([(
                UNTIED.to_owned(),
                Credentials::of_kept(untied)?,
            )])));
        }
        let kept: BTreeMap<String, Kept> = serde_json::from_slice(bytes).ok()?;
        let one = |(url, kept)| Some((url, Credentials::of_kept(kept)?));
        kept.into_iter().map(one).collect::<Option<_>>().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target::spec_of;
    use headgate_event::Secret;

    fn credentials(header: &str) -> Credentials {
        let secrets = vec![Secret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")];
        let headers = BTreeMap::from([("authorization".to_owned(), Secret::new(header))]);
        Credentials::new(secrets, headers).expect("good")
    }

    #[test]
    fn credentials_fit_the_url_that_they_are_meant_for_and_no_other() {
        let (first, second) = (spec_of("http://a/hook"), spec_of("http://b/hook"));
        let ring = Keyring::of(&first, credentials("a"));
        assert_eq!(ring.fitting(&first), Some(&credentials("a")));
        assert_eq!(ring.fitting(&second), None);
        let both = Keyring::of(&second, credentials("b")).and(&ring);
        assert_eq!(both.fitting(&first), Some(&credentials("a")));
        assert_eq!(both.fitting(&second), Some(&credentials("b")));
        let changed = Keyring::of(&first, credentials("c")).and(&ring);
        assert_eq!(changed.fitting(&first), Some(&credentials("c")));
        assert_eq!(Keyring::from_bytes(&both.to_bytes()), Some(both));
    }

    #[test]
    fn what_was_kept_before_it_was_tied_to_a_url_is_that_of_the_push_until_it_changes() {
        let (first, second) = (spec_of("http://a/hook"), spec_of("http://b/hook"));
        let bytes = br#"{"secrets":["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
                         "headers":{"authorization":"a"}}"#;
        let ring = Keyring::from_bytes(bytes).expect("kept");
        assert_eq!(ring.fitting(&first), Some(&credentials("a")));
        let changing = Keyring::of(&second, credentials("b")).and(&ring);
        assert_eq!(changing.fitting(&first), Some(&credentials("a")));
        assert_eq!(changing.fitting(&second), Some(&credentials("b")));
        assert_eq!(Keyring::of(&second, credentials("b")).fitting(&first), None);
    }
}
