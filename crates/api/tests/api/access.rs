//! Who is let in.

use crate::world::{World, arrival, from_earliest, request};
use axum::body::Body;
use headgate_api::{Access, ApiKey, Scope, StreamRules};
use headgate_event::Secret;
use headgate_http::Arrival;
use http::{HeaderValue, Request};
use insta::assert_snapshot;

/// Every route with the scope it needs; none for those that are open.
const ROUTES: [(&str, &str, Option<Scope>); 46] = [
    ("DELETE", "/v1/events/01KAJ3V3W2N9E6W0V8R3M5T7QZ", Some(Scope::Admin)),
    ("GET", "/v1/events", Some(Scope::Read)),
    ("GET", "/v1/events/01KAJ3V3W2N9E6W0V8R3M5T7QZ", Some(Scope::Read)),
    ("GET", "/v1/events/01KAJ3V3W2N9E6W0V8R3M5T7QZ/raw", Some(Scope::Read)),
    ("GET", "/v1/events/01KAJ3V3W2N9E6W0V8R3M5T7QZ/attachments/0", Some(Scope::Read)),
    ("GET", "/v1/channels", Some(Scope::Read)),
    ("GET", "/v1/export", Some(Scope::Admin)),
    ("POST", "/v1/backups", Some(Scope::Admin)),
    ("GET", "/v1/dead-letters?subscription=agent", Some(Scope::Read)),
    ("POST", "/v1/dead-letters/redrive", Some(Scope::Admin)),
    ("DELETE", "/v1/dead-letters?subscription=agent&all=true", Some(Scope::Admin)),
    ("GET", "/v1/replays", Some(Scope::Read)),
    ("POST", "/v1/replays", Some(Scope::Admin)),
    ("GET", "/v1/replays/01KAJ3V3W20000000000000009", Some(Scope::Read)),
    ("DELETE", "/v1/replays/01KAJ3V3W20000000000000009", Some(Scope::Admin)),
    ("POST", "/v1/subscriptions/agent/test", Some(Scope::Read)),
    ("GET", "/v1/subscriptions", Some(Scope::Read)),
    ("GET", "/v1/subscriptions/agent", Some(Scope::Read)),
    ("PUT", "/v1/subscriptions/agent", Some(Scope::Admin)),
    ("DELETE", "/v1/subscriptions/other", Some(Scope::Admin)),
    ("POST", "/v1/subscriptions/agent/pause", Some(Scope::Admin)),
    ("POST", "/v1/subscriptions/agent/resume", Some(Scope::Admin)),
    ("POST", "/v1/subscriptions/agent/lease", Some(Scope::Consume)),
    ("POST", "/v1/subscriptions/agent/settle", Some(Scope::Consume)),
    ("GET", "/v1/rejections", Some(Scope::Admin)),
    ("DELETE", "/v1/rejections?all=true", Some(Scope::Admin)),
    ("POST", "/v1/rejections/release", Some(Scope::Admin)),
    ("GET", "/v1/rejections/01KAJ3V3W20000000000000009", Some(Scope::Admin)),
    ("DELETE", "/v1/rejections/01KAJ3V3W20000000000000009", Some(Scope::Admin)),
    ("GET", "/v1/rejections/01KAJ3V3W20000000000000009/raw", Some(Scope::Admin)),
    ("POST", "/v1/rejections/01KAJ3V3W20000000000000009/verify", Some(Scope::Admin)),
    ("POST", "/v1/rejections/01KAJ3V3W20000000000000009/release", Some(Scope::Admin)),
    ("GET", "/v1/schedules", Some(Scope::Read)),
    ("POST", "/v1/schedules", Some(Scope::Admin)),
    ("GET", "/v1/schedules/x", Some(Scope::Read)),
    ("PUT", "/v1/schedules/x", Some(Scope::Admin)),
    ("DELETE", "/v1/schedules/x", Some(Scope::Admin)),
    ("POST", "/v1/schedules/x/pause", Some(Scope::Admin)),
    ("POST", "/v1/schedules/x/resume", Some(Scope::Admin)),
    ("POST", "/v1/schedules/x/run", Some(Scope::Emit)),
    ("POST", "/v1/schedules/x/backfill", Some(Scope::Admin)),
    ("GET", "/v1/stream", Some(Scope::Read)),
    ("GET", "/v1/stream?subscription=agent", Some(Scope::Consume)),
    ("GET", "/metrics", Some(Scope::Read)),
    ("GET", "/healthz", None),
    ("GET", "/readyz", None),
];

