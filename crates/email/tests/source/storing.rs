//! Which channels store a message, and what its sender is told.

use crate::world::{MESSAGE, World, asks, channel, dmarc};
use headgate_email::{
    Require, Terms, Unproven,
    smtp::{Delivered, Mailbox},
};
use headgate_event::{StoreError, data::AuthResult};
use std::{sync::atomic::Ordering, time::Duration};

fn two() -> World {
    let strict = asks(Require::Dmarc, Unproven::Reject);
    World::new(vec![
        channel("open", &["both@example.com", "open@example.com"], Terms::default()),
        channel("strict", &["both@example.com", "strict@example.com"], strict),
    ])
}

#[tokio::test]
async fn one_message_to_two_channels_is_two_events_in_one_call() {
    let world = two();
    *world.verdicts.0.lock().unwrap() = dmarc("pass");
    let letter = world.letter(&["both+a@example.com", "open@example.com"]);
    assert!(matches!(world.source.deliver(letter).await, Delivered::Stored(_)));
    assert_eq!(world.stored(), [["open", "strict"]]);
    let calls = world.store.calls.lock().unwrap();
    let draft = &calls[0][0];
    assert_eq!((&draft.raw[..], &*draft.verification.method), (MESSAGE, "dmarc"));
    let data: serde_json::Value = serde_json::from_str(draft.data.parts().0).unwrap();
    assert_eq!((&data["tag"], &data["matched_address"]), (&"a".into(), &"both@example.com".into()));
}

#[tokio::test]
async fn a_channel_that_asks_for_more_refuses_and_the_other_keeps_the_message() {
    let world = two();
    *world.verdicts.0.lock().unwrap() = dmarc("fail");
    let both = world.source.deliver(world.letter(&["both@example.com"])).await;
    assert!(matches!(both, Delivered::Stored(_)), "{both:?}");
    assert_eq!(world.stored(), [["open"]]);
    assert_eq!(world.refused(), [("strict".to_owned(), "dmarc_required")]);
    let kept = world.quarantine.0.lock().unwrap();
    assert_eq!(
        (&kept[0].request.body[..], kept[0].shown_path.as_str()),
        (MESSAGE, "/v1/email/strict")
    );
    assert_eq!(kept[0].reject.cause(), Some("dmarc fail for `example.org`"));
}

#[tokio::test]
async fn a_message_that_no_channel_takes_is_refused_with_the_reason() {
    let world = two();
    *world.verdicts.0.lock().unwrap() = dmarc("fail");
    let refused = world.source.deliver(world.letter(&["strict@example.com"])).await;
    let reason = "this address takes only mail whose author's domain passes DMARC";
    assert_eq!(refused, Delivered::Refused(reason.to_owned()));
    assert!(world.stored().is_empty());
    assert_eq!(world.refused(), [("strict".to_owned(), "dmarc_required")]);
}

#[tokio::test]
async fn what_could_not_be_found_out_may_come_again() {
    let world = two();
    *world.verdicts.0.lock().unwrap() = dmarc("temperror");
    let strict = world.source.deliver(world.letter(&["strict@example.com"])).await;
    assert_eq!(strict, Delivered::TryAgain);
    assert!(world.stored().is_empty() && world.refused().is_empty());
}

/// Symptom: the sender was told `250`, and the channel whose proof could not be found out had the
/// message in quarantine alone. Cause: another channel took it. Fix: the sender tries again.
#[tokio::test]
async fn a_channel_that_does_not_know_yet_makes_the_sender_try_again_and_the_other_stores_once() {
    let world = two();
    *world.verdicts.0.lock().unwrap() = dmarc("temperror");
    let both = world.source.deliver(world.letter(&["both@example.com"])).await;
    assert_eq!(both, Delivered::TryAgain);
    assert_eq!(world.stored(), [["open"]], "the other channel has no reason to wait");
    assert!(world.refused().is_empty(), "it comes again");

    *world.verdicts.0.lock().unwrap() = dmarc("pass");
    let again = world.source.deliver(world.letter(&["both@example.com"])).await;
    assert!(matches!(again, Delivered::Stored(_)), "{again:?}");
    let calls = world.store.calls.lock().unwrap();
    let keys = calls.iter().flatten().map(|draft| {
        let dedupe = draft.dedupe.as_ref().map(|dedupe| dedupe.key.clone());
        (draft.channel.id.as_str(), dedupe)
    });
    let keys: Vec<_> = keys.collect();
    assert_eq!(keys.iter().map(|(id, _)| *id).collect::<Vec<_>>(), ["open", "open", "strict"]);
    assert!(keys[0].1.is_some() && keys[0] == keys[1], "the store knows it for a repeat: {keys:?}");
}

