//! What belongs to one request, end to end: its encoding, where it comes from, how many may come.

use anyhow::{Context, Result, ensure};
use headgate_tests::{Gateway, Response, request, senders, write_config_of_server};
use serde_json::Value;

const HUB: &str = "of github";
/// Made by `gzip -9` and by the reference encoder of brotli.
const GZIP_OF_ITEM: &[u8] = include_bytes!("../../fixtures/encodings/item.json.gz");
const GZIP_BOMB: &[u8] = include_bytes!("../../fixtures/encodings/bomb.gz");
const GZIP_GZIP_BOMB: &[u8] = include_bytes!("../../fixtures/encodings/bomb.gz.gz");
const BROTLI_BOMB: &[u8] = include_bytes!("../../fixtures/encodings/bomb.br");

/// A gateway without keys whose webhooks and API have listeners of their own, behind a proxy on
/// this machine.
struct House {
    gateway: Gateway,
    _folder: tempfile::TempDir,
}

impl House {
    fn open() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let server = r#"listen = "0.0.0.0:0"
api_listen = "127.0.0.1:0"
public_url = "https://in.example.com"
trusted_proxies = ["127.0.0.1", "10.0.0.0/8"]"#;
        let config = write_config_of_server(folder.path(), server, &channels())?;
        let mut gateway = Gateway::start(&config)?;
        gateway.address = gateway.address.replace("0.0.0.0", "127.0.0.1");
        Ok(Self { gateway, _folder: folder })
    }

    fn post(&self, channel: &str, headers: &[(&str, &str)], body: &[u8]) -> Result<Response> {
        let target = format!("/v1/webhook/{channel}");
        request(&self.gateway.address, "POST", &target, headers, body)
    }

    /// Sends what GitHub would have signed.
    fn signed(&self, coding: &str, body: &[u8]) -> Result<Response> {
        let signature = senders::github(HUB, body);
        let headers = [
            ("x-github-event", "push"),
            ("x-hub-signature-256", signature.as_str()),
            ("content-encoding", coding),
        ];
        self.post("hub", &headers, body)
    }

    fn api(&self, target: &str) -> Result<Response> {
        request(&self.gateway.api_address, "GET", target, &[], b"")
    }

    fn newest(&self) -> Result<Value> {
        let page = self.api("/v1/events?limit=1")?.json()?;
        page.pointer("/events/0").cloned().context("an event")
    }
}

#[test]
fn a_compressed_body_is_kept_as_it_came_and_read_as_it_was() -> Result<()> {
    let house = House::open()?;
    assert_eq!(house.signed("gzip", GZIP_OF_ITEM)?.status, 200);
    let event = house.newest()?;
    assert_eq!(event.pointer("/data/body/zen"), Some(&"Speak like a human.".into()));
    assert_eq!(event.pointer("/data/body_size_bytes"), Some(&GZIP_OF_ITEM.len().into()));
    assert_eq!(event.pointer("/data/content_encoding"), Some(&"gzip".into()));
    let prompt = event.get("prompt_ready").and_then(Value::as_str).context("a prompt")?;
    ensure!(prompt.contains("Speak like a human."), "{prompt}");
    let id = event.get("id").and_then(Value::as_str).context("an id")?;
    assert_eq!(house.api(&format!("/v1/events/{id}/raw"))?.body, GZIP_OF_ITEM);
    Ok(())
}

#[test]
fn a_bomb_is_refused_and_a_damaged_body_is_kept() -> Result<()> {
    let house = House::open()?;
    for (coding, bomb) in [("gzip", GZIP_BOMB), ("gzip, gzip", GZIP_GZIP_BOMB), ("br", BROTLI_BOMB)]
    {
        ensure!(bomb.len() < 100_000, "{coding}: {} bytes", bomb.len());
        let answer = house.signed(coding, bomb)?;
        let found = (answer.status, answer.code());
        assert_eq!(found, (413, "body_expands_too_much".to_owned()), "{coding}");
        assert_eq!(house.post("hub", &[("content-encoding", coding)], bomb)?.status, 401);
    }
    let cut = GZIP_OF_ITEM.get(..40).context("bytes")?;
    assert_eq!(house.signed("gzip", cut)?.status, 200, "a proven event is not lost");
    let event = house.newest()?;
    let defect = event.pointer("/metadata/body_defects/0");
    assert_eq!(defect, Some(&"content_encoding_corrupt".into()), "{event}");
    assert_eq!(event.pointer("/data/body_encoding"), Some(&"base64".into()));
    Ok(())
}

