//! Events of your own, and events again.

use super::world::World;
use anyhow::{Context, Result};
use headgate_client::{AppEvent, Event, Origin, Replay};
use serde_json::json;
use std::sync::{Arc, Mutex, PoisonError};

#[tokio::test]
async fn what_is_emitted_twice_is_stored_once_and_comes_again_by_a_replay() -> Result<()> {
    let world = World::start()?;
    let mut client = world.client().build()?;
    let mut event = AppEvent::new("proposal.received", json!({"price": 10}));
    event.flow_id = Some("f".to_owned());
    let first = client.emit(&event).await?;
    let again = client.emit(&event).await?;
    assert_eq!((first.duplicate, again.duplicate), (false, true));
    assert_eq!((&first.id, &first.event_id), (&again.id, &event.event_id));
    let replay =
        Replay { subscription: "agent".to_owned(), ids: vec![first.id], ..Replay::default() };
    let (seen, asker) = (Arc::new(Mutex::new(Vec::new())), world.client().build()?);
    let (noted, stopper, asker) = (Arc::clone(&seen), client.stopper(), Arc::new(asker));
    client.on_type("proposal.*", move |event: Event| {
        let (noted, stopper) = (Arc::clone(&noted), stopper.clone());
        let (asker, replay) = (Arc::clone(&asker), replay.clone());
        async move {
            let is_live = *event.origin() == Origin::Live;
            noted.lock().unwrap_or_else(PoisonError::into_inner).push(event);
            if is_live {
                return asker.replay(&replay).await.map(|_| ());
            }
            stopper.stop();
            Ok(())
        }
    });
    client.run().await?;
    let seen = seen.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let origins: Vec<_> = seen.iter().map(Event::origin).collect();
    assert_eq!(origins, [&Origin::Live, &Origin::Replay]);
    let app = seen.first().and_then(Event::app).context("an app event")?;
    assert_eq!(app.payload.get(), r#"{"price":10}"#);
    assert_eq!(app.flow_id.as_deref(), Some("f"));
    Ok(())
}
