//! Power cuts and killed processes under the whole queue.

use super::*;
use crate::{
    DeadLetterQuery, Health, LeaseAsk, ListQuery, Queue, QueueError, Retention, Settlement, Start,
    SubscriptionSpec, Verb,
    log::simulated::{Ask, Dice, End},
};
use headgate_event::{Event, EventId, Sink};
use std::{collections::BTreeSet, io::ErrorKind, thread, time::Duration};
use tempfile::TempDir;

const CASES: u64 = 25;

/// What was promised.
#[derive(Default)]
struct Promised {
    /// Answered events with their bytes.
    stored: BTreeMap<EventId, Bytes>,
    /// Events whose ack was answered.
    settled: BTreeSet<EventId>,
    /// Events whose ack got no answer, or an error.
    perhaps_settled: BTreeSet<EventId>,
    /// Events whose erasing was answered.
    erased: BTreeSet<EventId>,
    /// Events whose erasing got an error.
    perhaps_erased: BTreeSet<EventId>,
    /// Whether the oldest may be gone.
    retained: bool,
    drafts: u64,
}

/// What was answered is there, once, as given, and what was settled never comes again. The state
/// and the index never know of an event that a power cut takes: they are shown what is synced.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_answered_and_settled_survives_power_cuts() {
    for seed in 0..CASES {
        let (folder, mut dice) = (TempDir::new().expect("a folder"), Dice::new(seed));
        let mut disk = SimulatedDisk::new(seed);
        let mut promised = Promised::default();
        for _ in 0..4 {
            let end = if dice.one_in(3) { End::Kill } else { End::PowerCut };
            disk.end_at(1 + dice.below(60) as u64, end);
            delay_some(&disk, &mut dice);
            // An open that is cut off itself is tried again.
            if let Ok(queue) = open(folder.path(), &disk) {
                work(&queue, &disk, &mut promised, &mut dice).await;
                queue.close().await;
            }
            assert!(disk.is_off(), "the case ends with the power (seed {seed})");
            disk = disk.restarted();
        }
        let queue = open(folder.path(), &disk)
            .unwrap_or_else(|error| panic!("seed {seed}: {error}: {:?}", error));
        check(&queue, &promised, seed).await;
        queue.close().await;
    }
}

/// Lets calls of the log take long, so that others come before them.
fn delay_some(disk: &SimulatedDisk, dice: &mut Dice) {
    for _ in 0..dice.below(4) {
        let asks = [Ask::Write, Ask::Sync, Ask::SyncFolder, Ask::Create];
        let (ask, nth) = (asks[dice.below(asks.len())], 1 + dice.below(20));
        let turns = dice.below(2_000);
        disk.delay(ask, nth, Arc::new(move || (0..turns).for_each(|_| thread::yield_now())));
    }
}

/// Stores, leases and settles until nothing goes any more.
async fn work(queue: &Embedded, disk: &SimulatedDisk, promised: &mut Promised, dice: &mut Dice) {
    let spec = SubscriptionSpec { start: Start::Earliest, ..SubscriptionSpec::new("agent") };
    let _ = queue.put_subscription(spec).await;
    while !disk.is_off() {
        let drafts: Vec<_> = (0..=dice.below(3))
            .map(|_| {
                promised.drafts += 1;
                let length = dice.below(1_500);
                let bytes = dice.bytes(length);
                draft([promised.drafts.to_string().into_bytes(), bytes].concat())
            })
            .collect();
        if let Ok(accepted) = queue.accept(drafts.clone()).await {
            let ids = accepted.into_iter().map(headgate_event::Accepted::id);
            promised.stored.extend(ids.zip(drafts.into_iter().map(|draft| draft.raw)));
        }
        let ask = LeaseAsk { max: 3, wait: Duration::ZERO, lease: None, bytes: None };
        let Ok(events) = queue.lease("agent", ask).await else { continue };
        let leased = events.iter().map(Event::id);
        assert!(leased.clone().all(|id| !promised.settled.contains(&id)), "settled, and again");
        let ack = |event: &Event| Settlement {
            id: event.delivery().expect("it is delivered").id.clone(),
            verb: Verb::Ack,
        };
        let settlements = events.iter().map(ack).collect();
        match queue.settle("agent", settlements).await {
            Ok(answers) => {
                assert!(answers.iter().all(Result::is_ok));
                promised.settled.extend(leased);
            }
            Err(_) => promised.perhaps_settled.extend(leased),
        }
        take_away(queue, promised, dice).await;
    }
}

/// Erases an event, or removes the oldest ones, now and then.
async fn take_away(queue: &Embedded, promised: &mut Promised, dice: &mut Dice) {
    if dice.one_in(6) && !promised.stored.is_empty() {
        let nth = dice.below(promised.stored.len());
        let id = *promised.stored.keys().nth(nth).expect("so many are stored");
        match queue.erase(id).await {
            Ok(Some(_)) => drop(promised.erased.insert(id)),
            Ok(None) => assert!(promised.retained, "{id} is lost"),
            Err(_) => drop(promised.perhaps_erased.insert(id)),
        }
    }
    if dice.one_in(12) {
        promised.retained = true;
        let _ = queue.retain(Retention { age: None, bytes: Some(20_000) }).await;
    }
}

