//! An endpoint that answers 410.

use crate::{
    endpoint::{Answer, Endpoint, Posted, answer},
    world::{World, to},
};
use headgate_queue::Standing;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::oneshot;

/// Answers 410 at `/old` when it is told to, and 204 elsewhere at once.
fn late(gone: &Arc<Mutex<Option<oneshot::Receiver<()>>>>) -> impl Fn(&Posted) -> Answer + use<> {
    let gone = Arc::clone(gone);
    move |posted| {
        let waits = gone.lock().unwrap_or_else(PoisonError::into_inner).take();
        match waits {
            Some(told) if posted.path == "/old" => Box::pin(async move {
                let _ = told.await;
                answer(410, "").await
            }),
            _ => answer(204, ""),
        }
    }
}

/// Symptom: the late 410 of a URL that was pushed to before paused the subscription, which had
/// another one by then. Cause: a verdict knew its subscription, not the URL that was called.
#[tokio::test]
async fn the_late_410_of_a_url_that_was_left_pauses_nothing() {
    let (tell, told) = oneshot::channel();
    let gone = Arc::new(Mutex::new(Some(told)));
    let endpoint = Endpoint::start(late(&gone)).await;
    let mut world = World::new();
    world.push("agent", &to(endpoint.url("old"))).await;
    let first = world.store(10).await;
    world.start();
    endpoint.wait_for(1).await;
    world.push("agent", &to(endpoint.url("new"))).await;
    let second = world.store(10).await;
    world.stands(second, "agent", |one| one.standing == Standing::Settled).await;
    tell.send(()).expect("it waits");
    let one = world.stands(first, "agent", |one| !one.attempts.is_empty()).await;
    assert_eq!((one.standing, &*one.attempts[0].outcome), (Standing::Waiting, "gone"));
    let third = world.store(10).await;
    world.stands(third, "agent", |one| one.standing == Standing::Settled).await;
    let pauses = world.pauses.lock().expect("whole").clone();
    assert_eq!(pauses, [(endpoint.url("old"), false)]);
}

#[tokio::test]
async fn a_410_of_the_url_that_is_pushed_to_pauses() {
    let endpoint = Endpoint::start(|_| answer(410, "")).await;
    let mut world = World::new();
    world.push("agent", &to(endpoint.url("hook"))).await;
    let id = world.store(10).await;
    world.start();
    world.stands(id, "agent", |one| !one.attempts.is_empty()).await;
    let pauses = world.pauses.lock().expect("whole").clone();
    assert_eq!(pauses, [(endpoint.url("hook"), true)]);
}
