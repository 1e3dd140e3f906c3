//! Hostile and broken input, end to end: the right answer each time, and nothing lost.

use anyhow::{Context, Result, ensure};
use headgate_tests::{Connection, Gateway, Response, request, senders, write_config};
use serde_json::{Value, json};
use std::{
    path::{Path, PathBuf},
    time::Instant,
};

const HUB: &str = "of github";
const STRIPE: &str = "whsec_of_stripe";
const FORM: &str = "application/x-www-form-urlencoded";
const MULTIPART: &str = "multipart/form-data; boundary=b";
const AGENT: &str = "the-agents-key";
const AUTHORIZED: (&str, &str) = ("authorization", "Bearer the-agents-key");

/// A gateway with a GitHub, a Stripe and an open channel, a small one, and two keys.
struct House {
    gateway: Gateway,
    _folder: tempfile::TempDir,
}

impl House {
    fn open() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let gateway = Gateway::start(&configuration(folder.path())?)?;
        Ok(Self { gateway, _folder: folder })
    }

    fn post(&self, channel: &str, headers: &[(&str, &str)], body: &[u8]) -> Result<Response> {
        let target = format!("/v1/webhook/{channel}");
        request(&self.gateway.address, "POST", &target, headers, body)
    }

    fn api(&self, method: &str, target: &str, body: &[u8]) -> Result<Response> {
        let headers = [AUTHORIZED, ("content-type", "application/json")];
        request(&self.gateway.address, method, target, &headers, body)
    }

    /// The newest event, as the API gives it.
    fn newest(&self) -> Result<Value> {
        let page = self.api("GET", "/v1/events?limit=1", b"")?.json()?;
        page.pointer("/events/0").cloned().context("an event")
    }

    fn count(&self) -> Result<usize> {
        let page = self.api("GET", "/v1/events?limit=500", b"")?.json()?;
        Ok(page.get("events").and_then(Value::as_array).context("events")?.len())
    }

    /// Posts to the open channel and gives the event and its raw bytes back.
    fn keep(&self, content_type: Option<&str>, body: &[u8]) -> Result<(Value, Vec<u8>)> {
        let headers: Vec<_> =
            content_type.map(|value| ("content-type", value)).into_iter().collect();
        let answer = self.post("open", &headers, body)?;
        assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
        let event = self.newest()?;
        assert_eq!(answer.json()?.get("id"), event.get("id"));
        let id = event.get("id").and_then(Value::as_str).context("an id")?;
        let raw = self.api("GET", &format!("/v1/events/{id}/raw"), b"")?;
        Ok((event, raw.body))
    }
}

#[test]
fn a_signature_that_does_not_prove_the_body_is_refused_with_its_reason() -> Result<()> {
    let house = House::open()?;
    let body = br#"{"ref": "refs/heads/main"}"#;
    let good = senders::github(HUB, body);
    let wrong = senders::github("of another", body);
    let (short, long) = (&good[..good.len() - 2], format!("{good}00"));
    let not_hex = format!("sha256={}", "zz".repeat(32));
    let label = good.replace("sha256=", "sha1=");
    let cases: Vec<(&str, Vec<&str>)> = vec![
        ("missing", vec![]),
        ("twice", vec![&good, &good]),
        ("empty", vec![""]),
        ("without label", vec![&good[7..]]),
        ("wrong label", vec![&label]),
        ("not hex", vec![&not_hex]),
        ("short", vec![short]),
        ("long", vec![&long]),
        ("not ASCII", vec!["sha256=\u{e9}\u{e9}"]),
        ("of another secret", vec![&wrong]),
    ];
    for (name, signatures) in cases {
        let mut headers = vec![("x-github-event", "push"), ("x-github-delivery", "1")];
        headers.extend(signatures.into_iter().map(|value| ("x-hub-signature-256", value)));
        let answer = house.post("hub", &headers, body)?;
        assert_eq!(answer.status, 401, "{name}: {}", String::from_utf8_lossy(&answer.body));
        let said = String::from_utf8_lossy(&answer.body).into_owned();
        ensure!(!said.contains(&good[7..]), "{name}: the answer holds the expected signature");
        ensure!(answer.header("x-request-id").is_some(), "{name}: no x-request-id");
    }
    assert_eq!(house.count()?, 0);
    let headers = [("x-github-event", "push"), ("x-hub-signature-256", good.as_str())];
    assert_eq!(house.post("hub", &headers, body)?.status, 200, "the good one is taken");
    Ok(())
}

