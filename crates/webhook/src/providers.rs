//! The providers that are known: those built in, and those a folder adds.

use crate::provider::{Provider, ProviderError};
use std::{collections::BTreeMap, sync::Arc};

/// What the build script wrote.
mod embedded {
    include!(concat!(env!("OUT_DIR"), "/embedded.rs"));
}
pub(crate) use embedded::SAMPLES;

/// The text of a file that is built in; empty when there is none of this name.
pub(crate) fn text(name: &str) -> &'static str {
    let file =
        embedded::PROVIDERS.iter().find(|(file, _)| file.strip_suffix(".toml") == Some(name));
    file.map_or("", |(_, text)| text)
}

/// The providers that are known, by name.
#[derive(Clone, Debug, Default)]
pub struct Providers(BTreeMap<String, Arc<Provider>>);

impl Providers {
    /// Those that are built in.
    #[expect(clippy::expect_used, reason = "a test reads every file that is built in")]
    #[must_use]
    pub fn embedded() -> Self {
        let mut providers = Self::default();
        for (file, text) in embedded::PROVIDERS {
            providers.add(file, text).expect("the files that are built in are right");
        }
        providers
    }

    /// Adds a provider file; one of the same name is replaced.
    pub fn add(&mut self, file: &str, text: &str) -> Result<(), Vec<ProviderError>> {
        let provider = Provider::parse(file, text)?;
        self.0.insert(provider.name().to_owned(), Arc::new(provider));
        Ok(())
    }

    /// Adds a provider; one of the same name is replaced.
    pub fn put(&mut self, provider: Provider) {
        self.0.insert(provider.name().to_owned(), Arc::new(provider));
    }

    /// The provider of this name.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&Arc<Provider>> {
        self.0.get(name)
    }

    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Provider> {
        self.0.values().map(Arc::as_ref)
    }
}
