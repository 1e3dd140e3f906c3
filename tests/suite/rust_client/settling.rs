//! What becomes of an event by what its handler does.

use super::world::{World, consume};
use anyhow::{Context, Result};
use headgate_client::{Bury, Event, RetryAfter, Transport};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    error::Error,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

type Attempts = Arc<Mutex<BTreeMap<u64, Vec<u32>>>>;

fn note(attempts: &Attempts, event: &Event) -> Result<(u64, usize)> {
    let webhook = event.webhook().context("a webhook")?;
    let body: Value = serde_json::from_str(webhook.body.get())?;
    let number = body["number"].as_u64().context("a number")?;
    let attempt = event.delivery().context("a delivery")?.attempt;
    let mut attempts = attempts.lock().unwrap_or_else(PoisonError::into_inner);
    let of_it = attempts.entry(number).or_default();
    of_it.push(attempt);
    Ok((number, of_it.len()))
}

#[tokio::test]
async fn what_a_handler_answers_decides() -> Result<()> {
    let world = World::start()?;
    world.send_many(0..4)?;
    let mut client = world.client().handler_timeout(Duration::from_millis(100)).build()?;
    let attempts = Attempts::default();
    let (noted, stopper) = (Arc::clone(&attempts), client.stopper());
    client.on_type("webhook.*", move |event: Event| {
        let (noted, stopper) = (Arc::clone(&noted), stopper.clone());
        async move {
            match note(&noted, &event)? {
                (0, _) => {
                    return Err(Box::<dyn Error + Send + Sync>::from(Bury("unwanted".into())));
                }
                (1, 1..=2) => return Err(RetryAfter(Duration::from_millis(1)).into()),
                (2, 1) => panic!("a handler that panics"),
                (2, 2) => return Err("a handler that fails".into()),
                (3, 1..=2) => std::future::pending().await,
                _ => {}
            }
            let noted = noted.lock().unwrap_or_else(PoisonError::into_inner);
            if (1..=3).all(|number| noted.get(&number).is_some_and(|all| all.len() == 3)) {
                stopper.stop();
            }
            Ok(())
        }
    });
    client.run().await?;
    let attempts = attempts.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let thrice = vec![1, 2, 3];
    let expected = [(0, vec![1]), (1, thrice.clone()), (2, thrice.clone()), (3, thrice)];
    assert_eq!(attempts, BTreeMap::from(expected));
    world.until_settled()?;
    let letters = world.read("/v1/dead-letters?subscription=agent")?;
    assert_eq!(letters["dead_letters"][0]["last_error"], "unwanted", "{letters}");
    assert_eq!(letters["dead_letters"].as_array().map(Vec::len), Some(1));
    Ok(())
}

#[tokio::test]
async fn a_lease_lasts_as_long_as_its_handler() -> Result<()> {
    for transport in [Transport::WebSocket, Transport::Poll] {
        let world = World::start()?;
        world.send_many(0..1)?;
        let builder = world.client().lease(Duration::from_millis(600)).transport(transport);
        // Four leases: it takes this long, whatever the machine does meanwhile.
        let work = |_| tokio::time::sleep(Duration::from_millis(2_400));
        consume(builder, 1, work).await?;
        world.until_settled()?;
        // What comes again while it runs would be taken for the same work: it must not come.
        let leased = world.metric("headgate_deliveries_leased_total")?;
        assert!((leased - 1.0).abs() < f64::EPSILON, "{transport:?}: {leased}");
    }
    Ok(())
}

#[tokio::test]
async fn a_wait_that_is_asked_for_is_kept_instead_of_the_policys() -> Result<()> {
    let world = World::start()?;
    world.send_many(0..1)?;
    // Its policy waits ten minutes.
    let mut client = world.client().subscription("patient").build()?;
    let (begun, stopper) = (Arc::new(Mutex::new(Vec::new())), client.stopper());
    let noted = Arc::clone(&begun);
    client.on_event(move |_: Event| {
        let (noted, stopper) = (Arc::clone(&noted), stopper.clone());
        async move {
            let mut noted = noted.lock().unwrap_or_else(PoisonError::into_inner);
            noted.push(Instant::now());
            if noted.len() == 1 {
                return Err(RetryAfter(Duration::from_millis(400)));
            }
            stopper.stop();
            Ok(())
        }
    });
    tokio::time::timeout(Duration::from_secs(20), client.run()).await??;
    let begun = begun.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let [first, second] = begun.as_slice() else { anyhow::bail!("{} tries", begun.len()) };
    assert!(second.duration_since(*first) >= Duration::from_millis(390), "it came too soon");
    Ok(())
}

#[tokio::test]
async fn a_subscription_that_settles_by_sending_is_refused_and_loses_nothing() -> Result<()> {
    let world = World::start()?;
    world.send_many(0..1)?;
    let mut client = world.client().subscription("read_only").build()?;
    client.on_event(|_: Event| async {});
    let error = client.run().await.expect_err("it is refused");
    assert_eq!(error.code(), Some("settled_by_sending"), "{error}");
    assert_eq!(world.read("/v1/subscriptions/read_only")?["lag"], 1);
    Ok(())
}

#[tokio::test]
async fn a_stop_finishes_what_runs_and_gives_back_the_rest() -> Result<()> {
    for transport in [Transport::WebSocket, Transport::Poll] {
        let world = World::start()?;
        let sent = world.send_many(0..10)?;
        let builder = world.client().concurrency(2).transport(transport);
        // The stop comes with the first that is done; another one is worked on then.
        let first = consume(builder, 1, |event: Event| async move {
            let millis = u64::from(event.id().to_bytes()[15] % 2) * 300;
            tokio::time::sleep(Duration::from_millis(millis)).await;
        });
        let first = first.await?;
        assert!((1..=2).contains(&first.len()), "{first:?}");
        let left = sent.len() - first.len();
        let second = consume(world.client(), left, |_| async {});
        let second = tokio::time::timeout(Duration::from_secs(30), second).await??;
        assert_eq!(first.union(&second).cloned().collect::<std::collections::BTreeSet<_>>(), sent);
        world.until_settled()?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_that_no_handler_takes_is_a_dead_letter() -> Result<()> {
    let world = World::start()?;
    world.send_many(0..1)?;
    let mut client = world.client().build()?;
    client.on_cron(|_| async {}).on_email(|_| async {}).on_slack(|_| async {});
    let stopper = client.stopper();
    let running = tokio::spawn(async move { client.run().await });
    world.until_settled()?;
    stopper.stop();
    running.await??;
    let letters = world.read("/v1/dead-letters?subscription=agent")?;
    let reason = &letters["dead_letters"][0]["last_error"];
    assert_eq!(reason, "no handler takes `webhook.received` of channel `in`");
    Ok(())
}
