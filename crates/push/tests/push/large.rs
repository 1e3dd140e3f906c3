//! Large events: what is on its way of them is bounded, for one endpoint and for all, and small
//! ones do not wait for them.

use crate::{
    endpoint::{Endpoint, Posted, answer},
    world::{World, credentials, pushing, to},
};
use headgate_event::limits::{
    PUSH_POOL_BYTES_MAX, PUSH_SHARE_BYTES_MAX, PUSH_WRITTEN_INLINE_BYTES_MAX,
};
use headgate_push::Keyring;
use headgate_queue::{Queue, Standing, Start, SubscriptionSpec};
use std::sync::{Arc, Mutex};
use tokio::sync::Semaphore;

const MIB: usize = 1 << 20;
/// Of a large event.
const LARGE: usize = 4 * MIB;
/// An event is in memory twice: as it is, and as what is posted of it. A few bytes are around the
/// body.
const A_SHARE_OF: usize = PUSH_SHARE_BYTES_MAX / (2 * (LARGE + 1_000));
const A_POOL_OF: usize = PUSH_POOL_BYTES_MAX / (2 * (LARGE + 1_000));

/// An endpoint that answers as many requests as there are permits, and keeps the others waiting.
async fn slow(permits: &Arc<Semaphore>) -> Endpoint {
    let permits = Arc::clone(permits);
    Endpoint::start(move |_| {
        let permits = Arc::clone(&permits);
        Box::pin(async move {
            permits.acquire().await.expect("open").forget();
            answer(204, "").await
        })
    })
    .await
}

fn large(posted: &[Posted]) -> usize {
    posted.iter().filter(|one| one.bytes > LARGE).count()
}

/// A push that begins behind the events there are, and has so many small ones then.
async fn small_events_go_on(world: &World, events: usize) {
    let well = Endpoint::start(|_| answer(204, "")).await;
    let push = to(well.url("well"));
    let keyring = Keyring::of(&push, credentials("well"));
    world.pushes.keep("well", Some(&keyring)).await.expect("kept");
    let spec = SubscriptionSpec { start: Start::Now, ..pushing("well", &push) };
    world.queue.put_subscription(spec).await.expect("made");
    world.pushes.changed();
    for _ in 0..events {
        let id = world.store(1_000).await;
        world.stands(id, "well", |one| one.standing == Standing::Settled).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_slow_endpoint_has_its_share_on_the_way_and_goes_on_as_it_answers() {
    let permits = Arc::new(Semaphore::new(0));
    let slow = slow(&permits).await;
    let mut world = World::new();
    world.push("slow", &to(slow.url("hook"))).await;
    let mut all = Vec::new();
    for _ in 0..A_SHARE_OF + 2 {
        all.push(world.store(LARGE).await);
    }
    world.start();
    slow.wait_for(A_SHARE_OF).await;
    small_events_go_on(&world, 50).await;
    assert_eq!(large(&slow.posted()), A_SHARE_OF, "`max_in_flight` is 16");
    permits.add_permits(1);
    slow.wait_for(A_SHARE_OF + 1).await;
    permits.add_permits(100);
    for id in &all {
        world.stands(*id, "slow", |one| one.standing == Standing::Settled).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_slow_endpoints_have_the_pool_on_the_way_and_small_events_wait_for_none() {
    let slow = slow(&Arc::new(Semaphore::new(0))).await;
    let mut world = World::new();
    for n in 0..6 {
        let name = format!("slow-{n}");
        world.push(&name, &to(slow.url(&name))).await;
    }
    for _ in 0..A_SHARE_OF {
        world.store(LARGE).await;
    }
    world.start();
    slow.wait_for(A_POOL_OF).await;
    small_events_go_on(&world, 50).await;
    assert_eq!(large(&slow.posted()), A_POOL_OF, "six shares are more than the pool");
}

#[tokio::test]
async fn a_large_event_is_written_where_it_holds_up_no_other() {
    let endpoint = Endpoint::start(|_| answer(204, "")).await;
    let mut world = World::new();
    let threads = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&threads);
    world.present = Arc::new(move |event| {
        seen.lock().expect("whole").push(std::thread::current().id());
        event
    });
    world.push("agent", &to(endpoint.url("hook"))).await;
    world.start();
    // This test has one thread, on which everything runs that is not sent elsewhere.
    let here = std::thread::current().id();
    for (bytes, is_here) in [(1_000, true), (PUSH_WRITTEN_INLINE_BYTES_MAX, false)] {
        let id = world.store(bytes).await;
        world.stands(id, "agent", |one| one.standing == Standing::Settled).await;
        let thread = threads.lock().expect("whole").pop();
        assert_eq!(thread == Some(here), is_here, "{bytes}");
    }
}
