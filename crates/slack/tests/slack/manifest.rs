//! The manifest that we ship has the scopes that its events need (Slack, the page of each event).

use std::collections::{BTreeMap, BTreeSet};

const MANIFEST: &str = include_str!("../../../../fixtures/slack/manifest.yaml");
const DOCUMENT: &str = include_str!("../../../../docs/slack.md");

/// What Slack asks for before it sends an event.
const NEEDS: [(&str, &[&str]); 12] = [
    ("app_mention", &["app_mentions:read"]),
    ("app_home_opened", &[]),
    ("message.im", &["im:history"]),
    ("message.mpim", &["mpim:history"]),
    ("message.channels", &["channels:history"]),
    ("message.groups", &["groups:history"]),
    ("reaction_added", &["reactions:read"]),
    ("reaction_removed", &["reactions:read"]),
    ("member_joined_channel", &["channels:read", "groups:read"]),
    ("member_left_channel", &["channels:read", "groups:read"]),
    ("pin_added", &["pins:read"]),
    ("file_shared", &["files:read"]),
];

/// The items of the list under a key: the lines below it that begin with a dash.
fn list(key: &str) -> BTreeSet<&'static str> {
    let head = format!("{key}:");
    let below = MANIFEST.lines().skip_while(|line| line.trim() != head).skip(1);
    let lines = below.map(str::trim).filter(|line| !line.starts_with('#'));
    let items: BTreeSet<_> = lines.map_while(|line| line.strip_prefix("- ")).collect();
    assert!(!items.is_empty(), "no `{key}` in the manifest");
    items
}

#[test]
fn every_event_of_the_manifest_has_the_scopes_that_it_needs() {
    let needs = BTreeMap::from(NEEDS);
    let scopes = list("bot");
    let mut wanted = BTreeSet::from(["commands", "chat:write"]);
    for event in list("bot_events") {
        let needed = needs.get(event).unwrap_or_else(|| panic!("no scopes known of `{event}`"));
        for scope in *needed {
            assert!(scopes.contains(scope), "`{event}` needs `{scope}`");
            wanted.insert(scope);
        }
    }
    assert_eq!(scopes, wanted, "no scope is asked for that nothing needs");
}

#[test]
fn every_scope_of_the_manifest_is_explained() {
    let table = DOCUMENT.split("### Scopes").nth(1).expect("a table");
    let table = table.split("\n## ").next().expect("a table");
    for scope in list("bot") {
        assert!(table.contains(&format!("`{scope}`")), "`{scope}`");
    }
}
