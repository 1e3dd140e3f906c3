//! Handshakes that hand over a secret: it is kept before they are answered.

use crate::gate::{Gate, NOW, Post, spec};
use headgate_webhook::{CaptureSink, Captured, NotKept};
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

/// Keeps nothing, and answers what it is told to.
#[derive(Default)]
struct Scripted {
    answers: Mutex<VecDeque<Result<bool, NotKept>>>,
    kept: Mutex<Vec<(String, String, Vec<u8>)>>,
    threads: Mutex<Vec<std::thread::ThreadId>>,
}

impl CaptureSink for Scripted {
    fn keep(&self, channel: &str, captured: &Captured) -> Result<bool, NotKept> {
        assert_eq!(captured.at, NOW);
        let value = captured.value.expose().to_vec();
        let entry = (channel.to_owned(), captured.handshake.clone(), value);
        self.kept.lock().expect("not poisoned").push(entry);
        self.threads.lock().expect("not poisoned").push(std::thread::current().id());
        self.answers.lock().expect("not poisoned").pop_front().expect("an answer")
    }
}

fn scripted(answers: &[Result<bool, NotKept>]) -> (Gate, Arc<Scripted>) {
    let answers = Mutex::new(answers.iter().cloned().collect());
    let sink = Arc::new(Scripted { answers, ..Scripted::default() });
    let gate = Gate::capturing(spec("asana", &[]), Arc::clone(&sink) as Arc<dyn CaptureSink>);
    (gate, sink)
}

fn handshake() -> Post {
    Post::to("/v1/webhook/fixture", "{}").header("x-hook-secret", "b537207f20cbfa02")
}

#[tokio::test]
async fn what_is_handed_over_is_kept_before_it_is_answered() {
    let (gate, sink) = scripted(&[Ok(true), Ok(false)]);
    for _ in 0..2 {
        let answer = gate.send(&handshake()).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.headers["x-hook-secret"], "b537207f20cbfa02");
    }
    let kept = sink.kept.lock().expect("not poisoned").clone();
    let (channel, handshake, value) = &kept[0];
    assert_eq!((channel.as_str(), handshake.as_str()), ("fixture", "hook-secret"));
    assert_eq!(value, b"b537207f20cbfa02");
    assert_eq!(gate.sink.len(), 0);
}

/// Symptom: the file was written and synced on a thread that serves requests, which waited for it.
#[tokio::test]
async fn keeping_it_holds_up_no_thread_that_serves() {
    let (gate, sink) = scripted(&[Ok(true)]);
    gate.send(&handshake()).await;
    let threads = sink.threads.lock().expect("not poisoned").clone();
    assert_eq!(threads.len(), 1);
    assert_ne!(threads[0], std::thread::current().id());
}

#[tokio::test]
async fn what_is_not_kept_is_not_answered_as_if_it_were() {
    let failed = Err(NotKept::Failed("the disk is full".to_owned()));
    let (gate, _) = scripted(&[failed, Err(NotKept::Full)]);
    let answer = gate.send(&handshake()).await;
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (503, "unavailable"));
    assert!(answer.headers.contains_key("retry-after"));
    assert!(!answer.body.contains("disk"));
    let answer = gate.send(&handshake()).await;
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (429, "handshakes_full"));
    assert!(!answer.headers.contains_key("x-hook-secret"));
}
