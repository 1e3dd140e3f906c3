//! One table of all that may be done to a proof, over every provider and every scheme: a sample
//! that is taken as it was signed is refused with any of these changes.

use crate::{
    folder::root,
    gate::{Gate, NOW, PROVIDERS, Post, spec},
    samples::of_folder,
};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use bytes::Bytes;
use headgate_event::{Secret, Timestamp};
use headgate_webhook::{ChannelSpec, Fetched, Provider, Sample, Tolerance};
use http::{HeaderName, HeaderValue, Method};
use ring::{
    rand::SystemRandom,
    signature::{
        ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair,
        EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair,
    },
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

const TARGET: &str = "/v1/webhook/fixture";
/// What stands for a signature in the body of a sample.
const SIGNATURE: &[u8] = b"{signature}";
/// What stands before the point in a public key of P-256.
const P256_HEAD: &str = "3059301306072a8648ce3d020106082a8648ce3d030107034200";
/// A scheme that no file uses as it is: HubSpot's is one of several versions.
const CONCAT: &str = r#"
name = "concat"
title = "A digest with the secret in front"
[verify]
scheme = "sha256-concat"
encoding = "hex"
signed = "{secret}{method}{url}{body}"
signature = { header = "x-signature" }
[prompt]
headline = "event"
"#;
/// How many providers each kind of change has to be tried on, at least.
const TRIED_MIN: [(&str, usize); 12] = [
    ("a flipped bit of the proof", 50),
    ("a flipped bit of the body", 40),
    ("another body", 40),
    ("another secret", 40),
    ("an empty proof", 50),
    ("no proof", 50),
    ("two headers", 50),
    ("another label", 20),
    ("expired", 15),
    ("from the future", 15),
    ("another algorithm", 2),
    ("an id with the separator", 8),
];

/// A sender with a sample, and the channel that takes it.
struct Case {
    name: String,
    spec: ChannelSpec,
    fetched: Arc<Fetched>,
    provider: Arc<Provider>,
    /// What signs.
    secret: Secret,
    sample: Sample,
}

/// A request that must be refused.
struct Change {
    kind: &'static str,
    what: String,
    post: Post,
    at: Timestamp,
}

impl Case {
    fn of(
        provider: &Arc<Provider>,
        spec: ChannelSpec,
        fetched: Arc<Fetched>,
        secret: Secret,
    ) -> Self {
        let sample = provider.sample(None, 7).unwrap_or_else(plain);
        let (name, provider) = (provider.name().to_owned(), Arc::clone(provider));
        Self { name, spec, fetched, provider, secret, sample }
    }

    fn signed_by(&self, sample: Sample, secret: &Secret) -> Option<Sample> {
        self.provider.sign_by(&self.spec.terms(), sample, TARGET, secret, NOW).ok()
    }

    fn signed(&self, sample: Sample) -> Sample {
        self.signed_by(sample, &self.secret).unwrap_or_else(|| panic!("{} signs", self.name))
    }

    /// The headers that prove a signed sample.
    fn proof<'a>(&self, signed: &'a Sample) -> &'a [(HeaderName, HeaderValue)] {
        &signed.headers[self.sample.headers.len()..]
    }

    /// Where the body has the proof.
    fn proof_in_body(&self, signed: &Sample) -> Option<std::ops::Range<usize>> {
        let unsigned = self.sample.clone().sent_at(NOW).body;
        let start = unsigned.windows(SIGNATURE.len()).position(|part| part == SIGNATURE)?;
        Some(start..start + signed.body.len() + SIGNATURE.len() - unsigned.len())
    }

    fn covers_body(&self) -> bool {
        self.provider.covers().as_str().contains("body")
    }
}

