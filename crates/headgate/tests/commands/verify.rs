//! `verify`, `render` and `providers`: what they say, and their exit codes.

use crate::run::{Ended, finish, headgate, run};
use serde_json::Value;
use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::Stdio,
};

const SECRET: &str = "whsec_fixture_secret_for_stripe";
const AT: &str = "1776590125";

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/webhooks").join(name)
}

fn verify(file: &Path, more: &[&str]) -> Ended {
    let mut command = headgate();
    command.arg("verify").arg(file).args(["--secret-env", "S"]).args(more).env("S", SECRET);
    let ended = finish(&mut command);
    assert!(!format!("{}{}", ended.stdout, ended.stderr).contains(SECRET), "{ended:?}");
    ended
}

#[test]
fn a_request_that_proves_itself_ends_with_0_and_is_explained() {
    let file = fixture("stripe/customer.created.http");
    for at in [AT, "2026-04-19T09:15:25Z", "2026-04-19T11:15:25+02:00"] {
        let ended = verify(&file, &["--provider", "stripe", "--at", at]);
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        insta::assert_snapshot!("verify_taken", ended.stdout);
    }
    let mut stdin = headgate();
    stdin.args(["verify", "-", "--provider", "stripe", "--secret-env", "S", "--at", AT]);
    stdin.env("S", SECRET).stdin(Stdio::from(File::open(&file).expect("opened")));
    assert_eq!(finish(&mut stdin).code, Some(0));
}

#[test]
fn a_request_that_does_not_ends_with_1_and_says_why() {
    let late = fixture("stripe/refused_too_old.http");
    let ended = verify(&late, &["--provider", "stripe", "--at", AT]);
    assert_eq!(ended.code, Some(1));
    insta::assert_snapshot!("verify_refused", ended.stdout);
    let ended = verify(&late, &["--provider", "stripe", "--at", AT, "--json"]);
    assert_eq!(ended.code, Some(1));
    let said: Value = serde_json::from_str(&ended.stdout).expect("JSON");
    assert_eq!((&said["verified"], &said["code"]), (&false.into(), &"timestamp_too_old".into()));
    assert_eq!(said["age_ms"], 301_000);
    // Without a time it is judged as of now, which is long after.
    let file = fixture("stripe/customer.created.http");
    assert_eq!(verify(&file, &["--provider", "stripe"]).code, Some(1));
}

#[test]
fn the_channel_of_a_configuration_can_be_asked_instead() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = folder.path().join("headgate.toml");
    let text = fs::read_to_string(fixture("generic/channel.toml")).expect("read");
    let (_, own) = text.split_once("[generic]").expect("a table");
    let own = format!("[generic]{own}").replace("[generic", "[channel.generic");
    let text = format!(
        "[[channel]]\nid = \"desk\"\ntype = \"webhook\"\nprovider = \"generic\"\n\
         secrets = [{{ env = \"DESK\" }}]\n{own}\n\
         [[channel]]\nid = \"open\"\ntype = \"webhook\"\nverify = \"none\"\n"
    );
    fs::write(&config, text).expect("written");
    let check = |channel: &str, file: &str, more: &[&str]| {
        let mut command = headgate();
        command.arg("verify").arg(fixture(file)).args(["--channel", channel, "--at", AT]);
        command.arg("--config").arg(&config).args(more);
        finish(command.env("DESK", "6669787475726520736563726574"))
    };
    let ended = check("desk", "generic/ticket.http", &[]);
    assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
    // The path is signed, so the one that the sender used counts.
    let other = check("desk", "generic/refused_other_path.http", &[]);
    assert_eq!(other.code, Some(1));
    assert!(other.stdout.contains("another path (`--url`)"), "{}", other.stdout);
    let url = ["--url", "https://in.example.com/v1/webhook/other"];
    assert_eq!(check("desk", "generic/refused_other_path.http", &url).code, Some(0));
    assert_eq!(check("open", "generic/ticket.http", &[]).code, Some(2));
    assert_eq!(check("nobody", "generic/ticket.http", &[]).code, Some(2));
}

