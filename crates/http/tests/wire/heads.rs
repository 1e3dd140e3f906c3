//! Heads: what passes, what is refused, and that the next head is found where it is.

use crate::{gateway::Gateway, raw::Client};

const GET: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

/// Sends a head in a connection of its own, and asserts that it is refused and nothing is taken.
async fn refused(head: &str) -> (u16, String) {
    let (gateway, mut taken) = Gateway::taking(|_| {}).await;
    let mut client = Client::connect(gateway.address).await;
    client.send(head).await;
    let answer = client.answer().await;
    let code = answer.code();
    assert!(answer.closes(), "{answer:?}");
    client.is_closed().await;
    taken.is_empty();
    (answer.status, code)
}

fn post(headers: &str, body: &str) -> String {
    format!("POST /hook HTTP/1.1\r\nHost: a\r\n{headers}\r\n{body}")
}

#[tokio::test]
async fn a_request_smuggled_behind_two_lengths_is_refused() {
    let smuggled = "0\r\n\r\nGET /admin HTTP/1.1\r\nHost: a\r\n\r\n";
    for headers in [
        "Content-Length: 6\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 6\r\n",
        "transfer-ENCODING:chunked\r\nX: y\r\ncontent-LENGTH:6\r\n",
    ] {
        let refused = refused(&post(headers, smuggled)).await;
        assert_eq!(refused, (400, "ambiguous_length".into()), "{headers}");
    }
}

#[tokio::test]
async fn two_lengths_that_differ_are_refused() {
    let head = post("Content-Length: 5\r\nContent-Length: 6\r\n", "hello!");
    assert_eq!(refused(&head).await, (400, "ambiguous_length".into()));
}

#[tokio::test]
async fn the_same_length_twice_counts_once() {
    let (gateway, mut taken) = Gateway::taking(|_| {}).await;
    let mut client = Client::connect(gateway.address).await;
    client.send(post("Content-Length: 5\r\nContent-Length: 5\r\n", "hello")).await;
    assert_eq!(client.answer().await.status, 200);
    assert_eq!(taken.next().await.body, "hello");
    client.send(GET).await;
    assert_eq!(client.answer().await.status, 200);
}

#[tokio::test]
async fn odd_headers_are_refused() {
    for headers in [
        "X: a\r\n folded\r\n",
        "X: a\0b\r\n",
        "X\0: a\r\n",
        "Content-Length : 5\r\n",
        "X: a\rb\r\n",
    ] {
        let refused = refused(&post(headers, "")).await;
        assert_eq!(refused, (400, "head_malformed".into()), "{headers:?}");
    }
}

#[tokio::test]
async fn what_is_not_http_is_refused() {
    let malformed = (400, "head_malformed".into());
    assert_eq!(refused("\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}").await, malformed);
    assert_eq!(refused("GET / HTTP/9.9\r\n").await, malformed);
}

#[tokio::test]
async fn ten_thousand_headers_are_refused_without_waiting_for_all() {
    let head = format!("GET / HTTP/1.1\r\nHost: a\r\n{}", "X: y\r\n".repeat(10_000));
    assert_eq!(refused(&head).await, (431, "too_many_headers".into()));
}

