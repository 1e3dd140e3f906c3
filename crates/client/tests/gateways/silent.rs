//! Streams on which nothing comes but pings, or nothing at all, on a clock that this turns.

use super::{
    client,
    fake::{HELLO, Heard, delivered},
    gone::{self, turn},
};
use futures_util::{SinkExt, StreamExt};
use headgate_client::{Client, Event, testing};
use serde_json::{Value, json};
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    time::Duration,
};
use tokio::{
    net::{TcpListener, TcpStream},
    time::{Instant, interval},
};
use tokio_tungstenite::{accept_async, tungstenite::Message};

/// So many streams were opened.
type Streams = Arc<AtomicUsize>;

/// A gateway that delivers this on each stream, and pings as often as that or never.
async fn gateway(event: Option<Value>, ping_every: Option<Duration>) -> (String, Streams) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("its address"));
    let streams = Streams::default();
    let opened = Arc::clone(&streams);
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            tokio::spawn(serve(socket, event.clone(), ping_every, Arc::clone(&opened)));
        }
    });
    (url, streams)
}

async fn serve(
    socket: TcpStream,
    event: Option<Value>,
    ping_every: Option<Duration>,
    opened: Streams,
) {
    let mut first = [0; 4];
    if matches!(socket.peek(&mut first).await, Ok(4)) && first == *b"POST" {
        return gone::answer(socket, Vec::new(), Heard::default()).await;
    }
    let Ok(mut socket) = accept_async(socket).await else { return };
    opened.fetch_add(1, Ordering::SeqCst);
    for frame in [Some(HELLO.clone()), event].into_iter().flatten() {
        let _ = socket.send(Message::text(frame.to_string())).await;
    }
    let mut ping = interval(ping_every.unwrap_or(Duration::MAX / 4));
    ping.tick().await;
    loop {
        tokio::select! {
            _ = ping.tick() => {
                let _ = socket.send(Message::Ping(Default::default())).await;
            }
            said = socket.next() => if !matches!(said, Some(Ok(_))) { return },
        }
    }
}

/// Runs a client and turns its clock for so long; answers how many streams were open after each of
/// these spans.
async fn streams_after(mut client: Client, streams: &Streams, spans: &[Duration]) -> Vec<usize> {
    let stopper = client.stopper();
    client.on_event(|_: Event| std::future::pending::<()>());
    // While something blocks, tokio lets the clock stand, and it is turned here alone.
    let (released, holds) = mpsc::channel::<()>();
    let holding = tokio::task::spawn_blocking(move || holds.recv());
    let running = tokio::spawn(async move { client.run().await });
    let begun = Instant::now();
    let mut counts = Vec::new();
    for span in spans {
        while begun.elapsed() < *span {
            assert!(!running.is_finished(), "the client ended");
            turn().await;
        }
        counts.push(streams.load(Ordering::SeqCst));
    }
    stopper.stop();
    while !running.is_finished() {
        turn().await;
    }
    running.await.expect("no panic").expect("it ran");
    drop(released);
    let _ = holding.await;
    counts
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_is_pinged_stays_however_little_comes() {
    // Symptom: a new stream every 90 s. Cause: only what means something counted as heard.
    let (url, streams) = gateway(None, Some(Duration::from_secs(30))).await;
    let client = client(&url).drain_timeout(Duration::ZERO).build().expect("a client");
    let counts = streams_after(client, &streams, &[Duration::from_secs(3_600)]).await;
    assert_eq!(counts, [1]);
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_is_dead_is_left_though_leases_are_renewed_meanwhile() {
    // Symptom: a half-open line was never left while something ran. Cause: each renewal began the
    // wait for a word of the gateway anew.
    let event = delivered(testing::event("webhook.received", json!({})));
    let (url, streams) = gateway(Some(event), None).await;
    let builder = client(&url).lease(Duration::from_secs(30)).handler_timeout(None);
    let client = builder.drain_timeout(Duration::ZERO).build().expect("a client");
    let spans = [Duration::from_secs(85), Duration::from_secs(100)];
    assert_eq!(streams_after(client, &streams, &spans).await, [1, 2]);
}