/// A sample of a provider that has none.
fn plain() -> Sample {
    Sample {
        event: "event".to_owned(),
        method: Method::POST,
        headers: vec![(http::header::CONTENT_TYPE, HeaderValue::from_static("application/json"))],
        body: Bytes::from_static(br#"{"ticket": {"number": 7, "subject": "Printer on fire"}}"#),
        id: "msg_7".to_owned(),
    }
}

fn post(signed: &Sample) -> Post {
    let post = Post::to(TARGET, signed.body.clone());
    let headers = signed.headers.iter();
    headers.fold(post, |post, (name, value)| post.header(name.as_str(), value.as_bytes()))
}

/// Every provider that proves anything, and every scheme that no sample of theirs is signed by.
fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for provider in PROVIDERS.iter().filter(|provider| provider.is_signed()) {
        let provider = PROVIDERS.find(provider.name()).expect("a provider");
        let (mut spec, fetched, secret) = of_folder(provider.name());
        let known = spec.own.clone();
        let secret = match provider.name() {
            "discord" => ed25519(&mut spec, |key| hex::encode(key)),
            "telnyx" => ed25519(&mut spec, |key| STANDARD.encode(key)),
            "sendgrid" => ecdsa(&mut spec),
            "plaid" => web_key(&mut spec),
            _ => secret,
        };
        cases.push(Case::of(known.as_ref().unwrap_or(provider), spec, fetched, secret));
    }
    let concat = Arc::new(Provider::parse("concat.toml", CONCAT).expect("a provider"));
    let own = Some(Arc::clone(&concat));
    let public_url = Some("https://in.example.com".to_owned());
    let of_concat = ChannelSpec { own, public_url, ..spec("concat", &["a secret"]) };
    cases.push(Case::of(&concat, of_concat, Arc::default(), Secret::new("a secret")));
    for (provider, by) in [("standard-webhooks", "v1a"), ("gitlab", "token")] {
        let provider = PROVIDERS.find(provider).expect("a provider");
        let mut of_other = spec(provider.name(), &["a token of GitLab"]);
        let secret = match by {
            "v1a" => {
                let private =
                    ed25519(&mut of_other, |key| format!("whpk_{}", STANDARD.encode(key)));
                let text = String::from_utf8(private.expose().to_vec()).expect("text");
                Secret::new(text.replace("whpk_", "whsk_"))
            }
            _ => Secret::new("a token of GitLab"),
        };
        let mut case = Case::of(provider, of_other, Arc::default(), secret);
        case.name.push_str(&format!(" by {by}"));
        cases.push(case);
    }
    cases
}

/// The seed of a key whose public half is the channel's secret.
fn ed25519(spec: &mut ChannelSpec, write: impl Fn(&[u8]) -> String) -> Secret {
    let pair = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).expect("a key");
    spec.secrets = vec![Secret::new(write(pair.public_key().as_ref()))];
    Secret::new(write(&[7; 32]))
}

fn p256(curve: &'static EcdsaSigningAlgorithm) -> (Secret, Vec<u8>) {
    let random = SystemRandom::new();
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(curve, &random).expect("a key");
    let pair = EcdsaKeyPair::from_pkcs8(curve, pkcs8.as_ref(), &random).expect("a key");
    (Secret::new(STANDARD.encode(pkcs8.as_ref())), pair.public_key().as_ref().to_vec())
}

fn ecdsa(spec: &mut ChannelSpec) -> Secret {
    let (private, point) = p256(&ECDSA_P256_SHA256_ASN1_SIGNING);
    let public = [hex::decode(P256_HEAD).expect("hex"), point].concat();
    spec.secrets = vec![Secret::new(STANDARD.encode(public))];
    private
}

fn web_key(spec: &mut ChannelSpec) -> Secret {
    let (private, point) = p256(&ECDSA_P256_SHA256_FIXED_SIGNING);
    let (x, y) = (URL_SAFE_NO_PAD.encode(&point[1..33]), URL_SAFE_NO_PAD.encode(&point[33..]));
    let key = serde_json::json!({ "kty": "EC", "crv": "P-256", "x": x, "y": y });
    spec.secrets = vec![Secret::new(key.to_string())];
    private
}

