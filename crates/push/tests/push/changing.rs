//! A push whose URL changes, and one that loses what it is signed with: nothing that is meant for
//! one URL is sent to another, at no moment between the writes that a change takes.

use crate::{
    endpoint::{Endpoint, Posted, answer},
    world::{World, credentials, pushing, to},
};
use headgate_push::{Configured, Keyring};
use headgate_queue::{PushSpec, Queue, Standing};
use std::{collections::BTreeMap, sync::Arc};
use tokio::sync::Semaphore;

async fn endpoint() -> Endpoint {
    Endpoint::start(|_| answer(204, "")).await
}

/// The push before, the one after, and the endpoint of both: `/old` and `/new`.
fn change(endpoint: &Endpoint) -> [PushSpec; 2] {
    ["old", "new"].map(|path| to(endpoint.url(path)))
}

/// Where each request went, and whose header it had.
fn told(posted: &[Posted]) -> Vec<(&str, &str)> {
    posted.iter().map(|one| (one.path.as_str(), one.header("authorization"))).collect()
}

/// Symptom: a URL that was changed got the headers of the other one for a moment, and for ever
/// after a crash there. Cause: the two are stored one after the other. Fix: credentials say which
/// URL they are meant for.
#[tokio::test]
async fn a_crash_between_the_writes_of_a_change_leaves_each_url_its_own_headers() {
    let endpoint = endpoint().await;
    let [old, new] = change(&endpoint);
    let mut world = World::new();
    world.push("old", &old).await;
    let before = Keyring::of(&old, credentials("old"));
    let after = Keyring::of(&new, credentials("new"));
    // Each is what a crash leaves: the first write alone, the first two, all three.
    for (count, step) in (0..3).zip(1..) {
        match count {
            0 => {
                let both = after.clone().and(&before);
                world.pushes.keep("old", Some(&both)).await.expect("kept");
            }
            1 => drop(world.queue.put_subscription(pushing("old", &new)).await.expect("stored")),
            _ => world.pushes.keep("old", Some(&after)).await.expect("kept"),
        }
        world.start_again().await;
        let id = world.store(10).await;
        world.stands(id, "old", |one| one.standing == Standing::Settled).await;
        assert_eq!(endpoint.posted().len(), step);
    }
    let posted = endpoint.posted();
    assert_eq!(told(&posted), [("/old", "old"), ("/new", "new"), ("/new", "new")]);
    assert!(world.pushes.faults().is_empty());
}

#[tokio::test]
async fn credentials_of_another_url_sign_nothing_and_that_is_said() {
    let endpoint = endpoint().await;
    let [old, new] = change(&endpoint);
    let mut world = World::new();
    world.push("well", &to(endpoint.url("well"))).await;
    let ring = Keyring::of(&old, credentials("old"));
    world.pushes.keep("agent", Some(&ring)).await.expect("kept");
    world.queue.put_subscription(pushing("agent", &new)).await.expect("made");
    world.start();
    let id = world.store(10).await;
    world.stands(id, "well", |one| one.standing == Standing::Settled).await;
    assert_eq!(told(&endpoint.posted()), [("/well", "well")]);
    let faults = world.pushes.faults();
    assert_eq!(
        faults,
        ["push: nothing is pushed for `agent`: there are no secrets for its URL to sign with"]
    );
    assert_eq!(world.pushes.kept("agent", &new).await.expect("read"), None);
    // What it is given then is what it goes on with.
    let ring = Keyring::of(&new, credentials("new"));
    world.pushes.keep("agent", Some(&ring)).await.expect("kept");
    world.pushes.changed();
    world.stands(id, "agent", |one| one.standing == Standing::Settled).await;
    assert_eq!(told(&endpoint.posted()), [("/well", "well"), ("/new", "new")]);
}

#[tokio::test]
async fn while_a_configuration_is_brought_in_each_url_has_its_own_headers() {
    let endpoint = endpoint().await;
    let [old, new] = change(&endpoint);
    let configured = |push: &PushSpec, header: &str| Configured {
        credentials: BTreeMap::from([("agent".to_owned(), Keyring::of(push, credentials(header)))]),
        ..Configured::default()
    };
    let spec = |push: &PushSpec| {
        let mut spec = pushing("agent", push);
        spec.configured = true;
        spec
    };
    let mut world = World::new();
    world.pushes.configure(configured(&old, "old"));
    world.queue.put_subscription(spec(&old)).await.expect("made");
    world.start();
    let mut expected = vec![("/old", "old")];
    for step in 0..4 {
        match step {
            0 => {}
            1 => {
                world.pushes.expect(&configured(&new, "new"));
                world.pushes.changed();
                expected.push(("/old", "old"));
            }
            2 => {
                world.queue.put_subscription(spec(&new)).await.expect("stored");
                expected.push(("/new", "new"));
            }
            _ => {
                world.pushes.configure(configured(&new, "new"));
                expected.push(("/new", "new"));
            }
        }
        // What is in memory must not help.
        world.restart().await;
        let id = world.store(10).await;
        world.stands(id, "agent", |one| one.standing == Standing::Settled).await;
        assert_eq!(told(&endpoint.posted()), expected);
    }
}

/// Symptom: with every change of a push as many more were on their way as it takes at one time.
/// Cause: what was begun before the change was not counted any more. Fix: it counts until it ends.
#[tokio::test]
async fn a_change_puts_no_more_on_their_way_than_it_takes_at_one_time() {
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
    let well = Endpoint::start(|_| answer(204, "")).await;
    let push = PushSpec { max_in_flight: 3, ..to(endpoint.url("hook")) };
    let mut world = World::new();
    world.push("agent", &push).await;
    world.push("well", &to(well.url("well"))).await;
    let mut ids = Vec::new();
    for _ in 0..20 {
        ids.push(world.store(10).await);
    }
    world.start();
    assert_eq!(endpoint.wait_for(3).await.len(), 3);
    let changed = PushSpec { max_in_flight: 4, ..push };
    world.push("agent", &changed).await;
    // One more than before.
    assert_eq!(endpoint.wait_for(4).await.len(), 4);
    // The second endpoint takes everything: when it has all, the first has had its time.
    let last = world.store(10).await;
    world.stands(last, "well", |one| one.standing == Standing::Settled).await;
    assert_eq!(endpoint.posted().len(), 4);
    permits.add_permits(100);
    for id in ids {
        world.stands(id, "agent", |one| one.standing == Standing::Settled).await;
    }
}
