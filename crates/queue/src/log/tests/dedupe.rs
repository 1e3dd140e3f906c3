//! A repeat is known: within a call, within a batch, across batches and restarts.

use super::*;
use headgate_event::{AppContent, AppIdentity};

#[tokio::test]
async fn a_repeat_is_answered_with_the_first_id() {
    let rig = Rig::new();
    let first = rig.append(&[keyed("k", "1")]).await[0];
    let repeat = rig.append(&[keyed("k", "2"), keyed("other", "3")]).await;
    assert_eq!(repeat[0], Accepted::Duplicate(first.id()));
    assert!(matches!(repeat[1], Accepted::New(_)));
    assert_eq!(raws(&rig.all()), ["1", "3"]);
}

#[tokio::test]
async fn a_repeat_within_one_call_is_known() {
    let rig = Rig::new();
    let accepted = rig.append(&[keyed("k", "1"), draft("2"), keyed("k", "3")]).await;
    assert_eq!(accepted[2], Accepted::Duplicate(accepted[0].id()));
    assert_eq!(raws(&rig.all()), ["1", "2"]);
}

#[tokio::test]
async fn a_repeat_in_another_channel_is_new() {
    let rig = Rig::new();
    let other = Channel::new("other", "other", ChannelType::Webhook).expect("valid");
    let there = Draft { channel: Arc::new(other), ..keyed("k", "2") };
    rig.append(&[keyed("k", "1"), there]).await;
    assert_eq!(rig.all().len(), 2);
}

#[tokio::test]
async fn a_repeat_after_the_window_is_new_and_is_what_later_ones_repeat() {
    let rig = Rig::new();
    rig.append(&[keyed("k", "1")]).await;
    let at = |created_at, raw: &'static str| Draft { created_at, ..keyed("k", raw) };
    let inside = NOW.plus(WEEK - Duration::from_millis(1));
    let accepted =
        rig.append(&[at(inside, "2"), at(NOW.plus(WEEK), "3"), at(NOW.plus(WEEK), "4")]).await;
    assert!(matches!(accepted[0], Accepted::Duplicate(_)));
    assert!(matches!(accepted[1], Accepted::New(_)));
    assert_eq!(accepted[2], Accepted::Duplicate(accepted[1].id()));
    assert_eq!(raws(&rig.all()), ["1", "3"]);
}

#[tokio::test]
async fn a_repeat_of_what_is_being_written_waits_for_it() {
    let rig = Rig::new();
    rig.disk.hold_syncs();
    let call = |raw: &'static str| {
        let log = rig.log.clone();
        tokio::spawn(async move { append(&log, &[keyed("k", raw)]).await })
    };
    let first = call("1");
    let disk = rig.disk.clone();
    tokio::task::spawn_blocking(move || disk.until_a_sync_waits()).await.expect("it waits");
    let second = call("2");
    tokio::task::yield_now().await;
    assert!(!first.is_finished() && !second.is_finished());
    rig.disk.release_syncs();
    let first = first.await.expect("no panic").expect("it is stored")[0];
    let second = second.await.expect("no panic").expect("it is answered")[0];
    assert_eq!(second, Accepted::Duplicate(first.id()));
    assert_eq!(raws(&rig.all()), ["1"]);
}

#[tokio::test]
async fn a_look_that_is_too_old_is_repeated() {
    let rig = Rig::with(LogOptions { dedupe_kept_events: 2, ..LogOptions::default() });
    for n in 1..=5 {
        rig.append(&[keyed(&format!("{n}"), "x")]).await;
    }
    rig.log.indexed(5);
    let again = rig.log.append(prepared(&[keyed("1", "y")]), 2).await.expect_err("too old");
    let AppendError::LookAgain(drafts) = again else { panic!("{again}") };
    assert_eq!(drafts.len(), 1);
    assert_eq!(rig.all().len(), 5);
    // A look that covers the third sees everything that memory has let go of.
    let accepted = rig.log.append(drafts, 3).await.expect("it is stored");
    assert!(matches!(accepted[0], Accepted::New(_)));
    // Events without a key repeat nothing, however old the look.
    rig.log.append(prepared(&[draft("z")]), 0).await.expect("it is stored");
}

