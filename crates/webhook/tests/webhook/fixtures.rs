//! Walks `fixtures/webhooks`: each request is taken or refused as the files beside it say.
//!
//! `UPDATE_FIXTURES=1` writes those files anew; read the difference before you keep it.

use crate::{
    files::Files,
    gate::{Gate, PROVIDERS, Post, Read, spec},
};
use headgate_event::Secret;
use headgate_webhook::{ChannelSpec, Fetched, Provider};
use serde::Deserialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};
use toml::de::DeTable;

/// The channel that takes the requests of a folder.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FolderChannel {
    now: String,
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
    /// The channel in a file.
    fn read(text: &str, provider: &str) -> (Self, ChannelSpec) {
        let channel: Self = toml::from_str(text).expect("a channel");
        let secrets: Vec<_> = channel.secrets.iter().map(String::as_str).collect();
        let mut spec = spec(provider, &secrets);
        let settings = channel.settings.iter();
        spec.settings =
            settings.map(|(name, value)| (name.clone(), Secret::new(value.as_str()))).collect();
        spec.public_url.clone_from(&channel.public_url);
        spec.splits = channel.split;
        if channel.generic.is_some() {
            let tables = DeTable::parse(text).expect("TOML");
            let own = tables.get_ref().get("generic").expect("a table");
            let own = Provider::generic("channel.toml", text, own).expect("a right table");
            spec.own = Some(Arc::new(own));
        }
        (channel, spec)
    }

    /// What serves the files of the folder.
    fn fetched(&self, folder: &Path) -> Arc<Fetched> {
        let read = |name: &String| fs::read(folder.join(name)).expect("a file of the folder");
        let files = self.fetched.iter().map(|(url, name)| (url.clone(), read(name).into()));
        let trusted = self.trusted.as_ref().map(read);
        Arc::new(Fetched::new(Arc::new(Files::new(files.collect(), trusted.as_deref()))))
    }

    /// The files of the folder that belong to no request.
    fn files<'a>(&'a self, folder: &'a Path) -> impl Iterator<Item = PathBuf> + 'a {
        let named = self.fetched.values().chain(&self.trusted);
        named.map(|name| folder.join(name)).chain([folder.join("channel.toml")])
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/webhooks")
}

/// The sorted paths in a folder.
fn inside(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    paths
}

fn with_ending(path: &Path, ending: &str) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().ends_with(ending))
}

/// Compares a file with what it should hold, or writes it.
fn agree(path: &Path, found: &str, wrong: &mut Vec<String>) {
    #[expect(clippy::disallowed_methods, reason = "a test is told by its environment to write")]
    let update = std::env::var_os("UPDATE_FIXTURES").is_some();
    if update {
        fs::write(path, found).expect("written");
    }
    let expected = fs::read_to_string(path).unwrap_or_default();
    if expected != found {
        wrong.push(format!("{}\nexpected:\n{expected}\nfound:\n{found}", path.display()));
    }
}

/// What a request must come to, by the name of its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fate {
    Accepted,
    Refused,
    Handshake,
}

impl Fate {
    fn of(path: &Path) -> Self {
        let name = path.file_name().expect("a name").to_string_lossy();
        match name.split('_').next() {
            Some("refused") => Self::Refused,
            Some("handshake") => Self::Handshake,
            _ => Self::Accepted,
        }
    }
}

/// An answer without an event: its status, the headers that count, and its body.
fn told(answer: &Read) -> String {
    let shown = ["content-type", "x-content-type-options", "allow", "x-hook-secret"];
    let of_webhook = |name: &str| shown.contains(&name) || name.starts_with("webhook-");
    let headers = answer.headers.iter().filter(|(name, _)| of_webhook(name.as_str()));
    let headers: String =
        headers.map(|(name, value)| format!("{name}: {}\n", value.to_str().expect("text"))).collect();
    format!("{}\n{headers}{}\n", answer.status.as_u16(), answer.body)
}

