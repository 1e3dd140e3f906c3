//! Walks `fixtures/webhooks`: each request is taken or refused as the files beside it say.
//!
//! `UPDATE_FIXTURES=1` writes those files anew; read the difference before you keep it.

use crate::gate::{CHANNEL, Gate, Post, spec};
use headgate_webhook::{ChannelSpec, Provider};
use serde::Deserialize;
use std::{
    collections::BTreeSet,
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
}

impl FolderChannel {
    /// The channel in a file.
    fn read(text: &str, provider: &str) -> (Self, ChannelSpec) {
        let channel: Self = toml::from_str(text).expect("a channel");
        let secrets: Vec<_> = channel.secrets.iter().map(String::as_str).collect();
        let mut spec = spec(provider, &secrets);
        if channel.generic.is_some() {
            let tables = DeTable::parse(text).expect("TOML");
            let own = tables.get_ref().get("generic").expect("a table");
            let own = Provider::generic("channel.toml", text, own).expect("a right table");
            spec.own = Some(Arc::new(own));
        }
        (channel, spec)
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

async fn check(folder: &Path, provider: &str, wrong: &mut Vec<String>) -> usize {
    let channel = fs::read_to_string(folder.join("channel.toml")).expect("channel.toml");
    let (channel, spec) = FolderChannel::read(&channel, provider);
    let files = inside(folder);
    let mut belonging = BTreeSet::from([folder.join("channel.toml")]);
    let requests: Vec<_> = files.iter().filter(|path| with_ending(path, ".http")).collect();
    for path in &requests {
        let gate = Gate::of(spec.clone());
        gate.clock.set(channel.now.parse().expect("a time"));
        let answer = gate.send(&Post::parse(&fs::read(path).expect("read"))).await;
        let refused = with_ending(path, ".http")
            && path.file_name().is_some_and(|n| n.to_string_lossy().starts_with("refused_"));
        let mut beside = |ending: &str, found: &str| {
            let beside = path.with_extension(ending);
            agree(&beside, found, wrong);
            belonging.insert(beside);
        };
        if refused {
            assert_eq!(gate.sink.len(), 0, "{}: an event was stored", path.display());
            let status = answer.status.as_u16();
            beside("answer.txt", &format!("{status}\n{}\n", answer.body));
        } else {
            assert!(answer.status.is_success(), "{}: {}", path.display(), answer.body);
            let event = gate.sink.last();
            let shown = serde_json::to_string_pretty(&event).expect("JSON");
            beside("event.json", &format!("{shown}\n"));
            beside("prompt.txt", event.prompt_ready());
        }
        belonging.insert((*path).clone());
    }
    for path in files.iter().filter(|path| !belonging.contains(*path)) {
        wrong.push(format!("{} belongs to no request", path.display()));
    }
    requests.len()
}

#[tokio::test]
async fn every_request_is_taken_or_refused_as_its_files_say() {
    let mut wrong = Vec::new();
    let mut providers = BTreeSet::new();
    for folder in inside(&root()).into_iter().filter(|path| path.is_dir()) {
        let provider = folder.file_name().expect("a name").to_string_lossy().into_owned();
        let requests = check(&folder, &provider, &mut wrong).await;
        assert!(requests > 0, "{} holds no request", folder.display());
        providers.insert(provider);
    }
    assert!(wrong.is_empty(), "{} files differ:\n\n{}", wrong.len(), wrong.join("\n\n"));
    let known: BTreeSet<_> = headgate_webhook::Providers::embedded()
        .iter()
        .map(|provider| provider.name().to_owned())
        .collect();
    assert_eq!(providers, known, "each provider has its fixtures in `{CHANNEL}` folders");
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
