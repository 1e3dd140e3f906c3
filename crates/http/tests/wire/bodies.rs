//! Bodies: exact, capped, timed and counted while they arrive.

use crate::{
    gateway::{BODY_BYTES_MAX, Gateway},
    raw::Client,
};
use std::{fs, time::Duration};
use tokio::io::AsyncWriteExt;

const CHUNKED: &str = "POST /hook HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";

fn sized(length: usize) -> String {
    format!("POST /hook HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n")
}

fn chunk(bytes: &[u8]) -> Vec<u8> {
    [format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat()
}

/// Bytes in which a part that is lost, doubled or moved shows.
fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8).collect()
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_by_its_announcement() {
    let (gateway, mut taken) = Gateway::taking(|_| {}).await;
    let mut client = Client::connect(gateway.address).await;
    // Not one byte of the body is sent: the answer does not wait for it.
    client.send(sized(BODY_BYTES_MAX + 1)).await;
    let answer = client.answer().await;
    assert_eq!((answer.status, answer.code().as_str()), (413, "body_too_large"));
    assert!(answer.closes());
    client.stream().shutdown().await.expect("open");
    client.is_closed().await;
    taken.is_empty();
}

#[tokio::test]
async fn a_chunked_body_over_the_limit_is_refused_as_soon_as_it_passes() {
    let (gateway, mut taken) = Gateway::taking(|_| {}).await;
    let mut client = Client::connect(gateway.address).await;
    client.send(CHUNKED).await;
    for _ in 0..8 {
        client.send(chunk(&pattern(1 << 20))).await;
    }
    client.send(chunk(b"!")).await;
    // No last chunk is sent: the answer does not wait for it.
    let answer = client.answer().await;
    assert_eq!((answer.status, answer.code().as_str()), (413, "body_too_large"));
    assert!(answer.closes());
    client.send_what_is_taken(chunk(&pattern(1 << 20))).await;
    client.stream().shutdown().await.expect("open");
    client.is_closed().await;
    taken.is_empty();
}

#[tokio::test]
async fn a_sender_that_goes_on_sending_still_reads_its_413() {
    let (gateway, _taken) = Gateway::taking(|_| {}).await;
    let mut client = Client::connect(gateway.address).await;
    client.send(sized(4 * BODY_BYTES_MAX)).await;
    client.send_what_is_taken(pattern(4 * BODY_BYTES_MAX)).await;
    assert_eq!(client.answer().await.status, 413);
}

#[tokio::test]
async fn a_body_of_the_limit_is_taken() {
    let (gateway, mut taken) = Gateway::taking(|_| {}).await;
    let mut client = Client::connect(gateway.address).await;
    client.send(sized(BODY_BYTES_MAX)).await;
    client.send(pattern(BODY_BYTES_MAX)).await;
    assert_eq!(client.answer().await.status, 200);
    assert_eq!(taken.next().await.body, pattern(BODY_BYTES_MAX));
}

#[tokio::test]
async fn a_body_of_5_mib_is_spooled_and_comes_back_exact() {
    let body = pattern((5 << 20) + 7);
    let (gateway, mut taken) = Gateway::taking(|_| {}).await;
    let mut client = Client::connect(gateway.address).await;
    client.send(sized(body.len())).await;
    client.send(&body).await;
    assert_eq!(client.answer().await.status, 200);
    let request = taken.next().await;
    assert!(request.body == body, "the body differs");
    assert_eq!(request.hold.bytes(), body.len());
    assert_eq!(fs::read_dir(taken.spool.path()).expect("reads").count(), 0);
}

#[tokio::test]
async fn a_chunked_body_is_exact_whatever_its_chunks() {
    let body = pattern(3 << 20);
    let (gateway, mut taken) = Gateway::taking(|_| {}).await;
    for size in [1_000, 65_536, 3 << 20] {
        let mut client = Client::connect(gateway.address).await;
        client.send(CHUNKED).await;
        for part in body.chunks(size) {
            client.send(chunk(part)).await;
        }
        client.send("0\r\nX-Trailer: ignored\r\n\r\n").await;
        let answer = client.answer().await;
        assert_eq!(answer.status, 200);
        assert!(answer.closes(), "what follows a chunked body is not watched");
        client.is_closed().await;
        assert!(taken.next().await.body == body, "in chunks of {size}");
    }
}