#[tokio::test]
async fn a_channel_that_refuses_waits_for_the_answer_that_is_final() {
    let either = asks(Require::SpfOrDkim, Unproven::Reject);
    let dmarc_only = asks(Require::Dmarc, Unproven::Reject);
    let world = World::new(vec![
        channel("open", &["all@example.com"], Terms::default()),
        channel("either", &["all@example.com"], either),
        channel("strict", &["all@example.com"], dmarc_only),
    ]);
    for (verdict, told_again) in [("temperror", true), ("fail", false)] {
        *world.verdicts.0.lock().unwrap() = dmarc(verdict);
        let told = world.source.deliver(world.letter(&["all@example.com"])).await;
        assert_eq!(told == Delivered::TryAgain, told_again, "{verdict}: {told:?}");
        let refused = world.refused().len();
        assert_eq!(refused, if told_again { 0 } else { 2 }, "{verdict}");
    }
}

#[tokio::test]
async fn a_channel_may_take_what_is_not_proved_and_say_so() {
    let flags = asks(Require::SpfOrDkim, Unproven::Flag);
    let world = World::new(vec![channel("desk", &["desk@example.com"], flags)]);
    for (verdict, expected) in [("fail", Some("spf_or_dkim")), ("pass", None)] {
        let result = AuthResult { verdict: verdict.to_owned(), domain: None };
        world.verdicts.0.lock().unwrap().spf = Some(result);
        let taken = world.source.deliver(world.letter(&["desk@example.com"])).await;
        assert!(matches!(taken, Delivered::Stored(_)));
        let calls = world.store.calls.lock().unwrap();
        let metadata = &calls.last().unwrap()[0].metadata;
        assert_eq!(metadata.get("require_unmet").and_then(|value| value.as_str()), expected);
    }
}

#[tokio::test]
async fn a_store_that_fails_is_our_fault_and_one_that_is_full_says_so() {
    let world = two();
    let reason = "the disk".to_owned();
    let unavailable = StoreError::Unavailable { reason, retry_after: Duration::from_secs(1) };
    let too_large = StoreError::TooLarge { bytes: 2, bytes_max: 1 };
    for (error, room, expected) in [
        (unavailable.clone(), true, Delivered::TryAgain),
        (unavailable, false, Delivered::DiskLow),
        (
            too_large,
            true,
            Delivered::Refused("the message is too large for so many channels".into()),
        ),
    ] {
        *world.store.fails.lock().unwrap() = Some(error);
        world.room.store(room, Ordering::SeqCst);
        assert_eq!(world.source.has_room(), room);
        let told = world.source.deliver(world.letter(&["both@example.com"])).await;
        assert_eq!(told, expected);
    }
    assert!(world.refused().is_empty(), "nothing is refused that was not stored for the others");
}

#[tokio::test]
async fn two_recipients_of_one_channel_are_one_event_that_names_both() {
    let world = two();
    let letter = world.letter(&["open+one@example.com", "open+two@example.com"]);
    assert!(matches!(world.source.deliver(letter).await, Delivered::Stored(_)));
    assert_eq!(world.stored(), [["open"]]);
    let calls = world.store.calls.lock().unwrap();
    let data: serde_json::Value = serde_json::from_str(calls[0][0].data.parts().0).unwrap();
    assert_eq!(data["tag"], "one");
    assert_eq!(data["bcc"].as_array().map(Vec::len), Some(2));
}
