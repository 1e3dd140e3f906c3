//! What we send for a trial is what we take.

use crate::gate::{Gate, NOW, PROVIDERS, Post, spec};
use headgate_event::Secret;
use headgate_webhook::SecretError;
use std::collections::BTreeSet;

const SECRETS: [(&str, &str); 10] = [
    ("basic", "user:password"),
    ("generic", "a secret"),
    ("github", "a secret"),
    ("gitlab", "a token"),
    ("gitlab", "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="),
    ("linear", "lin_wh_a_secret"),
    ("shopify", "a client secret"),
    ("token", "a token"),
    ("stripe", "whsec_a_secret"),
    ("standard-webhooks", "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="),
];

fn signed(provider: &str, event: Option<&str>, secret: &str, fresh: u128) -> Post {
    let provider = PROVIDERS.find(provider).expect("a provider");
    let sample = provider.sample(event, fresh).expect("a sample");
    let path = "/v1/webhook/fixture";
    let sample = provider.sign(sample, path, &Secret::new(secret), NOW).expect("signed");
    let post = Post::to(path, sample.body);
    let headers = sample.headers.iter();
    headers.fold(post, |post, (name, value)| post.header(name.as_str(), value.as_bytes()))
}

#[tokio::test]
async fn every_sample_is_taken_under_its_name() {
    for (name, secret) in SECRETS {
        let provider = PROVIDERS.find(name).expect("a provider");
        let events: Vec<_> = provider.sample_events().collect();
        assert!(!events.is_empty(), "{name} has no samples");
        for (fresh, event) in events.into_iter().enumerate() {
            let gate = Gate::of(spec(name, &[secret]));
            let taken = gate.event(&signed(name, Some(event), secret, fresh as u128)).await;
            assert_eq!(taken.provider_event(), Some(event));
            assert!(taken.dedupe_key().is_some(), "{name} {event}");
            assert!(!taken.prompt_ready().contains('{'), "{}", taken.prompt_ready());
            assert!(!taken.data().get().contains("{fresh}"), "{name} {event}");
        }
    }
}

#[tokio::test]
async fn samples_with_other_random_bits_are_other_deliveries() {
    for (name, secret) in SECRETS {
        let gate = Gate::of(spec(name, &[secret]));
        for fresh in [1, 2, u128::MAX, 2] {
            assert_eq!(gate.send(&signed(name, None, secret, fresh)).await.status, 200);
        }
        assert_eq!(gate.sink.len(), 3, "{name}");
    }
}

#[test]
fn a_secret_of_the_wrong_form_does_not_sign() {
    let provider = PROVIDERS.find("standard-webhooks").expect("a provider");
    let sample = provider.sample(None, 1).expect("a sample");
    let error = provider.sign(sample, "/", &Secret::new("plain"), NOW).expect_err("refused");
    assert!(matches!(error, SecretError::Form { .. }));
    assert!(!error.to_string().contains("plain"), "{error}");
}

#[test]
fn an_event_without_a_sample_has_none() {
    let provider = PROVIDERS.find("github").expect("a provider");
    assert!(provider.sample(Some("meteor.struck"), 1).is_none());
    assert!(PROVIDERS.find("none").expect("a provider").sample(None, 1).is_none());
    let distinct: BTreeSet<_> = provider.sample_events().collect();
    assert!(distinct.contains("pull_request.opened"));
}