/// What is there is as it was given or erased, and nothing is missing but the oldest; they were
/// settled, or there is a letter.
async fn check_events(queue: &Embedded, promised: &Promised, seed: u64) {
    let (mut missing, mut newest_seen) = (BTreeSet::new(), false);
    for (id, raw) in &promised.stored {
        match queue.event(*id).await {
            Ok(Some(stored)) => {
                assert!(stored.raw == *raw, "seed {seed}: {id} has changed");
                assert!(!promised.erased.contains(id), "seed {seed}: {id} is there again");
                newest_seen = true;
            }
            Ok(None) => {
                assert!(promised.retained && !newest_seen, "seed {seed}: {id} is lost");
                missing.insert(*id);
            }
            Err(QueueError::Erased { .. }) => {
                let asked = promised.erased.contains(id) || promised.perhaps_erased.contains(id);
                assert!(asked, "seed {seed}: nobody erased {id}");
                newest_seen = true;
            }
            Err(error) => panic!("seed {seed}: {error}"),
        }
    }
    let query = DeadLetterQuery { before: None, limit: 500 };
    let Ok(page) = queue.dead_letters("agent", query).await else { return };
    let letters: BTreeSet<_> = page.dead_letters.iter().filter_map(|one| one.event_id).collect();
    let told = |id: &&EventId| {
        let settled = promised.settled.contains(id) || promised.perhaps_settled.contains(id);
        let erased = promised.erased.contains(id) || promised.perhaps_erased.contains(id);
        settled || erased || letters.contains(id)
    };
    let silent = missing.iter().find(|id| !told(id));
    assert!(silent.is_none(), "seed {seed}: {silent:?} went without a letter");
}

async fn check(queue: &Embedded, promised: &Promised, seed: u64) {
    check_events(queue, promised, seed).await;
    let query = ListQuery { limit: 500, ..ListQuery::default() };
    let page = queue.list(query).await.expect("listed");
    let listed: BTreeSet<_> = page.events.iter().map(Event::id).collect();
    let gone = |id: &EventId| promised.erased.contains(id) || promised.perhaps_erased.contains(id);
    let all = promised.stored.keys().all(|id| listed.contains(id) || gone(id));
    assert!(page.next.is_some() || promised.retained || all);
    assert_eq!(listed.len(), page.events.len(), "seed {seed}: an event is there twice");
    let ask = LeaseAsk { max: 500, wait: Duration::ZERO, lease: None, bytes: None };
    let Ok(events) = queue.lease("agent", ask).await else {
        assert!(promised.settled.is_empty(), "seed {seed}: the subscription is lost");
        return;
    };
    assert!(events.iter().all(|event| !promised.settled.contains(&event.id())));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failed_sync_refuses_everything_until_it_is_opened_again() {
    let (folder, disk) = (TempDir::new().expect("a folder"), SimulatedDisk::new(1));
    let queue = open(folder.path(), &disk).expect("opens");
    let first = queue.accept(vec![draft("1")]).await.expect("stored")[0].id();
    disk.fail(Ask::Sync, 1, ErrorKind::Other);
    queue.accept(vec![draft("2")]).await.expect_err("it cannot be synced");
    queue.accept(vec![draft("3")]).await.expect_err("nothing is known any more");
    let health = queue.health();
    let reason = health.receiving.first().expect("it is poisoned");
    assert!(reason.starts_with("cannot sync `00000000000000000001.seg`"), "{reason}");
    assert!(health.consuming.is_empty(), "{health:?}");
    assert!(queue.event(first).await.expect("reading goes on").is_some());
    queue.close().await;
    drop(queue);
    let queue = open(folder.path(), &disk.restarted()).expect("opens");
    queue.accept(vec![draft("4")]).await.expect("stored");
    assert_eq!(queue.health(), Health::default());
    queue.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_refuses_is_read_and_recovers_by_itself() {
    let (folder, disk) = (TempDir::new().expect("a folder"), SimulatedDisk::new(1));
    let queue = open(folder.path(), &disk).expect("opens");
    let first = queue.accept(vec![draft("1")]).await.expect("stored")[0].id();
    disk.hold_at_most(Some(disk.used() + 100));
    let error = queue.accept(vec![draft("2".repeat(500))]).await.expect_err("no room");
    assert!(error.to_string().contains("the disk is full"), "{error}");
    let health = queue.health();
    assert!(!health.receiving.is_empty() && health.consuming.is_empty(), "{health:?}");
    assert!(queue.event(first).await.expect("reading goes on").is_some());
    disk.hold_at_most(None);
    // Nobody gives an event: the watch of the disk finds out.
    let wait = async {
        while !queue.health().is_well() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(50), wait).await.expect("it recovers");
    queue.accept(vec![draft("3")]).await.expect("stored");
    queue.close().await;
}
