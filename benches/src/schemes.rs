//! Every scheme by which senders prove themselves, and what a pull request costs from its bytes to
//! its prompt; beside the digest alone as the anchor. Keys that are fetched are at hand.

use anyhow::{Context, Result, anyhow, ensure};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use bytes::Bytes;
use headgate_event::{
    BoxFuture, Channel, ChannelType, Secret, Timestamp, Verification,
    prompt::{About, PromptKey},
};
use headgate_http::{Arrival, BodyHold, RawRequest, RequestId, Verify};
use headgate_webhook::{Fetch, FetchError, Fetched, Provider, Providers, Sample, Terms};
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, HeaderName, HeaderValue};
use ring::{
    rand::SystemRandom,
    signature::{
        ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair,
        EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair,
    },
};
use rustls_pki_types::{CertificateDer, TrustAnchor, pem::PemObject};
use sha2::Sha256;
use std::{
    collections::BTreeMap,
    fs,
    hint::black_box,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    sync::Arc,
    time::Instant,
};

/// What to measure.
#[derive(Debug)]
pub(crate) struct Plan {
    /// Calls for each scheme.
    pub(crate) calls: u32,
    /// The size of the body in bytes.
    pub(crate) body_bytes: usize,
}

/// 2026-04-19T09:15:25Z, when the certificates of the fixtures count.
const NOW: Timestamp = Timestamp::from_unix_s(1_776_590_125);
const TARGET: &str = "/v1/webhook/bench";
/// What stands before the point in a public key of P-256.
const P256_HEAD: &str = "3059301306072a8648ce3d020106082a8648ce3d030107034200";
const STANDARD_SECRET: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// A sender of each scheme, what signs, and what is promised in microseconds.
const SENDERS: [(&str, Key, Option<f64>); 16] = [
    ("github", Key::Text("a secret"), Some(12.0)),
    ("stripe", Key::Text("whsec_a_secret"), Some(12.0)),
    ("standard-webhooks", Key::Text(STANDARD_SECRET), Some(12.0)),
    ("vercel", Key::Text("a secret"), None),
    ("generic", Key::Text("a secret"), None),
    ("twilio", Key::Text("a secret"), None),
    ("hubspot", Key::Text("a secret"), None),
    ("discord", Key::Ed25519(Write::Hex), Some(100.0)),
    ("telnyx", Key::Ed25519(Write::Base64), Some(100.0)),
    ("sendgrid", Key::Ecdsa, None),
    ("plaid", Key::Web, None),
    ("pubsub", Key::Folder("first.key.pem"), None),
    ("sns", Key::Folder("leaf.key.pem"), None),
    ("paypal", Key::Folder("leaf.key.pem"), None),
    ("gitlab", Key::Text("a token"), None),
    ("basic", Key::Text("user:password"), None),
];