const SCOPES: [Scope; 4] = [Scope::Read, Scope::Consume, Scope::Emit, Scope::Admin];

fn key(name: &str, secret: &str, scopes: &[Scope]) -> ApiKey {
    let scopes = scopes.iter().copied().collect();
    ApiKey::new(name, Secret::new(secret), scopes)
}

/// One key for each scope, with the scope's name as its secret.
fn with_keys() -> World {
    let keys = SCOPES.iter().map(|scope| key(scope.as_str(), scope.as_str(), &[*scope]));
    World::with(Access::Keys(keys.collect()), StreamRules::default())
}

fn with_bearer(method: &str, path: &str, bearer: &str) -> Request<Body> {
    let mut request = request(method, path, "{}");
    let value = HeaderValue::from_str(&format!("Bearer {bearer}")).expect("a header");
    request.headers_mut().insert("authorization", value);
    request
}

#[tokio::test]
async fn each_route_opens_to_its_scope_and_to_admin_alone() {
    let world = with_keys();
    for (method, path, needed) in ROUTES {
        for scope in SCOPES {
            let answer = world.send(with_bearer(method, path, scope.as_str())).await;
            let refused = answer.status == 403;
            let opens = needed.is_none_or(|needed| needed == scope || scope == Scope::Admin);
            assert_eq!(refused, !opens, "{method} {path} with `{scope}`: {}", answer.shown());
            if refused {
                assert_eq!(answer.json()["error"]["code"], "missing_scope");
            }
        }
        let answer = world.send(request(method, path, "{}")).await;
        assert_eq!(answer.status == 401, needed.is_some(), "{method} {path} without a key");
    }
}

#[tokio::test]
async fn what_a_key_lacks_is_said() {
    let world = with_keys();
    let answer = world.send(with_bearer("GET", "/v1/events", "emit")).await;
    assert_snapshot!(answer.shown());
}

#[tokio::test]
async fn a_call_without_a_good_key_is_401_and_says_how_to_bring_one() {
    let world = with_keys();
    let mut shown = String::new();
    for value in ["", "Bearer", "Bearer ", "Bearer wrong", "Basic read", "read", "Bearer read x"] {
        let mut call = request("GET", "/v1/events", "");
        call.headers_mut().insert("authorization", HeaderValue::from_static(value));
        let answer = world.send(call).await;
        assert_eq!(answer.status, 401, "{value}");
        assert_eq!(answer.header("www-authenticate"), "Bearer");
        let error = &answer.json()["error"];
        shown += &format!("{value:?}\n  {}: {}\n", error["code"], error["message"]);
    }
    let mut binary = request("GET", "/v1/events", "");
    let value = HeaderValue::from_bytes(b"Bearer \xff").expect("a header");
    binary.headers_mut().insert("authorization", value);
    assert_eq!(world.send(binary).await.status, 401);
    let mut twice = with_bearer("GET", "/v1/events", "read");
    twice.headers_mut().append("authorization", HeaderValue::from_static("Bearer read"));
    let error = &world.send(twice).await.json()["error"];
    shown += &format!("twice\n  {}: {}\n", error["code"], error["message"]);
    let error = &world.get("/v1/events").await.json()["error"];
    shown += &format!("none\n  {}: {}\n", error["code"], error["message"]);
    assert_snapshot!(shown);
}