/// All changes of one sample.
fn changes(case: &Case) -> Vec<Change> {
    let signed = case.signed(case.sample.clone());
    let right = post(&signed);
    let mut changes = Vec::new();
    let mut add = |kind, what: String, post: Post, at| {
        changes.push(Change { kind, what, post, at });
    };
    for (name, value) in case.proof(&signed) {
        let with = |value: HeaderValue| {
            let mut post = right.clone();
            post.headers.insert(name.clone(), value);
            post
        };
        for (at, value) in flipped_header(case, value) {
            add("a flipped bit of the proof", format!("{name} byte {at}"), with(value), NOW);
        }
        for value in emptied(value) {
            add("an empty proof", format!("{name}: {value:?}"), with(value), NOW);
        }
        for value in relabelled(value) {
            add("another label", format!("{name}: {value:?}"), with(value), NOW);
        }
        for value in other_algorithms(value) {
            add("another algorithm", format!("{name}: {value:?}"), with(value), NOW);
        }
        let mut without = right.clone();
        without.headers.remove(name);
        add("no proof", name.to_string(), without, NOW);
        let twice = right.clone().header(name.as_str(), value.as_bytes());
        add("two headers", name.to_string(), twice, NOW);
    }
    if let Some(place) = case.proof_in_body(&signed) {
        for at in place.clone() {
            let post = Post { body: flipped(&signed.body, at), ..right.clone() };
            add("a flipped bit of the proof", format!("body byte {at}"), post, NOW);
        }
        let body = [&signed.body[..place.start], &signed.body[place.end..]].concat();
        add(
            "an empty proof",
            "in the body".to_owned(),
            Post { body: body.into(), ..right.clone() },
            NOW,
        );
    }
    for post in with_other_secrets(case) {
        add("another secret", "of the same form".to_owned(), post, NOW);
    }
    if case.covers_body() {
        for at in counting_bytes(case, &signed.body) {
            let post = Post { body: flipped(&signed.body, at), ..right.clone() };
            add("a flipped bit of the body", format!("byte {at}"), post, NOW);
        }
        let body = [&signed.body[..], b"&a=b"].concat().into();
        add("another body", "a longer one".to_owned(), Post { body, ..right.clone() }, NOW);
        add("another body", "none".to_owned(), Post { body: Bytes::new(), ..right.clone() }, NOW);
    }
    if case.provider.signs_url() {
        for target in ["/v1/webhook/fixture/", "/v1/webhook/fixture?a=b"] {
            let post = Post { target: target.to_owned(), ..right.clone() };
            add("another URL", target.to_owned(), post, NOW);
        }
    }
    if let Some(Tolerance { past, future }) = case.provider.tolerance().filter(|_| !is_token(case))
    {
        let late = NOW.plus(past + Duration::from_secs(2));
        add("expired", format!("{past:?}"), right.clone(), late);
        let early = Timestamp::from_unix_ms(NOW.unix_ms() - future.as_millis() as i64 - 2_000);
        add("from the future", format!("{future:?}"), right.clone(), early);
    }
    if case.proof(&signed).iter().any(|(_, value)| value.as_bytes() == signed.id.as_bytes()) {
        let proof = case.provider.proof();
        let separators =
            [".", "|"].into_iter().filter(|end| proof.contains(&format!("{{id}}{end}")));
        for end in separators {
            let id = format!("msg{end}7");
            let parted = case.signed(Sample { id: id.clone(), ..case.sample.clone() });
            add("an id with the separator", id, post(&parted), NOW);
        }
    }
    changes
}

/// Whether the sample is proved by a token, although the provider can sign.
fn is_token(case: &Case) -> bool {
    case.name.ends_with(" by token")
}

fn flipped(bytes: &[u8], at: usize) -> Bytes {
    let mut bytes = bytes.to_vec();
    bytes[at] ^= 1 << (at % 8);
    bytes.into()
}

