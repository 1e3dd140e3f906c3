//! HTTP/2 in frames made by hand, since no client library sends what a hostile one would.

use super::*;
use bytes::Bytes;
use http::Response;
use http_body::Frame;
use http_body_util::StreamBody;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use tokio::io::{ReadHalf, WriteHalf, split};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const PRIORITY: u8 = 2;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const WINDOW_UPDATE: u8 = 8;
const CONTINUATION: u8 = 9;
/// `GET http://a/`, each in the shortest form of HPACK.
const GET_A: &[u8] = &[0x82, 0x84, 0x86, 0x01, 1, b'a'];
/// `POST http://a/`.
const POST_A: &[u8] = &[0x83, 0x84, 0x86, 0x01, 1, b'a'];
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("short").to_be_bytes();
    let mut bytes = vec![length[1], length[2], length[3], kind, flags];
    bytes.extend(stream.to_be_bytes());
    bytes.extend_from_slice(payload);
    bytes
}

fn get(stream: u32) -> Vec<u8> {
    frame(HEADERS, END_HEADERS | END_STREAM, stream, GET_A)
}

/// Opens a connection with these settings.
async fn open(
    running: &Running,
    settings: &[u8],
) -> (ReadHalf<DuplexStream>, WriteHalf<DuplexStream>) {
    let (read, mut write) = split(running.connect());
    let opening = [PREFACE, &frame(SETTINGS, 0, 0, settings)].concat();
    write.write_all(&opening).await.expect("writes");
    (read, write)
}

/// Reads frames until one of this kind comes, and gives its payload; none at the end.
async fn next(read: &mut ReadHalf<DuplexStream>, kind: u8) -> Option<Vec<u8>> {
    loop {
        let mut head = [0; 9];
        read.read_exact(&mut head).await.ok()?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let mut payload = vec![0; length as usize];
        read.read_exact(&mut payload).await.ok()?;
        if head[3] == kind {
            return Some(payload);
        }
    }
}

