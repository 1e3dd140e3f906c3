//! Server-sent events, read by a client that hides nothing.

use super::client::Client;
use crate::world::{World, draft, from_earliest, request};
use headgate_api::{Access, ApiKey, Bounds, Scope, StreamRules};
use headgate_event::Secret;
use headgate_queue::{AckMode, Queue};
use http::HeaderValue;
use insta::assert_snapshot;
use serde_json::{Value, json};
use std::{net::SocketAddr, time::Duration};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
    time::timeout,
};

/// Longer than anything here takes; a test that comes to it has failed.
const PATIENCE: Duration = Duration::from_secs(20);

/// A client of server-sent events.
struct Reader {
    socket: BufReader<TcpStream>,
    head: String,
    text: Vec<u8>,
}

/// One event as it was written.
#[derive(Debug, Default, PartialEq)]
struct Block {
    id: Option<String>,
    name: Option<String>,
    data: Value,
}

impl Reader {
    async fn open(address: SocketAddr, query: &str, headers: &str) -> Self {
        let mut socket = BufReader::new(TcpStream::connect(address).await.expect("connected"));
        let head = format!(
            "GET /v1/stream{query} HTTP/1.1\r\nhost: localhost\r\naccept: text/event-stream\r\n\
             {headers}\r\n"
        );
        socket.write_all(head.as_bytes()).await.expect("sent");
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            let read = timeout(PATIENCE, socket.read_line(&mut head)).await.expect("in time");
            assert_ne!(read.expect("read"), 0, "{head}");
        }
        Self { socket, head: head.to_ascii_lowercase(), text: Vec::new() }
    }

    /// Opens a stream that is not refused, and reads its greeting.
    async fn greeted(address: SocketAddr, query: &str, headers: &str) -> Self {
        let mut reader = Self::open(address, query, headers).await;
        assert!(reader.head.starts_with("http/1.1 200"), "{}", reader.head);
        assert!(reader.head.contains("content-type: text/event-stream\r\n"), "{}", reader.head);
        assert_eq!(reader.line().await.as_deref(), Some(": connected"));
        assert_eq!(reader.line().await.as_deref(), Some("retry: 2000"));
        reader
    }

    /// The next line; none when the answer has come to its end in good order.
    async fn line(&mut self) -> Option<String> {
        while !self.text.contains(&b'\n') {
            let more = timeout(PATIENCE, self.chunk()).await.expect("in time")?;
            self.text.extend(more);
        }
        let end = self.text.iter().position(|byte| *byte == b'\n').expect("it is there");
        let rest = self.text.split_off(end + 1);
        let line = std::mem::replace(&mut self.text, rest);
        Some(String::from_utf8(line).expect("UTF-8").trim_end_matches('\n').to_owned())
    }

    async fn chunk(&mut self) -> Option<Vec<u8>> {
        let mut size = String::new();
        let read = self.socket.read_line(&mut size).await.expect("read");
        assert_ne!(read, 0, "the answer was cut");
        let size = usize::from_str_radix(size.trim(), 16).expect("a size");
        let mut chunk = vec![0; size + 2];
        self.socket.read_exact(&mut chunk).await.expect("read");
        chunk.truncate(size);
        (size > 0).then_some(chunk)
    }

    /// The next event; comments are passed over.
    async fn block(&mut self) -> Block {
        let mut block = Block::default();
        loop {
            let line = self.line().await.expect("it goes on");
            match line.split_once(": ") {
                Some(("id", id)) => block.id = Some(id.to_owned()),
                Some(("event", name)) => block.name = Some(name.to_owned()),
                Some(("data", data)) => block.data = data.parse().expect("JSON"),
                None if line.is_empty() => {
                    assert_ne!(block.data, Value::Null, "an event without data");
                    return block;
                }
                _ => assert!(line.starts_with(':'), "{line}"),
            }
        }
    }

    /// The number in the next block, which is an event of the queue.
    async fn number(&mut self) -> u64 {
        let block = self.block().await;
        block.data["data"]["body"]["n"].as_u64().unwrap_or_else(|| panic!("no event: {block:?}"))
    }

    async fn numbers(&mut self, count: usize) -> Vec<u64> {
        let mut numbers = Vec::new();
        for _ in 0..count {
            numbers.push(self.number().await);
        }
        numbers
    }
}