#[tokio::test]
async fn a_header_of_64_kib_is_refused() {
    let long = "a".repeat(64 << 10);
    assert_eq!(refused(&post(&format!("X: {long}\r\n"), "")).await, (431, "head_too_large".into()));
    let line = format!("GET /{long} HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(refused(&line).await, (414, "head_too_large".into()));
}

#[tokio::test]
async fn the_largest_head_passes_hyper_too() {
    let (gateway, mut taken) = Gateway::taking(|_| {}).await;
    let mut client = Client::connect(gateway.address).await;
    let rest = (64 << 10) - post("X: \r\n", "").len();
    client.send(post(&format!("X: {}\r\n", "a".repeat(rest)), "")).await;
    assert_eq!(client.answer().await.status, 200);
    assert_eq!(taken.next().await.headers["x"].len(), rest);
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_their_order() {
    let (gateway, mut taken) = Gateway::taking(|_| {}).await;
    let mut client = Client::connect(gateway.address).await;
    let mut all = String::new();
    for number in 0..50 {
        let body = "b".repeat(number);
        all += &format!(
            "POST /{number} HTTP/1.1\r\nHost: a\r\nContent-Length: {number}\r\n\r\n{body}"
        );
    }
    client.send(all).await;
    for number in 0..50 {
        assert_eq!(client.answer().await.status, 200);
        let request = taken.next().await;
        assert_eq!((request.path, request.body.len()), (format!("/{number}"), number));
    }
}

#[tokio::test]
async fn what_comes_before_a_refused_head_is_answered_first() {
    let (gateway, mut taken) = Gateway::taking(|_| {}).await;
    let mut client = Client::connect(gateway.address).await;
    let bad = post("Content-Length: 1\r\nTransfer-Encoding: chunked\r\n", "");
    client.send([GET, &post("Content-Length: 2\r\n", "ok"), &bad, GET].concat()).await;
    let statuses = [client.answer().await.status, client.answer().await.status];
    let refusal = client.answer().await;
    assert_eq!((statuses, refusal.status), ([200, 200], 400));
    client.is_closed().await;
    assert_eq!(taken.next().await.body, "");
    assert_eq!(taken.next().await.body, "ok");
    taken.is_empty();
}

#[tokio::test]
async fn requests_may_be_split_at_every_byte() {
    let (gateway, mut taken) = Gateway::taking(|_| {}).await;
    let two = [post("Content-Length: 5\r\n", "hello"), "\r\n".into(), GET.into()].concat();
    for at in 1..two.len() {
        let mut client = Client::connect(gateway.address).await;
        client.send(&two[..at]).await;
        tokio::task::yield_now().await;
        client.send(&two[at..]).await;
        assert_eq!(client.answer().await.status, 200, "split at {at}");
        assert_eq!(client.answer().await.status, 200, "split at {at}");
        assert_eq!(taken.next().await.body, "hello");
        assert_eq!(taken.next().await.body, "");
    }
}

#[tokio::test]
async fn a_request_may_come_byte_by_byte() {
    let (gateway, mut taken) = Gateway::taking(|_| {}).await;
    let mut client = Client::connect(gateway.address).await;
    for byte in post("Content-Length: 5\r\n", "hello").bytes() {
        client.send([byte]).await;
        tokio::task::yield_now().await;
    }
    assert_eq!(client.answer().await.status, 200);
    assert_eq!(taken.next().await.body, "hello");
}

#[tokio::test]
async fn http_1_0_is_answered_and_closed() {
    let (gateway, mut taken) = Gateway::taking(|_| {}).await;
    let mut client = Client::connect(gateway.address).await;
    client.send("POST /old HTTP/1.0\r\nContent-Length: 2\r\n\r\nhi").await;
    let answer = client.answer().await;
    assert_eq!((answer.status, answer.body.as_str()), (200, "taken"));
    client.is_closed().await;
    assert_eq!(taken.next().await.body, "hi");
}

#[tokio::test]
async fn a_request_carries_its_arrival_and_its_target_as_sent() {
    let (gateway, mut taken) = Gateway::taking(|_| {}).await;
    let mut client = Client::connect(gateway.address).await;
    let local = client.stream().local_addr().expect("connected");
    client.send("GET /a%2Fb//c?d=%20&e HTTP/1.1\r\nHost: a\r\nX: 1\r\nX: \u{fc}\r\n\r\n").await;
    let answer = client.answer().await;
    let request = taken.next().await;
    assert_eq!((request.path.as_str(), request.query.as_str()), ("/a%2Fb//c", "d=%20&e"));
    assert_eq!(request.arrival.remote, local);
    assert_eq!(request.arrival.received_at.unix_ms(), 1234);
    assert_eq!(request.arrival.request_id.as_str(), answer.request_id());
    let values: Vec<_> =
        request.headers.get_all("x").iter().map(|value| value.as_bytes()).collect();
    assert_eq!(values, [b"1".as_slice(), "\u{fc}".as_bytes()]);
    assert!(request.single_header("x").is_err());
}

#[tokio::test]
async fn the_ids_of_two_requests_differ() {
    let (gateway, _taken) = Gateway::taking(|_| {}).await;
    let mut client = Client::connect(gateway.address).await;
    client.send([GET, GET].concat()).await;
    let ids = [client.answer().await, client.answer().await].map(|a| a.request_id().to_owned());
    assert_ne!(ids[0], ids[1]);
}

#[tokio::test]
async fn targets_and_lines_that_two_servers_could_read_differently_are_refused() {
    for head in [
        "GET /\r\n\r\n",                               // HTTP/0.9
        "GET / HTTP/1.1\rHost: a\r\r",                 // lines that end in CR alone
        "GET / HTTP/1.1\r\nHost: a\r\nX: y\r\r\n\r\n", // a CR too many
        "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n",        // two targets
        "GET  / HTTP/1.1\r\nHost: a\r\n\r\n",          // an empty one
        "G\0T / HTTP/1.1\r\nHost: a\r\n\r\n",          // no method
        "GET http://[ HTTP/1.1\r\nHost: a\r\n\r\n",    // no URL
        "\u{feff}GET / HTTP/1.1\r\nHost: a\r\n\r\n",   // a byte order mark
    ] {
        assert_eq!(refused(head).await, (400, "head_malformed".into()), "{head:?}");
    }
    let long = "M".repeat(64 << 10);
    let head = format!("{long} / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(refused(&head).await, (414, "head_too_large".into()));
}

#[tokio::test]
async fn a_target_in_absolute_form_is_taken_for_its_path() {
    let (gateway, mut taken) = Gateway::taking(|_| {}).await;
    let mut client = Client::connect(gateway.address).await;
    client.send("GET http://a/hook?b=c HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert_eq!(client.answer().await.status, 200);
    let request = taken.next().await;
    assert_eq!((request.path.as_str(), request.query.as_str()), ("/hook", "b=c"));
}

#[tokio::test]
async fn lines_that_end_in_lf_alone_are_read_as_lines() {
    let (gateway, mut taken) = Gateway::taking(|_| {}).await;
    let mut client = Client::connect(gateway.address).await;
    client.send("POST /hook HTTP/1.1\nHost: a\nContent-Length: 2\n\nhi").await;
    assert_eq!(client.answer().await.status, 200);
    assert_eq!(taken.next().await.body, "hi");
}

#[tokio::test]
async fn an_expectation_that_nobody_knows_is_answered_417_without_waiting_for_a_body() {
    let head = post("Expect: a-miracle\r\nContent-Length: 5\r\n", "");
    assert_eq!(refused(&head).await, (417, "unknown_expectation".into()));
}

#[tokio::test]
async fn a_connection_that_sent_a_large_head_ends_with_its_answer() {
    let (gateway, _taken) = Gateway::taking(|_| {}).await;
    for (bytes, closes) in [(7 << 10, false), (9 << 10, true)] {
        let mut client = Client::connect(gateway.address).await;
        client.send(post(&format!("X: {}\r\n", "a".repeat(bytes)), "")).await;
        let answer = client.answer().await;
        assert_eq!((answer.status, answer.closes()), (200, closes), "{bytes}");
    }
}
