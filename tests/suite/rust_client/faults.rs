//! What a client is given that is wrong, and what goes wrong around it.

use super::world::{World, consume};
use anyhow::{Context, Result};
use headgate_client::{AppEvent, Client, ClientError, Event, Transport};
use headgate_tests::Proxy;
use serde_json::json;
use std::{sync::Arc, time::Duration};
use tokio::{sync::Notify, task::JoinHandle, time::timeout};

const LONG: Duration = Duration::from_secs(30);

/// A client whose handler says that it began, and ends when it is told to.
fn held(mut client: Client) -> (Arc<Notify>, Arc<Notify>, JoinHandle<Result<(), ClientError>>) {
    let (begun, end) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (begins, ends, stopper) = (Arc::clone(&begun), Arc::clone(&end), client.stopper());
    client.on_event(move |_: Event| {
        let (begins, ends, stopper) = (Arc::clone(&begins), Arc::clone(&ends), stopper.clone());
        async move {
            begins.notify_one();
            ends.notified().await;
            stopper.stop();
        }
    });
    (begun, end, tokio::spawn(async move { client.run().await }))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_ack_after_the_lease_is_no_error() -> Result<()> {
    for transport in [Transport::WebSocket, Transport::Poll] {
        let world = World::start()?;
        world.send_many(0..1)?;
        let proxy = Proxy::start(&world.gateway.address)?;
        let slow = world.client().url(format!("http://{}", proxy.address)).transport(transport);
        let (begun, end, slow) = held(slow.lease(Duration::from_millis(500)).build()?);
        timeout(LONG, begun.notified()).await?;
        // Nothing is heard of it, so its lease ends and somebody else is given the event.
        proxy.close();
        let (given, told, other) = held(world.client().build()?);
        timeout(LONG, given.notified()).await?;
        proxy.open();
        end.notify_one();
        timeout(LONG, slow).await???;
        let status = world.read("/v1/subscriptions/agent")?;
        assert_eq!(status["in_flight"], 1, "the other one has it: {status}");
        told.notify_one();
        timeout(LONG, other).await???;
        world.until_settled()?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_does_not_end_at_a_stop_is_given_back_at_once() -> Result<()> {
    for transport in [Transport::WebSocket, Transport::Poll] {
        let world = World::start()?;
        let sent = world.send_many(0..2)?;
        let builder = world.client().subscription("patient").transport(transport);
        let client = builder.drain_timeout(Duration::from_millis(100)).build()?;
        let stopper = client.stopper();
        let (begun, _end, running) = held(client);
        timeout(LONG, begun.notified()).await?;
        stopper.stop();
        timeout(LONG, running).await???;
        // Its lease would last a minute, and the policy's first wait ten.
        let patient = world.client().subscription("patient");
        let seen = consume(patient, sent.len(), |_| async {});
        let seen = timeout(Duration::from_secs(15), seen).await;
        let seen = seen.with_context(|| format!("it was not given back: {transport:?}"))??;
        assert_eq!(seen, sent, "{transport:?}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_is_dropped_ends_its_handlers_and_loses_nothing() -> Result<()> {
    for transport in [Transport::WebSocket, Transport::Poll] {
        let world = World::start()?;
        let sent = world.send_many(0..1)?;
        let builder = world.client().transport(transport).lease(Duration::from_millis(500));
        let (begun, _end, running) = held(builder.build()?);
        timeout(LONG, begun.notified()).await?;
        running.abort();
        assert!(running.await.is_err_and(|error| error.is_cancelled()));
        let seen = timeout(LONG, consume(world.client(), 1, |_| async {})).await??;
        assert_eq!(seen, sent, "{transport:?}");
        world.until_settled()?;
    }
    Ok(())
}

#[tokio::test]
async fn an_event_over_the_limit_is_refused_for_good() -> Result<()> {
    let world = World::start()?;
    let client = world.client().build()?;
    let event = AppEvent::new("proposal.received", json!("x".repeat(9 << 20)));
    let error = client.emit(&event).await.err().context("a refusal")?;
    assert!(matches!(error, ClientError::Refused { status, .. } if status == 413), "{error}");
    assert!(!error.try_again());
    Ok(())
}
