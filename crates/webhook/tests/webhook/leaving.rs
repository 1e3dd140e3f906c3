//! Symptom: a sender that hung up while its event was being stored gave its body's share of the
//! memory back, although the store still had the body, so that hanging up got around the bound.
//! Cause: the share went with the future of the answer. Storing is a task of its own, which holds
//! the share to its end.

use crate::gate::{NOW, PROVIDERS, Post, spec};
use headgate_event::{Accepted, BoxFuture, Draft, EventId, Sink, StoreError, prompt::PromptKey};
use headgate_http::{Intake, IntakeOptions, TrustedProxies};
use headgate_testkit::ManualClock;
use headgate_webhook::{Ports, WebhookSource};
use std::{sync::Arc, time::Duration};
use tokio::sync::Semaphore;

const BODY_BYTES: usize = 1_000;

/// A sink that says when it was called, and stores when it is let.
struct Slow {
    called: Semaphore,
    may: Semaphore,
    stored: Semaphore,
}

impl Sink for Slow {
    fn accept(&self, drafts: Vec<Draft>) -> BoxFuture<'_, Result<Vec<Accepted>, StoreError>> {
        Box::pin(async move {
            self.called.add_permits(1);
            self.may.acquire().await.expect("open").forget();
            self.stored.add_permits(1);
            Ok(drafts.iter().map(|_| Accepted::New(EventId::from_parts(NOW, 1))).collect())
        })
    }
}

#[tokio::test]
async fn a_sender_that_leaves_takes_neither_its_event_nor_the_bound_with_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut options = IntakeOptions::new(folder.path().join("spool"));
    options.bodies_in_flight_bytes_max = BODY_BYTES;
    let slow = Arc::new(Slow {
        called: Semaphore::new(0),
        may: Semaphore::new(0),
        stored: Semaphore::new(0),
    });
    let ports = Ports {
        sink: Arc::clone(&slow) as Arc<dyn Sink>,
        intake: Arc::new(Intake::new(options).expect("an intake")),
        proxies: TrustedProxies::default(),
        clock: Arc::new(ManualClock::at(NOW)),
        prompt_key: PromptKey::new([7; 32]),
        rejections: None,
        fetched: Arc::default(),
        captures: None,
    };
    let source = WebhookSource::new(vec![spec("none", &[])], &PROVIDERS, ports);
    let source = Arc::new(source.expect("a right channel"));
    let post = Post::to("/v1/webhook/fixture", vec![b'x'; BODY_BYTES]);
    let answer = |post: &Post| {
        let (source, request) = (Arc::clone(&source), post.request());
        tokio::spawn(async move { source.answer(request).await.status() })
    };

    let leaving = answer(&post);
    slow.called.acquire().await.expect("open").forget();
    leaving.abort();
    assert!(leaving.await.expect_err("left").is_cancelled());
    let next = tokio::time::timeout(Duration::from_secs(20), answer(&post)).await;
    let next = next.expect("answered at once, for there is no memory").expect("answered");
    assert_eq!(next, 503);

    slow.may.add_permits(1);
    slow.stored.acquire().await.expect("open").forget();
    // The share comes back right after the store's answer, on another task.
    while answer_or_full(&source, &post, &slow).await == 503 {
        tokio::task::yield_now().await;
    }
}

/// The answer to one more, which may be stored at once.
async fn answer_or_full(source: &WebhookSource, post: &Post, slow: &Slow) -> u16 {
    slow.may.add_permits(1);
    let status = source.answer(post.request()).await.status().as_u16();
    if status == 503 {
        slow.may.acquire().await.expect("open").forget();
    }
    status
}
