//! Which handler is called, what its answer says on the wire, and what is told of it.

use super::{
    client,
    fake::{DELIVERY, HELLO, Heard, delivered, says},
};
use futures_util::{SinkExt, StreamExt};
use headgate_client::{Bury, Client, Event, RetryAfter, Unhandled, testing};
use serde_json::{Value, json};
use std::{
    fmt::Write,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::net::TcpListener;
use tokio_tungstenite::{accept_async, tungstenite::Message};
use tracing::{
    Metadata, Subscriber,
    field::{Field, Visit},
    span,
};

type Text = Arc<Mutex<String>>;

fn read(text: &Text) -> String {
    text.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

/// Notes spans and events as lines of text.
struct Notes(Text);

struct Fields(String);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        let _ = write!(self.0, " {field}={value:?}");
    }
}

impl Notes {
    fn note(&self, metadata: &Metadata<'_>, fields: Fields) {
        let mut text = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = writeln!(text, "{} {}{}", metadata.level(), metadata.name(), fields.0);
    }
}

impl Subscriber for Notes {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("headgate_client")
    }

    fn new_span(&self, span: &span::Attributes<'_>) -> span::Id {
        let mut fields = Fields(String::new());
        span.record(&mut fields);
        self.note(span.metadata(), fields);
        span::Id::from_u64(1)
    }

    fn event(&self, event: &tracing::Event<'_>) {
        let mut fields = Fields(String::new());
        event.record(&mut fields);
        self.note(event.metadata(), fields);
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

/// Runs a client until the gateway hears what is looked for.
async fn run_until(client: Client, heard: &Heard, is_it: impl Fn(&Value) -> bool) {
    let stopper = client.stopper();
    let running = tokio::spawn(async move { client.run().await });
    heard.until(is_it).await;
    stopper.stop();
    running.await.expect("no panic").expect("it runs");
}

fn said(verb: &'static str) -> impl Fn(&Value) -> bool {
    move |said| said["type"] == verb && said["id"] == DELIVERY
}

#[tokio::test]
async fn each_helper_takes_the_events_of_its_kind_and_no_others() {
    let kinds =
        ["webhook.received", "email.received", "slack.event", "cron.fired", "proposal.received"];
    let mut frames = vec![HELLO.clone()];
    for (number, kind) in kinds.into_iter().enumerate() {
        let mut event = delivered(testing::event(kind, json!({})));
        event["delivery"]["id"] = format!("agent.1.{number}.1").into();
        frames.push(event);
    }
    let (url, heard) = says(frames).await;
    let mut client = client(&url).build().expect("a client");
    let called = Text::default();
    let note = |name: &'static str| {
        let called = Arc::clone(&called);
        move |event: Event| {
            let mut called = called.lock().unwrap_or_else(PoisonError::into_inner);
            called.push_str(&format!("{name} {}\n", event.event_type()));
            std::future::ready(())
        }
    };
    client
        .on_webhook(note("webhook"))
        .on_email(note("email"))
        .on_slack(note("slack"))
        .on_cron(note("cron"))
        .on_type("proposal.*", note("proposal"));
    run_until(client, &heard, |said| said["id"] == "agent.1.4.1").await;
    let called = read(&called);
    let mut lines: Vec<&str> = called.lines().collect();
    lines.sort_unstable();
    let expected = [
        "cron cron.fired",
        "email email.received",
        "proposal proposal.received",
        "slack slack.event",
        "webhook webhook.received",
    ];
    assert_eq!(lines, expected);
}

#[tokio::test]
async fn what_a_handler_asks_for_is_what_is_said() {
    let reason = RetryAfter(Duration::from_secs(90)).to_string();
    for (number, expected) in [
        json!({"type": "retry", "id": DELIVERY, "after_ms": 90_000, "reason": reason}),
        json!({"type": "bury", "id": DELIVERY, "reason": "no use"}),
        json!({"type": "retry", "id": DELIVERY, "reason": "broken"}),
    ]
    .into_iter()
    .enumerate()
    {
        let event = delivered(testing::event("webhook.received", json!({})));
        let (url, heard) = says(vec![HELLO.clone(), event]).await;
        let mut client = client(&url).build().expect("a client");
        client.on_event(move |_: Event| async move {
            let error: Box<dyn std::error::Error + Send + Sync> = match number {
                0 => RetryAfter(Duration::from_secs(90)).into(),
                1 => Bury("no use".into()).into(),
                _ => "broken".into(),
            };
            Err::<(), _>(error)
        });
        run_until(client, &heard, |said| said == &expected).await;
    }
}

#[tokio::test]
async fn what_no_handler_takes_becomes_what_the_client_says() {
    for (unhandled, verb) in
        [(Unhandled::Bury, "bury"), (Unhandled::Ack, "ack"), (Unhandled::Retry, "retry")]
    {
        let event = delivered(testing::event("webhook.received", json!({})));
        let (url, heard) = says(vec![HELLO.clone(), event]).await;
        let mut client = client(&url).unhandled(unhandled).build().expect("a client");
        client.on_email(|_: Event| async {});
        run_until(client, &heard, said(verb)).await;
    }
}

#[tokio::test]
async fn a_handler_runs_in_a_span_that_names_its_event() {
    let notes = Text::default();
    let _guard = tracing::subscriber::set_default(Notes(Arc::clone(&notes)));
    let event = testing::event("webhook.received", json!({}));
    let id = event.id();
    let (url, heard) = says(vec![HELLO.clone(), delivered(event)]).await;
    let mut client = client(&url).build().expect("a client");
    client.on_event(|_: Event| async {});
    run_until(client, &heard, said("ack")).await;
    let span =
        format!("INFO event id={id} type=webhook.received channel=\"test-webhook\" attempt=1\n");
    assert!(read(&notes).contains(&span), "{}", read(&notes));
}

/// A gateway that refuses every acknowledgement on its streams: the lease is over.
async fn refusing(event: Value) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("its address"));
    tokio::spawn(async move {
        let (socket, _) = listener.accept().await.expect("a client");
        let mut socket = accept_async(socket).await.expect("a stream");
        for frame in [HELLO.clone(), event] {
            let _ = socket.send(Message::text(frame.to_string())).await;
        }
        while let Some(Ok(message)) = socket.next().await {
            if message.to_text().is_ok_and(|text| text.contains("\"ack\"")) {
                let error = json!({"type": "error", "code": "lease_expired", "id": DELIVERY,
                    "message": "the lease is over"});
                let _ = socket.send(Message::text(error.to_string())).await;
            }
        }
    });
    url
}

#[tokio::test]
async fn an_ack_after_the_lease_is_logged_and_ends_nothing() {
    let notes = Text::default();
    let _guard = tracing::subscriber::set_default(Notes(Arc::clone(&notes)));
    let url = refusing(delivered(testing::event("webhook.received", json!({})))).await;
    let mut client = client(&url).build().expect("a client");
    client.on_event(|_: Event| async {});
    let stopper = client.stopper();
    let running = tokio::spawn(async move { client.run().await });
    while !read(&notes).contains("lease_expired") {
        assert!(!running.is_finished(), "it ended");
        tokio::task::yield_now().await;
    }
    stopper.stop();
    running.await.expect("no panic").expect("it ends nothing");
    let line = read(&notes);
    let line = line.lines().find(|line| line.contains("lease_expired")).unwrap_or_default();
    assert!(line.starts_with("WARN ") && line.contains("it was not settled"), "{line}");
    assert!(line.contains(DELIVERY) && line.contains("verb=\"ack\""), "{line}");
}