#[tokio::test]
async fn what_cannot_be_spooled_is_our_fault() {
    let (gateway, mut taken) = Gateway::taking(|_| {}).await;
    fs::remove_dir_all(taken.spool.path()).expect("removes");
    let mut client = Client::connect(gateway.address).await;
    client.send(sized(2 << 20)).await;
    client.send_what_is_taken(pattern(2 << 20)).await;
    let answer = client.answer().await;
    assert_eq!((answer.status, answer.code().as_str()), (503, "unavailable"));
    assert_eq!(answer.headers["retry-after"], "5");
    taken.is_empty();
    let mut small = Client::connect(gateway.address).await;
    small.send([sized(2).as_str(), "ok"].concat()).await;
    assert_eq!(small.answer().await.status, 200);
}

#[tokio::test]
async fn an_empty_body_is_taken() {
    let (gateway, mut taken) = Gateway::taking(|_| {}).await;
    let mut client = Client::connect(gateway.address).await;
    client.send(sized(0)).await;
    assert_eq!(client.answer().await.status, 200);
    client.send([CHUNKED, "0\r\n\r\n"].concat()).await;
    assert_eq!(client.answer().await.status, 200);
    assert_eq!([taken.next().await.body, taken.next().await.body], ["", ""]);
}

#[tokio::test]
async fn a_malformed_chunk_is_the_senders_fault() {
    for chunk in
        ["zz\r\nab\r\n", "-1\r\n", "5 5\r\nhello\r\n", "ffffffffffffffffff\r\n", "2\r\nabc\r\n"]
    {
        let (gateway, mut taken) = Gateway::taking(|_| {}).await;
        let mut client = Client::connect(gateway.address).await;
        client.send([CHUNKED, chunk].concat()).await;
        let answer = client.answer().await;
        assert_eq!((answer.status, answer.code().as_str()), (400, "body_malformed"), "{chunk:?}");
        assert!(answer.closes());
        taken.is_empty();
    }
}

#[tokio::test]
async fn floods_beside_the_chunks_are_the_senders_fault() {
    let extension = format!("2;{}\r\nab\r\n0\r\n\r\n", "x".repeat(64 << 10));
    let many = format!("1;{}\r\na\r\n", "x".repeat(100)).repeat(1_000);
    let trailers = format!("2\r\nab\r\n0\r\n{}\r\n", "x: y\r\n".repeat(10_000));
    for (name, body) in [("extension", extension), ("extensions", many), ("trailers", trailers)] {
        let (gateway, mut taken) = Gateway::taking(|_| {}).await;
        let mut client = Client::connect(gateway.address).await;
        client.send_what_is_taken([CHUNKED, &body].concat()).await;
        let answer = client.answer().await;
        assert_eq!((answer.status, answer.code().as_str()), (400, "body_malformed"), "{name}");
        taken.is_empty();
    }
}

#[tokio::test]
async fn a_body_that_stands_still_is_closed_in_time() {
    let (gateway, mut taken) =
        Gateway::taking(|options| options.pace.idle_timeout = Duration::from_millis(100)).await;
    let mut client = Client::connect(gateway.address).await;
    client.send([sized(10).as_str(), "half"].concat()).await;
    let answer = client.answer().await;
    assert_eq!((answer.status, answer.code().as_str()), (408, "body_too_slow"));
    assert_eq!(answer.error()["message"], "the body stood still for 0.1 s");
    assert!(answer.closes());
    client.stream().shutdown().await.expect("open");
    client.is_closed().await;
    taken.is_empty();
}

