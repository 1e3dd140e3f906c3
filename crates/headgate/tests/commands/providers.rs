//! Provider files of the user's own, wherever requests are made or read.

use crate::{
    house::start,
    run::{finish, headgate, run},
};
use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
};
use tempfile::TempDir;

const ACME: &str = r#"
name = "acme"
title = "Acme"

[verify]
scheme = "hmac"
algorithm = "sha256"
encoding = "hex"
signed = "{body}"
signature = { header = "x-acme-signature" }

[identity]
event = [{ json = "type" }]
delivery = [{ json = "id" }]

[prompt]
headline = "Acme {{ event or 'event' }}"
facts = [["Order", "{{ body.order }}"]]

[sample]
event = "order.placed"
headers = [["content-type", "application/json"]]
"#;

const PLACED: &str = r#"{"type": "order.placed", "id": "{uuid}", "order": 1041}"#;
const SECRET: &str = "a secret of acme";

/// A folder with `providers/acme.toml` in it, the sample beside it, and a configuration that names
/// them and a secret that is nowhere.
fn folder(file: &str) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let providers = folder.path().join("providers");
    fs::create_dir_all(providers.join("samples/acme")).expect("made");
    fs::write(providers.join("acme.toml"), file).expect("written");
    fs::write(providers.join("samples/acme/order.placed.json"), PLACED).expect("written");
    let config = "providers_dir = \"providers\"\n\n[server]\nlisten = \"127.0.0.1:0\"\n\n\
                  [[channel]]\nid = \"orders\"\ntype = \"webhook\"\nprovider = \"acme\"\n\
                  secrets = [{ env = \"GITHUB_SECRET\" }]\n";
    fs::write(folder.path().join("headgate.toml"), config).expect("written");
    (folder, providers)
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path of text")
}

#[test]
fn a_sample_of_ones_own_provider_is_signed_and_sent() {
    let (folder, providers) = folder(ACME);
    let config = folder.path().join("headgate.toml");
    let (_gateway, address) = start(&config);
    let to = format!("http://{address}/v1/webhook/orders");
    let send = |own: [&str; 2]| {
        let mut command = headgate();
        command.args(["send", "acme", "--to", &to, "--secret-env", "ACME"]).args(own);
        finish(command.env("ACME", crate::house::GITHUB_SECRET))
    };
    for own in [["--providers-dir", text(&providers)], ["--config", text(&config)]] {
        let ended = send(own);
        assert_eq!(ended.code, Some(0), "{own:?}: {}{}", ended.stdout, ended.stderr);
    }
    let listed = run(["events", "list", "--json", "--url", &format!("http://{address}")]).stdout;
    let event: Value =
        serde_json::from_str(listed.lines().next().expect("an event")).expect("JSON");
    assert_eq!(event["provider"], "acme");
    assert_eq!(event["provider_event"], "order.placed");
    assert_eq!(event["verification"]["verdict"], "verified");
}

#[test]
fn requests_of_ones_own_provider_are_rendered_verified_and_listed() {
    let (folder, providers) = folder(ACME);
    let own = ["--providers-dir", text(&providers)];
    let captured = folder.path().join("order.http");
    let body = r#"{"type":"order.placed","id":"1","order":1041}"#;
    let head = "POST /v1/webhook/orders HTTP/1.1\nx-acme-signature: 00\n";
    fs::write(&captured, format!("{head}content-type: application/json\n\n{body}"))
        .expect("written");
    let ended = run([&["render", text(&captured), "--provider", "acme"], &own[..]].concat());
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(ended.stdout.starts_with("Acme order.placed at "), "{}", ended.stdout);
    assert!(ended.stdout.contains("\nOrder: 1041"), "{}", ended.stdout);
    let mut command = headgate();
    command.args(["verify", text(&captured), "--provider", "acme", "--secret-env", "ACME"]);
    let ended = finish(command.args(own).env("ACME", SECRET));
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert!(ended.stdout.starts_with("refused: acme"), "{}", ended.stdout);
    assert!(run([&["providers", "list"], &own[..]].concat()).stdout.starts_with("acme "));
    let shown = run([&["providers", "show", "acme"], &own[..]].concat());
    assert!(shown.stdout.contains("samples   order.placed"), "{}", shown.stdout);
    let listed = run([&["send", "acme", "--list"], &own[..]].concat());
    assert_eq!(listed.stdout.trim(), "order.placed");
    let checked = run(["providers", "check", text(&providers.join("acme.toml"))]);
    assert_eq!(checked.code, Some(0), "{}", checked.stderr);
    assert_eq!(run(["send", "acme", "--list"]).code, Some(2), "nobody knows it by itself");
}

#[test]
fn what_is_wrong_with_ones_own_files_is_said_as_the_server_says_it() {
    let (folder, providers) = folder(&ACME.replace("sha256", "sha257"));
    let config = folder.path().join("headgate.toml");
    for command in [&["send", "acme", "--list"][..], &["render", "-"], &["providers", "list"]] {
        let ended = run([command, &["--providers-dir", text(&providers)]].concat());
        assert_eq!(ended.code, Some(2), "{command:?}");
        let told = "acme.toml:7: ";
        assert!(ended.stderr.contains(told), "{command:?}: {}", ended.stderr);
        assert!(ended.stderr.contains("--providers-dir: "), "{}", ended.stderr);
        let ended = run([command, &["--config", text(&config)]].concat());
        assert_eq!(ended.code, Some(2), "{command:?}");
        assert!(ended.stderr.contains("headgate.toml:1: providers_dir: "), "{}", ended.stderr);
        assert!(ended.stderr.contains(told), "{}", ended.stderr);
    }
    let ended = run(["send", "acme", "--list", "--providers-dir", "no/such/folder"]);
    assert_eq!(ended.code, Some(2));
    let told = "expected a folder that can be read, found `no/such/folder`";
    assert!(ended.stderr.contains(told), "{}", ended.stderr);
    let (_other, without) = {
        let (folder, providers) = self::folder(ACME);
        fs::remove_file(providers.join("samples/acme/order.placed.json")).expect("removed");
        (folder, providers)
    };
    let ended = run(["providers", "list", "--providers-dir", text(&without)]);
    assert!(ended.stderr.contains("there is no sample `order.placed`"), "{}", ended.stderr);
}