fn last_seen(id: impl std::fmt::Display) -> String {
    format!("last-event-id: {id}\r\n")
}

#[tokio::test]
async fn a_tail_gives_each_event_with_its_id_and_without_a_name() {
    let world = World::new();
    let address = world.listen().await;
    world.store_many(1).await;
    let mut reader = Reader::greeted(address, "?channel=a&thread_key=t", "").await;
    let with_key = |key: &str, body: &str| {
        let mut draft = draft("a", None, body);
        draft.thread_key = Some(key.into());
        draft
    };
    let ids = world
        .store([with_key("s", r#"{"n":0}"#), with_key("t", "{\"n\": 1,\n\"t\": \"\\n\u{2028}\"}")])
        .await;
    let block = reader.block().await;
    let id = ids[1].to_string();
    assert_eq!((block.id.as_deref(), block.name.as_deref()), (Some(id.as_str()), None));
    assert_eq!(block.data, world.get(&format!("/v1/events/{id}")).await.json());
}

#[tokio::test]
async fn who_says_where_it_was_gets_all_that_follows_and_nothing_twice() {
    let rules = StreamRules { tail_behind_events_max: 5, ..StreamRules::default() };
    let world = World::with(Access::Loopback, rules);
    let address = world.listen().await;
    let ids = world.store_many(40).await;
    // Far more than a slow reader may be behind.
    let mut reader = Reader::greeted(address, "", &last_seen(ids[4])).await;
    assert_eq!(reader.numbers(35).await, (5..40).collect::<Vec<_>>());
    world.store([draft("a", None, r#"{"n":40}"#)]).await;
    assert_eq!(reader.number().await, 40);
    let query = format!("?last_event_id={}", ids[37]);
    assert_eq!(Reader::greeted(address, &query, "").await.numbers(3).await, [38, 39, 40]);
    // A client that connects again repeats the URL it began with.
    let mut both = Reader::greeted(address, &query, &last_seen(ids[38])).await;
    assert_eq!(both.numbers(2).await, [39, 40]);
    let mut socket = Client::connect(address, &query).await;
    assert_eq!(socket.numbers(3).await, [38, 39, 40]);
}

#[tokio::test]
async fn who_was_at_the_newest_event_gets_the_next_one() {
    let world = World::new();
    let address = world.listen().await;
    let ids = world.store_many(3).await;
    let mut reader = Reader::greeted(address, "", &last_seen(ids[2])).await;
    world.store([draft("a", None, r#"{"n":7}"#)]).await;
    assert_eq!(reader.number().await, 7);
    let mut empty = Reader::greeted(address, "?last_event_id=", "last-event-id:\r\n").await;
    world.store([draft("a", None, r#"{"n":8}"#)]).await;
    assert_eq!(empty.number().await, 8, "an empty id is none");
}

#[tokio::test]
async fn after_an_id_that_is_not_stored_it_says_so_and_goes_on_with_the_next_higher_one() {
    let world = World::new();
    let address = world.listen().await;
    let ids = world.store_many(9).await;
    let lagged = json!({"type": "lagged", "missed": null});
    // The neighbour of a random number is nobody's id.
    let between = ids[5].next();
    for (id, first) in [("00000000000000000000000000".to_owned(), 0), (between.to_string(), 6)] {
        let mut reader = Reader::greeted(address, "", &last_seen(&id)).await;
        let block = reader.block().await;
        assert_eq!((block.id, block.name.as_deref()), (None, Some("lagged")), "{id}");
        assert_eq!(block.data, lagged);
        let rest = 9 - first as usize;
        assert_eq!(reader.numbers(rest).await, (first..9).collect::<Vec<_>>(), "{id}");
    }
    let mut ahead = Reader::greeted(address, "", &last_seen("7ZZZZZZZZZZZZZZZZZZZZZZZZZ")).await;
    assert_eq!(ahead.block().await.data, lagged);
    world.store([draft("a", None, r#"{"n":9}"#)]).await;
    assert_eq!(ahead.number().await, 9);
}

// Symptom: a client that had seen an event which was erased since was refused with 410 for ever.
// Cause: the event itself was read to find its place. Fix: the place outlives the event.
#[tokio::test]
async fn who_has_seen_an_event_that_is_erased_goes_on_after_it() {
    let world = World::new();
    let address = world.listen().await;
    let ids = world.store_many(6).await;
    for erased in [ids[2], ids[3]] {
        world.queue.erase(erased).await.expect("erased").expect("it is there");
    }
    for seen in [ids[2], ids[3]] {
        let mut reader = Reader::greeted(address, "", &last_seen(seen)).await;
        assert_eq!(reader.numbers(2).await, [4, 5]);
        let mut socket = Client::connect(address, &format!("?last_event_id={seen}")).await;
        assert_eq!(socket.numbers(2).await, [4, 5]);
    }
    world.queue.erase(ids[5]).await.expect("erased").expect("it is there");
    let mut newest = Reader::greeted(address, "", &last_seen(ids[5])).await;
    world.store([draft("a", None, r#"{"n":6}"#)]).await;
    assert_eq!(newest.number().await, 6);
}

#[tokio::test]
async fn a_place_that_is_none_is_refused() {
    let world = World::new();
    let address = world.listen().await;
    for (query, headers) in
        [("", "last-event-id: yesterday\r\n"), ("?last_event_id=1", ""), ("?cursor=x", "")]
    {
        let reader = Reader::open(address, query, headers).await;
        assert!(reader.head.starts_with("http/1.1 422"), "{}", reader.head);
    }
    assert_snapshot!(world.get("/v1/stream?last_event_id=yesterday").await.shown());
}

#[tokio::test]
async fn a_subscription_that_wants_its_events_settled_is_refused() {
    let world = World::new();
    let address = world.listen().await;
    world.subscribe(from_earliest("agent")).await;
    let reader = Reader::open(address, "?subscription=agent", "").await;
    assert!(reader.head.starts_with("http/1.1 409"), "{}", reader.head);
    let mut call = request("GET", "/v1/stream?subscription=agent", "");
    let accept = HeaderValue::from_static("text/html, text/event-stream;q=0.9");
    call.headers_mut().insert("accept", accept);
    assert_snapshot!(world.send(call).await.shown());
    assert_eq!(world.queue.subscriptions().await.expect("listed")[0].in_flight, 0);
}

#[tokio::test]
async fn a_subscription_that_sending_settles_is_streamed_and_settled() {
    let world = World::new();
    let address = world.listen().await;
    let mut spec = from_earliest("agent");
    spec.ack = AckMode::OnSend;
    world.subscribe(spec).await;
    world.store_many(3).await;
    let mut reader = Reader::greeted(address, "?subscription=agent", "").await;
    let block = reader.block().await;
    assert_eq!(block.data["delivery"]["subscription"], "agent");
    assert_eq!(block.id.as_deref(), block.data["id"].as_str());
    assert_eq!(reader.numbers(2).await, [1, 2]);
    let settled = async {
        while world.queue.subscriptions().await.expect("listed")[0].lag > 0 {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, settled).await.expect("settled");
}

#[tokio::test]
async fn a_client_that_is_too_slow_jumps_ahead_and_is_told_how_many_it_missed() {
    let rules = StreamRules { tail_behind_events_max: 20, ..StreamRules::default() };
    let world = World::with(Access::Loopback, rules);
    let address = world.listen().await;
    let mut reader = Reader::greeted(address, "", "").await;
    let (large, count) = ("x".repeat(1 << 20), 60);
    let drafts = (0..count).map(|n| draft("a", None, &format!("{{\"n\":{n},\"x\":\"{large}\"}}")));
    world.store(drafts).await;
    let mut next = 0;
    let missed = loop {
        let block = reader.block().await;
        if block.name.as_deref() == Some("lagged") {
            break block.data["missed"].as_u64().expect("a number");
        }
        assert_eq!(block.data["data"]["body"]["n"], next, "no gap before it is told");
        next += 1;
    };
    assert_eq!(next + missed, count, "it jumps to the next event");
    assert!(missed > 20);
}

#[tokio::test]
async fn a_client_that_takes_nothing_is_left() {
    let stall_max = Duration::from_millis(100);
    let world = World::with(Access::Loopback, StreamRules { stall_max, ..StreamRules::default() });
    let address = world.listen().await;
    let _reader = Reader::greeted(address, "", "").await;
    let large = "x".repeat(1 << 20);
    world.store((0..30).map(|_| draft("a", None, &format!("\"{large}\"")))).await;
    timeout(PATIENCE, world.api.streams_ended()).await.expect("it is left");
}

#[tokio::test]
async fn a_quiet_stream_is_kept_alive_by_comments() {
    let ping_every = Duration::from_millis(10);
    let world = World::with(Access::Loopback, StreamRules { ping_every, ..StreamRules::default() });
    let address = world.listen().await;
    let mut reader = Reader::greeted(address, "", "").await;
    assert_eq!(reader.line().await.as_deref(), Some(":"));
    world.store_many(1).await;
    assert_eq!(reader.number().await, 0);
    assert_eq!(reader.line().await.as_deref(), Some(":"));
}

#[tokio::test]
async fn a_stop_ends_the_answer_in_good_order() {
    let world = World::new();
    let address = world.listen().await;
    let mut reader = Reader::greeted(address, "", "").await;
    world.stop.send_replace(true);
    assert_eq!(reader.line().await, None);
    timeout(PATIENCE, world.api.streams_ended()).await.expect("none is open");
}

#[tokio::test]
async fn a_stream_ends_when_its_key_is_taken_away_and_others_go_on() {
    let key =
        |name: &str, secret: &str, scope| ApiKey::new(name, Secret::new(secret), [scope].into());
    let (old, kept) = (key("old", "old-secret", Scope::Read), key("kept", "kept", Scope::Read));
    let world = World::with(Access::Keys(vec![old, kept.clone()]), StreamRules::default());
    let address = world.listen().await;
    let bearer = |secret: &str| format!("authorization: Bearer {secret}\r\n");
    let mut ending = Reader::greeted(address, "", &bearer("old-secret")).await;
    let mut going_on = Reader::greeted(address, "", &bearer("kept")).await;
    let mut socket = Client::with_bearer(address, "", Some("old-secret")).await.expect("let in");
    let weaker = key("old", "old-secret", Scope::Consume);
    world.api.replace_access(Access::Keys(vec![weaker, kept]));
    assert_eq!(ending.line().await, None);
    assert_eq!(socket.close_code().await, Some(1008));
    world.store_many(1).await;
    assert_eq!(going_on.number().await, 0);
    let again = Reader::open(address, "", &bearer("old-secret")).await;
    assert!(again.head.starts_with("http/1.1 403"), "{}", again.head);
}

/// Regression: a tail went on giving the events of a channel that its key was bound to no more.
#[tokio::test]
async fn a_stream_ends_when_its_key_is_bound_to_something_else() {
    let bound_to = |name: &str, channels: &[&str]| {
        let key = ApiKey::new(name, Secret::new(name), [Scope::Read].into());
        let channels = channels.iter().map(|id| (*id).to_owned()).collect();
        ApiKey { bounds: Bounds { channels, ..Bounds::default() }, ..key }
    };
    let (one, same) = (bound_to("one", &["a", "b"]), bound_to("same", &["b"]));
    let world = World::with(Access::Keys(vec![one, same.clone()]), StreamRules::default());
    let address = world.listen().await;
    let mut ending = Reader::greeted(address, "", "authorization: Bearer one\r\n").await;
    let mut socket = Client::with_bearer(address, "", Some("one")).await.expect("let in");
    let mut going_on = Reader::greeted(address, "", "authorization: Bearer same\r\n").await;
    world.api.replace_access(Access::Keys(vec![bound_to("one", &["b"]), same]));
    assert_eq!(ending.line().await, None);
    assert_eq!(socket.close_code().await, Some(1008));
    world.store([draft("a", None, r#"{"n":0}"#), draft("b", None, r#"{"n":1}"#)]).await;
    assert_eq!(going_on.number().await, 1);
    let mut again = Reader::greeted(address, "", "authorization: Bearer one\r\n").await;
    world.store([draft("a", None, r#"{"n":2}"#), draft("b", None, r#"{"n":3}"#)]).await;
    assert_eq!(again.number().await, 3);
}