#[tokio::test]
async fn the_word_bearer_may_be_written_in_any_case() {
    let world = with_keys();
    for value in ["bearer read", "BEARER read", "Bearer  read "] {
        let mut call = request("GET", "/v1/events", "");
        call.headers_mut().insert("authorization", HeaderValue::from_static(value));
        assert_eq!(world.send(call).await.status, 200, "{value}");
    }
}

#[tokio::test]
async fn with_keys_it_does_not_matter_where_a_call_comes_from() {
    let world = with_keys();
    let mut call = with_bearer("GET", "/v1/events", "read");
    call.extensions_mut().insert(arrival("203.0.113.9"));
    call.headers_mut().insert("host", HeaderValue::from_static("in.example.com"));
    call.headers_mut().insert("x-forwarded-for", HeaderValue::from_static("198.51.100.1"));
    assert_eq!(world.send(call).await.status, 200);
}

#[tokio::test]
async fn an_empty_ring_of_keys_opens_to_nobody() {
    let world = World::with(Access::Keys(Vec::new()), StreamRules::default());
    assert_eq!(world.send(with_bearer("GET", "/v1/events", "any")).await.status, 401);
    assert_eq!(world.get("/v1/events").await.status, 401);
}

#[tokio::test]
async fn without_keys_any_bearer_of_this_machine_is_let_in() {
    let world = World::new();
    world.subscribe(from_earliest("agent")).await;
    world.subscribe(from_earliest("other")).await;
    for (method, path, _) in ROUTES {
        let answer = world.send(with_bearer(method, path, "whatever")).await;
        assert!(![401, 403].contains(&answer.status.as_u16()), "{method} {path}");
    }
}

#[tokio::test]
async fn without_keys_every_route_that_is_not_open_is_closed_to_others() {
    let world = World::new();
    for (method, path, needed) in ROUTES {
        let mut call = request(method, path, "{}");
        call.extensions_mut().insert(arrival("192.0.2.1"));
        let answer = world.send(call).await;
        assert_eq!(answer.status == 403, needed.is_some(), "{method} {path}");
    }
}

fn from_remote(remote: &str) -> Request<Body> {
    let mut call = request("GET", "/v1/events", "");
    call.extensions_mut().insert(arrival(remote));
    call
}

fn with_header(name: &'static str, value: &'static str) -> Request<Body> {
    let mut call = request("GET", "/v1/events", "");
    call.headers_mut().insert(name, HeaderValue::from_static(value));
    call
}

#[tokio::test]
async fn without_keys_direct_calls_from_this_machine_are_let_in() {
    let world = World::new();
    for remote in ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"] {
        assert_eq!(world.send(from_remote(remote)).await.status, 200, "{remote}");
    }
    for host in ["localhost", "LOCALHOST:80", "127.0.0.1:8080", "127.1.2.3", "[::1]:8080", "[::1]"]
    {
        assert_eq!(world.send(with_header("host", host)).await.status, 200, "{host}");
    }
    assert_eq!(world.send(with_header("sec-fetch-site", "none")).await.status, 200);
    let absolute = request("GET", "http://localhost:8080/v1/events", "");
    assert_eq!(world.send(absolute).await.status, 200);
}

