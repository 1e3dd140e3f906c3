//! What is wrong with a channel, in words.

use crate::gate::{secret, spec};
use headgate_event::{Channel, ChannelType, Secret, limits::SLACK_BODY_BYTES_MAX};
use headgate_slack::{ClientCertificate, SigningSecret, SlackChannelSpec};
use serde_json::value::RawValue;

fn wrong(change: impl FnOnce(&mut SlackChannelSpec)) -> Vec<String> {
    let mut spec = spec();
    change(&mut spec);
    let errors = spec.prepare().expect_err("wrong");
    errors.iter().map(ToString::to_string).collect()
}

#[test]
fn everything_that_is_wrong_with_a_channel_is_said_at_once() {
    let errors = wrong(|spec| {
        spec.channel = Channel::new("team", "Team", ChannelType::Webhook).expect("a channel");
        spec.signing_secrets = vec![
            secret(""),
            secret(" \n"),
            SigningSecret { secret: Secret::new("s"), api_app_id: Some("T123".to_owned()) },
        ];
        spec.client_certificate = Some(ClientCertificate {
            header: "x-san".parse().expect("a name"),
            name: String::new(),
        });
        spec.body_bytes_max = Some(SLACK_BODY_BYTES_MAX + 1);
        let json = |text: &str| RawValue::from_string(text.to_owned()).expect("JSON");
        spec.answers.insert("app_mention".into(), json("{}"));
        spec.answers.insert("slash_command".into(), json("[1]"));
        let long = format!("{{\"text\":\"{}\"}}", "a".repeat(20_000));
        spec.answers.insert("view_submission".into(), json(&long));
    });
    insta::assert_snapshot!("channel_errors", errors.join("\n"));
}

#[test]
fn a_channel_for_sockets_alone_needs_no_signing_secret() {
    let mut spec = spec();
    spec.signing_secrets = Vec::new();
    assert!(spec.prepare().is_ok());
}

#[test]
fn no_secret_is_in_what_a_channel_shows_of_itself() {
    let channel = spec().prepare().expect("right");
    assert!(!format!("{channel:?} {:?}", spec()).contains(crate::gate::SECRET));
}
