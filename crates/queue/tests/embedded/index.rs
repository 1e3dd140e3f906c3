//! The index is derived: whatever becomes of it, the answers are the same.

use crate::bench::{Bench, LONG, SECOND, keyed, noon, retry};
use headgate_event::{Accepted, Correlation, Draft, EventId};
use headgate_queue::{KeyName, ListQuery, QueueError, Selection};
use std::{collections::BTreeMap, fs, time::Duration};

const WINDOW: Duration = Duration::from_secs(7 * 24 * 3600);

fn selections() -> Vec<Selection> {
    let channels = |names: &[&str]| Selection {
        channels: names.iter().map(|name| (*name).to_owned()).collect(),
        ..Selection::default()
    };
    let keys = |name, value: &str| Selection {
        keys: BTreeMap::from([(name, vec![value.to_owned()])]),
        ..Selection::default()
    };
    vec![
        channels(&[]),
        channels(&["a"]),
        channels(&["a", "b", "c"]),
        channels(&["none"]),
        keys(KeyName::ThreadKey, "thread-3"),
        keys(KeyName::SessionId, "session-70"),
        keys(KeyName::ProviderEvent, "invoice.paid"),
        keys(KeyName::FlowId, "flow-7"),
        keys(KeyName::FlowType, "type-2"),
        keys(KeyName::ProposalId, "proposal-4"),
        keys(KeyName::DealId, "deal-11"),
    ]
}

async fn fill(bench: &Bench) -> Vec<EventId> {
    let mut ids = Vec::new();
    for n in 0..120 {
        let mut draft = bench.draft(["a", "b", "c", "d"][n % 4]);
        draft.thread_key = Some(format!("thread-{}", n % 5));
        draft.correlation = Correlation {
            flow_id: Some(format!("flow-{}", n % 20)),
            flow_type: Some(format!("type-{}", n % 3)),
            proposal_id: Some(format!("proposal-{}", n % 9)),
            deal_id: Some(format!("deal-{}", n % 30)),
            session_id: Some(format!("session-{n}")),
        };
        if n % 10 == 3 {
            draft.created_at = draft.created_at.minus(30 * 3600 * SECOND);
        }
        ids.push(bench.store(keyed(draft, &format!("evt_{n}"), WINDOW)).await);
        bench.clock.advance(3600 * SECOND);
    }
    ids
}

/// Everything that the index has a part in.
async fn answers(bench: &Bench, ids: &[EventId]) -> Vec<String> {
    let mut answers = Vec::new();
    for selection in selections() {
        // Times that cut in the middle, and late events on both sides of them.
        for (since, until) in
            [(None, None), (Some(40), None), (None, Some(80)), (Some(40), Some(80))]
        {
            let time = |hours: u32| noon().plus(hours * 3600 * SECOND);
            let (since, until) = (since.map(time), until.map(time));
            let selection = selection.clone();
            let query = ListQuery { selection, since, until, limit: 50, ..ListQuery::default() };
            answers.push(format!("{:?}", bench.list(query).await));
        }
    }
    let empty = answers.iter().filter(|answer| *answer == "[]").count();
    assert_eq!(empty, 4, "only what nothing has is found nowhere: {answers:?}");
    for (n, id) in ids.iter().enumerate() {
        let stored = bench.queue.event(*id).await.expect("read").expect("stored");
        answers.push(format!("{} {:?} {:?}", stored.seq, stored.event, stored.raw));
        let draft =
            keyed(bench.draft(["a", "b", "c", "d"][n % 4]), &format!("evt_{n}"), 2 * WINDOW);
        answers.push(format!("{:?}", bench.queue.accept(vec![draft]).await.expect("a repeat")));
    }
    for stored in bench.queue.read(3, 30).await.expect("read") {
        answers.push(format!("{} {}", stored.seq, stored.event.id()));
    }
    answers
}