#[test]
fn where_a_request_comes_from_is_what_the_trusted_say_and_no_one_else() -> Result<()> {
    let house = House::open()?;
    for (header, value, expected) in [
        ("x-forwarded-for", "6.6.6.6, 3.18.12.63, 10.1.2.3", "3.18.12.63"),
        ("forwarded", "for=6.6.6.6, for=\"[2001:db8::1]:4711\";proto=https", "2001:db8::1"),
        ("x-forwarded-for", "3.18.12.63, unknown", "127.0.0.1"),
        ("x-real-ip", "6.6.6.6", "127.0.0.1"),
    ] {
        assert_eq!(house.post("open", &[(header, value)], b"{}")?.status, 200);
        let event = house.newest()?;
        assert_eq!(event.pointer("/data/remote_ip"), Some(&expected.into()), "{value}");
    }
    let from = |address: &str| house.post("closed", &[("x-forwarded-for", address)], b"{}");
    assert_eq!(from("3.18.12.63")?.status, 200);
    for address in ["3.18.12.64", "3.18.12.63, 6.6.6.6", "nonsense"] {
        let answer = from(address)?;
        assert_eq!((answer.status, answer.code().as_str()), (403, "address_not_allowed"));
    }
    assert_eq!(house.post("closed", &[], b"{}")?.status, 403, "the proxy itself is not allowed");
    Ok(())
}

#[test]
fn beyond_its_rate_a_channel_says_when_to_come_again() -> Result<()> {
    let house = House::open()?;
    for expected in [200, 200, 429] {
        let answer = house.post("slow", &[], b"{}")?;
        assert_eq!(answer.status, expected);
        if expected == 429 {
            assert_eq!(answer.code(), "rate_limited");
            let wait: u64 = answer.header("retry-after").context("a time")?.parse()?;
            ensure!((1..=1800).contains(&wait), "{wait} s");
        }
    }
    assert_eq!(house.post("open", &[], b"{}")?.status, 200, "other channels go on");
    let counted = String::from_utf8(house.api("/metrics")?.body)?;
    let line = r#"headgate_webhook_rejected_total{channel="slow",code="rate_limited"} 1"#;
    ensure!(counted.contains(line), "{counted}");
    Ok(())
}

#[test]
fn webhooks_and_the_api_are_where_they_belong_and_nowhere_else() -> Result<()> {
    let house = House::open()?;
    for path in ["/v1/events", "/v1/channels", "/metrics", "/readyz", "/v1/stream", "/"] {
        let answer = request(&house.gateway.address, "GET", path, &[], b"")?;
        assert_eq!((answer.status, answer.code().as_str()), (404, "not_found"), "{path}");
    }
    assert_eq!(request(&house.gateway.address, "GET", "/healthz", &[], b"")?.status, 200);
    for path in ["/v1/events", "/metrics", "/readyz", "/healthz"] {
        assert_eq!(house.api(path)?.status, 200, "{path}");
    }
    let api = &house.gateway.api_address;
    assert_eq!(request(api, "POST", "/v1/webhook/open", &[], b"{}")?.status, 404);
    // Without keys the API is for this machine, also where a proxy is trusted.
    for header in
        [("x-forwarded-for", "127.0.0.1"), ("forwarded", "for=127.0.0.1"), ("origin", "null")]
    {
        assert_eq!(request(api, "GET", "/v1/events", &[header], b"")?.status, 403, "{header:?}");
    }
    for method in ["GET", "OPTIONS", "PUT", "DELETE"] {
        let answer = request(&house.gateway.address, method, "/v1/webhook/open", &[], b"")?;
        assert_eq!((answer.status, answer.header("allow")), (405, Some("POST")), "{method}");
    }
    ensure!(house.gateway.stop()?.success(), "both listeners end in good order");
    Ok(())
}

fn channels() -> String {
    let open = |id: &str, more: &str| {
        format!("[[channel]]\nid = \"{id}\"\ntype = \"webhook\"\nverify = \"none\"\n{more}\n\n")
    };
    let hub = format!(
        "[[channel]]\nid = \"hub\"\ntype = \"webhook\"\nprovider = \"github\"\n\
         secrets = [{{ insecure_inline = \"{HUB}\" }}]\n\n"
    );
    let closed = open("closed", "allow_ips = [\"3.18.12.63\"]");
    [hub, open("open", ""), open("slow", "rate = \"2/h\""), closed].concat()
}