#[test]
fn a_secret_of_another_channel_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = folder.path().join("headgate.toml");
    let channel = |id: &str, provider: &str, variable: &str| {
        format!(
            "[[channel]]\nid = \"{id}\"\ntype = \"webhook\"\nprovider = \"{provider}\"\n\
             secrets = [{{ env = \"{variable}\" }}]\n"
        )
    };
    let channels = [
        channel("code", "github", "CODE"),
        channel("shop", "standard-webhooks", "SHOP"),
        channel("other-code", "github", "OTHER"),
    ];
    fs::write(&config, channels.concat()).expect("written");
    let mut command = headgate();
    command.arg("verify").arg(fixture("github/push.http")).args(["--channel", "code", "--at", AT]);
    command.arg("--config").arg(&config);
    let secrets = [
        ("CODE", "a wrong one"),
        ("SHOP", "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="),
        ("OTHER", "fixture secret for github"),
    ];
    let ended = finish(command.envs(secrets));
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    let cause = "likely cause: secret of another channel: it is the one of `other-code`";
    assert!(ended.stdout.contains(cause), "{}", ended.stdout);
    assert!(!ended.stdout.contains("fixture secret"), "{}", ended.stdout);
}

#[test]
fn what_cannot_be_verified_at_all_ends_with_2() {
    let file = fixture("stripe/customer.created.http");
    for arguments in [
        &["--provider", "strip"][..],
        &["--provider", "none"],
        &["--provider", "stripe", "--secret-env", "NO_SUCH_VARIABLE"],
        &["--provider", "stripe", "--at", "yesterday"],
        &["--provider", "stripe", "--url", "/v1/webhook/a"],
        &["--channel", "a"],
        &[],
    ] {
        let ended = verify(&file, arguments);
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{arguments:?}");
    }
    for file in ["no/such.http", "vectors.json"] {
        assert_eq!(verify(&fixture(file), &["--provider", "stripe"]).code, Some(2), "{file}");
    }
}

