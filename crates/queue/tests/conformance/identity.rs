//! An application's event is known by its own id, as long as it is stored.

use crate::bench::{Bench, SECOND, noon};
use headgate_event::{
    Accepted, AppContent, AppIdentity, Channel, ChannelType, Draft, EventType, Fill, StoreError,
    Timestamp, data::AppParts,
};
use headgate_queue::{KeyName, ListQuery};
use std::{collections::BTreeMap, sync::Arc, time::Duration};

const YEAR: Duration = Duration::from_secs(366 * 24 * 3600);

/// An app event with this id, whose content is one letter.
fn named(bench: &Bench, event_id: &str, content: u8) -> Draft {
    let draft = bench.draft("app");
    let channel = Channel::new("app", "app", ChannelType::App).expect("valid");
    let data = AppParts {
        event_id,
        event_type: "proposal.received",
        timestamp: noon(),
        correlation: &draft.correlation,
        metadata: &BTreeMap::new(),
        fill: Fill::Json,
    };
    Draft {
        event_type: "proposal.received".parse::<EventType>().expect("a type"),
        data: data.data(),
        channel: Arc::new(channel),
        provider: None,
        provider_event: None,
        identity: Some(AppIdentity {
            event_id: event_id.to_owned(),
            names: vec![AppIdentity::name(event_id, None)],
            content: AppContent { digest: [content; 32], timestamp: Some(noon()) },
        }),
        ..draft
    }
}

fn at(draft: Draft, timestamp: Option<Timestamp>) -> Draft {
    let mut identity = draft.identity.expect("an app event");
    identity.content.timestamp = timestamp;
    Draft { identity: Some(identity), ..draft }
}

async fn again(bench: &Bench, draft: Draft) -> Result<Accepted, StoreError> {
    bench.queue.accept(vec![draft]).await.map(|accepted| accepted[0])
}

fn conflicts(answer: &Result<Accepted, StoreError>) -> bool {
    matches!(answer, Err(StoreError::Conflict { .. }))
}

pub(crate) async fn an_event_sent_again_adds_nothing_however_late(bench: Bench) {
    let id = bench.store(named(&bench, "e-1", 1)).await;
    bench.clock.advance(YEAR);
    let repeat = again(&bench, named(&bench, "e-1", 1)).await;
    assert_eq!(repeat.expect("known"), Accepted::Duplicate(id));
    let bench = match bench.reopened().await {
        Some(bench) => bench,
        None => return,
    };
    let repeat = again(&bench, named(&bench, "e-1", 1)).await;
    assert_eq!(repeat.expect("known"), Accepted::Duplicate(id));
    assert!(conflicts(&again(&bench, named(&bench, "e-1", 2)).await));
    assert_eq!(*bench.queue.head().borrow(), 1);
}

pub(crate) async fn another_content_under_one_id_stores_none_of_the_call(bench: Bench) {
    let id = bench.store(named(&bench, "e-1", 1)).await;
    let drafts = vec![named(&bench, "e-0", 1), bench.draft("a"), named(&bench, "e-1", 2)];
    let refused = bench.queue.accept(drafts).await.expect_err("a conflict");
    let StoreError::Conflict { place, stored } = refused else { panic!("{refused:?}") };
    assert_eq!((place, stored), (2, Some(id)));
    assert_eq!(*bench.queue.head().borrow(), 1);
    // What was not stored has taken no id.
    bench.store(named(&bench, "e-0", 3)).await;
}

pub(crate) async fn one_id_twice_in_a_call_is_a_repeat_or_a_conflict(bench: Bench) {
    let drafts = |content| vec![named(&bench, "e-1", 1), named(&bench, "e-1", content)];
    let refused = bench.queue.accept(drafts(2)).await.expect_err("a conflict");
    let StoreError::Conflict { place, stored } = refused else { panic!("{refused:?}") };
    assert_eq!((place, stored), (1, None));
    assert_eq!(*bench.queue.head().borrow(), 0);
    let accepted = bench.queue.accept(drafts(1)).await.expect("stored");
    assert_eq!(accepted[1], Accepted::Duplicate(accepted[0].id()));
}

pub(crate) async fn a_time_that_is_left_out_is_not_compared(bench: Bench) {
    let id = bench.store(named(&bench, "e-1", 1)).await;
    let timeless = at(named(&bench, "e-1", 1), None);
    assert_eq!(again(&bench, timeless).await.expect("known"), Accepted::Duplicate(id));
    let late = at(named(&bench, "e-1", 1), Some(noon().plus(SECOND)));
    assert!(conflicts(&again(&bench, late).await));
}

/// The same under these names, in their order.
fn under(draft: Draft, names: &[&str]) -> Draft {
    let mut identity = draft.identity.expect("an app event");
    identity.names = names.iter().map(|name| (*name).to_owned()).collect();
    Draft { identity: Some(identity), ..draft }
}

