//! The quarantine over the API: for admins, listed with causes, released and deleted.

use crate::world::{START, World, channel};
use headgate_api::{Rejections, Releaser, Releasing, Unreleased};
use headgate_event::{Accepted, BoxFuture, Clock, EventId};
use headgate_http::{Arrival, BodyHold, RawRequest, Reject, Rejection, RejectionSink, RequestId};
use headgate_quarantine::{Bounds, Kept, Quarantine};
use headgate_testkit::ManualClock;
use http::{HeaderMap, HeaderValue, Method};
use insta::assert_snapshot;
use serde_json::{Value, value::RawValue};
use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

/// Says of each rejection what its body says.
#[derive(Default)]
struct Told {
    released: Mutex<Vec<String>>,
    /// What a body `slow` waits for before it is released.
    go_on: tokio::sync::Notify,
    begun: AtomicUsize,
}

impl Releaser for Told {
    fn release(
        &self,
        rejection: Kept,
        how: Releasing,
    ) -> BoxFuture<'_, Result<Option<Accepted>, Unreleased>> {
        Box::pin(async move {
            let body = rejection.body.clone().expect("a body");
            let text = String::from_utf8_lossy(&body).into_owned();
            let id = EventId::from_parts(START, 7);
            let accepted = match text.as_str() {
                "good" => Accepted::New(id),
                "slow" => {
                    self.begun.fetch_add(1, Ordering::SeqCst);
                    self.go_on.notified().await;
                    Accepted::New(id)
                }
                "known" => Accepted::Duplicate(id),
                "old" if how.ignore_age => Accepted::New(id),
                "gone" => return Err(Unreleased::UnknownChannel),
                "full" => return Err(Unreleased::NotStored { cause: "disk".to_owned() }),
                _ => {
                    let (code, message) = ("signature_mismatch".to_owned(), "no match".to_owned());
                    return Err(Unreleased::Refused { code, message });
                }
            };
            self.released.lock().expect("not poisoned").push(text);
            Ok((!how.dry_run).then_some(accepted))
        })
    }

    fn explain(&self, rejection: Kept) -> BoxFuture<'_, Option<Box<RawValue>>> {
        let told = (rejection.summary.channel == "billing")
            .then(|| RawValue::from_string(r#"{"verified":false}"#.to_owned()).expect("JSON"));
        Box::pin(async move { told })
    }
}

struct Refusals {
    world: World,
    told: Arc<Told>,
    quarantine: Arc<Quarantine>,
    clock: Arc<ManualClock>,
    _folder: tempfile::TempDir,
}

impl Refusals {
    /// A quarantine that holds these bodies, one second apart, and who releases them.
    fn of(bodies: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let clock = Arc::new(ManualClock::at(START));
        let bounds = Bounds { bytes: 1 << 20, ..Bounds::default() };
        let opened = Quarantine::open(folder.path(), bounds, clock.clone() as Arc<dyn Clock>);
        let quarantine = Arc::new(opened.expect("opens"));
        let told = Arc::new(Told::default());
        let rejections = Rejections {
            quarantine: Arc::clone(&quarantine),
            releaser: Arc::clone(&told) as Arc<dyn Releaser>,
        };
        let world = World::changed(|options| options.rejections = Some(rejections));
        let refusals = Self { world, told, quarantine, clock, _folder: folder };
        for body in bodies {
            refusals.refuse(body);
            refusals.clock.advance(Duration::from_secs(1));
        }
        refusals
    }

    fn refuse(&self, body: &str) {
        let mut headers = HeaderMap::new();
        headers.append("x-odd", HeaderValue::from_bytes(b"\xff").expect("a value"));
        headers.append("authorization", HeaderValue::from_static("Bearer forged"));
        let request = RawRequest {
            method: Method::POST,
            path: "/v1/webhook/billing/s3cr3t".to_owned(),
            query: "a=1".to_owned(),
            headers,
            body: body.to_owned().into(),
            arrival: Arrival {
                remote: ([203, 0, 113, 7], 4711).into(),
                received_at: self.clock.now(),
                request_id: RequestId::new("req-1"),
            },
            hold: BodyHold::default(),
        };
        let reject = Reject::unauthorized("signature_mismatch", "no signature matches");
        self.quarantine.keep(Rejection {
            channel: Arc::new(channel("billing")),
            shown_path: "/v1/webhook/billing/[redacted]".to_owned(),
            request,
            reject,
        });
    }

    /// The ids of what is kept, oldest first.
    async fn ids(&self) -> Vec<String> {
        let json = self.world.get("/v1/rejections").await.json();
        let all = json["rejections"].as_array().expect("a list");
        all.iter().rev().map(|one| one["id"].as_str().expect("an id").to_owned()).collect()
    }
}

