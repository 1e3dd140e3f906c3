//! A gateway that is gone for an hour, on a clock that this turns.

use super::{
    client,
    fake::{HELLO, Heard, delivered, speak},
    first,
};
use futures_util::SinkExt;
use headgate_client::{Transport, testing};
use serde_json::{Value, json};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
        mpsc,
    },
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::yield_now,
    time::{Instant, advance},
};
use tokio_tungstenite::{accept_async, tungstenite::Message};

const HOUR: Duration = Duration::from_secs(3_600);
const STEP: Duration = Duration::from_secs(1);
/// So many turns of the runtime are enough for what goes to and fro within a step.
const TURNS: usize = 40;
/// The waits of an hour, when they grow to 15 to 30 s: 120 to 240, and the first ones.
const TRIES: std::ops::Range<usize> = 60..260;

/// How it is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Gone {
    /// Whoever connects is cut off.
    Dead,
    /// It says hello and ends.
    Ends,
    /// It says hello, complains, and ends.
    Complains,
}

#[derive(Debug, Default)]
struct State {
    is_back: AtomicBool,
    tries: AtomicUsize,
}

#[tokio::test(start_paused = true)]
async fn a_gateway_that_was_gone_for_an_hour_is_found_again() {
    for (transport, gone) in [
        (Transport::WebSocket, Gone::Dead),
        (Transport::WebSocket, Gone::Ends),
        (Transport::WebSocket, Gone::Complains),
        (Transport::Poll, Gone::Dead),
        (Transport::Auto, Gone::Dead),
    ] {
        // While something blocks, tokio lets the clock stand, and it is turned here alone.
        let (released, holds) = mpsc::channel::<()>();
        let holding = tokio::task::spawn_blocking(move || holds.recv());
        let tries = hour(transport, gone).await;
        println!("{transport:?}, {gone:?}: {tries} tries in an hour");
        assert!(TRIES.contains(&tries), "{transport:?}, {gone:?}: {tries} tries");
        drop(released);
        let _ = holding.await;
    }
}

/// Has the gateway gone for an hour, and back; answers how often it was asked for meanwhile.
async fn hour(transport: Transport, gone: Gone) -> usize {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("its address"));
    let (state, heard) = (Arc::new(State::default()), Heard::default());
    let serving = tokio::spawn(serve(listener, gone, Arc::clone(&state), heard.clone()));
    let running = tokio::spawn(first(client(&url).transport(transport)));
    let begun = Instant::now();
    while begun.elapsed() < HOUR {
        turn().await;
    }
    let tries = state.tries.load(Ordering::SeqCst);
    state.is_back.store(true, Ordering::SeqCst);
    while !running.is_finished() {
        assert!(begun.elapsed() < 2 * HOUR, "it was not found again");
        turn().await;
    }
    let seen = running.await.expect("no panic").expect("it runs");
    assert_eq!(seen.len(), 1, "{transport:?}");
    serving.abort();
    tries
}

pub(super) async fn turn() {
    advance(STEP).await;
    for _ in 0..TURNS {
        yield_now().await;
    }
}

async fn serve(listener: TcpListener, gone: Gone, state: Arc<State>, heard: Heard) {
    let event = delivered(testing::event("webhook.received", json!({})));
    while let Ok((socket, _)) = listener.accept().await {
        if state.is_back.load(Ordering::SeqCst) {
            let (event, heard) = (event.clone(), heard.clone());
            tokio::spawn(async move {
                let mut first = [0; 4];
                match socket.peek(&mut first).await {
                    Ok(4) if first == *b"POST" => answer(socket, vec![event], heard).await,
                    _ => speak(socket, vec![HELLO.clone(), event], heard).await,
                }
            });
            continue;
        }
        state.tries.fetch_add(1, Ordering::SeqCst);
        if gone != Gone::Dead {
            tokio::spawn(async move {
                let Ok(mut socket) = accept_async(socket).await else { return };
                let _ = socket.send(Message::text(HELLO.to_string())).await;
                if gone == Gone::Complains {
                    let error = json!({"type": "error", "code": "unavailable", "id": null,
                        "message": "the queue is not available"});
                    let _ = socket.send(Message::text(error.to_string())).await;
                    // So that it is heard of before the end.
                    tokio::time::sleep(STEP).await;
                }
            });
        }
    }
}

/// Answers calls that lease and settle: what waits is given once.
pub(super) async fn answer(mut socket: TcpStream, mut waiting: Vec<Value>, heard: Heard) {
    while let Some((path, body)) = request(&mut socket).await {
        let answer = if path.ends_with("/lease") {
            json!({"deliveries": std::mem::take(&mut waiting)})
        } else {
            note_settled(&body, &heard);
            json!({"settled": 1, "errors": []})
        };
        let text = answer.to_string();
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            text.len()
        );
        if socket.write_all(format!("{head}{text}").as_bytes()).await.is_err() {
            return;
        }
    }
}

/// What a call settles, in the words of a stream.
fn note_settled(body: &Value, heard: &Heard) {
    for id in body["ack"].as_array().into_iter().flatten() {
        heard.note(json!({"type": "ack", "id": id}));
    }
    for verb in ["retry", "bury", "extend"] {
        for terms in body[verb].as_array().into_iter().flatten() {
            let mut terms = terms.clone();
            terms["type"] = verb.into();
            heard.note(terms);
        }
    }
}

/// The path and the JSON of a request.
async fn request(socket: &mut TcpStream) -> Option<(String, Value)> {
    let mut read = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&read).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                let is_length = name.eq_ignore_ascii_case("content-length");
                is_length.then(|| value.trim().parse::<usize>().ok()).flatten()
            });
            if body.len() >= length.unwrap_or(0) {
                let path = head.split(' ').nth(1)?.to_owned();
                return Some((path, serde_json::from_str(body).unwrap_or_default()));
            }
        }
        let mut bytes = [0; 4096];
        match socket.read(&mut bytes).await {
            Ok(length @ 1..) => read.extend_from_slice(bytes.get(..length)?),
            _ => return None,
        }
    }
}
