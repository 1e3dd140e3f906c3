//! What is wrong with a channel is found before it takes anything.

use crate::gate::{CHANNEL, Gate, NOW, PROVIDERS, Post, spec};
use headgate_event::{Channel, ChannelType, Secret};
use headgate_webhook::{ChannelSpec, DedupePolicy, Tolerance};
use std::{error::Error, time::Duration};

/// What replacing the channels of a source by these says.
fn errors(specs: Vec<ChannelSpec>) -> Vec<String> {
    let gate = Gate::with("none", &[]);
    let errors = gate.source.replace(specs, &PROVIDERS).expect_err("refused");
    assert_eq!(gate.source.channel_ids(), [CHANNEL], "the channels before are still there");
    errors.iter().map(|error| chain(error)).collect()
}

/// An error and its causes in one line.
fn chain(error: &dyn Error) -> String {
    match error.source() {
        Some(cause) => format!("{error}: {}", chain(cause)),
        None => error.to_string(),
    }
}

#[test]
fn all_that_is_wrong_is_told_at_once() {
    let five_minutes = Duration::from_secs(300);
    let tolerance = Some(Tolerance { past: five_minutes, future: five_minutes });
    let mut mail = spec("github", &[]);
    mail.channel = Channel::new("mail", "Mail", ChannelType::Email).expect("a channel");
    mail.body_bytes_max = Some(0);
    mail.tolerance = tolerance;
    let mut twice = spec("github", &["a"]);
    twice.channel.id = "other".to_owned();
    let specs = vec![
        mail,
        twice.clone(),
        twice,
        spec("stirpe", &["a"]),
        spec("none", &["a"]),
        spec("stripe", &["a", ""]),
    ];
    let known: Vec<_> = PROVIDERS.iter().map(|provider| provider.name()).collect();
    assert_eq!(
        errors(specs),
        [
            "channel `mail`: expected type `webhook`, found `email`",
            "channel `mail`: provider `github` signs its requests: expected one secret at least, \
             found none",
            "channel `mail`: provider `github` signs no time: expected no tolerance, found one",
            "channel `mail`: expected a body limit of 1 to 50331648 bytes, found 0",
            "channel `other`: another channel has this id",
            &format!(
                "channel `fixture`: expected a provider out of `{}`, found `stirpe`",
                known.join("`, `")
            ),
            "channel `fixture`: provider `none` does not sign its requests: expected no secrets, \
             found some",
            "channel `fixture`: secret 2 is not one of provider `stripe`: the secret is empty",
        ]
    );
}

#[test]
fn a_standard_webhooks_secret_is_checked_when_it_is_read() {
    let wrong = [
        ("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "a secret that does not begin with `whsec_`"),
        ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS", "other characters"),
        ("whsec_not base64!", "other characters"),
        ("whsec_", "a key of 0 bytes"),
        ("whsec_c2hvcnQ=", "a key of 5 bytes"),
    ];
    for (secret, found) in wrong {
        let errors = errors(vec![spec("standard-webhooks", &[secret])]);
        let expected = format!(
            "channel `fixture`: secret 1 is not one of provider `standard-webhooks`: \
             expected `whsec_` and base64 of 16 to 64 bytes, found {found}"
        );
        assert_eq!(errors, [expected]);
    }
    // A private key is nothing that a receiver should have.
    let private = "whsk_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let errors = errors(vec![spec("standard-webhooks", &[private])]);
    assert!(errors[0].contains("expected `whpk_` and base64 of 32 bytes"), "{errors:?}");
}

fn star(gate_secret: &[u8], delivery: &str) -> Post {
    let github = PROVIDERS.find("github").expect("a provider");
    let sample = github.sample(Some("star.created"), 1).expect("a sample");
    let signed = github.sign(sample, "/", &Secret::new(gate_secret), NOW).expect("signed");
    let proof = &signed.headers.last().expect("signed").1;
    Post::to("/v1/webhook/fixture", signed.body)
        .header("content-type", "application/json")
        .header("x-github-event", "star")
        .header("x-github-delivery", delivery)
        .header("x-hub-signature-256", proof)
}

#[tokio::test]
async fn the_secret_that_matched_is_told() {
    let gate = Gate::with("github", &["new", "old"]);
    let by_new = gate.event(&star(b"new", "1")).await;
    assert_eq!(by_new.verification().key, Some(0));
    let by_old = gate.event(&star(b"old", "2")).await;
    assert_eq!(by_old.verification().key, Some(1));
    assert_eq!(gate.send(&star(b"older", "3")).await.code(), "signature_mismatch");
}

#[tokio::test]
async fn channels_can_be_replaced_while_the_source_runs() {
    let gate = Gate::with("github", &["old"]);
    gate.source.replace(vec![spec("github", &["new"])], &PROVIDERS).expect("right");
    assert_eq!(gate.send(&star(b"old", "1")).await.status, 401);
    assert_eq!(gate.send(&star(b"new", "1")).await.status, 200);
    gate.source.replace(Vec::new(), &PROVIDERS).expect("right");
    assert_eq!(gate.send(&star(b"new", "2")).await.status, 404);
}

#[tokio::test]
async fn repeats_are_known_by_what_the_channel_says() {
    for (dedupe, kept) in [
        (DedupePolicy::default(), 2),
        (DedupePolicy::Digest(Duration::from_secs(60)), 1),
        (DedupePolicy::Off, 3),
    ] {
        let gate = Gate::of(ChannelSpec { dedupe, ..spec("github", &["a"]) });
        for delivery in ["1", "1", "2"] {
            assert_eq!(gate.send(&star(b"a", delivery)).await.status, 200);
        }
        assert_eq!(gate.sink.len(), kept, "{dedupe:?}");
    }
}

#[tokio::test]
async fn a_channel_may_widen_the_window_of_its_provider() {
    let hour = Duration::from_secs(3600);
    let tolerance = Some(Tolerance { past: hour, future: Duration::ZERO });
    let gate = Gate::of(ChannelSpec { tolerance, ..spec("stripe", &["whsec_a"]) });
    let stripe = PROVIDERS.find("stripe").expect("a provider");
    let sample = stripe.sample(None, 1).expect("a sample");
    let signed = stripe.sign(sample, "/", &Secret::new("whsec_a"), NOW).expect("signed");
    let proof = &signed.headers.last().expect("signed").1;
    let post =
        Post::to("/v1/webhook/fixture", signed.body.clone()).header("stripe-signature", proof);
    gate.clock.advance(hour);
    assert_eq!(gate.send(&post).await.status, 200);
    gate.clock.advance(Duration::from_millis(1));
    assert_eq!(gate.send(&post).await.code(), "timestamp_too_old");
    gate.clock.set(NOW.minus(Duration::from_millis(1)));
    assert_eq!(gate.send(&post).await.code(), "timestamp_in_future");
}