#[derive(Clone, Copy)]
enum Key {
    Text(&'static str),
    Ed25519(Write),
    Ecdsa,
    Web,
    /// The private key in the folder of the fixtures.
    Folder(&'static str),
}

#[derive(Clone, Copy)]
enum Write {
    Hex,
    Base64,
}

/// Prints a line for each scheme, then what a prompt costs.
pub(crate) fn run(plan: &Plan) -> Result<()> {
    println!(
        "a check in us, of {} calls each, with a body of {} bytes",
        plan.calls, plan.body_bytes
    );
    println!("{:>8} {:>8} {:>8}", "p50", "p99", "promised");
    let content = vec![b'x'; plan.body_bytes];
    let key: Hmac<Sha256> = Hmac::new_from_slice(b"a secret")?;
    let anchor = spread(plan.calls, || {
        let mut mac = key.clone();
        mac.update(&content);
        black_box(mac.finalize());
    });
    println!("{anchor}           HMAC-SHA256 alone, the anchor");
    let providers = Providers::embedded();
    for (name, key, promised) in SENDERS {
        let provider = providers.find(name).context("a provider")?;
        let (terms, secret) = terms(name, key)?;
        let request = request(provider, &terms, &secret, plan.body_bytes)?;
        let verifier = provider.verifier(&terms)?;
        let proved = verifier.verify(&request, NOW);
        ensure!(proved.is_ok(), "{name}: {:?}", proved.err());
        let spread = spread(plan.calls, || {
            black_box(verifier.verify(black_box(&request), NOW).is_ok());
        });
        let promised = promised.map_or_else(String::new, |most| format!("{most:.0}"));
        println!("{spread} {promised:>8}  {name}, {} bytes", request.body.len());
    }
    prompt(plan, &providers)
}

/// Parsing, identity and prompt of a pull request.
fn prompt(plan: &Plan, providers: &Providers) -> Result<()> {
    println!("\nparsed, identified and rendered, in us");
    let provider = providers.find("github").context("a provider")?;
    let channel = Channel::new("code", "Code", ChannelType::Webhook)?;
    let verification = Verification::none();
    let about = About { channel: &channel, verification: &verification, created_at: NOW };
    let key = PromptKey::new([7; 32]);
    for event in ["pull_request.opened", "push", "issues.opened"] {
        let sample = provider.sample(Some(event), 7).context("a sample")?;
        let body = filled(&sample, plan.body_bytes)?;
        let headers: HeaderMap = sample.headers.into_iter().collect();
        let text = provider.prompt(&about, &headers, &body, &key).text;
        ensure!(text.starts_with("GitHub"), "{text}");
        let spread = spread(plan.calls, || {
            black_box(provider.prompt(&about, black_box(&headers), black_box(&body), &key));
        });
        let promised = if event == "pull_request.opened" { "100" } else { "" };
        println!("{spread} {promised:>8}  {event}, {} bytes", body.len());
    }
    Ok(())
}

/// What a receiver of this sender has, and what signs for it.
fn terms(name: &str, key: Key) -> Result<(Terms, Secret)> {
    let random = SystemRandom::new();
    let p256 = |curve: &'static EcdsaSigningAlgorithm| -> Result<(Secret, Vec<u8>)> {
        let failed = |_| anyhow!("no key");
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(curve, &random).map_err(failed)?;
        let pair = EcdsaKeyPair::from_pkcs8(curve, pkcs8.as_ref(), &random);
        let point = pair.map_err(|error| anyhow!("{error}"))?.public_key().as_ref().to_vec();
        Ok((Secret::new(STANDARD.encode(pkcs8.as_ref())), point))
    };
    let (public, secret) = match key {
        Key::Text(text) => (Secret::new(text), Secret::new(text)),
        Key::Ed25519(write) => {
            let seed = [7; 32];
            let pair = Ed25519KeyPair::from_seed_unchecked(&seed);
            let pair = pair.map_err(|error| anyhow!("{error}"))?;
            let write = |bytes: &[u8]| match write {
                Write::Hex => hex::encode(bytes),
                Write::Base64 => STANDARD.encode(bytes),
            };
            (Secret::new(write(pair.public_key().as_ref())), Secret::new(write(&seed)))
        }
        Key::Ecdsa => {
            let (secret, point) = p256(&ECDSA_P256_SHA256_ASN1_SIGNING)?;
            let public = [hex::decode(P256_HEAD)?, point].concat();
            (Secret::new(STANDARD.encode(public)), secret)
        }
        Key::Web => {
            let (secret, point) = p256(&ECDSA_P256_SHA256_FIXED_SIGNING)?;
            let (x, y) = point.get(1..).context("a point")?.split_at(32);
            let (x, y) = (URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y));
            let key = serde_json::json!({ "kty": "EC", "crv": "P-256", "x": x, "y": y });
            (Secret::new(key.to_string()), secret)
        }
        Key::Folder(file) => return folder(name, file),
    };
    let public_url = Some("https://in.example.com".to_owned());
    Ok((Terms { public_url, ..Terms::of(&[public]) }, secret))
}

/// The same of a sender whose keys are fetched, from its fixtures.
fn folder(name: &str, file: &str) -> Result<(Terms, Secret)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/webhooks").join(name);
    let channel: toml::Table = toml::from_str(&fs::read_to_string(folder.join("channel.toml"))?)?;
    let table = |name: &str| -> BTreeMap<String, String> {
        let table = channel.get(name).and_then(toml::Value::as_table);
        let text =
            |(key, value): (&String, &toml::Value)| Some((key.clone(), value.as_str()?.to_owned()));
        table.map(|table| table.iter().filter_map(text).collect()).unwrap_or_default()
    };
    let trusted = channel.get("trusted").and_then(toml::Value::as_str);
    let anchors = trusted.map(|file| anchor(&folder.join(file))).transpose()?;
    let files = table("fetched");
    let fetch = Files { folder: folder.clone(), files, anchors: anchors.into_iter().collect() };
    let fetched = Arc::new(Fetched::new(Arc::new(fetch)));
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    for url in table("fetched").keys() {
        runtime.block_on(fetched.bring(url.as_str(), NOW))?;
    }
    let settings = table("settings").into_iter();
    let settings = settings.map(|(name, value)| (name, Secret::new(value))).collect();
    let pem = fs::read_to_string(folder.join(file))?;
    let key: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    Ok((Terms { settings, fetched, ..Terms::default() }, Secret::new(key)))
}