/// How long the connection stays open while its client takes all and says nothing.
async fn open_for(read: &mut ReadHalf<DuplexStream>) -> Duration {
    let started = Instant::now();
    while next(read, u8::MAX).await.is_some() {}
    started.elapsed()
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_its_client_does_not_take_ends_the_connection() {
    let running = start(service_fn(hello), ServerOptions::default());
    // SETTINGS_INITIAL_WINDOW_SIZE is 0: nothing of a body may be sent.
    let (mut read, mut write) = open(&running, &[0, 4, 0, 0, 0, 0]).await;
    write.write_all(&get(1)).await.expect("writes");
    next(&mut read, HEADERS).await.expect("the head of the answer");
    let stayed = open_for(&mut read).await;
    let round = limits::HEAD_TIMEOUT.min(limits::ANSWER_STALL_TIMEOUT) / 4;
    assert!(stayed >= limits::ANSWER_STALL_TIMEOUT, "{stayed:?}");
    assert!(stayed <= limits::ANSWER_STALL_TIMEOUT + 2 * round, "{stayed:?}");
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_has_nothing_to_say_for_long_is_not_stalled() {
    let slow = service_fn(|_: Request<Incoming>| async {
        let parts = futures_util::stream::unfold(0, |nth| async move {
            sleep(2 * limits::ANSWER_STALL_TIMEOUT).await;
            let part = Frame::data(Bytes::from_static(b"tick"));
            (nth < 3).then_some((Ok::<_, Infallible>(part), nth + 1))
        });
        Ok::<_, Infallible>(Response::new(StreamBody::new(Box::pin(parts))))
    });
    // The client here answers no pings.
    let options =
        ServerOptions { idle_timeout: Duration::from_secs(1 << 20), ..Default::default() };
    let running = start(slow, options);
    let (mut read, mut write) = open(&running, &[]).await;
    write.write_all(&get(1)).await.expect("writes");
    for _ in 0..3 {
        assert_eq!(next(&mut read, DATA).await.as_deref(), Some(b"tick".as_slice()));
    }
}

#[tokio::test(start_paused = true)]
async fn a_head_that_does_not_end_ends_the_connection() {
    let running = start(service_fn(hello), ServerOptions::default());
    let (mut read, mut write) = open(&running, &[]).await;
    write.write_all(&frame(HEADERS, END_STREAM, 1, GET_A)).await.expect("writes");
    let stayed = open_for(&mut read).await;
    assert!(stayed >= limits::HEAD_TIMEOUT, "{stayed:?}");
    assert!(stayed <= limits::HEAD_TIMEOUT * 3 / 2, "{stayed:?}");
}

/// Sends the frames one after the other, each made from its number, until the server closes.
async fn flood(
    running: &Running,
    opening: &[u8],
    frames: impl Fn(u32) -> Vec<u8> + Send + 'static,
) -> u32 {
    let (mut read, mut write) = open(running, &[]).await;
    write.write_all(opening).await.expect("writes");
    let reading = tokio::spawn(async move { open_for(&mut read).await });
    let mut sent = 0;
    while sent < 100_000 && write.write_all(&frames(sent)).await.is_ok() {
        sent += 1;
    }
    drop(write);
    reading.await.expect("no panic");
    sent
}

#[tokio::test(start_paused = true)]
async fn a_flood_of_frames_that_ask_for_nothing_ends_the_connection() {
    let open_stream = || frame(HEADERS, END_HEADERS, 1, POST_A);
    let floods: [(&str, Vec<u8>); 6] = [
        ("ping", frame(PING, 0, 0, &[0; 8])),
        ("settings", frame(SETTINGS, 0, 0, &[])),
        ("priority", frame(PRIORITY, 0, 1, &[0, 0, 0, 0, 1])),
        ("empty data", frame(DATA, 0, 1, &[])),
        ("window update", frame(WINDOW_UPDATE, 0, 0, &[0, 0, 0, 1])),
        ("unknown", frame(0xbb, 0, 0, &[0; 16])),
    ];
    let never = service_fn(|_: Request<Incoming>| std::future::pending::<Result<Answer, _>>());
    for (name, flooding) in floods {
        let running = start(never, ServerOptions::default());
        let sent = flood(&running, &open_stream(), move |_| flooding.clone()).await;
        let most = u32::try_from(limits::IDLE_FRAMES_MAX).expect("small") + 500; // in the pipe
        assert!(sent <= most, "{sent} frames of {name} were taken");
    }
}

#[tokio::test(start_paused = true)]
async fn streams_that_are_opened_and_reset_at_once_are_few() {
    let begun = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&begun);
    let service = service_fn(move |_: Request<Incoming>| {
        count.fetch_add(1, SeqCst);
        std::future::pending::<Result<Answer, Infallible>>()
    });
    let running = start(service, ServerOptions::default());
    let sent = flood(&running, &[], |nth| {
        let stream = 2 * nth + 1;
        [get(stream), frame(RST_STREAM, 0, stream, &[0, 0, 0, 8])].concat()
    });
    let most = (limits::IDLE_FRAMES_MAX / limits::RESET_COST_FRAMES) as usize;
    let sent = sent.await;
    assert!(sent < 1_000, "{sent} resets were taken");
    assert!(begun.load(SeqCst) <= most, "{} requests were begun", begun.load(SeqCst));
}

#[tokio::test(start_paused = true)]
async fn a_head_in_endless_parts_ends_the_connection() {
    let running = start(service_fn(hello), ServerOptions::default());
    let header = [&[0x00, 1, b'x', 100][..], &[b'y'; 100]].concat();
    let part = header.repeat(10);
    let opening = frame(HEADERS, 0, 1, GET_A);
    let sent = flood(&running, &opening, move |_| frame(CONTINUATION, 0, 1, &part)).await;
    // 1 KiB each, of a head that may have 64 KiB and be looked at up to twice that.
    assert!(sent < 300, "{sent} parts were taken");
}
