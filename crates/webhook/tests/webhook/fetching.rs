//! What is fetched: how often, and what happens when it cannot be had.

use crate::{
    files::Files,
    folder::{FolderChannel, root},
    gate::{Gate, NOW, PROVIDERS, Post},
};
use headgate_event::{
    Channel, ChannelType, Secret,
    limits::{FETCHED_FRESH, FETCHES_PER_MINUTE_MAX},
};
use headgate_webhook::{ChannelSpec, Fetch, Fetched};
use std::{
    collections::BTreeMap,
    fs,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

const KEYS: &str = "https://www.googleapis.com/oauth2/v3/certs";
const CERTIFICATE: &str =
    "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-sample.pem";

fn request(name: &str) -> Post {
    Post::parse(&fs::read(root().join(name)).expect("read"))
}

fn pushed(keys: &[u8]) -> (Gate, Arc<Files>) {
    let files = BTreeMap::from([(KEYS.to_owned(), keys.to_vec().into())]);
    let files = Arc::new(Files::new(files, None));
    let (_, spec) = FolderChannel::read(&root().join("pubsub"), "pubsub");
    let fetched = Arc::new(Fetched::new(Arc::clone(&files) as Arc<dyn Fetch>));
    (Gate::fetching(spec, fetched), files)
}

#[tokio::test]
async fn what_was_fetched_is_kept_until_it_is_stale() {
    let keys = fs::read(root().join("pubsub/keys.json")).expect("read");
    let (gate, files) = pushed(&keys);
    let post = request("pubsub/OBJECT_FINALIZE.http");
    for _ in 0..3 {
        assert_eq!(gate.send(&post).await.status, 204);
    }
    assert_eq!(files.fetches.load(Ordering::Relaxed), 1);
    // The token is too old by then, which is found out with keys that are fresh.
    gate.clock.set(NOW.plus(FETCHED_FRESH));
    assert_eq!(gate.send(&post).await.code(), "timestamp_too_old");
    assert_eq!(files.fetches.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn a_key_that_is_not_known_is_asked_for_once_a_minute() {
    let (gate, files) =
        pushed(br#"{"keys": [{"kty": "RSA", "kid": "older", "n": "AQ", "e": "AQAB"}]}"#);
    let post = request("pubsub/OBJECT_FINALIZE.http");
    for _ in 0..3 {
        assert_eq!(gate.send(&post).await.code(), "signature_mismatch");
    }
    assert_eq!(files.fetches.load(Ordering::Relaxed), 1);
    gate.clock.set(NOW.plus(Duration::from_secs(61)));
    assert_eq!(gate.send(&post).await.code(), "signature_mismatch");
    assert_eq!(files.fetches.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn what_cannot_be_fetched_is_no_fault_of_the_sender() {
    let (_, spec) = FolderChannel::read(&root().join("pubsub"), "pubsub");
    let files = Arc::new(Files::new(BTreeMap::new(), None));
    let gate = Gate::fetching(spec, Arc::new(Fetched::new(Arc::clone(&files) as Arc<dyn Fetch>)));
    let post = request("pubsub/OBJECT_FINALIZE.http");
    for _ in 0..FETCHES_PER_MINUTE_MAX + 5 {
        let answer = gate.send(&post).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (503, "unavailable"));
        assert!(answer.headers.contains_key("retry-after"));
    }
    assert_eq!(files.fetches.load(Ordering::Relaxed), FETCHES_PER_MINUTE_MAX);
    assert_eq!(gate.refused.all().len(), 0, "there is nothing in it to be mended");
}

/// A message of SNS whose certificate is at an address that nobody has asked for.
fn junk(number: usize) -> Post {
    let mut post = request("sns/Notification.http");
    let body = String::from_utf8(post.body.to_vec()).expect("text");
    let made_up = format!("SimpleNotificationService-junk{number}");
    post.body = body.replace("SimpleNotificationService-sample", &made_up).into();
    post
}

/// Symptom: whoever sent junk to one channel kept the certificates of all others from being
/// fetched. Cause: one budget for all.
#[tokio::test]
async fn junk_that_is_sent_to_one_channel_starves_no_other() {
    let (keys, certificate) = (
        fs::read(root().join("pubsub/keys.json")).expect("read"),
        fs::read(root().join("sns/leaf.pem")).expect("read"),
    );
    let files = BTreeMap::from([
        (KEYS.to_owned(), keys.into()),
        (CERTIFICATE.to_owned(), certificate.into()),
    ]);
    let files = Arc::new(Files::new(files, None));
    let fetched = Arc::new(Fetched::new(Arc::clone(&files) as Arc<dyn Fetch>));
    let (_, topics) = FolderChannel::read(&root().join("sns"), "sns");
    let (_, mut pushes) = FolderChannel::read(&root().join("pubsub"), "pubsub");
    pushes.channel = Channel::new("pushes", "Pushes", ChannelType::Webhook).expect("a channel");
    let gate = Gate::around(vec![topics, pushes], fetched, None);
    assert_eq!(gate.send(&request("sns/Notification.http")).await.status, 200);
    for number in 0..FETCHES_PER_MINUTE_MAX + 5 {
        assert_eq!(gate.send(&junk(number)).await.code(), "unavailable");
    }
    let mut push = request("pubsub/OBJECT_FINALIZE.http");
    push.target = "/v1/webhook/pushes".to_owned();
    assert_eq!(gate.send(&push).await.status, 204, "another channel");
    let fetches = files.fetches.load(Ordering::Relaxed);
    assert_eq!(fetches, FETCHES_PER_MINUTE_MAX + 1, "one for the push, the rest for the topics");
}

/// A certificate that is no longer fresh is fetched again, whatever else is asked for.
#[tokio::test]
async fn junk_does_not_keep_a_known_certificate_from_being_fetched_again() {
    let certificate = fs::read(root().join("sns/leaf.pem")).expect("read");
    let files = BTreeMap::from([(CERTIFICATE.to_owned(), certificate.into())]);
    let files = Arc::new(Files::new(files, None));
    let fetched = Arc::new(Fetched::new(Arc::clone(&files) as Arc<dyn Fetch>));
    let (_, spec) = FolderChannel::read(&root().join("sns"), "sns");
    let gate = Gate::fetching(spec, fetched);
    let genuine = request("sns/Notification.http");
    assert_eq!(gate.send(&genuine).await.status, 200);
    gate.clock.set(NOW.plus(FETCHED_FRESH));
    for number in 0..FETCHES_PER_MINUTE_MAX + 5 {
        assert_eq!(gate.send(&junk(number)).await.code(), "unavailable");
    }
    // It is too old by then, which is found out with the certificate alone.
    assert_eq!(gate.send(&genuine).await.code(), "timestamp_too_old");
}

#[tokio::test]
async fn what_is_refused_by_its_token_alone_makes_us_fetch_nothing() {
    let keys = fs::read(root().join("pubsub/keys.json")).expect("read");
    let (gate, files) = pushed(&keys);
    for name in ["refused_none", "refused_hs256", "refused_missing", "refused_empty"] {
        let answer = gate.send(&request(&format!("pubsub/{name}.http"))).await;
        assert_eq!(answer.status, 401, "{name}");
    }
    assert_eq!(files.fetches.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn a_certificate_of_a_foreign_host_is_never_asked_for() {
    for (provider, name) in [
        ("sns", "refused_foreign_host"),
        ("sns", "refused_plain_http"),
        ("paypal", "refused_foreign_host"),
    ] {
        let (_, spec) = FolderChannel::read(&root().join(provider), provider);
        let files = Arc::new(Files::new(BTreeMap::new(), None));
        let gate =
            Gate::fetching(spec, Arc::new(Fetched::new(Arc::clone(&files) as Arc<dyn Fetch>)));
        let answer = gate.send(&request(&format!("{provider}/{name}.http"))).await;
        assert_eq!(answer.code(), "foreign_host");
        assert_eq!(files.fetches.load(Ordering::Relaxed), 0, "{provider} {name}");
    }
}

const PLAID_KEYS: &str = "https://production.plaid.com/webhook_verification_key/get";

/// A channel of Plaid that has credentials and no key, and what is asked for finds.
fn plaid(answer: Option<&str>) -> (Gate, Arc<Files>) {
    let (_, mut spec) = FolderChannel::read(&root().join("plaid"), "plaid");
    let key = String::from_utf8(spec.secrets.remove(0).expose().to_vec()).expect("text");
    for (name, value) in [("client_id", "c1"), ("secret", "s1")] {
        spec.settings.insert(name.to_owned(), Secret::new(value));
    }
    let answer = answer.map(|text| text.replace("KEY", &key).into_bytes().into());
    let files = answer.map(|answer| (PLAID_KEYS.to_owned(), answer)).into_iter().collect();
    let files = Arc::new(Files::new(files, None));
    let fetched = Arc::new(Fetched::new(Arc::clone(&files) as Arc<dyn Fetch>));
    (Gate::fetching(spec, fetched), files)
}

const PLAID_REQUEST: &str = "plaid/TRANSACTIONS.SYNC_UPDATES_AVAILABLE.http";

#[tokio::test]
async fn a_key_of_plaid_is_asked_for_once_by_its_name() {
    let (gate, files) = plaid(Some(r#"{"key": KEY, "request_id": "1"}"#));
    let post = request(PLAID_REQUEST);
    for _ in 0..3 {
        let answer = gate.send(&post).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
    }
    let posted = files.posted.lock().expect("not poisoned").clone();
    assert_eq!(posted, [r#"{"client_id":"c1","key_id":"first","secret":"s1"}"#]);
    assert_eq!(gate.send(&request("plaid/refused_other_body.http")).await.status, 401);
    assert_eq!(gate.send(&request("plaid/refused_other_secret.http")).await.status, 401);
}

#[tokio::test]
async fn a_key_that_is_no_longer_good_proves_nothing_and_one_that_is_not_had_is_our_fault() {
    let expired = r#"{"key": {"kid": "first", "kty": "EC", "expired_at": 1560466150}}"#;
    for (answer, status, code) in [
        (Some(expired), 401, "signature_mismatch"),
        (Some(r#"{"error_code": "INVALID_FIELD"}"#), 401, "signature_mismatch"),
        (None, 503, "unavailable"),
    ] {
        let (gate, _) = plaid(answer);
        let told = gate.send(&request(PLAID_REQUEST)).await;
        assert_eq!((told.status.as_u16(), told.code().as_str()), (status, code), "{answer:?}");
    }
}

#[test]
fn a_channel_of_plaid_has_a_key_or_what_one_is_asked_for_with() {
    let (_, spec) = FolderChannel::read(&root().join("plaid"), "plaid");
    assert!(spec.check(&PROVIDERS).is_ok());
    let mut asking = ChannelSpec { secrets: Vec::new(), ..spec };
    let told = |spec: &ChannelSpec| spec.check(&PROVIDERS).expect_err("wrong")[0].to_string();
    let expected = "provider `plaid` signs its requests: expected one secret at least, found none";
    assert_eq!(told(&asking), expected);
    asking.settings.insert("client_id".to_owned(), Secret::new("c1"));
    assert_eq!(told(&asking), expected, "half of it is not enough");
    asking.settings.insert("secret".to_owned(), Secret::new("s1"));
    assert!(asking.check(&PROVIDERS).is_ok());
}
