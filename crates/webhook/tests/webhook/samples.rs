//! What we send for a trial is what we take.

use crate::{
    folder::{FolderChannel, root},
    gate::{Gate, NOW, PROVIDERS, Post, spec},
};
use headgate_event::Secret;
use headgate_webhook::{ChannelSpec, Fetched, Provider, SecretError};
use std::{collections::BTreeSet, sync::Arc};

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

/// What a gate takes, its terms, and the secret that signs for it, by the folder of its fixtures.
pub(crate) fn of_folder(name: &str) -> (ChannelSpec, Arc<Fetched>, Secret) {
    let folder = root().join(name);
    let (channel, mut spec) = FolderChannel::read(&folder, name);
    let fetched = channel.fetched(&folder);
    let private = channel.private_key(&folder);
    spec.splits = false;
    let own = spec.secrets.first().cloned().unwrap_or_else(|| Secret::new(""));
    (spec, fetched, private.unwrap_or(own))
}

/// Senders whose keys are public: what signs for their fixtures is not kept beside them.
const PUBLIC_KEYS: [&str; 4] = ["discord", "telnyx", "sendgrid", "plaid"];
/// Senders whose bodies do not say what happened.
const NAMELESS: [&str; 4] = ["x", "dropbox", "airtable", "telegram"];

#[tokio::test]
async fn every_sample_of_every_provider_is_taken() {
    let signed = PROVIDERS.iter().filter(|provider| provider.is_signed());
    let others = |provider: &&Provider| {
        let name = provider.name();
        !PUBLIC_KEYS.contains(&name) && name != Provider::GENERIC
    };
    for provider in signed.filter(others) {
        let name = provider.name();
        let (spec, fetched, secret) = of_folder(name);
        let events: Vec<_> = provider.sample_events().collect();
        assert!(!events.is_empty(), "{name} has no sample");
        for event in events {
            let gate = Gate::fetching(spec.clone(), Arc::clone(&fetched));
            let sample = provider.sample(Some(event), 7).expect("a sample");
            let path = "/v1/webhook/fixture";
            let signed = provider.sign_by(&spec.terms(), sample, path, &secret, NOW);
            let signed = signed.unwrap_or_else(|error| panic!("{name}: {error}"));
            let post = signed
                .headers
                .iter()
                .fold(Post::to(path, signed.body.clone()), |post, (name, value)| {
                    post.header(name.as_str(), value.as_bytes())
                });
            let taken = gate.event(&post).await;
            let named = taken.provider_event();
            assert!(named == Some(event) || NAMELESS.contains(&name), "{name} {event}: {named:?}");
            let left = taken.data().get().contains("{fresh}");
            assert!(!left && !taken.prompt_ready().contains("{{"), "{name} {event}");
        }
    }
}

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