#[tokio::test]
async fn a_rejection_is_listed_with_its_cause_and_shown_as_it_came() {
    let refusals = Refusals::of(&[r#"{"a": 1.50}"#]);
    let list = refusals.world.get("/v1/rejections").await;
    assert_snapshot!("rejections_list", list.shown());
    assert!(!list.shown().contains("s3cr3t"));
    let id = refusals.ids().await.remove(0);
    let shown = refusals.world.get(&format!("/v1/rejections/{id}")).await;
    assert_snapshot!("rejection_shown", shown.shown());
    let raw = refusals.world.get(&format!("/v1/rejections/{id}/raw")).await;
    assert_eq!(
        &raw.bytes[..],
        b"POST /v1/webhook/billing/s3cr3t?a=1 HTTP/1.1\r\nx-odd: \xff\r\n\
          authorization: Bearer forged\r\n\r\n{\"a\": 1.50}"
    );
    assert_eq!(raw.header("content-type"), "application/octet-stream");
    let verify = refusals.world.post(&format!("/v1/rejections/{id}/verify"), "").await;
    assert_eq!(verify.shown(), r#"200 {"verified":false}"#);
}

#[tokio::test]
async fn rejections_come_in_pages_by_filter() {
    let refusals = Refusals::of(&["1", "2", "3", "4", "5"]);
    let ids = refusals.ids().await;
    let first = refusals.world.get("/v1/rejections?limit=2&channel=billing").await.json();
    assert_eq!(first["rejections"][0]["id"], ids[4]);
    let cursor = first["next_cursor"].as_str().expect("more");
    let path = format!("/v1/rejections?limit=9&channel=billing&cursor={cursor}");
    let rest = refusals.world.get(&path).await.json();
    assert_eq!(rest["rejections"].as_array().expect("a list").len(), 3);
    assert_eq!(rest["next_cursor"], Value::Null);
    let other = refusals.world.get(&format!("/v1/rejections?cursor={cursor}")).await;
    assert_eq!(other.json()["error"]["code"], "invalid_cursor");
    let since = "/v1/rejections?since=2026-11-21T00:00:03Z&code=signature_mismatch";
    let since = refusals.world.get(since).await.json();
    assert_eq!(since["rejections"].as_array().expect("a list").len(), 2);
    let none = refusals.world.get("/v1/rejections?code=other").await;
    assert_eq!(none.shown(), r#"200 {"rejections":[],"next_cursor":null}"#);
}

#[tokio::test]
async fn one_is_released_and_leaves_and_a_refused_one_stays() {
    let refusals = Refusals::of(&["good", "bad", "old"]);
    let ids = refusals.ids().await;
    let path = |n: usize| format!("/v1/rejections/{}/release", ids[n]);
    let released = refusals.world.post(&path(0), "").await;
    let event = EventId::from_parts(START, 7);
    assert_eq!(released.shown(), format!(r#"200 {{"id":"{event}","duplicate":false}}"#));
    assert_eq!(
        refusals.world.post(&path(0), "").await.json()["error"]["code"],
        "unknown_rejection"
    );
    let refused = refusals.world.post(&path(1), "{}").await;
    assert_eq!(refused.status, 409);
    assert_eq!(
        refused.json()["error"]["message"],
        "the request is still refused: signature_mismatch: no match"
    );
    assert_eq!(refusals.world.post(&path(2), "").await.status, 409);
    let aged = refusals.world.post(&path(2), r#"{"ignore_age": true}"#).await;
    assert_eq!(aged.status, 200);
    assert_eq!(refusals.ids().await, [ids[1].clone()]);
}

#[tokio::test]
async fn many_are_released_in_their_order_page_by_page() {
    let refusals = Refusals::of(&["good", "bad", "known", "gone", "good"]);
    let ids = refusals.ids().await;
    let dry = refusals.world.post("/v1/rejections/release", r#"{"dry_run": true}"#).await;
    assert_eq!((dry.json()["released"].as_u64(), refusals.ids().await.len()), (Some(3), 5));
    refusals.told.released.lock().expect("not poisoned").clear();

    let first = r#"{"channel": "billing", "code": ["signature_mismatch"], "limit": 3}"#;
    let first = refusals.world.post("/v1/rejections/release", first).await;
    let cursor = first.json()["next_cursor"].as_str().expect("more").to_owned();
    let shown = first.shown().replace(&cursor, "(cursor)").replace(&ids[1], "(id)");
    assert_snapshot!("rejections_released", shown);
    let body =
        format!(r#"{{"channel": "billing", "code": "signature_mismatch", "cursor": "{cursor}"}}"#);
    let rest = refusals.world.post("/v1/rejections/release", &body).await.json();
    assert_eq!((rest["released"].as_u64(), rest["refused"].as_u64()), (Some(1), Some(1)));
    assert_eq!(rest["still_refused"][0]["code"], "unknown_channel");
    assert_eq!(refusals.ids().await, [ids[1].clone(), ids[3].clone()]);
    let told = refusals.told.released.lock().expect("not poisoned").clone();
    assert_eq!(told, ["good", "known", "good"]);
}

#[tokio::test]
async fn a_store_that_is_full_ends_a_release_where_it_was() {
    let refusals = Refusals::of(&["good", "full", "good"]);
    let first = refusals.world.post("/v1/rejections/release", "").await.json();
    assert_eq!(first["released"], 1);
    let cursor = first["next_cursor"].as_str().expect("more");
    let body = format!(r#"{{"cursor": "{cursor}"}}"#);
    let next = refusals.world.post("/v1/rejections/release", &body).await;
    assert_eq!((next.status.as_u16(), next.header("retry-after")), (503, "5"));
    assert_eq!(refusals.ids().await.len(), 2);
}

#[tokio::test]
async fn what_is_deleted_is_gone_and_all_has_to_be_said() {
    let refusals = Refusals::of(&["1", "2", "3"]);
    let ids = refusals.ids().await;
    let path = format!("/v1/rejections/{}", ids[0]);
    assert_eq!(refusals.world.call("DELETE", &path, "").await.status, 204);
    assert_eq!(refusals.world.call("DELETE", &path, "").await.status, 404);
    let mut shown = String::new();
    for query in ["", "?all=yes", "?all=true&channel=billing", "?chanel=billing", "?channel="] {
        let answer = refusals.world.call("DELETE", &format!("/v1/rejections{query}"), "").await;
        shown.push_str(&format!("{query}\n  {}\n", answer.shown()));
    }
    assert_snapshot!("rejections_not_deleted", shown);
    let one = "/v1/rejections?until=2026-11-21T00:00:02Z";
    assert_eq!(refusals.world.call("DELETE", one, "").await.shown(), r#"200 {"deleted":1}"#);
    let all = refusals.world.call("DELETE", "/v1/rejections?all=true", "").await;
    assert_eq!(all.shown(), r#"200 {"deleted":1}"#);
    assert!(refusals.ids().await.is_empty());
}

#[tokio::test]
async fn what_is_asked_wrongly_is_refused() {
    let large = "x".repeat(200_000);
    let refusals = Refusals::of(&[&large]);
    let id = refusals.ids().await.remove(0);
    let mut shown = String::new();
    for (method, path, body) in [
        ("GET", "/v1/rejections/x", ""),
        ("GET", "/v1/rejections/01KAJ3V3W20000000000000009", ""),
        ("GET", &*format!("/v1/rejections/{id}/raw"), ""),
        ("POST", &*format!("/v1/rejections/{id}/release"), ""),
        ("POST", &*format!("/v1/rejections/{id}/release"), r#"{"ignore_aeg": true}"#),
        ("POST", &*format!("/v1/rejections/{id}/verify"), ""),
        ("POST", "/v1/rejections/release", r#"{"limit": 0}"#),
        ("POST", "/v1/rejections/release", r#"{"channel": ""}"#),
        ("POST", "/v1/rejections/release", r#"{"cursor": "x"}"#),
        ("POST", "/v1/rejections/release", r#"{"since": "yesterday"}"#),
        ("POST", "/v1/rejections/release", r#"{"chanel": "a"}"#),
    ] {
        let answer = refusals.world.call(method, path, body).await;
        let path = path.replace(&id, "(id)");
        let text = answer.shown().replace(&id, "(id)");
        shown.push_str(&format!("{method} {path} {body}\n  {text}\n"));
    }
    assert_snapshot!("rejections_asked_wrongly", shown);
    let off = World::new().get("/v1/rejections").await;
    assert_eq!(
        (off.status.as_u16(), &off.json()["error"]["code"]),
        (404, &"quarantine_off".into())
    );
}

#[tokio::test]
async fn a_caller_that_hangs_up_leaves_no_event_beside_its_rejection() {
    for path in ["/v1/rejections/release", "/v1/rejections/{id}/release"] {
        let refusals = Refusals::of(&["slow"]);
        let id = refusals.ids().await.remove(0);
        let path = path.replace("{id}", &id);
        let called = refusals.world.post(&path, "{}");
        let waiting = async {
            while refusals.told.begun.load(Ordering::SeqCst) == 0 {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            _ = called => panic!("it waits"),
            () = waiting => {}
        }
        refusals.told.go_on.notify_one();
        // The next one waits for the one that was left.
        let next = refusals.world.post("/v1/rejections/release", "{}").await;
        assert_eq!(next.json()["released"], 0, "{path}: {}", next.shown());
        assert_eq!(refusals.told.released.lock().expect("not poisoned").len(), 1, "{path}");
        assert!(refusals.ids().await.is_empty(), "{path}");
    }
}