#[tokio::test]
async fn without_keys_a_tunnel_a_proxy_and_a_web_page_are_kept_out() {
    let world = World::new();
    let mut without_host = request("GET", "/v1/events", "");
    without_host.headers_mut().remove("host");
    let mut second_host = request("GET", "/v1/events", "");
    second_host.headers_mut().append("host", HeaderValue::from_static("evil.example"));
    let mut unknown_peer = request("GET", "/v1/events", "");
    unknown_peer.extensions_mut().remove::<Arrival>();
    let calls = [
        ("peer 192.0.2.1", from_remote("192.0.2.1")),
        ("peer ::ffff:10.0.0.1", from_remote("::ffff:10.0.0.1")),
        ("unknown peer", unknown_peer),
        ("no host", without_host),
        ("two hosts", second_host),
        ("absolute form", request("GET", "http://evil.example/v1/events", "")),
        ("host", with_header("host", "in.example.com")),
        ("host suffix", with_header("host", "localhost.evil.example")),
        ("host prefix", with_header("host", "127.0.0.1.evil.example")),
        ("host any", with_header("host", "0.0.0.0:8080")),
        ("host with user", with_header("host", "localhost@evil.example")),
        ("host garbage", with_header("host", "local host")),
        ("host empty", with_header("host", "")),
        ("origin", with_header("origin", "https://evil.example")),
        ("origin null", with_header("origin", "null")),
        ("origin loopback", with_header("origin", "http://localhost:3000")),
        ("sec-fetch-site", with_header("sec-fetch-site", "cross-site")),
        ("forwarded", with_header("forwarded", "for=198.51.100.1")),
        ("x-forwarded-for", with_header("x-forwarded-for", "127.0.0.1")),
        ("x-forwarded-host", with_header("x-forwarded-host", "x")),
        ("x-forwarded-anything", with_header("x-forwarded-anything", "")),
        ("x-real-ip", with_header("x-real-ip", "127.0.0.1")),
        ("via", with_header("via", "1.1 proxy")),
        ("cf-connecting-ip", with_header("cf-connecting-ip", "198.51.100.1")),
    ];
    let mut shown = String::new();
    for (name, call) in calls {
        let answer = world.send(call).await;
        assert_eq!(answer.status, 403, "{name}: {}", answer.shown());
        let error = &answer.json()["error"];
        let message = error["message"].as_str().expect("a message");
        let (why, what_to_do) = message.split_once("; ").expect("why; what to do");
        assert!(what_to_do.contains("configure an `[[api_key]]`"));
        shown += &format!("{name}\n  {}: {why}\n", error["code"]);
    }
    assert_snapshot!(shown);
    assert_snapshot!(world.send(from_remote("192.0.2.1")).await.shown());
}

/// Regression: a reload, also one that changed nothing, filled the rates of all keys again.
#[tokio::test]
async fn other_keys_leave_what_is_used_up_of_a_rate() {
    let rated = |rate: &str| {
        let key = ApiKey::new("reader", Secret::new("reader"), [Scope::Read].into());
        ApiKey { rate: Some(rate.parse().expect("a rate")), ..key }
    };
    let world = World::with(Access::Keys(vec![rated("2/h")]), StreamRules::default());
    let status =
        async || world.send(with_bearer("GET", "/v1/events", "reader")).await.status.as_u16();
    assert_eq!((status().await, status().await, status().await), (200, 200, 429));
    world.api.replace_access(Access::Keys(vec![rated("2/h")]));
    assert_eq!(status().await, 429, "it is the same rate");
    world.api.replace_access(Access::Keys(vec![rated("3/h")]));
    assert_eq!((status().await, status().await), (200, 200), "it is another one");
    world.api.replace_access(Access::Keys(vec![rated("3/h")]));
    assert_eq!((status().await, status().await), (200, 429));
}

#[test]
fn scopes_are_read_by_their_names() {
    for scope in SCOPES {
        assert_eq!(scope.as_str().parse(), Ok(scope));
    }
    assert_snapshot!("root".parse::<Scope>().expect_err("unknown").to_string());
}

// Symptom: a call through a proxy that names the client in a header of its own was taken for one of
// this machine. Cause: the names were a list. Fix: what the names have in common.
#[tokio::test]
async fn without_keys_whatever_names_a_client_it_forwards_for_is_refused() {
    let world = World::new();
    for name in [
        "x-original-forwarded-for",
        "fly-client-ip",
        "true-client-ip",
        "x-client-ip",
        "fastly-client-ip",
        "x-forwarded",
        "x-envoy-external-address",
    ] {
        let mut call = request("GET", "/v1/events", "");
        call.headers_mut().insert(name, HeaderValue::from_static("198.51.100.1"));
        let answer = world.send(call).await;
        assert_eq!(answer.status, 403, "{name}: {}", answer.shown());
        assert_eq!(answer.json()["error"]["code"], "forwarded", "{name}");
    }
}