async fn check(folder: &Path, provider: &str, wrong: &mut Vec<String>) -> BTreeSet<Fate> {
    let channel = fs::read_to_string(folder.join("channel.toml")).expect("channel.toml");
    let (channel, spec) = FolderChannel::read(&channel, provider);
    let files = inside(folder);
    let mut belonging: BTreeSet<PathBuf> = channel.files(folder).collect();
    let requests: Vec<_> = files.iter().filter(|path| with_ending(path, ".http")).collect();
    for path in &requests {
        let gate = Gate::fetching(spec.clone(), channel.fetched(folder));
        gate.clock.set(channel.now.parse().expect("a time"));
        let answer = gate.send(&Post::parse(&fs::read(path).expect("read"))).await;
        let mut beside = |ending: &str, found: &str| {
            let beside = PathBuf::from(format!("{}{ending}", path.with_extension("").display()));
            agree(&beside, found, wrong);
            belonging.insert(beside);
        };
        let fate = Fate::of(path);
        if fate != Fate::Accepted {
            assert_eq!(gate.sink.len(), 0, "{}: an event was stored", path.display());
            let is_success = answer.status.is_success();
            assert_eq!(is_success, fate == Fate::Handshake, "{}: {}", path.display(), answer.body);
            let text = match fate {
                Fate::Handshake => told(&answer),
                _ => format!("{}\n{}\n", answer.status.as_u16(), answer.body),
            };
            beside(".answer.txt", &text);
        } else {
            assert!(answer.status.is_success(), "{}: {}", path.display(), answer.body);
            let events = gate.sink.all();
            for (at, event) in events.iter().enumerate() {
                let number =
                    if events.len() == 1 { String::new() } else { format!(".{}", at + 1) };
                let shown = serde_json::to_string_pretty(&event).expect("JSON");
                beside(&format!("{number}.event.json"), &format!("{shown}\n"));
                beside(&format!("{number}.prompt.txt"), event.prompt_ready());
            }
        }
        belonging.insert((*path).clone());
    }
    let key = |path: &Path| with_ending(path, ".key.pem");
    for path in files.iter().filter(|path| !belonging.contains(*path) && !key(path)) {
        wrong.push(format!("{} belongs to no request", path.display()));
    }
    requests.iter().map(|path| Fate::of(path)).collect()
}

#[tokio::test]
async fn every_request_is_taken_or_refused_as_its_files_say() {
    let mut wrong = Vec::new();
    let mut providers = BTreeSet::new();
    for folder in inside(&root()).into_iter().filter(|path| path.is_dir()) {
        let name = folder.file_name().expect("a name").to_string_lossy().into_owned();
        let fates = check(&folder, &name, &mut wrong).await;
        let provider = PROVIDERS.find(&name).unwrap_or_else(|| panic!("`{name}` is no provider"));
        assert!(fates.contains(&Fate::Accepted), "{name} has no request that is taken");
        let refuses = fates.contains(&Fate::Refused) || !provider.is_signed();
        assert!(refuses, "{name} has no request that is refused");
        let shakes = fates.contains(&Fate::Handshake) || provider.handshakes().is_empty();
        assert!(shakes, "{name} has no handshake");
        providers.insert(name);
    }
    assert!(wrong.is_empty(), "{} files differ:\n\n{}", wrong.len(), wrong.join("\n\n"));
    let known: BTreeSet<_> =
        PROVIDERS.iter().map(|provider| provider.name().to_owned()).collect();
    assert_eq!(providers, known, "each provider has its fixtures in a folder of its name");
}

#[test]
fn no_answer_to_a_refused_request_shows_a_secret_or_an_expected_signature() {
    for folder in inside(&root()).into_iter().filter(|path| path.is_dir()) {
        let accepted: Vec<_> = inside(&folder)
            .into_iter()
            .filter(|path| with_ending(path, ".http"))
            .flat_map(|path| signatures(&fs::read(path).expect("read")))
            .collect();
        for path in inside(&folder).into_iter().filter(|path| with_ending(path, ".answer.txt")) {
            let answer = fs::read_to_string(&path).expect("text");
            let shown = accepted.iter().find(|signature| answer.contains(signature.as_str()));
            assert!(shown.is_none(), "{} shows {shown:?}", path.display());
        }
    }
}

/// The long words in the signature headers of a request.
fn signatures(file: &[u8]) -> Vec<String> {
    let post = Post::parse(file);
    let values = post.headers.iter().filter(|(name, _)| name.as_str().contains("signature"));
    let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let words = values.flat_map(|(_, value)| {
        text(value).split([',', '=', ' ']).map(str::to_owned).collect::<Vec<_>>()
    });
    words.filter(|word| word.len() > 30).collect()
}
