//! Why a request is taken or refused is said as it is, and without what must stay secret.

use crate::folder::{FolderChannel, root};
use crate::gate::{NOW, PROVIDERS, Post};
use headgate_event::{Secret, Timestamp};
use headgate_http::{Arrival, BodyHold, RawRequest, RequestId};
use headgate_webhook::{Explanation, Provider, Sample, Terms};
use http::{HeaderName, Uri};
use std::{
    fs,
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

const GITHUB: &str = "fixture secret for github";
const STRIPE: &str = "whsec_fixture_secret_for_stripe";
const STANDARD: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

fn fixture(name: &str) -> Post {
    Post::parse(&fs::read(root().join(format!("{name}.http"))).expect("read"))
}

fn raw(post: &Post) -> RawRequest {
    let uri: Uri = post.target.parse().expect("a target");
    RawRequest {
        method: post.method.clone(),
        path: uri.path().to_owned(),
        query: uri.query().unwrap_or_default().to_owned(),
        headers: post.headers.clone(),
        body: post.body.clone(),
        arrival: Arrival {
            remote: SocketAddr::from((Ipv4Addr::LOCALHOST, 1)),
            received_at: NOW,
            request_id: RequestId::new("req-1"),
        },
        hold: BodyHold::default(),
    }
}

fn explain(provider: &str, post: &Post, secrets: &[&str], now: Timestamp) -> Explanation {
    let secrets: Vec<_> = secrets.iter().map(|secret| Secret::new(*secret)).collect();
    PROVIDERS.find(provider).expect("known").explain(&raw(post), &Terms::of(&secrets), now)
}

fn cause(provider: &str, post: &Post, secret: &str) -> String {
    explain(provider, post, &[secret], NOW).likely_cause.expect("refused")
}

/// The words of a right proof of this body, which no explanation may show.
fn right_proofs(provider: &Provider, post: &Post, secret: &str) -> Vec<String> {
    let id = post.headers.get("webhook-id").and_then(|id| id.to_str().ok()).unwrap_or("msg_1");
    let sample = Sample {
        event: String::new(),
        method: post.method.clone(),
        headers: Vec::new(),
        body: post.body.clone(),
        id: id.to_owned(),
    };
    let ages = [2_i64, 0, 301, 3600].map(|age| Timestamp::from_unix_s(NOW.unix_s() - age));
    let sign = |now| provider.sign(sample.clone(), &post.target, &Secret::new(secret), now);
    let signed = ages.into_iter().filter_map(|now| sign(now).ok());
    let values = signed.flat_map(|signed| signed.headers).map(|(_, value)| value);
    let texts: Vec<_> =
        values.map(|v| String::from_utf8_lossy(v.as_bytes()).into_owned()).collect();
    let words = texts.iter().flat_map(|text| text.split([',', '=', ' ']));
    words.filter(|word| word.len() >= 32).map(str::to_owned).collect()
}

#[tokio::test]
async fn every_fixture_is_explained_as_it_is_answered_and_nothing_secret_is_shown() {
    let mut explained = 0;
    for provider in PROVIDERS.iter().filter(|provider| provider.is_signed()) {
        let folder = root().join(provider.name());
        let (channel, spec) = FolderChannel::read(&folder, provider.name());
        if spec.own.is_some() {
            continue;
        }
        let terms = Terms { fetched: channel.fetched(&folder), ..spec.terms() };
        let secrets = terms.secrets.iter().map(|secret| secret.expose().to_vec());
        let secrets: Vec<_> = secrets.map(|s| String::from_utf8(s).expect("text")).collect();
        for entry in fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
            let is_request = path.extension().is_some_and(|ending| ending == "http");
            // A handshake need not prove itself.
            if !is_request || name.starts_with("handshake_") {
                continue;
            }
            let post = Post::parse(&fs::read(&path).expect("read"));
            if let Some(wanted) = provider.wants(&raw(&post), &terms, NOW) {
                let brought = terms.fetched.bring(wanted, NOW).await;
                assert!(brought.is_ok() || name == "refused_certificate_not_at_hand", "{name}");
            }
            let found = provider.explain(&raw(&post), &terms, NOW);
            assert_eq!(
                found.verified,
                !name.starts_with("refused_"),
                "{}: {name}: {found:?}",
                provider.name()
            );
            assert_eq!(found.verified, found.likely_cause.is_none(), "{name}");
            let shown = serde_json::to_string(&found).expect("JSON");
            for secret in &secrets {
                assert!(!shown.contains(secret), "{name} shows its secret: {shown}");
                for word in right_proofs(provider, &post, secret) {
                    assert!(!shown.contains(&word), "{name} shows a right proof: {shown}");
                }
            }
            explained += 1;
        }
    }
    assert!(explained > 150, "{explained}");
}

#[test]
fn a_wrong_secret_is_told_with_what_was_meant() {
    let post = fixture("github/star.created");
    for (secret, expected) in [
        ("another", "wrong secret, or the body was re-serialized"),
        ("fixture secret for github\n", "wrong secret: it has white space around it"),
        ("\"fixture secret for github\"", "wrong secret: it has quotes around it"),
    ] {
        let found = cause("github", &post, secret);
        assert!(found.starts_with(expected), "{secret:?}: {found}");
    }
    let stripe = fixture("stripe/customer.created");
    let found = cause("stripe", &stripe, "fixture_secret_for_stripe");
    assert_eq!(found, "wrong secret: the sender's begins with `whsec_`");
    let token = fixture("token/refused_other");
    let found = cause("token", &token, "another");
    assert_eq!(found, "wrong secret: the sender has another one");
}

