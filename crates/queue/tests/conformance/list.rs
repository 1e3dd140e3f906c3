//! Lists: newest first, filtered, in stable pages.

use crate::bench::{Bench, SECOND, draft, noon};
use headgate_event::{Clock, Correlation, Draft, Event, EventId, Timestamp};
use headgate_queue::{KeyName, ListQuery, Selection};
use std::{collections::BTreeMap, time::Duration};

/// Twelve kinds of events, mixed, with keys that some of them lack.
async fn mixed(bench: &Bench, n: usize) -> Vec<Event> {
    let mut ids = Vec::new();
    for index in 0..n {
        let event_type = ["webhook.received", "slack.event"][index % 2];
        let provider = [Some("github"), None, Some("stripe")][index % 3];
        let draft = Draft {
            event_type: event_type.parse().expect("a type"),
            provider: provider.map(str::to_owned),
            provider_event: Some(["push", "paid"][index / 3 % 2].to_owned()),
            thread_key: (index % 5 != 0).then(|| format!("thread-{}", index % 7)),
            correlation: correlation(index),
            ..bench.draft(["a", "b", "c", "d"][index % 4])
        };
        ids.push(bench.store(draft).await);
        bench.clock.advance(SECOND);
    }
    let mut events = Vec::new();
    for id in ids.iter().rev() {
        events.push(bench.queue.event(*id).await.expect("read").expect("stored").event);
    }
    events
}

/// The values of different keys are partly the same.
fn correlation(index: usize) -> Correlation {
    let value = |every: usize| index.is_multiple_of(every).then(|| format!("thread-{}", index % 4));
    Correlation {
        flow_id: value(2),
        flow_type: value(3),
        proposal_id: value(4),
        deal_id: value(6),
        session_id: Some(format!("session-{index}")),
    }
}

/// Selections by keys, alone and together with each other and with a kind.
fn key_selections() -> Vec<Selection> {
    let texts = |all: &[&str]| all.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>();
    let threads = ["thread-0", "thread-2", "thread-3"];
    let (flow, thread) = (KeyName::FlowId, KeyName::ThreadKey);
    let mut all: Vec<BTreeMap<KeyName, Vec<String>>> = vec![
        BTreeMap::from([(KeyName::ProviderEvent, texts(&["push"]))]),
        BTreeMap::from([(KeyName::ProviderEvent, texts(&["push", "paid"]))]),
        BTreeMap::from([(KeyName::SessionId, texts(&["session-9", "session-30", "session-x"]))]),
        BTreeMap::from([(flow, texts(&["thread-2"])), (thread, texts(&threads))]),
        BTreeMap::from([(flow, texts(&["thread-0"])), (KeyName::FlowType, texts(&["thread-2"]))]),
        BTreeMap::from([(thread, texts(&["nobody"])), (flow, texts(&["thread-2"]))]),
        BTreeMap::from([(thread, Vec::new())]),
    ];
    all.extend(KeyName::ALL.map(|name| BTreeMap::from([(name, texts(&threads))])));
    let mut selections = Vec::new();
    for keys in all {
        let alone = Selection { keys, ..Selection::default() };
        selections.push(Selection { channels: texts(&["b", "c"]), ..alone.clone() });
        selections.push(Selection { providers: texts(&["github"]), ..alone.clone() });
        selections.push(alone);
    }
    selections
}

fn selections() -> Vec<Selection> {
    let types = [vec![], vec!["slack.event"], vec!["slack.event", "webhook.received"], vec!["x"]];
    let channels = [vec![], vec!["a"], vec!["b", "c"], vec!["nobody"]];
    let providers = [vec![], vec!["github"], vec!["github", "stripe"], vec!["nobody"]];
    let texts = |all: &[&str]| all.iter().map(|one| (*one).to_owned()).collect();
    let mut selections = Vec::new();
    for some_types in &types {
        for some_channels in &channels {
            for some_providers in &providers {
                selections.push(Selection {
                    types: some_types.iter().map(|one| one.parse().expect("a type")).collect(),
                    channels: texts(some_channels),
                    providers: texts(some_providers),
                    ..Selection::default()
                });
            }
        }
    }
    selections
}

fn fit(events: &[Event], query: &ListQuery) -> Vec<EventId> {
    let fits = |event: &&Event| {
        let selection = &query.selection;
        selection.wants(*event)
            && query.since.is_none_or(|since| event.created_at() >= since)
            && query.until.is_none_or(|until| event.created_at() < until)
    };
    events.iter().filter(fits).map(Event::id).collect()
}