#[tokio::test]
async fn keys_stay_in_memory_until_they_are_indexed() {
    let rig = Rig::with(LogOptions { dedupe_kept_events: 0, ..LogOptions::default() });
    rig.append(&[keyed("1", "x")]).await;
    rig.append(&[keyed("2", "x")]).await;
    rig.log.indexed(1);
    let repeat = rig.log.append(prepared(&[keyed("2", "y")]), 1).await.expect("it is answered");
    assert!(matches!(repeat[0], Accepted::Duplicate(_)));
}

/// An app event's draft under these names.
fn named(names: &[&str]) -> Draft {
    let content = AppContent { digest: [1; 32], timestamp: None };
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let identity = AppIdentity { event_id: names[0].clone(), names, content };
    Draft { identity: Some(identity), ..draft("x") }
}

#[tokio::test]
async fn a_repeat_that_the_index_knows_may_not_have_the_request_of_an_event_it_does_not_know() {
    let rig = Rig::with(LogOptions { dedupe_kept_events: 0, ..LogOptions::default() });
    let first = rig.append(&[named(&["e-1", "r-1"])]).await[0].id();
    rig.log.indexed(1);
    let second = rig.append(&[named(&["e-2", "r-2"])]).await[0].id();
    let looked_up = |names: &[&str]| {
        let draft = Prepared::new(&named(names)).expect("it is not too large");
        vec![draft.repeating(Some(first))]
    };
    let refused = rig.log.append(looked_up(&["e-1", "r-2"]), 1).await.expect_err("a conflict");
    let AppendError::Store(StoreError::Conflict { stored, .. }) = refused else {
        panic!("{refused:?}")
    };
    assert_eq!(stored, Some(second));
    let repeat = rig.log.append(looked_up(&["e-1", "r-3"]), 1).await.expect("it is answered");
    assert_eq!(repeat, [Accepted::Duplicate(first)]);
    assert_eq!(rig.all().len(), 2);
}

#[tokio::test]
async fn the_name_of_a_removed_event_is_free_before_the_index_lets_go_of_it() {
    let rig = Rig::new();
    rig.append(&[named(&["e-1"])]).await;
    rig.append(&[draft("y")]).await;
    let other = |mut draft: Draft| {
        draft.identity.iter_mut().for_each(|identity| identity.content.digest = [2; 32]);
        draft
    };
    append(&rig.log, &[other(named(&["e-1"]))]).await.expect_err("it belongs to another");
    rig.log.hide_before(2);
    let stored = rig.append(&[other(named(&["e-1"]))]).await;
    assert!(matches!(stored[0], Accepted::New(_)), "{stored:?}");
}

#[tokio::test]
async fn keys_that_the_index_does_not_have_are_known_after_a_restart() {
    let rig = Rig::new();
    let first = rig.append(&[keyed("1", "x")]).await[0];
    let second = rig.append(&[keyed("2", "x")]).await[0];
    let Rig { disk, clock, log } = rig;
    drop(log);
    let options = LogOptions { indexed: Some(1), ..LogOptions::default() };
    let log = open(&disk, &clock, options).expect("it opens");
    let repeat = log.append(prepared(&[keyed("2", "y")]), 1).await.expect("it is answered");
    assert_eq!(repeat[0], Accepted::Duplicate(second.id()));
    let old = log.append(prepared(&[keyed("1", "y")]), 0).await.expect_err("it must be looked up");
    assert!(matches!(old, AppendError::LookAgain(_)));
    drop(log);
    let options = LogOptions { indexed: Some(0), ..LogOptions::default() };
    let log = open(&disk, &clock, options).expect("it opens");
    let repeat = log.append(prepared(&[keyed("1", "y")]), 0).await.expect("it is answered");
    assert_eq!(repeat[0], Accepted::Duplicate(first.id()));
}

#[tokio::test]
async fn a_batch_that_was_not_stored_is_not_repeated_by_the_next() {
    let rig = Rig::new();
    rig.append(&[keyed("old", "1")]).await;
    rig.disk.hold_at_most(Some(rig.disk.used() + 100));
    let expired = Draft { created_at: NOW.plus(WEEK), ..keyed("old", "2") };
    append(&rig.log, &[keyed("k", "3"), expired]).await.expect_err("the disk is full");
    rig.disk.hold_at_most(None);
    let accepted = rig.append(&[keyed("k", "4"), keyed("old", "5")]).await;
    assert!(matches!(accepted[0], Accepted::New(_)));
    assert!(matches!(accepted[1], Accepted::Duplicate(_)));
    assert_eq!(raws(&rig.all()), ["1", "4"]);
}