#[test]
fn a_body_that_was_changed_is_told_with_what_was_done_to_it() {
    let right = fixture("github/star.created");
    let value: serde_json::Value = serde_json::from_slice(&right.body).expect("JSON");
    let with = |body: Vec<u8>| Post { body: body.into(), ..right.clone() };
    let mut newline = right.body.to_vec();
    newline.push(b'\n');
    assert_eq!(
        cause("github", &with(newline.clone()), GITHUB),
        "the body is not as it was signed: a trailing newline was added"
    );
    let found = cause("github", &with(newline), &format!("{GITHUB}\n"));
    assert!(found.contains("trailing newline was added; and wrong secret"), "{found}");
    // Another order of keys cannot be undone; other white space can.
    let other = String::from_utf8(right.body.to_vec()).expect("text").replace("\":", "\" : ");
    assert!(serde_json::from_str::<serde_json::Value>(&other).is_ok());
    let found = cause("github", &with(other.into_bytes()), GITHUB);
    assert!(found.contains("re-serialized with other white space"), "{found}");
    let cut = right.body.slice(..right.body.len() - 1);
    let length = right.body.len().to_string();
    let found = cause("github", &with(cut.to_vec()).header("content-length", length), GITHUB);
    assert!(found.starts_with("the body is not as it was sent: `content-length` says"), "{found}");
    let gzip = with(value.to_string().replace("star", "stars").into_bytes());
    let found = cause("github", &gzip.header("content-encoding", "gzip"), GITHUB);
    assert!(found.starts_with("the body was unpacked"), "{found}");
}

#[test]
fn a_clock_that_is_off_is_told_by_how_much() {
    let post = fixture("stripe/customer.created");
    let late = explain("stripe", &post, &[STRIPE], NOW.plus(Duration::from_secs(600)));
    let cause = late.likely_cause.as_deref().expect("refused");
    assert!(
        cause.starts_with("clock: the signature holds, but it was made 603 s before"),
        "{cause}"
    );
    assert_eq!((late.age_ms, late.code.as_deref()), (Some(603_000), Some("timestamp_too_old")));
    let early = explain("stripe", &post, &[STRIPE], NOW.minus(Duration::from_secs(1000)));
    let cause = early.likely_cause.expect("refused");
    assert!(cause.contains("made 997 s after"), "{cause}");
    let seconds =
        explain("linear", &fixture("linear/refused_seconds"), &["lin_wh_fixture_secret"], NOW);
    let cause = seconds.likely_cause.expect("refused");
    assert!(cause.contains("seconds where milliseconds"), "{cause}");
}

#[test]
fn a_missing_header_and_another_label_are_told_with_what_is_there() {
    let hub = fixture("github/star.created");
    assert_eq!(
        cause("stripe", &hub, STRIPE),
        "header missing, but the request has `x-hub-signature-256`: is it another provider or \
         scheme?"
    );
    let mut bare = hub.clone();
    bare.headers.remove("x-hub-signature-256");
    assert!(cause("github", &bare, GITHUB).starts_with("header missing: the sender has no secret"));
    assert_eq!(
        cause("stripe", &fixture("stripe/refused_only_v0"), STRIPE),
        "other label: expected `v1`, found `t`, `v0`"
    );
    let sha1 = HeaderName::from_static("x-hub-signature-256");
    bare.headers.insert(sha1, "sha1=abc".parse().expect("a value"));
    assert_eq!(cause("github", &bare, GITHUB), "other label: expected `sha256=`, found `sha1`");
}

#[test]
fn a_secret_of_another_form_is_told_before_anything_is_checked() {
    let post = fixture("standard-webhooks/user.created");
    let found = explain("standard-webhooks", &post, &["MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"], NOW);
    assert!(!found.verified);
    let step = found.steps.last().expect("steps");
    assert_eq!((step.step, step.ok), ("secret", Some(false)));
    assert!(step.text.contains("does not begin with `whsec_`"), "{}", step.text);
}

#[test]
fn what_was_signed_is_described() {
    let post = fixture("standard-webhooks/user.created");
    let found = explain("standard-webhooks", &post, &[STANDARD], NOW);
    let text = &found.steps.iter().find(|step| step.step == "signed").expect("told").text;
    let start = "`{id}.{timestamp}.{body}` with id `msg_000000000000000000c0ffee`; timestamp \
                 `1776590123`; body 159 bytes, sha256:";
    assert!(text.starts_with(start), "{text}");
}

#[test]
fn the_url_behind_a_proxy_and_the_form_around_a_payload_are_named() {
    let twilio = fixture("twilio/message.received");
    let told = |public_url: Option<&str>, post: &Post| {
        let secrets = [Secret::new("a fixture secret")];
        let public_url = public_url.map(str::to_owned);
        let terms = Terms { public_url, ..Terms::of(&secrets) };
        let provider = PROVIDERS.find("twilio").expect("known");
        provider.explain(&raw(post), &terms, NOW).likely_cause
    };
    assert_eq!(told(Some("https://in.example.com"), &twilio), None);
    let forwarded = twilio.clone().header("x-forwarded-host", "in.example.com");
    for wrong in [None, Some("http://127.0.0.1:8080")] {
        let cause = told(wrong, &forwarded).expect("refused");
        assert!(
            cause.starts_with("another URL: the sender used `https://in.example.com`"),
            "{cause}"
        );
    }
    let cause = told(Some("http://in.example.com"), &twilio).expect("refused");
    assert!(cause.contains("`server.public_url` is `http://in.example.com`"), "{cause}");
    let form = fixture("gitea/refused_form_itself");
    let cause = cause_of("gitea", &form);
    assert_eq!(cause, "the form itself was signed, and not the JSON in it");
}

fn cause_of(provider: &str, post: &Post) -> String {
    cause(provider, post, "a fixture secret")
}