#[test]
fn a_signed_time_outside_the_window_is_refused_both_ways() -> Result<()> {
    let house = House::open()?;
    let body = br#"{"id": "evt_1", "type": "ping"}"#;
    let now = senders::unix_now();
    for (at, code) in [(now - 400, "timestamp_too_old"), (now + 400, "timestamp_in_future")] {
        let signature = senders::stripe(STRIPE, at, body);
        let answer = house.post("billing", &[("stripe-signature", &signature)], body)?;
        assert_eq!((answer.status, answer.code().as_str()), (401, code));
    }
    let signature = senders::stripe(STRIPE, now, body);
    assert_eq!(house.post("billing", &[("stripe-signature", &signature)], body)?.status, 200);
    Ok(())
}

#[test]
fn an_unknown_channel_and_a_wrong_method_are_told_apart() -> Result<()> {
    let house = House::open()?;
    assert_eq!(house.post("nobody", &[], b"{}")?.status, 404);
    let answer = request(&house.gateway.address, "GET", "/v1/webhook/open", &[], b"")?;
    assert_eq!((answer.status, answer.header("allow")), (405, Some("POST")));
    // Senders count a redirect as a failure.
    assert_eq!(house.post("open/", &[], b"{}")?.status / 100, 2);
    Ok(())
}

#[test]
fn a_body_over_the_limit_is_refused_without_reading_on() -> Result<()> {
    let house = House::open()?;
    let mut connection = Connection::open(&house.gateway.address)?;
    connection
        .send(b"POST /v1/webhook/small HTTP/1.1\r\nhost: a\r\ncontent-length: 1025\r\n\r\n")?;
    let answer = connection.answer()?;
    assert_eq!((answer.status, answer.code().as_str()), (413, "body_too_large"));
    ensure!(connection.is_closed(), "it waits for the rest");

    let mut connection = Connection::open(&house.gateway.address)?;
    let head = "POST /v1/webhook/small HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n";
    let chunks = format!("{head}400\r\n{}\r\n1\r\nx\r\n", "x".repeat(1024));
    connection.send(chunks.as_bytes())?;
    let answer = connection.answer()?;
    assert_eq!((answer.status, answer.code().as_str()), (413, "body_too_large"));
    ensure!(connection.is_closed(), "it waits for the rest");

    assert_eq!(house.post("small", &[], &[b'x'; 1024])?.status, 200, "the limit itself is taken");
    Ok(())
}

#[test]
fn a_sender_that_is_too_slow_is_closed_in_time() -> Result<()> {
    let house = House::open()?;
    let started = Instant::now();
    let mut head = Connection::open(&house.gateway.address)?;
    head.send(b"POST /v1/webhook/open HTTP/1.1\r\nhost: a\r\n")?;
    let mut body = Connection::open(&house.gateway.address)?;
    body.send(b"POST /v1/webhook/open HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\nfive.")?;
    assert_eq!(body.answer()?.status, 408);
    ensure!(body.is_closed(), "the connection of the slow body stays");
    let _ = head.answer();
    ensure!(head.is_closed(), "the connection of the slow head stays");
    let seconds = started.elapsed().as_secs();
    ensure!((5..20).contains(&seconds), "closed after {seconds} s");
    assert_eq!(house.count()?, 0);
    Ok(())
}

#[test]
fn a_sender_that_is_gone_in_mid_body_leaves_nothing() -> Result<()> {
    let house = House::open()?;
    for _ in 0..20 {
        let mut connection = Connection::open(&house.gateway.address)?;
        connection
            .send(b"POST /v1/webhook/open HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\n{")?;
    }
    assert_eq!(house.post("open", &[], b"{}")?.status, 200);
    assert_eq!(house.count()?, 1);
    Ok(())
}

