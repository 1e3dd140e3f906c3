//! Mail that Amazon SES hands over by SNS, proved by the same code and the same fetches as the
//! notifications of a webhook channel.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use bytes::Bytes;
use headgate::carriers::Carriers;
use headgate_email::{
    Terms,
    inbound::{InboundPorts, InboundSource, InboundSpec},
    smtp::MailChannel,
};
use headgate_event::{
    Accepted, BoxFuture, Channel, ChannelType, Draft, EventId, Secret, Sink, StoreError, Timestamp,
    prompt::PromptKey,
};
use headgate_http::{Arrival, Intake, IntakeOptions, RequestId, TrustedProxies};
use headgate_testkit::ManualClock;
use headgate_webhook::{Fetch, FetchError, Fetched, Providers, Sample};
use http::{Method, Request};
use http_body_util::{BodyExt, Full};
use rustls::pki_types::TrustAnchor;
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    fs,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Duration,
};

/// 2026-04-19T09:15:25Z, at which the certificate of the fixtures holds.
const NOW: Timestamp = Timestamp::from_unix_s(1_776_590_125);
const PEM: &str = "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-sample.pem";
const TOPIC: &str = "arn:aws:sns:eu-west-1:123456789012:mail";
const CONFIRM: &str = "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&Token=1";

/// What is fetched, and what was.
#[derive(Default)]
struct Files {
    files: BTreeMap<&'static str, Bytes>,
    asked: Mutex<Vec<String>>,
}

#[derive(Default)]
struct Kept(Mutex<Vec<Draft>>);

impl Fetch for Files {
    fn fetch<'a>(&'a self, url: &'a str) -> BoxFuture<'a, Result<Bytes, FetchError>> {
        self.asked.lock().expect("not poisoned").push(url.to_owned());
        let reason = "expected status 200, found 404".to_owned();
        let missing = || FetchError { url: url.to_owned(), reason };
        let found = self.files.get(url).cloned().ok_or_else(missing);
        Box::pin(async move { found })
    }

    fn anchors(&self) -> &[TrustAnchor<'static>] {
        &[]
    }
}

impl Sink for Kept {
    fn accept(&self, new: Vec<Draft>) -> BoxFuture<'_, Result<Vec<Accepted>, StoreError>> {
        let mut kept = self.0.lock().expect("not poisoned");
        kept.extend(new);
        let id = EventId::from_parts(NOW, kept.len() as u128);
        Box::pin(async move { Ok(vec![Accepted::New(id)]) })
    }
}

struct Gate {
    source: InboundSource,
    sink: Arc<Kept>,
    files: Arc<Files>,
    clock: Arc<ManualClock>,
    _spool: tempfile::TempDir,
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/webhooks/sns")
}

