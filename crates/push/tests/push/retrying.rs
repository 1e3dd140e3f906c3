//! When what was not taken comes again.

use crate::{
    endpoint::{Endpoint, Posted, answer},
    world::{World, to},
};
use headgate_event::Clock;
use headgate_queue::Standing;
use std::time::Duration;

/// Symptom: an endpoint that answered 429 with `Retry-After: 0` made a dead letter of every event
/// within seconds. Cause: its wish stood in the place of the backoff.
#[tokio::test]
async fn an_endpoint_that_asks_for_no_time_uses_up_no_attempts() {
    let endpoint = Endpoint::start(|_| answer(429, "0")).await;
    let mut world = World::new();
    world.push("agent", &to(endpoint.url("hook"))).await;
    let id = world.store(10).await;
    world.start();
    for attempt in 1..4_u32 {
        let tried = |one: &headgate_queue::EventDelivery| one.attempts.len() == attempt as usize;
        let one = world.stands(id, "agent", tried).await;
        assert_eq!((one.standing, one.attempt), (Standing::Waiting, Some(attempt + 1)));
        let turn = Duration::from_secs(5 * 3_u64.pow(attempt - 1));
        let wait = one.due.expect("it comes again").since(world.clock.now());
        assert!(wait >= turn * 4 / 5 && wait <= turn, "{wait:?} after attempt {attempt}");
        let posted = endpoint.posted();
        let of_it = |one: &&Posted| one.header("webhook-id") == id.to_string();
        let newest = posted.iter().rfind(of_it).expect("it came");
        // What is old is refused by endpoints, so each attempt is signed at its own moment.
        assert_eq!(newest.header("webhook-timestamp"), world.clock.now().unix_s().to_string());
        world.clock.advance(turn);
        // A lease that waits looks at the clock when something comes.
        world.store(10).await;
    }
}

#[tokio::test]
async fn an_endpoint_that_asks_for_more_time_has_it() {
    let endpoint = Endpoint::start(|_| answer(503, "7200")).await;
    let mut world = World::new();
    world.push("agent", &to(endpoint.url("hook"))).await;
    let id = world.store(10).await;
    world.start();
    let one = world.stands(id, "agent", |one| !one.attempts.is_empty()).await;
    let wait = one.due.expect("it comes again").since(world.clock.now());
    assert_eq!(wait, Duration::from_secs(7_200));
}
