//! A run that breaks off begins anew after a pause, which a wish cuts short.

use headgate_event::{BoxFuture, Secret, StoreError};
use headgate_slack::socket::{Deliver, Delivered, Envelope, SocketMode, SocketPorts, SocketSpec};
use std::{sync::Arc, time::Duration};
use tokio::{sync::mpsc, time::Instant};

struct Nothing;

impl Deliver for Nothing {
    fn deliver(&self, _: Envelope) -> BoxFuture<'_, Result<Delivered, StoreError>> {
        Box::pin(async { Ok(None) })
    }
}

/// Socket Mode each run of which breaks off at once, and when each began.
fn broken() -> (SocketMode, mpsc::UnboundedReceiver<Instant>) {
    let (began, begins) = mpsc::unbounded_channel();
    let draw = move || -> u32 {
        began.send(Instant::now()).expect("somebody looks");
        panic!("no number")
    };
    let spec = SocketSpec {
        channel: "team".to_owned(),
        app_token: Secret::new("xapp-1-A-1-b"),
        api: "http://127.0.0.1:9/api".to_owned(),
    };
    let ports = SocketPorts { deliver: Arc::new(Nothing), draw: Arc::new(draw) };
    (SocketMode::start(&spec, ports).expect("a right specification"), begins)
}

#[tokio::test(start_paused = true)]
async fn pauses_between_runs_grow_and_a_wish_to_go_on_ends_one() {
    let (mode, mut begins) = broken();
    let first = begins.recv().await.expect("a run");
    let mut after = Vec::new();
    for _ in 0..3 {
        after.push((begins.recv().await.expect("a run") - first).as_secs());
    }
    assert_eq!(after, [1, 3, 7]);
    assert!(!mode.is_ready());
    let last = Instant::now();
    mode.resume();
    assert_eq!(begins.recv().await.expect("a run") - last, Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn what_is_stopped_in_a_pause_ends_at_once_and_begins_no_more() {
    let (mode, mut begins) = broken();
    let first = begins.recv().await.expect("a run");
    mode.stop().await;
    assert_eq!(Instant::now(), first);
    assert_eq!(begins.recv().await, None);
}
