//! Walks `fixtures/slack/events`: each outer payload, the `data` of its event and its prompt.
//!
//! `UPDATE_FIXTURES=1` writes the two files beside a payload anew; read the difference before you
//! keep it.

use crate::gate::{Gate, Post, spec};
use headgate_slack::SlackChannelSpec;
use serde_json::Value;
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/slack/events")
}

/// The channel that takes the payloads: it knows one workspace, two people and a conversation.
fn channel() -> SlackChannelSpec {
    let mut spec = spec();
    spec.team_names.insert("T0ACME001".into(), "Acme, Inc.".into());
    for (id, name) in [("U0ALICE01", "alice"), ("U0BOT0001", "gate"), ("C0DEPLOY1", "deploys")] {
        spec.names.insert(id.into(), name.into());
    }
    spec
}

/// The payload as Slack would send it.
fn post(text: &str) -> Post {
    let outer: Value = serde_json::from_str(text).expect("JSON");
    if outer["command"].is_string() {
        let mut form = form_urlencoded::Serializer::new(String::new());
        for (name, value) in outer.as_object().expect("fields") {
            form.append_pair(name, value.as_str().expect("text"));
        }
        return Post::form(form.finish());
    }
    match outer["type"].as_str() {
        Some("event_callback" | "app_rate_limited") => Post::json(text.to_owned()),
        _ => Post::payload(text),
    }
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

#[tokio::test]
async fn every_payload_becomes_the_event_that_its_files_say() {
    let entries = fs::read_dir(folder()).expect("the folder");
    let files: BTreeSet<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    let (mut wrong, mut belonging) = (Vec::new(), BTreeSet::new());
    let is_payload = |path: &&PathBuf| {
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        name.ends_with(".json") && !name.ends_with(".data.json")
    };
    let payloads: Vec<_> = files.iter().filter(is_payload).collect();
    assert!(payloads.len() > 30, "the folder holds payloads");
    for path in payloads {
        let gate = Gate::of(channel());
        let text = fs::read_to_string(path).expect("text");
        let event = gate.event(&post(&text)).await;
        let mut data: Value = serde_json::from_str(event.data().get()).expect("JSON");
        let raw = data["raw"].take();
        assert_eq!(raw, serde_json::from_str::<Value>(&text).expect("JSON"), "raw is the payload");
        data.as_object_mut().expect("an object").remove("raw");
        let keys = serde_json::json!({
            "dedupe_key": event.dedupe_key(), "thread_key": event.thread_key(), "data": data,
        });
        let shown = serde_json::to_string_pretty(&keys).expect("JSON");
        let beside = [
            (path.with_extension("data.json"), format!("{shown}\n")),
            (path.with_extension("prompt.txt"), event.prompt_ready().to_owned()),
        ];
        for (beside, found) in beside {
            agree(&beside, &found, &mut wrong);
            belonging.insert(beside);
        }
        belonging.insert(path.clone());
    }
    for path in files.difference(&belonging) {
        wrong.push(format!("{} belongs to no payload", path.display()));
    }
    assert!(wrong.is_empty(), "{} files differ:\n\n{}", wrong.len(), wrong.join("\n\n"));
}

#[test]
fn no_prompt_shows_a_live_token() {
    let mut looked_at = 0;
    for entry in fs::read_dir(folder()).expect("the folder") {
        let path = entry.expect("an entry").path();
        if !path.to_string_lossy().ends_with(".prompt.txt") {
            continue;
        }
        looked_at += 1;
        let prompt = fs::read_to_string(&path).expect("text");
        for live in ["hooks.slack.com", "13345224609", "xwfp-", "Jhj5dZrVaK7"] {
            assert!(!prompt.contains(live), "{} shows `{live}`", path.display());
        }
    }
    assert!(looked_at > 30);
}