async fn check_all(bench: &Bench, events: &[Event]) {
    let at = |seconds: u64| Some(noon().plus(Duration::from_secs(seconds)));
    let times = [(None, None), (at(10), None), (None, at(20)), (at(5), at(6)), (at(9), at(9))];
    for selection in selections().into_iter().chain(key_selections()) {
        for (since, until) in times {
            let query =
                ListQuery { selection: selection.clone(), since, until, ..ListQuery::default() };
            assert_eq!(bench.list(query.clone()).await, fit(events, &query), "{query:?}");
        }
    }
}

pub(crate) async fn a_list_is_newest_first(bench: Bench) {
    let mut ids = bench.store_many(30).await;
    ids.reverse();
    assert_eq!(bench.list(ListQuery::default()).await, ids);
    let page = bench.queue.list(ListQuery { limit: 30, ..ListQuery::default() }).await;
    assert_eq!(page.expect("listed").next, None, "there is no empty last page");
}

pub(crate) async fn every_filter_holds_and_filters_combine(bench: Bench) {
    let events = mixed(&bench, 36).await;
    check_all(&bench, &events).await;
}

pub(crate) async fn since_is_inclusive_and_until_exclusive(bench: Bench) {
    let id = bench.store(bench.draft("billing")).await;
    let (before, now, after) = (ms(-1), ms(0), ms(1));
    for (since, until, found) in [
        (Some(now), None, true),
        (Some(after), None, false),
        (None, Some(now), false),
        (None, Some(after), true),
        (Some(before), Some(after), true),
        (Some(after), Some(before), false),
    ] {
        let query = ListQuery { since, until, ..ListQuery::default() };
        let expected = if found { vec![id] } else { vec![] };
        assert_eq!(bench.list(query).await, expected, "{since:?} {until:?}");
    }
}

fn ms(offset: i64) -> Timestamp {
    Timestamp::from_unix_ms(noon().unix_ms() + offset)
}

/// The moment of receiving is not that of the id: a message may wait before it is stored.
pub(crate) async fn late_events_are_found_by_when_they_were_received(bench: Bench) {
    let mut events = Vec::new();
    for late in [0, 50, 3, 400, 0, 7, 0] {
        let draft = draft("billing", bench.clock.now().minus(late * SECOND));
        let id = bench.store(draft).await;
        events.insert(0, bench.queue.event(id).await.expect("read").expect("stored").event);
        bench.clock.advance(SECOND);
    }
    find_late(&bench, &events).await;
    if let Some(bench) = bench.reopened().await {
        find_late(&bench, &events).await;
    }
}

async fn find_late(bench: &Bench, events: &[Event]) {
    for from in -410..10_i64 {
        let since = Some(ms(from * 1_000));
        let until = Some(ms((from + 3) * 1_000));
        let query = ListQuery { since, until, ..ListQuery::default() };
        assert_eq!(bench.list(query.clone()).await, fit(events, &query), "{from}");
    }
}

pub(crate) async fn pages_neither_skip_nor_repeat_while_events_arrive(bench: Bench) {
    let mut ids = bench.store_many(50).await;
    ids.reverse();
    let mut listed = Vec::new();
    let mut query = ListQuery { limit: 8, ..ListQuery::default() };
    loop {
        let page = bench.queue.list(query.clone()).await.expect("listed");
        listed.extend(page.events.iter().map(Event::id));
        bench.store_many(3).await;
        let Some(next) = page.next else { break };
        query.before = Some(next);
    }
    assert_eq!(listed, ids);
}

pub(crate) async fn a_limit_is_kept_within_its_bounds(bench: Bench) {
    bench.store_many(600).await;
    for (limit, found) in [(0, 0), (1, 1), (500, 500), (501, 500), (usize::MAX, 500)] {
        let page = bench.queue.list(ListQuery { limit, ..ListQuery::default() }).await;
        assert_eq!(page.expect("listed").events.len(), found, "{limit}");
    }
    let before = Some(1);
    let page = bench.queue.list(ListQuery { before, limit: 9, ..ListQuery::default() }).await;
    assert!(page.expect("listed").events.is_empty());
}

pub(crate) async fn a_list_is_the_same_after_a_restart(bench: Bench) {
    let events = mixed(&bench, 36).await;
    let Some(bench) = bench.reopened().await else { return };
    check_all(&bench, &events).await;
    let id = bench.store(bench.draft("a")).await;
    assert!(events.iter().all(|event| event.id() < id), "ids go on");
    let drafts = vec![bench.draft("a")];
    bench.queue.accept(drafts).await.expect("stored");
    assert_eq!(bench.list(ListQuery::default()).await.len(), 38);
}