/// The value with one bit of each of its bytes flipped.
fn flipped_header(case: &Case, value: &HeaderValue) -> Vec<(usize, HeaderValue)> {
    let bytes = value.as_bytes();
    // RFC 9110, section 11.1 takes the word `Basic` in any case.
    let from = if bytes.starts_with(b"Basic ") { 6 } else { 0 };
    let flips = (from..bytes.len()).map(|at| (at, HeaderValue::from_bytes(&flipped(bytes, at))));
    let flips = flips.filter_map(|(at, value)| Some((at, value.ok()?)));
    // An RSA signature is long, and checked by a library.
    let stride = if case.provider.proof().contains("RS256") { 7 } else { 1 };
    flips.step_by(stride).collect()
}

/// Nothing, and all that stands before a signature without one.
fn emptied(value: &HeaderValue) -> Vec<HeaderValue> {
    let text = value.to_str().expect("ASCII");
    let cuts = text.char_indices().filter(|(_, c)| matches!(c, '=' | ',' | ' ' | '.'));
    let cuts = cuts.map(|(at, _)| at + 1).filter(|at| text.len() - at > 15);
    let starts = cuts.map(|at| &text[..at]).chain([""]);
    starts.map(|start| HeaderValue::from_str(start).expect("a value")).collect()
}

/// The same proof under other labels than the one that is believed.
fn relabelled(value: &HeaderValue) -> Vec<HeaderValue> {
    let text = value.to_str().expect("ASCII");
    let labels =
        ["sha256=", "sha1=", "hmac-sha256=", "v0=", "v1=", "v1,", "v1a,", "h1=", "s2=", "Bearer "];
    let known = labels.into_iter().filter(|label| {
        text.starts_with(label)
            || text.contains(&format!(",{label}"))
            || text.contains(&format!(";{label}"))
    });
    let others = |label: &str| {
        let end = label.chars().last().expect("an end");
        ["v9", "sha512", "V1", "none", ""]
            .map(|other| text.replace(label, &format!("{other}{end}")))
    };
    let all = known.flat_map(others).filter(|other| other != text);
    all.map(|other| HeaderValue::from_str(&other).expect("a value")).collect()
}

/// A token that names another algorithm, with its signature or none.
fn other_algorithms(value: &HeaderValue) -> Vec<HeaderValue> {
    let text = value.to_str().expect("ASCII");
    let (word, token) = text.split_once(' ').map_or(("", text), |(word, token)| (word, token));
    let parts: Vec<&str> = token.split('.').collect();
    let [head, claims, signature] = parts.as_slice() else { return Vec::new() };
    let Ok(head) = URL_SAFE_NO_PAD.decode(head) else { return Vec::new() };
    let Ok(head) = serde_json::from_slice::<serde_json::Value>(&head) else { return Vec::new() };
    let mut values = Vec::new();
    for alg in ["none", "None", "HS256", "HS512", "PS256", "RS256", "ES256", "EdDSA", ""] {
        if head["alg"] == alg {
            continue;
        }
        let mut other = head.clone();
        other["alg"] = alg.into();
        let other = URL_SAFE_NO_PAD.encode(other.to_string());
        for signature in [*signature, ""] {
            let made = format!("{word} {other}.{claims}.{signature}");
            values.push(HeaderValue::from_str(made.trim_start()).expect("a value"));
        }
    }
    values
}

/// The bytes of a body of which every bit counts: some of each part of it.
fn counting_bytes(case: &Case, body: &Bytes) -> Vec<usize> {
    let stride = (body.len() / 48).max(1);
    let place = match case.name.as_str() {
        // Of a message a list of members is signed.
        "sns" => {
            let text = std::str::from_utf8(body).expect("text");
            let start = text.find("\"Message\"").expect("a message") + 12;
            start..start + text[start..].find('"').expect("an end")
        }
        _ => 0..body.len(),
    };
    let is_form = case.provider.proof().contains("{sorted_form}");
    // The case of a letter in an escape means nothing.
    place.step_by(stride).filter(|at| !is_form || at % 8 != 5).collect()
}