#[test]
fn whatever_comes_is_kept_exactly_and_shown_as_what_it_is() -> Result<()> {
    let house = House::open()?;
    let deep = [vec![b'['; 100_000], vec![b']'; 100_000]].concat();
    let json_type = Some("application/json");
    let cases: Vec<(&str, Option<&str>, &[u8], &str)> = vec![
        ("JSON", json_type, br#"{"n": 1.10, "n": 12345678901234567890123}"#, "json"),
        ("JSON without a type", None, br#"[1, 2]"#, "json"),
        ("a scalar without a type", None, b"42", "text"),
        ("a suffix type", Some("application/vnd.acme+json"), b"1", "json"),
        ("invalid JSON under a JSON type", json_type, b"{\"a\": ", "text"),
        ("JSON 100,000 levels deep", json_type, &deep, "text"),
        ("a lone surrogate", json_type, br#"{"a": "\ud800"}"#, "text"),
        ("a number no double holds", json_type, br#"{"a": 1e999}"#, "text"),
        ("text", Some("text/plain"), "Grüße\n".as_bytes(), "text"),
        ("nothing", None, b"", "text"),
        ("not UTF-8", json_type, b"{\"a\": \"\xff\"}", "base64"),
        ("a form with a name twice", Some(FORM), b"a=1&a=2&payload=%7B%7D", "text"),
        ("a file in a form", Some(MULTIPART), b"--b\r\n\r\n\x00\xff\r\n--b--\r\n", "base64"),
        ("another charset", Some("text/plain; charset=latin1"), "\u{e9}".as_bytes(), "base64"),
        ("binary", Some("application/octet-stream"), b"\x00\x01\xfe\xff", "base64"),
    ];
    for (name, content_type, body, encoding) in cases {
        let (event, raw) = house.keep(content_type, body)?;
        assert_eq!(raw, body, "{name}: raw");
        assert_eq!(event.pointer("/data/body_encoding"), Some(&encoding.into()), "{name}");
        assert_eq!(event.pointer("/data/body_size_bytes"), Some(&body.len().into()), "{name}");
        let in_base64 = event.pointer("/data/body_raw_b64") != Some(&"".into());
        assert_eq!(in_base64, encoding == "base64", "{name}");
        if encoding == "base64" {
            assert_eq!(event.pointer("/data/body"), Some(&Value::Null), "{name}");
        }
    }
    Ok(())
}

#[test]
fn numbers_and_duplicate_keys_of_json_survive_to_the_consumer() -> Result<()> {
    let house = House::open()?;
    let body = br#"{"n": 1.10, "n": 12345678901234567890123, "z": 1, "a": 2}"#;
    house.keep(Some("application/json"), body)?;
    let page = house.api("GET", "/v1/events?limit=1", b"")?;
    let text = String::from_utf8(page.body)?;
    let kept = r#""body":{"n":1.10,"n":12345678901234567890123,"z":1,"a":2}"#;
    ensure!(text.contains(kept), "{text}");
    Ok(())
}

#[test]
fn a_head_that_is_too_large_is_refused() -> Result<()> {
    let house = House::open()?;
    let many: String = (0..10_000).map(|number| format!("x-{number}: 1\r\n")).collect();
    let long = format!("x-long: {}\r\n", "a".repeat(64 << 10));
    for headers in [many, long] {
        let mut connection = Connection::open(&house.gateway.address)?;
        let head = format!("POST /v1/webhook/open HTTP/1.1\r\nhost: a\r\n{headers}\r\n");
        // The other side may answer and close before it has read all.
        let _ = connection.send(head.as_bytes());
        assert_eq!(connection.answer()?.status, 431);
    }
    let both = "content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n";
    let mut connection = Connection::open(&house.gateway.address)?;
    connection.send(format!("POST /v1/webhook/open HTTP/1.1\r\nhost: a\r\n{both}").as_bytes())?;
    assert_eq!(connection.answer()?.status, 400);
    ensure!(connection.is_closed(), "a request with two lengths leaves the connection open");
    assert_eq!(house.count()?, 0);
    Ok(())
}

#[test]
fn a_duplicate_is_answered_like_the_first() -> Result<()> {
    let house = House::open()?;
    let body = br#"{"zen": "Keep it logically awesome."}"#;
    let signature = senders::github(HUB, body);
    let headers = [
        ("x-github-event", "ping"),
        ("x-github-delivery", "7"),
        ("x-hub-signature-256", signature.as_str()),
    ];
    let first = house.post("hub", &headers, body)?;
    let second = house.post("hub", &headers, body)?;
    assert_eq!((first.status, second.status), (200, 200));
    assert_eq!(first.json()?.get("id"), second.json()?.get("id"));
    assert_eq!(first.json()?.get("duplicate"), Some(&false.into()));
    assert_eq!(second.json()?.get("duplicate"), Some(&true.into()));
    assert_eq!(second.header("headgate-duplicate"), Some("true"));
    assert_eq!(first.header("headgate-duplicate"), None);
    assert_eq!(house.count()?, 1);
    Ok(())
}

#[test]
fn settling_answers_for_each_delivery() -> Result<()> {
    let house = House::open()?;
    for number in 0..3 {
        house.post("open", &[], format!("[{number}]").as_bytes())?;
    }
    let ask = json!({"max": 1, "lease_ms": 50, "wait_ms": 5_000}).to_string();
    let lease = |ask: &str| -> Result<String> {
        let target = "/v1/subscriptions/agent/lease";
        let leased = house.api("POST", target, ask.as_bytes())?.json()?;
        let id = leased.pointer("/deliveries/0/delivery/id").and_then(Value::as_str);
        Ok(id.context("a delivery")?.to_owned())
    };
    let settle = |settlements: Value| -> Result<Value> {
        let target = "/v1/subscriptions/agent/settle";
        house.api("POST", target, settlements.to_string().as_bytes())?.json()
    };
    // The lease of the first attempt ends and the second attempt has it.
    let over = lease(&ask)?;
    let again = loop {
        let next = lease(r#"{"max": 1, "wait_ms": 5000}"#)?;
        if next.rsplit_once('.').map(|(head, _)| head)
            == over.rsplit_once('.').map(|(head, _)| head)
        {
            break next;
        }
    };
    let answer = settle(json!({"ack": [over, again, "agent.1.99.1", "nonsense"]}))?;
    assert_eq!(answer.get("settled"), Some(&1.into()), "{answer}");
    let codes: Vec<_> = answer
        .get("errors")
        .and_then(Value::as_array)
        .context("errors")?
        .iter()
        .filter_map(|error| error.get("code")?.as_str())
        .collect();
    assert_eq!(codes, ["lease_expired", "unknown_delivery", "unknown_delivery"], "{answer}");
    let twice = settle(json!({"ack": [again]}))?;
    assert_eq!(twice.pointer("/errors/0/code"), Some(&"already_settled".into()), "{twice}");
    Ok(())
}

#[test]
fn a_list_asked_for_wrongly_says_what_was_expected() -> Result<()> {
    let house = House::open()?;
    for limit in ["0", "-1", "501", "abc", ""] {
        let answer = house.api("GET", &format!("/v1/events?limit={limit}"), b"")?;
        assert_eq!(answer.status, 422, "limit={limit}");
        ensure!(String::from_utf8(answer.body)?.contains("limit"), "limit={limit}: not named");
    }
    assert_eq!(house.api("GET", "/v1/events?cursor=abc", b"")?.status, 422);
    assert_eq!(house.api("GET", "/v1/events?since=yesterday", b"")?.status, 422);
    assert_eq!(house.api("GET", "/v1/events?colour=red", b"")?.status, 422);
    assert_eq!(house.api("GET", "/v1/events/01KAJ3V3W2N9E6W0V8R3M5T7QZ", b"")?.status, 404);
    assert_eq!(house.api("POST", "/v1/subscriptions/nobody/lease", b"{}")?.status, 404);
    assert_eq!(house.api("GET", "/v1/nothing", b"")?.status, 404);
    Ok(())
}

#[test]
fn a_call_needs_a_key_with_its_scope() -> Result<()> {
    let house = House::open()?;
    let address = &house.gateway.address;
    let call = |key: Option<&str>, method, target| -> Result<u16> {
        let bearer = key.map(|key| format!("Bearer {key}"));
        let headers: Vec<_> =
            bearer.iter().map(|bearer| ("authorization", bearer.as_str())).collect();
        Ok(request(address, method, target, &headers, b"")?.status)
    };
    let lease = "/v1/subscriptions/agent/lease";
    assert_eq!(call(None, "GET", "/v1/events")?, 401);
    assert_eq!(call(Some("wrong"), "GET", "/v1/events")?, 401);
    assert_eq!(call(Some("a-reading-key"), "GET", "/v1/events")?, 200);
    assert_eq!(call(Some("a-reading-key"), "POST", lease)?, 403);
    assert_eq!(call(Some(AGENT), "POST", lease)?, 200);
    assert_eq!(call(None, "GET", "/v1/stream")?, 401);
    assert_eq!(call(None, "GET", "/healthz")?, 200);
    assert_eq!(call(None, "GET", "/readyz")?, 200);
    assert_eq!(call(None, "GET", "/metrics")?, 401);
    assert_eq!(call(Some("a-reading-key"), "GET", "/metrics")?, 200);
    Ok(())
}

fn configuration(folder: &Path) -> Result<PathBuf> {
    let tables = format!(
        r#"[[api_key]]
name = "agent"
key = {{ insecure_inline = "{AGENT}" }}
scopes = ["consume", "read"]

[[api_key]]
name = "reader"
key = {{ insecure_inline = "a-reading-key" }}
scopes = ["read"]

[[channel]]
id = "hub"
type = "webhook"
provider = "github"
secrets = [{{ insecure_inline = "{HUB}" }}]

[[channel]]
id = "billing"
type = "webhook"
provider = "stripe"
secrets = [{{ insecure_inline = "{STRIPE}" }}]

[[channel]]
id = "open"
type = "webhook"
verify = "none"

[[channel]]
id = "small"
type = "webhook"
verify = "none"
max_body = "1KiB"

[[subscription]]
name = "agent"
channels = ["open"]
retry = {{ attempts = 8, first = "10ms", longest = "10ms" }}
"#
    );
    write_config(folder, &tables)
}