/// Regression: an event with an id of its own, sent under the request of another event with equal
/// content, was answered with that one's id and never stored.
pub(crate) async fn an_event_under_the_request_of_another_is_a_conflict(bench: Bench) {
    let event = |id: &str, request: &str| under(named(&bench, id, 1), &[id, request]);
    let first = bench.store(event("e-1", "r-1")).await;
    let second = bench.store(event("e-2", "r-2")).await;
    let refused = again(&bench, event("e-3", "r-1")).await.expect_err("another event");
    let StoreError::Conflict { place, stored } = refused else { panic!("{refused:?}") };
    assert_eq!((place, stored), (0, Some(first)));
    // Both are stored, but apart.
    let refused = again(&bench, event("e-1", "r-2")).await.expect_err("another request");
    let StoreError::Conflict { place, stored } = refused else { panic!("{refused:?}") };
    assert_eq!((place, stored), (0, Some(second)));
    // In one call too.
    let drafts = vec![event("e-4", "r-4"), event("e-5", "r-4")];
    let refused = bench.queue.accept(drafts).await.expect_err("another event");
    let StoreError::Conflict { place, stored } = refused else { panic!("{refused:?}") };
    assert_eq!((place, stored), (1, None));
    assert_eq!(*bench.queue.head().borrow(), 2);
    let repeat = again(&bench, event("e-1", "r-1")).await;
    assert_eq!(repeat.expect("known"), Accepted::Duplicate(first));
    let Some(bench) = bench.reopened().await else { return };
    let event = |id: &str, request: &str| under(named(&bench, id, 1), &[id, request]);
    assert!(conflicts(&again(&bench, event("e-3", "r-1")).await));
    assert!(conflicts(&again(&bench, event("e-1", "r-2")).await));
}

pub(crate) async fn a_request_is_made_once_whatever_id_is_made_for_its_event(bench: Bench) {
    let event = |made: &str| under(named(&bench, made, 1), &["r-1", made]);
    let id = bench.store(event("made-1")).await;
    let repeat = again(&bench, event("made-2")).await;
    assert_eq!(repeat.expect("known"), Accepted::Duplicate(id));
    // The id that was made is the event's own from then on.
    let other = under(named(&bench, "made-1", 1), &["made-1", "r-2"]);
    assert_eq!(again(&bench, other).await.expect("known"), Accepted::Duplicate(id));
}

pub(crate) async fn the_names_of_a_repeat_stay_free(bench: Bench) {
    let event = |id: &str, request: &str| under(named(&bench, id, 1), &[id, request]);
    let drafts = vec![event("e-1", "r-1"), event("e-1", "r-2"), event("e-2", "r-2")];
    let accepted = bench.queue.accept(drafts).await.expect("stored");
    assert_eq!(accepted[1], Accepted::Duplicate(accepted[0].id()));
    assert!(matches!(accepted[2], Accepted::New(_)), "{accepted:?}");
}

pub(crate) async fn a_conflict_is_told_at_its_place_in_the_call(bench: Bench) {
    bench.store(named(&bench, "e-0", 1)).await;
    conflict_is_third(&bench).await;
    // A repeat that the index knows is not given on, and counts all the same.
    let Some(bench) = bench.reopened().await else { return };
    conflict_is_third(&bench).await;
}

async fn conflict_is_third(bench: &Bench) {
    let drafts = vec![named(bench, "e-0", 1), named(bench, "e-1", 1), named(bench, "e-1", 2)];
    let refused = bench.queue.accept(drafts).await.expect_err("a conflict");
    let StoreError::Conflict { place, stored } = refused else { panic!("{refused:?}") };
    assert_eq!((place, stored), (2, None));
}

pub(crate) async fn an_event_is_found_by_the_id_of_its_application(bench: Bench) {
    bench.store(named(&bench, "e-1", 1)).await;
    let id = bench.store(named(&bench, "e-2", 1)).await;
    bench.store(bench.draft("a")).await;
    let mut query = ListQuery::default();
    query.selection.keys.insert(KeyName::EventId, vec!["e-2".to_owned()]);
    assert_eq!(bench.list(query.clone()).await, [id]);
    let Some(bench) = bench.reopened().await else { return };
    assert_eq!(bench.list(query).await, [id]);
}

pub(crate) async fn the_id_of_an_erased_event_stays_its_own(bench: Bench) {
    let id = bench.store(named(&bench, "e-1", 1)).await;
    bench.queue.erase(id).await.expect("erased").expect("it is there");
    // Nothing is left of the content that could be compared.
    assert!(conflicts(&again(&bench, named(&bench, "e-1", 1)).await));
    let Some(bench) = bench.reopened().await else { return };
    assert!(conflicts(&again(&bench, named(&bench, "e-1", 1)).await));
}

pub(crate) async fn the_id_of_a_removed_event_is_free(bench: Bench) {
    bench.store(named(&bench, "e-1", 1)).await;
    bench.clock.advance(YEAR);
    assert_eq!(bench.retain(YEAR).await.events, 1);
    let stored = again(&bench, named(&bench, "e-1", 2)).await.expect("stored");
    assert!(matches!(stored, Accepted::New(_)), "{stored:?}");
}
