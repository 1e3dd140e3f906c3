//! How much an endpoint is given at one time, a second, and while it fails.

use crate::{
    endpoint::{Endpoint, answer},
    world::{World, to},
};
use headgate_queue::{PushSpec, Standing};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::sync::Semaphore;

/// A second endpoint takes everything: when it has all, the first has had its time.
async fn beside_one_that_is_well(push: PushSpec, events: usize) -> World {
    let well = Endpoint::start(|_| answer(204, "")).await;
    let mut world = World::new();
    world.push("agent", &push).await;
    world.push("well", &to(well.url("well"))).await;
    let mut all = Vec::new();
    for _ in 0..events {
        all.push(world.store(10).await);
    }
    world.start();
    for id in all {
        world.stands(id, "well", |one| one.standing == Standing::Settled).await;
    }
    world
}

#[tokio::test]
async fn no_more_are_on_their_way_than_it_takes_at_one_time() {
    let permits = Arc::new(Semaphore::new(0));
    let held = Arc::clone(&permits);
    let endpoint = Endpoint::start(move |_| {
        let held = Arc::clone(&held);
        Box::pin(async move {
            held.acquire().await.expect("open").forget();
            answer(204, "").await
        })
    })
    .await;
    let push = PushSpec { max_in_flight: 3, ..to(endpoint.url("hook")) };
    let world = beside_one_that_is_well(push, 100).await;
    assert_eq!(endpoint.wait_for(3).await.len(), 3);
    permits.add_permits(1);
    assert_eq!(endpoint.wait_for(4).await.len(), 4);
    permits.add_permits(96);
    endpoint.wait_for(100).await;
    drop(world);
}

#[tokio::test]
async fn attempts_keep_to_the_rate() {
    let endpoint = Endpoint::start(|_| answer(204, "")).await;
    let push = PushSpec { rate: Some(10), ..to(endpoint.url("hook")) };
    let began = Instant::now();
    let world = beside_one_that_is_well(push, 12).await;
    endpoint.wait_for(12).await;
    // One at once, and ten a second from then on.
    assert!(began.elapsed() >= Duration::from_millis(1_050), "{:?}", began.elapsed());
    drop(world);
}

#[tokio::test]
async fn an_endpoint_that_fails_is_left_alone_and_costs_few_events_an_attempt() {
    for status in [500, 429] {
        let endpoint = Endpoint::start(move |_| answer(status, "")).await;
        let world = beside_one_that_is_well(to(endpoint.url("hook")), 200).await;
        // Sixteen at once, those that took the place of the first four that failed, and two for
        // each pause that was over before the other endpoint had all.
        let came = endpoint.posted().len();
        assert!((5..=40).contains(&came), "{came} attempts at an endpoint that answers {status}");
        drop(world);
    }
}