async fn check_after(harm: impl FnOnce(&std::path::Path)) {
    let bench = Bench::embedded();
    let ids = fill(&bench).await;
    let before = answers(&bench, &ids).await;
    let bench = bench.reopened_after(harm).await;
    assert_eq!(answers(&bench, &ids).await, before);
    let new = bench.store(bench.draft("a")).await;
    assert!(new > ids[119]);
    let bench = bench.reopened_after(|_| {}).await;
    let newest = bench.list(ListQuery { limit: 1, ..ListQuery::default() }).await;
    assert_eq!(newest[0], new);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_index_that_is_deleted_is_made_again() {
    check_after(|folder| fs::remove_file(folder.join("index.db")).expect("removed")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_index_that_cannot_be_read_is_made_again() {
    check_after(|folder| fs::write(folder.join("index.db"), [7; 9_000]).expect("written")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_index_of_another_version_is_made_again() {
    check_after(|folder| {
        let index = rusqlite::Connection::open(folder.join("index.db")).expect("opens");
        index.pragma_update(None, "user_version", 99).expect("written");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_index_of_the_first_layout_is_made_again() {
    check_after(|folder| {
        let index = rusqlite::Connection::open(folder.join("index.db")).expect("opens");
        let older = "DROP TABLE index_keys; DROP TABLE index_days; PRAGMA user_version = 1";
        index.execute_batch(older).expect("written");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_index_that_lacks_any_of_its_tables_is_made_again() {
    let mut bench = Bench::embedded();
    let ids = fill(&bench).await;
    let before = answers(&bench, &ids).await;
    let mut names = Vec::new();
    bench = bench.reopened_after(|folder| names = things(folder)).await;
    assert!(names.len() > 12, "there are tables of days: {names:?}");
    for (kind, name) in names {
        bench = bench
            .reopened_after(|folder| {
                let index = rusqlite::Connection::open(folder.join("index.db")).expect("opens");
                index.execute_batch(&format!("DROP {kind} {name}")).expect("dropped");
            })
            .await;
        assert_eq!(answers(&bench, &ids).await, before, "without {name}");
    }
}

/// The tables and indexes of the index.
fn things(folder: &std::path::Path) -> Vec<(String, String)> {
    let index = rusqlite::Connection::open(folder.join("index.db")).expect("opens");
    let query = "SELECT type, name FROM sqlite_schema WHERE name LIKE 'index_%'";
    let mut statement = index.prepare(query).expect("prepared");
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).expect("read");
    rows.collect::<Result<_, _>>().expect("read")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_index_that_is_behind_catches_up() {
    let bench = Bench::embedded();
    let ids = fill(&bench).await;
    let before = answers(&bench, &ids).await;
    let old = tempfile::TempDir::new().expect("a folder");
    let bench = bench
        .reopened_after(|folder| {
            fs::copy(folder.join("index.db"), old.path().join("index.db")).expect("copied");
        })
        .await;
    let new = bench.store_many(300).await;
    let bench = bench
        .reopened_after(|folder| {
            fs::copy(old.path().join("index.db"), folder.join("index.db")).expect("copied");
        })
        .await;
    let after = answers(&bench, &ids).await;
    let lists = 4 * selections().len();
    assert_eq!(after[lists..], before[lists..], "the lists alone have changed");
    let all = bench.list(ListQuery { limit: 500, ..ListQuery::default() }).await;
    assert!(all.iter().eq(ids.iter().chain(&new).rev()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_index_of_another_log_is_made_again() {
    let other = Bench::embedded();
    fill(&other).await;
    let other = other.reopened_after(|_| {}).await;
    check_after(|folder| {
        fs::copy(other.path().join("index.db"), folder.join("index.db")).expect("copied");
    })
    .await;
}

/// Two keys may have one hash: then the keys in the frames decide.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hash_alone_makes_no_repeat() {
    let bench = Bench::embedded();
    for key in ["one", "two"] {
        bench.store(keyed(bench.draft("a"), key, WINDOW)).await;
    }
    let bench = bench
        .reopened_after(|folder| {
            let index = rusqlite::Connection::open(folder.join("index.db")).expect("opens");
            let query = "SELECT name FROM sqlite_schema WHERE name LIKE 'index_dedupe_%'";
            let table: String = index.query_row(query, [], |row| row.get(0)).expect("one");
            index.execute(&format!("UPDATE {table} SET seq = 3 - seq"), []).expect("swapped");
        })
        .await;
    let accepted = bench.queue.accept(vec![keyed(bench.draft("a"), "one", WINDOW)]).await;
    assert!(matches!(accepted.expect("stored")[0], Accepted::New(_)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_are_found_while_the_index_follows() {
    let bench = Bench::embedded();
    let mut ids = Vec::new();
    for step in 0..30 {
        let drafts: Vec<Draft> = (0..40).map(|_| bench.draft("a")).collect();
        let accepted = bench.queue.accept(drafts).await.expect("stored");
        ids.extend(accepted.into_iter().map(Accepted::id));
        let listed = bench.list(ListQuery { limit: 500, ..ListQuery::default() }).await;
        assert!(listed.iter().eq(ids.iter().rev()), "step {step}");
        for id in ids.iter().step_by(37) {
            assert!(bench.queue.event(*id).await.expect("read").is_some());
        }
        let read = bench.queue.read(1, 10_000).await.expect("read");
        assert!(read.iter().map(|stored| stored.event.id()).eq(ids.iter().copied()));
    }
}

/// Waits until the queue is well, or is not.
async fn until_healthy(bench: &Bench, healthy: bool) {
    let wait = async {
        while bench.queue.health().is_well() != healthy {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(LONG, wait).await.expect("it changes");
}

/// Symptom: after a full disk the queue stayed unhealthy although there was room again, and with
/// an index far behind it refused everything until a restart. Cause: the index waited for the next
/// event before it tried again. Fix: it tries again after a pause, whether anything comes or not.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_index_that_could_not_be_written_follows_again_without_a_new_event() {
    let bench = Bench::embedded();
    let index = rusqlite::Connection::open(bench.path().join("index.db")).expect("opens");
    let broken = "CREATE TRIGGER broken BEFORE INSERT ON index_events
         BEGIN SELECT RAISE(ABORT, 'no room'); END";
    index.execute_batch(broken).expect("made");
    bench.store(bench.draft("a")).await;
    until_healthy(&bench, false).await;
    index.execute_batch("DROP TRIGGER broken").expect("dropped");
    until_healthy(&bench, true).await;
}

/// Symptom: a lease never ended and took a whole processor. Cause: a delivery that comes again but
/// is not in the index counted as passed, and was looked for again at once. Fix: it is damage.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_delivery_that_the_index_does_not_know_is_told() {
    let bench = Bench::embedded();
    bench.store_many(1).await;
    bench.subscribe("agent").await;
    let event = bench.lease_one("agent").await;
    bench.settle("agent", &event, retry(SECOND)).await.expect("leased");
    let bench = bench.reopened_after(|_| {}).await;
    let index = rusqlite::Connection::open(bench.path().join("index.db")).expect("opens");
    index.execute("DELETE FROM index_events", []).expect("deleted");
    bench.clock.advance(2 * SECOND);
    let leased = tokio::time::timeout(LONG, bench.try_lease("agent", 1)).await;
    let error = leased.expect("it ends").expect_err("nobody knows where it is");
    assert!(matches!(error, QueueError::Damaged { seq: 1, .. }), "{error}");
}
