//! Slack: who is believed to be it, what its bodies become, what its markup says.

use crate::{Parts, prompt::check};
use bytes::Bytes;
use headgate_event::{
    Channel, ChannelType, EventId, Secret, StoredEvent, Timestamp, Verification,
    limits::{PROMPT_BYTES_MAX, SLACK_TEXT_BYTES_MAX},
    prompt::PromptKey,
};
use headgate_http::{Arrival, BodyHold, RawRequest, RequestId};
use headgate_slack::{
    Drafted, Payload, Receipt, SigningSecret, SlackChannel, SlackChannelSpec, Transport, draft,
    fuzzing, sign,
};
use hmac::{KeyInit, Mac};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use std::{net::SocketAddr, sync::LazyLock};

const SECRET: &str = "8f742231b10e8888abcd99yyyzzz85a5";
const SIGNATURE: HeaderName = HeaderName::from_static("x-slack-signature");
const TIMESTAMP: HeaderName = HeaderName::from_static("x-slack-request-timestamp");

/// 2026-04-19T09:15:25Z, the moment of the fixtures.
const NOW: Timestamp = Timestamp::from_unix_s(1_776_590_125);

static CHANNEL: LazyLock<SlackChannel> = LazyLock::new(|| {
    let channel = Channel::new("team", "Team", ChannelType::Slack).expect("fits");
    let secret = SigningSecret { secret: Secret::new(SECRET), api_app_id: None };
    SlackChannelSpec::new(channel, vec![secret]).prepare().expect("right")
});

fn request(body: &[u8], headers: HeaderMap) -> RawRequest {
    RawRequest {
        method: Method::POST,
        path: "/v1/slack/team".to_owned(),
        query: String::new(),
        headers,
        body: Bytes::copy_from_slice(body),
        arrival: Arrival {
            remote: SocketAddr::from(([192, 0, 2, 7], 50_000)),
            received_at: NOW,
            request_id: RequestId::new("req-1"),
        },
        hold: BodyHold::default(),
    }
}

/// A request is taken exactly when a second reading of the documentation takes it.
pub(crate) fn signature(bytes: &[u8]) {
    let mut parts = Parts::of(bytes);
    let flip = usize::from(parts.byte());
    let (signature, time) = (parts.bytes(), parts.bytes());
    let body = parts.rest();
    let mut headers = HeaderMap::new();
    for (name, value) in [(SIGNATURE, signature), (TIMESTAMP, time)] {
        headers.extend(HeaderValue::from_bytes(value).ok().map(|value| (name, value)));
    }
    let secret = Secret::new(SECRET);
    let mut asked = request(body, headers);
    let taken = fuzzing::verify(&asked, &secret, NOW);
    assert_eq!(taken.is_ok(), proves(&asked), "{asked:?}");
    if let Err(reject) = taken {
        assert_eq!(reject.status(), 401);
        let expected = hex::encode(digest(time, body));
        let said = format!("{reject:?}");
        let brought = String::from_utf8_lossy(signature).contains(&expected);
        assert!(brought || !said.contains(&expected), "the expected signature is shown");
    }
    let value = HeaderValue::from_str(&sign(&secret, NOW, body)).expect("visible");
    asked.headers.insert(SIGNATURE, value);
    asked.headers.insert(TIMESTAMP, HeaderValue::from(NOW.unix_s()));
    assert!(fuzzing::verify(&asked, &secret, NOW).is_ok());
    let mut changed = body.to_vec();
    match changed.len() {
        0 => changed.push(0),
        length => changed[flip % length] ^= 1 << (flip % 8),
    }
    asked.body = changed.into();
    assert!(fuzzing::verify(&asked, &secret, NOW).is_err(), "a changed body is taken");
}

fn digest(time: &[u8], body: &[u8]) -> Vec<u8> {
    let mut mac = hmac::Hmac::<sha2::Sha256>::new_from_slice(SECRET.as_bytes()).expect("a key");
    mac.update(&[b"v0:", time, b":", body].concat());
    mac.finalize().into_bytes().to_vec()
}

fn proves(request: &RawRequest) -> bool {
    let Some((shown, time)) = request.headers.get(SIGNATURE).zip(request.headers.get(TIMESTAMP))
    else {
        return false;
    };
    let expected = format!("v0={}", hex::encode(digest(time.as_bytes(), &request.body)));
    let digits = time.as_bytes().iter().all(u8::is_ascii_digit);
    let seconds = time.to_str().ok().filter(|_| digits).and_then(|text| text.parse::<i64>().ok());
    let near =
        seconds.is_some_and(|seconds| (NOW.unix_s() - 300..=NOW.unix_s() + 300).contains(&seconds));
    shown.as_bytes() == expected.as_bytes() && near
}

/// Any body becomes an event with all of it in `raw` and a prompt that keeps to the rules.
pub(crate) fn body(bytes: &[u8]) {
    let mut parts = Parts::of(bytes);
    let choice = parts.byte();
    let body = parts.rest();
    let payload = match choice % 2 {
        0 => Payload::json(Bytes::copy_from_slice(body)),
        _ => fuzzing::payload(&request(body, HeaderMap::new())),
    };
    let receipt = Receipt {
        received_at: NOW,
        verification: Verification::none(),
        transport: if choice.is_multiple_of(2) { Transport::Socket } else { Transport::Http },
        signed_at: None,
        retry_num: None,
        retry_reason: None,
        envelope_id: None,
    };
    let key = PromptKey::new([7; 32]);
    let Drafted::Event(made) = draft(&CHANNEL, &payload, &receipt, &key) else { return };
    check(&made.prompt.text, PROMPT_BYTES_MAX);
    let id = EventId::from_parts(NOW, 1);
    let event = StoredEvent::decode(id, &StoredEvent::encode(&made), &made.raw).expect("an event");
    let slack = event.slack().expect("data that fits");
    assert!(slack.text_rendered.as_ref().is_none_or(|text| text.len() < SLACK_TEXT_BYTES_MAX + 4));
    assert!(!event.data().get().contains('\n'), "a frame is one line");
    let Drafted::Event(again) = draft(&CHANNEL, &payload, &receipt, &key) else { panic!("once") };
    assert_eq!((again.prompt.text, again.dedupe), (made.prompt.text, made.dedupe), "the same");
}

/// What people type stays what it is and mentions nobody; any text mentions only whom it names.
pub(crate) fn markup(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let typed = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    assert_eq!(fuzzing::markup(&typed), (text.clone().into_owned(), Vec::new()), "{text:?}");
    let (_, mentions) = fuzzing::markup(&text);
    for user in mentions {
        assert!(text.contains(&format!("<@{user}")), "{text:?} does not name {user}");
    }
}