fn gate(files: &[(&'static str, Vec<u8>)]) -> Gate {
    let spool = tempfile::tempdir().expect("a folder");
    let intake = Intake::new(IntakeOptions::new(spool.path().join("spool"))).expect("intake");
    let files = files.iter().map(|(url, bytes)| (*url, Bytes::from(bytes.clone())));
    let files = Arc::new(Files { files: files.collect(), ..Files::default() });
    let fetched = Arc::new(Fetched::new(Arc::clone(&files) as Arc<dyn Fetch>));
    let (sink, clock) = (Arc::new(Kept::default()), Arc::new(ManualClock::at(NOW)));
    let ports = InboundPorts {
        sink: Arc::clone(&sink) as Arc<dyn Sink>,
        intake: Arc::new(intake),
        proxies: TrustedProxies::new(Vec::new()),
        authenticator: None,
        clock: Arc::clone(&clock) as _,
        prompt_key: PromptKey::new([7; 32]),
        rejections: None,
        carriers: Some(Arc::new(Carriers::new(fetched))),
        held: None,
    };
    let channel = Channel::new("support", "Support", ChannelType::Email).expect("a channel");
    let mail = MailChannel {
        channel: Arc::new(channel),
        addresses: Vec::new(),
        senders_allow: Vec::new(),
        senders_deny: Vec::new(),
        bytes_max: 1 << 20,
        terms: Terms::default(),
    };
    let settings = BTreeMap::from([("topics".to_owned(), Secret::new(TOPIC))]);
    let provider = "ses".to_owned();
    let spec = InboundSpec { mail, provider, secrets: Vec::new(), settings };
    let source = InboundSource::new(vec![spec], ports).expect("a right channel");
    Gate { source, sink, files, clock, _spool: spool }
}

fn certificate() -> Vec<u8> {
    fs::read(fixtures().join("leaf.pem")).expect("read")
}

/// A message of SNS, signed under the certificate of the fixtures.
fn signed(mut body: Value, version: &str) -> Sample {
    let more = json!({
        "MessageId": "165545c9-2a5c-472c-8df2-7ff2be2b3b1b", "Timestamp": "{now}",
        "SignatureVersion": version, "Signature": "{signature}", "SigningCertURL": PEM,
    });
    let object = body.as_object_mut().expect("an object");
    object.extend(more.as_object().expect("an object").clone());
    let sample = Sample {
        event: "Notification".to_owned(),
        method: Method::POST,
        headers: Vec::new(),
        body: body.to_string().into(),
        id: String::new(),
    };
    let pem = fs::read_to_string(fixtures().join("leaf.key.pem")).expect("read");
    let key: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    let providers = Providers::embedded();
    let sns = providers.find("sns").expect("a provider");
    sns.sign(sample, "/v1/email/support", &Secret::new(key), NOW).expect("signed")
}

fn mail(topic: &str) -> Value {
    let told = json!({
        "notificationType": "Received",
        "mail": {"messageId": "o3vrnil0e2ic", "source": "anna@orchard.example"},
        "receipt": {"recipients": ["support@in.example.com"], "action": {"type": "SNS"}},
        "content": "From: Anna <anna@orchard.example>\r\nSubject: Figs\r\n\r\nTwo boxes.\r\n",
    });
    json!({"Type": "Notification", "TopicArn": topic, "Message": told.to_string()})
}

fn confirmation() -> Value {
    json!({
        "Type": "SubscriptionConfirmation", "TopicArn": TOPIC, "Token": "1",
        "Message": "You have chosen to subscribe.", "SubscribeURL": CONFIRM,
    })
}

impl Gate {
    /// The status and the body of the answer.
    async fn send(&self, sample: &Sample) -> (u16, String) {
        let mut request = Request::new(Full::new(sample.body.clone()));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = "/v1/email/support".parse().expect("a target");
        request.extensions_mut().insert(Arrival {
            remote: SocketAddr::from((Ipv4Addr::new(198, 51, 100, 7), 50_000)),
            received_at: NOW,
            request_id: RequestId::new("req-1"),
        });
        let (parts, body) = self.source.answer(request).await.into_parts();
        let body = body.collect().await.expect("a whole body").to_bytes();
        (parts.status.as_u16(), String::from_utf8_lossy(&body).into_owned())
    }

    fn asked(&self) -> Vec<String> {
        self.files.asked.lock().expect("not poisoned").clone()
    }

    fn stored(&self) -> usize {
        self.sink.0.lock().expect("not poisoned").len()
    }
}

#[tokio::test]
async fn mail_under_a_certificate_of_sns_becomes_an_event() {
    let gate = gate(&[(PEM, certificate())]);
    let sample = signed(mail(TOPIC), "2");
    let (status, body) = gate.send(&sample).await;
    assert_eq!(status, 200, "{body}");
    let draft = gate.sink.0.lock().expect("not poisoned").last().expect("a draft").clone();
    assert_eq!(draft.metadata["handed_over"]["method"], "sns");
    assert_eq!(draft.metadata["handed_over"]["covers"], "body+time");
    assert_eq!(draft.dedupe.expect("a key").key, "o3vrnil0e2ic");
    // The certificate is fetched once.
    assert_eq!(gate.send(&sample).await.0, 200);
    assert_eq!(gate.asked(), [PEM]);
}

#[tokio::test]
async fn what_is_changed_or_of_another_topic_is_refused() {
    let gate = gate(&[(PEM, certificate())]);
    let mut changed = signed(mail(TOPIC), "2");
    let text = String::from_utf8(changed.body.to_vec()).expect("text");
    changed.body = text.replace("Two boxes", "Ten boxes").into();
    let other = signed(mail("arn:aws:sns:eu-west-1:999999999999:mail"), "2");
    // It is signed by SHA-256, and says that it is not.
    let version = signed(mail(TOPIC), "1");
    for (sample, code) in [
        (changed, "signature_mismatch"),
        (other, "unexpected_value"),
        (version, "signature_mismatch"),
    ] {
        let (status, body) = gate.send(&sample).await;
        assert_eq!(status, 401, "{body}");
        assert!(body.contains(code), "{body}");
    }
    assert_eq!(gate.stored(), 0);
}

#[tokio::test]
async fn a_certificate_that_cannot_be_fetched_is_no_fault_of_the_sender() {
    let gate = gate(&[]);
    let (status, body) = gate.send(&signed(mail(TOPIC), "2")).await;
    assert_eq!(status, 503, "{body}");
    assert_eq!(gate.stored(), 0);
}

#[tokio::test]
async fn a_subscription_of_the_topic_is_confirmed_and_of_another_is_not() {
    let gate = gate(&[(PEM, certificate()), (CONFIRM, Vec::new())]);
    let (status, body) = gate.send(&signed(confirmation(), "2")).await;
    assert_eq!(status, 200, "{body}");
    assert_eq!(gate.asked(), [PEM, CONFIRM]);
    let mut other = confirmation();
    other["TopicArn"] = "arn:aws:sns:eu-west-1:999999999999:mail".into();
    assert_eq!(gate.send(&signed(other, "2")).await.0, 401);
    let mut elsewhere = confirmation();
    elsewhere["SubscribeURL"] = "https://evil.example/confirm".into();
    assert_eq!(gate.send(&signed(elsewhere, "2")).await.0, 401);
    assert_eq!(gate.asked(), [PEM, CONFIRM]);
    assert_eq!(gate.stored(), 0);
}

#[tokio::test]
async fn a_confirmation_that_cannot_be_visited_is_answered_503() {
    let gate = gate(&[(PEM, certificate())]);
    assert_eq!(gate.send(&signed(confirmation(), "2")).await.0, 503);
}

#[tokio::test]
async fn a_notification_is_believed_for_as_long_as_it_is_sent_again() {
    let gate = gate(&[(PEM, certificate())]);
    let sample = signed(mail(TOPIC), "2");
    gate.clock.set(NOW.plus(Duration::from_secs(7200)));
    assert_eq!(gate.send(&sample).await.0, 200);
    gate.clock.set(NOW.plus(Duration::from_secs(7201)));
    let (status, body) = gate.send(&sample).await;
    assert_eq!(status, 401);
    assert!(body.contains("timestamp_too_old"), "{body}");
}
