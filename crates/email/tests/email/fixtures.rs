//! The messages in `fixtures/email`, of today, of old and broken ones, each with the event and the
//! prompt it becomes beside it. `UPDATE_FIXTURES=1` writes them; the diff is to be read.

use crate::{drafted, event_of, receipt};
use headgate_email::attachment_bytes;
use headgate_event::Event;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// The folder, those in it, and how many messages each has at least.
const FOLDERS: &[(&str, usize)] = &[("", 20), ("legacy", 8), ("malformed", 14)];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/email")
}

/// The files of a folder, without folders.
fn files(folder: &str) -> BTreeSet<PathBuf> {
    let entries = fs::read_dir(root().join(folder)).expect("the folder");
    entries.map(|entry| entry.expect("an entry").path()).filter(|path| path.is_file()).collect()
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

/// Every attachment of an event can be read out of its message, and is what it says.
fn has_its_attachments(event: &Event, raw: &[u8], wrong: &mut Vec<String>) {
    for attachment in &event.email().expect("a message").attachments {
        let bytes = attachment_bytes(raw, attachment).expect("its place is in the message");
        let digest = hex::encode(Sha256::digest(&bytes));
        let says = (attachment.sha256.as_deref(), attachment.size_bytes);
        if says != (Some(digest.as_str()), bytes.len() as u64) {
            wrong.push(format!("{attachment:?} is not what it says"));
        }
    }
}

#[test]
fn every_message_becomes_the_event_that_its_files_say() {
    let mut wrong = Vec::new();
    for (folder, at_least) in FOLDERS {
        let mut belonging = BTreeSet::new();
        let all = files(folder);
        let messages: Vec<_> =
            all.iter().filter(|path| path.extension().is_some_and(|ext| ext == "eml")).collect();
        assert!(messages.len() >= *at_least, "`{folder}` has {} messages", messages.len());
        for path in messages {
            let raw = fs::read(path).expect("a message");
            let event = event_of(&drafted(&raw, &receipt()));
            has_its_attachments(&event, &raw, &mut wrong);
            let data: Value = serde_json::from_str(event.data().get()).expect("JSON");
            let shown = serde_json::json!({
                "dedupe_key": event.dedupe_key(), "thread_key": event.thread_key(), "data": data,
            });
            let shown = serde_json::to_string_pretty(&shown).expect("JSON");
            let beside = [
                (path.with_extension("json"), format!("{shown}\n")),
                (path.with_extension("prompt.txt"), event.prompt_ready().to_owned()),
            ];
            for (beside, found) in beside {
                agree(&beside, &found, &mut wrong);
                belonging.insert(beside);
            }
            belonging.insert(path.clone());
        }
        for path in all.difference(&belonging) {
            wrong.push(format!("{} belongs to no message", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n\n{}", wrong.len(), wrong.join("\n\n"));
}