fn anchor(file: &Path) -> Result<TrustAnchor<'static>> {
    let certificate = CertificateDer::from_pem_slice(&fs::read(file)?);
    let certificate = certificate.map_err(|error| anyhow!("{error}"))?;
    Ok(webpki::anchor_from_trusted_cert(&certificate)?.to_owned())
}

/// The files of a folder by their URL.
struct Files {
    folder: PathBuf,
    files: BTreeMap<String, String>,
    anchors: Vec<TrustAnchor<'static>>,
}

impl Fetch for Files {
    fn fetch<'a>(&'a self, url: &'a str) -> BoxFuture<'a, Result<Bytes, FetchError>> {
        Box::pin(async move {
            let failed = || FetchError { url: url.to_owned(), reason: "no such file".to_owned() };
            let file = self.files.get(url).ok_or_else(failed)?;
            fs::read(self.folder.join(file)).map(Bytes::from).map_err(|_| failed())
        })
    }

    fn anchors(&self) -> &[TrustAnchor<'static>] {
        &self.anchors
    }
}

/// A signed request with a body of about this size.
fn request(
    provider: &Provider,
    terms: &Terms,
    secret: &Secret,
    body_bytes: usize,
) -> Result<RawRequest> {
    let sample = provider.sample(None, 7).context("a sample")?;
    let sample = Sample { body: filled(&sample, body_bytes)?, ..sample };
    let signed = provider.sign_by(terms, sample, TARGET, secret, NOW)?;
    Ok(RawRequest {
        method: signed.method,
        path: TARGET.to_owned(),
        query: String::new(),
        headers: signed.headers.into_iter().collect::<HeaderMap<HeaderValue>>(),
        body: signed.body,
        arrival: Arrival {
            remote: SocketAddr::from((Ipv4Addr::LOCALHOST, 1)),
            received_at: NOW,
            request_id: RequestId::new("bench"),
        },
        hold: BodyHold::default(),
    })
}

/// The body of a sample with as many further members as it takes.
fn filled(sample: &Sample, body_bytes: usize) -> Result<Bytes> {
    let body = String::from_utf8(sample.body.to_vec())?;
    let missing = body_bytes.saturating_sub(body.len());
    let is_form = |(name, value): &(HeaderName, HeaderValue)| {
        let kind = value.to_str().unwrap_or_default();
        name == http::header::CONTENT_TYPE && kind.contains("x-www-form-urlencoded")
    };
    if sample.headers.iter().any(is_form) {
        return Ok(format!("{body}&Pad={}", "x".repeat(missing)).into());
    }
    let member = |number: usize| format!("\"member_{number}\":{{\"id\":{number},\"ok\":true}},");
    let mut members = String::new();
    let mut number = 0;
    while members.len() < missing {
        members.push_str(&member(number));
        number += 1;
    }
    let open = body.find('{').context("an object")? + 1;
    let (before, after) = body.split_at(open);
    Ok(format!("{before}{members}{after}").into())
}

/// How long calls take, in microseconds.
struct Spread {
    p50: f64,
    p99: f64,
}

impl std::fmt::Display for Spread {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:>8.1} {:>8.1}", self.p50, self.p99)
    }
}

fn spread(calls: u32, call: impl Fn()) -> Spread {
    let mut nanoseconds: Vec<u64> = (0..calls.max(100))
        .map(|_| {
            let start = Instant::now();
            call();
            u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX)
        })
        .collect();
    nanoseconds.sort_unstable();
    let part = |parts: usize| {
        let at = (nanoseconds.len() - 1) * parts / 100;
        nanoseconds.get(at).map_or(0.0, |found| *found as f64 / 1000.0)
    };
    Spread { p50: part(50), p99: part(99) }
}
