//! Walks `fixtures/webhooks`: each request is taken or refused as the files beside it say.
//!
//! `UPDATE_FIXTURES=1` writes those files anew; read the difference before you keep it.

use crate::{
    folder::{FolderChannel, root},
    gate::{Gate, PROVIDERS, Post, Read},
};
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

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
    let headers: String = headers
        .map(|(name, value)| format!("{name}: {}\n", value.to_str().expect("text")))
        .collect();
    format!("{}\n{headers}{}\n", answer.status.as_u16(), answer.body)
}

async fn check(folder: &Path, provider: &str, wrong: &mut Vec<String>) -> BTreeSet<Fate> {
    let (channel, spec) = FolderChannel::read(folder, provider);
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
                let number = if events.len() == 1 { String::new() } else { format!(".{}", at + 1) };
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
    let known: BTreeSet<_> = PROVIDERS.iter().map(|provider| provider.name().to_owned()).collect();
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
        let answers = inside(&folder).into_iter().filter(|path| with_ending(path, ".answer.txt"));
        // A handshake is answered with a proof where that is what was asked for.
        for path in answers.filter(|path| Fate::of(path) == Fate::Refused) {
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