#[tokio::test]
async fn a_body_that_drips_is_closed_in_time() {
    let (gateway, mut taken) =
        Gateway::taking(|options| options.pace.grace_timeout = Duration::from_millis(200)).await;
    let mut client = Client::connect(gateway.address).await;
    client.send(sized(1 << 20)).await;
    let dripped = async {
        loop {
            client.send_what_is_taken("a").await;
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let _ = tokio::time::timeout(Duration::from_millis(400), dripped).await;
    let answer = client.answer().await;
    assert_eq!((answer.status, answer.code().as_str()), (408, "body_too_slow"));
    let message = "the body came at less than 16384 bytes a second";
    assert_eq!(answer.error()["message"], message);
    taken.is_empty();
}

#[tokio::test]
async fn a_sender_that_closes_its_half_mid_body_is_told_that_it_is_incomplete() {
    for head in [sized(10), format!("{CHUNKED}a\r\n")] {
        let (gateway, mut taken) = Gateway::taking(|_| {}).await;
        let mut client = Client::connect(gateway.address).await;
        client.send([head.as_str(), "half"].concat()).await;
        client.stream().shutdown().await.expect("open");
        let answer = client.answer().await;
        assert_eq!((answer.status, answer.code().as_str()), (400, "body_incomplete"));
        client.is_closed().await;
        taken.is_empty();
    }
}

#[tokio::test]
async fn expect_100_continue_is_answered_when_the_body_is_wanted() {
    let (gateway, mut taken) = Gateway::taking(|_| {}).await;
    let expecting = |length: usize| {
        format!(
            "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: {length}\r\n\r\n"
        )
    };
    let mut client = Client::connect(gateway.address).await;
    client.send(expecting(5)).await;
    assert_eq!(client.answer().await.status, 100);
    client.send("hello").await;
    assert_eq!(client.answer().await.status, 200);
    assert_eq!(taken.next().await.body, "hello");
    client.send(expecting(BODY_BYTES_MAX + 1)).await;
    assert_eq!(client.answer().await.status, 413);
}

#[tokio::test]
async fn bodies_beyond_the_memory_for_them_are_answered_503_until_others_are_done() {
    let (gateway, mut taken) =
        Gateway::taking(|options| options.bodies_in_flight_bytes_max = 100).await;
    let mut client = Client::connect(gateway.address).await;
    client.send([sized(80).as_bytes(), &pattern(80)].concat()).await;
    assert_eq!(client.answer().await.status, 200);
    let held = taken.next().await;
    assert_eq!(held.hold.bytes(), 80);

    let mut other = Client::connect(gateway.address).await;
    other.send([sized(30).as_bytes(), &pattern(30)].concat()).await;
    let answer = other.answer().await;
    assert_eq!((answer.status, answer.code().as_str()), (503, "unavailable"));
    assert_eq!(answer.headers["retry-after"], "5");
    taken.is_empty();

    // What is small enough still finds room, and all of it is back when the first is stored.
    client.send([sized(20).as_bytes(), &pattern(20)].concat()).await;
    assert_eq!(client.answer().await.status, 200);
    drop((held, taken.next().await));
    client.send([sized(100).as_bytes(), &pattern(100)].concat()).await;
    assert_eq!(client.answer().await.status, 200);
    assert_eq!(taken.next().await.hold.bytes(), 100);
}

#[tokio::test]
async fn a_large_body_that_is_still_arriving_holds_little_memory() {
    let (gateway, mut taken) = Gateway::taking(|options| {
        options.bodies_in_flight_bytes_max = 3 << 20;
        options.body_memory_bytes_max = 256 << 10;
    })
    .await;
    let body = pattern(2 << 20);
    let mut slow = Vec::new();
    for _ in 0..4 {
        let mut client = Client::connect(gateway.address).await;
        client.send(sized(body.len())).await;
        client.send(&body[..body.len() - 1]).await;
        slow.push(client);
    }
    // Four of them have come but for a byte, more than the memory for bodies can hold.
    let mut quick = Client::connect(gateway.address).await;
    quick.send([sized(1 << 20).as_bytes(), &pattern(1 << 20)].concat()).await;
    assert_eq!(quick.answer().await.status, 200);
    drop(taken.next().await);
    for mut client in slow {
        client.send(&body[body.len() - 1..]).await;
        assert_eq!(client.answer().await.status, 200);
        assert!(taken.next().await.body == body, "the body differs");
    }
}

#[tokio::test]
async fn a_whole_body_waits_a_while_for_memory() {
    let (gateway, mut taken) = Gateway::taking(|options| {
        options.bodies_in_flight_bytes_max = 3 << 20;
        options.memory_wait = Duration::from_secs(20);
    })
    .await;
    let body = pattern(2 << 20);
    let request = [sized(body.len()).as_bytes(), &body].concat();
    let mut first = Client::connect(gateway.address).await;
    first.send(&request).await;
    assert_eq!(first.answer().await.status, 200);
    let held = taken.next().await;
    let mut second = Client::connect(gateway.address).await;
    second.send(&request).await;
    let waits = tokio::time::timeout(Duration::from_millis(200), second.stream().readable()).await;
    assert!(waits.is_err(), "the second is answered while the first holds the memory");
    drop(held);
    assert_eq!(second.answer().await.status, 200);
}
