//! The folders of `fixtures/webhooks`, and the channel that takes the requests of one.

use crate::{files::Files, gate::spec};
use headgate_event::Secret;
use headgate_webhook::{ChannelSpec, Fetched, Provider};
use serde::Deserialize;
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};
use toml::de::DeTable;

/// The channel that takes the requests of a folder.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FolderChannel {
    pub(crate) now: String,
    secrets: Vec<String>,
    /// What the channel says of its sender, for the provider that leaves it to the channel.
    generic: Option<toml::Table>,
    #[serde(default)]
    settings: BTreeMap<String, String>,
    public_url: Option<String>,
    #[serde(default)]
    split: bool,
    /// What is fetched, and the file of the folder that holds it.
    #[serde(default)]
    fetched: BTreeMap<String, String>,
    /// The file with the certificate that is trusted.
    trusted: Option<String>,
}

impl FolderChannel {
    /// The channel of a folder.
    pub(crate) fn read(folder: &Path, provider: &str) -> (Self, ChannelSpec) {
        let text = fs::read_to_string(folder.join("channel.toml")).expect("channel.toml");
        let channel: Self = toml::from_str(&text).expect("a channel");
        let secrets: Vec<_> = channel.secrets.iter().map(String::as_str).collect();
        let mut spec = spec(provider, &secrets);
        let settings = channel.settings.iter();
        spec.settings =
            settings.map(|(name, value)| (name.clone(), Secret::new(value.as_str()))).collect();
        spec.public_url.clone_from(&channel.public_url);
        spec.splits = channel.split;
        if channel.generic.is_some() {
            let tables = DeTable::parse(&text).expect("TOML");
            let own = tables.get_ref().get("generic").expect("a table");
            let own = Provider::generic("channel.toml", &text, own).expect("a right table");
            spec.own = Some(Arc::new(own));
        }
        (channel, spec)
    }

    /// What serves the files of the folder.
    pub(crate) fn fetched(&self, folder: &Path) -> Arc<Fetched> {
        let read = |name: &String| fs::read(folder.join(name)).expect("a file of the folder");
        let files = self.fetched.iter().map(|(url, name)| (url.clone(), read(name).into()));
        let trusted = self.trusted.as_ref().map(read);
        Arc::new(Fetched::new(Arc::new(Files::new(files.collect(), trusted.as_deref()))))
    }

    /// What a sender whose certificate or keys are fetched signs with, PKCS#8 in base64.
    pub(crate) fn private_key(&self, folder: &Path) -> Option<Secret> {
        let named = ["leaf.key.pem", "first.key.pem"].map(|name| folder.join(name));
        let pem = named.iter().find_map(|file| fs::read_to_string(file).ok())?;
        let lines = pem.lines().filter(|line| !line.starts_with("-----"));
        Some(Secret::new(lines.collect::<String>()))
    }

    /// The files of the folder that belong to no request.
    pub(crate) fn files<'a>(&'a self, folder: &'a Path) -> impl Iterator<Item = PathBuf> + 'a {
        let named = self.fetched.values().chain(&self.trusted);
        named.map(|name| folder.join(name)).chain([folder.join("channel.toml")])
    }
}

/// Where the folders are.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/webhooks")
}