#[test]
fn prompts_of_events_and_of_captured_requests_are_rendered() {
    let render = |file: &str, more: &[&str]| {
        let mut command = headgate();
        finish(command.arg("render").arg(fixture(file)).args(more))
    };
    let stored = fs::read_to_string(fixture("github/push.prompt.txt")).expect("read");
    let ended = render("github/push.event.json", &["--version", "1"]);
    assert_eq!((ended.code, ended.stdout), (Some(0), format!("{stored}\n")));
    let ended = render("github/push.event.json", &["--json"]);
    let said: Value = serde_json::from_str(&ended.stdout).expect("JSON");
    assert_eq!(said["prompt_ready"], stored);
    let ended = render("github/push.http", &["--provider", "github"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(ended.stdout.starts_with("GitHub push at "), "{}", ended.stdout);
    assert!(ended.stdout.contains("captured (webhook) · "), "{}", ended.stdout);
    assert!(!ended.stdout.contains("verified: github"), "{}", ended.stdout);
    for more in [&["--version", "2"][..], &[], &["--provider", "gihtub"]] {
        assert_eq!(render("github/push.http", more).code, Some(2), "{more:?}");
    }
}

#[test]
fn providers_are_listed_and_shown() {
    let listed = run(["providers", "list", "--json"]);
    assert_eq!(listed.code, Some(0));
    let listed: Value = serde_json::from_str(&listed.stdout).expect("JSON");
    let names = listed.as_array().expect("an array").iter();
    let names: Vec<_> = names.map(|provider| provider["name"].as_str().expect("a name")).collect();
    let shown = run(["providers", "list"]).stdout;
    assert_eq!(shown.lines().count(), names.len());
    for name in names {
        let shown = run(["providers", "show", name, "--json"]);
        assert_eq!(shown.code, Some(0));
        let shown: Value = serde_json::from_str(&shown.stdout).expect("JSON");
        assert_eq!(shown["name"], name);
    }
    insta::assert_snapshot!("providers_show", run(["providers", "show", "github"]).stdout);
    let unknown = run(["providers", "show", "gihtub"]);
    assert_eq!(unknown.code, Some(2));
    assert!(unknown.stderr.contains("`github`"), "{}", unknown.stderr);
}

/// Slack's own example of a signed request (docs, "Verifying requests from Slack").
const SLACK: &str = "POST /v1/slack/team HTTP/1.1\n\
    Content-Type: application/x-www-form-urlencoded\n\
    X-Slack-Request-Timestamp: 1531420618\n\
    X-Slack-Signature: v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503\n\n\
    token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V\
    &channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=\
    &response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F\
    96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";
const SLACK_SECRET: &str = "8f742231b10e8888abcd99yyyzzz85a5";

fn verify_slack(request: &str, secret: &str, more: &[&str]) -> Ended {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("request.http");
    fs::write(&file, request).expect("written");
    let mut command = headgate();
    command.arg("verify").arg(&file).args(["--provider", "slack", "--secret-env", "S"]);
    let ended = finish(command.args(more).env("S", secret));
    let said = format!("{}{}", ended.stdout, ended.stderr);
    assert!(!said.contains(SLACK_SECRET) && !said.contains("a2114d57"), "{ended:?}");
    ended
}

#[test]
fn a_request_of_slack_is_explained_as_any_other() {
    let at = ["--at", "1531420718"];
    let taken = verify_slack(SLACK, SLACK_SECRET, &at);
    assert_eq!(taken.code, Some(0), "{}", taken.stderr);
    insta::assert_snapshot!("verify_slack_taken", taken.stdout);
    let late = verify_slack(SLACK, SLACK_SECRET, &["--at", "1531420919"]);
    assert_eq!(late.code, Some(1));
    insta::assert_snapshot!("verify_slack_too_old", late.stdout);
    let json = verify_slack(SLACK, SLACK_SECRET, &["--at", "1531420919", "--json"]);
    let said: Value = serde_json::from_str(&json.stdout).expect("JSON");
    assert_eq!((&said["verified"], &said["code"]), (&false.into(), &"timestamp_too_old".into()));
    assert_eq!((&said["age_ms"], &said["provider"]), (&301_000.into(), &"slack".into()));
}

#[test]
fn what_is_most_likely_wrong_with_a_request_of_slack_is_said() {
    let at = ["--at", "1531420718"];
    let cause = |request: &str, secret: &str| {
        let ended = verify_slack(request, secret, &at);
        assert_eq!(ended.code, Some(1), "{}", ended.stdout);
        let (_, cause) = ended.stdout.split_once("likely cause: ").expect("a cause");
        cause.trim().to_owned()
    };
    let unsigned = SLACK.replace("X-Slack-Signature", "X-Other");
    let causes = [
        cause(SLACK, &format!("{SLACK_SECRET}\n")),
        cause(&format!("{SLACK}\n"), SLACK_SECRET),
        cause(SLACK, "xoxb-not-the-signing-secret"),
        cause(&unsigned, SLACK_SECRET),
    ];
    insta::assert_snapshot!("verify_slack_causes", causes.join("\n"));
}

fn verify_channel(request: &str, tables: &str) -> Ended {
    let folder = tempfile::tempdir().expect("a folder");
    let (config, file) = (folder.path().join("headgate.toml"), folder.path().join("request.http"));
    fs::write(&file, request).expect("written");
    fs::write(&config, tables).expect("written");
    let mut command = headgate();
    command.arg("verify").arg(&file).args(["--channel", "team", "--at", "1531420718", "--config"]);
    finish(command.arg(&config).env("S", SLACK_SECRET))
}

#[test]
fn the_channel_of_a_configuration_may_be_one_of_slack() {
    let channel =
        "[[channel]]\nid = \"team\"\ntype = \"slack\"\nsigning_secrets = [{ env = \"S\" }]\n";
    let ended = verify_channel(SLACK, channel);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(ended.stdout.starts_with("verified: slack"), "{}", ended.stdout);

    let certified = format!(
        "[server]\ntrusted_proxies = [\"127.0.0.0/8\"]\n{channel}\
         client_certificate = {{ header = \"X-Name\", name = \"slack.example\" }}\n"
    );
    let named = |name: &str| SLACK.replace("\n\ntoken", &format!("\nX-Name: {name}\n\ntoken"));
    let texts = [SLACK, &named("somebody.example"), &named("slack.example")].map(|request| {
        let ended = verify_channel(request, &certified);
        assert_eq!(ended.code == Some(0), request.contains(": slack.example"), "{ended:?}");
        ended.stdout
    });
    insta::assert_snapshot!("verify_slack_certificate", texts.join("\n"));
}
