//! A refused message, looked at again.

use crate::world::{World, asks, channel, dmarc};
use headgate_email::{NotReleased, Require, Terms, Unproven, smtp::Mailbox};
use headgate_event::Accepted;
use headgate_http::RawRequest;

fn strict() -> World {
    let terms = asks(Require::Dmarc, Unproven::Reject);
    World::new(vec![channel("strict", &["strict@example.com"], terms)])
}

/// What the quarantine has of a message that was refused.
async fn refused(world: &World) -> RawRequest {
    *world.verdicts.0.lock().unwrap() = dmarc("fail");
    world.source.deliver(world.letter(&["strict+tag@example.com"])).await;
    world.quarantine.0.lock().unwrap().pop().unwrap().request
}

#[tokio::test]
async fn it_is_released_when_its_channel_takes_it_by_now_with_all_that_was_known_of_it() {
    let world = strict();
    let request = refused(&world).await;
    let still = world.source.release("strict", request.clone(), "r1").await;
    let Err(NotReleased::Refused(reject)) = still else { panic!("{still:?}") };
    assert_eq!(reject.code(), "dmarc_required");
    assert!(world.stored().is_empty());

    let open = channel("strict", &["other@example.com"], Terms::default());
    world.source.replace(vec![open]);
    assert!(world.source.try_release("strict", request.clone()).await.is_ok());
    assert!(world.stored().is_empty(), "a try stores nothing");
    let released = world.source.release("strict", request, "r1").await.unwrap();
    assert!(matches!(released, Accepted::New(_)));
    let calls = world.store.calls.lock().unwrap();
    let draft = &calls[0][0];
    assert_eq!(draft.metadata["released_from"], "r1");
    let data: serde_json::Value = serde_json::from_str(draft.data.parts().0).unwrap();
    assert_eq!(data["tag"], "tag");
    assert_eq!(data["envelope"]["rcpt_to"][0], "strict+tag@example.com");
    assert_eq!(data["envelope"]["mail_from"], "ann@example.org");
    assert_eq!(data["envelope"]["helo"], "mx.example.org");
    assert_eq!(data["envelope"]["remote_ip"], "203.0.113.9");
    assert_eq!(data["envelope"]["tls"], true);
    assert_eq!(draft.created_at, crate::world::RECEIVED);
}

#[tokio::test]
async fn a_message_of_another_kind_or_of_no_channel_stays() {
    let world = strict();
    let request = refused(&world).await;
    let gone = world.source.try_release("gone", request.clone()).await;
    assert!(matches!(gone, Err(NotReleased::UnknownChannel)), "{gone:?}");
    let posted = RawRequest { method: "POST".parse().unwrap(), ..request };
    let other = world.source.try_release("strict", posted).await;
    assert!(matches!(other, Err(NotReleased::NoMessage)), "{other:?}");
}