/// The sample signed by secrets of the same form that are none of the channel.
fn with_other_secrets(case: &Case) -> Vec<Post> {
    let text = String::from_utf8_lossy(case.secret.expose()).into_owned();
    let changed = |at: usize| {
        let mut bytes = text.clone().into_bytes();
        let byte = bytes.get_mut(at)?;
        *byte = if *byte == b'1' { b'2' } else { b'1' };
        let other = Secret::new(bytes);
        let known = case.spec.secrets.iter().any(|secret| secret.expose() == other.expose());
        let signed = case.signed_by(case.sample.clone(), &other).filter(|_| !known)?;
        Some(post(&signed))
    };
    [text.len() / 2, text.len().saturating_sub(8)].into_iter().filter_map(changed).collect()
}

#[tokio::test]
async fn nothing_but_the_proof_itself_is_one() {
    let (mut wrong, mut tried) = (Vec::new(), BTreeMap::<&str, BTreeSet<String>>::new());
    for case in cases() {
        let gate = Gate::fetching(case.spec.clone(), Arc::clone(&case.fetched));
        let right = post(&case.signed(case.sample.clone()));
        for Change { kind, what, post, at } in changes(&case) {
            gate.clock.set(at);
            let answer = gate.send(&post).await;
            if !answer.status.is_client_error() {
                wrong.push(format!("{}: {kind}, {what}: {}", case.name, answer.status));
            }
            tried.entry(kind).or_default().insert(case.name.clone());
        }
        if gate.sink.len() > 0 {
            wrong.push(format!("{}: {} events were stored", case.name, gate.sink.len()));
        }
        gate.clock.set(NOW);
        let answer = gate.send(&right).await;
        assert!(answer.status.is_success(), "{} as it was signed: {}", case.name, answer.body);
    }
    assert!(wrong.is_empty(), "{} changes were taken:\n{}", wrong.len(), wrong.join("\n"));
    for (kind, least) in TRIED_MIN {
        let on = tried.get(kind).map_or(0, BTreeSet::len);
        assert!(on >= least, "{kind} was tried on {on} providers, expected {least}");
    }
}

/// The table covers every scheme that a file may name.
#[test]
fn every_scheme_is_in_the_table() {
    let told: Vec<String> = cases().iter().map(|case| case.provider.proof()).collect();
    for scheme in [
        "HMAC-SHA1 over",
        "HMAC-SHA256 over",
        "HMAC-SHA512 over",
        "{sorted_form}",
        "SHA-256 with the secret in front over `{secret}{method}",
        "Ed25519 over `{timestamp}",
        "ECDSA",
        "under the certificate that the request names",
        "by RS256",
        "by ES256",
        "HTTP Basic",
        "a shared token in header",
        "a shared token in the body",
        "with a secret `whsec_..`",
        "with a secret `whpk_..`",
        "the first of these that is sent",
        "in the body at",
    ] {
        assert!(told.iter().any(|proof| proof.contains(scheme)), "no provider has {scheme}");
    }
}

/// What is wrong with certificates needs others than the sample's, which are kept as fixtures.
#[test]
fn every_provider_with_certificates_refuses_wrong_ones() {
    let mut seen = 0;
    for provider in PROVIDERS.iter() {
        let proof = provider.proof();
        if !proof.contains("under the certificate that the request names") {
            continue;
        }
        let mut names = vec!["foreign_host", "expired_certificate"];
        if proof.contains("with a chain") {
            names.extend(["self_signed", "certificate_of_another"]);
        }
        for name in names {
            let file = root().join(provider.name()).join(format!("refused_{name}.http"));
            assert!(file.exists(), "{} is missing", file.display());
        }
        seen += 1;
    }
    assert_eq!(seen, 2);
}
