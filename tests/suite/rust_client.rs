//! What the Rust client promises, kept by the real program.

mod chaos;
mod faults;
mod fixture;
mod own;
mod readme;
mod settling;
mod world;

use anyhow::Result;
use headgate_client::{ClientError, Event, Transport};
use headgate_tests::Proxy;
use std::collections::BTreeSet;
use world::{World, consume};

#[tokio::test]
async fn each_event_is_given_once_and_settled() -> Result<()> {
    for transport in [Transport::WebSocket, Transport::Poll] {
        let world = World::start()?;
        let sent = world.send_many(0..100)?;
        let builder = world.client().transport(transport);
        let seen = consume(builder, sent.len(), |_: Event| async {}).await?;
        assert_eq!(seen, sent, "{transport:?}");
        world.until_settled()?;
    }
    Ok(())
}

#[tokio::test]
async fn where_no_websocket_comes_through_it_polls() -> Result<()> {
    let world = World::start()?;
    let sent = world.send_many(0..20)?;
    let proxy = Proxy::start(&world.gateway.address)?;
    proxy.refuse_upgrades();
    let builder = world.client().url(format!("http://{}", proxy.address));
    let seen = consume(builder, sent.len(), |_: Event| async {}).await?;
    assert_eq!(seen, sent);
    Ok(())
}

#[tokio::test]
async fn a_wrong_key_is_final_and_shown_nowhere() -> Result<()> {
    let world = World::start()?;
    let mut client = world.client().key("a-wrong-key-0123").build()?;
    client.on_event(|_| async {});
    let error = client.run().await.expect_err("a wrong key");
    assert!(!error.try_again(), "{error}");
    let shown = format!("{error:?} {error} {client:?}");
    assert!(shown.contains("401"), "{shown}");
    assert!(!shown.contains("a-wrong-key-0123"), "{shown}");
    Ok(())
}

#[tokio::test]
async fn a_subscription_that_is_none_is_final() -> Result<()> {
    let world = World::start()?;
    let mut client = world.client().subscription("no such/one").build()?;
    client.on_event(|_| async {});
    let error = client.run().await.expect_err("no such subscription");
    assert_eq!(error.code(), Some("unknown_subscription"), "{error}");
    Ok(())
}

#[tokio::test]
async fn events_are_listed_page_by_page_and_read_one_by_one() -> Result<()> {
    let world = World::start()?;
    let sent = world.send_many(0..30)?;
    let client = world.client().build()?;
    let filter = headgate_client::Filter::all().channel("in").limit(20);
    let first = client.list_events(&filter, None).await?;
    let rest = client.list_events(&filter, first.next_cursor.as_deref()).await?;
    assert_eq!((first.events.len(), rest.events.len(), rest.next_cursor), (20, 10, None));
    let ids = first.events.iter().chain(&rest.events).map(|event| event.id().to_string());
    assert_eq!(ids.collect::<BTreeSet<_>>(), sent);
    let id = first.events.first().expect("an event").id();
    assert_eq!(client.get_event(id).await?.id(), id);
    let error = client.get_event("01KAJ3V3W2N9E6W0V8R3M5T7QZ".parse()?).await;
    assert!(matches!(error, Err(ClientError::Refused { status, .. }) if status == 404));
    Ok(())
}
