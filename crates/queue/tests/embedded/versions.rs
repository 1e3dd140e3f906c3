//! Folders of earlier versions: nothing that their state holds is lost on the way to this one.

use crate::bench::{Bench, SECOND, bury, delivery_id, retry};
use headgate_event::{Clock, Event, EventId, Origin};
use headgate_queue::{
    Attempt, DeadLetter, DeadLetterQuery, EventDelivery, LetterVerb, ReplayAsk, ReplayEvents,
    ReplayStatus, Settlement, SourceNote, SourceNotes, Tried, Verb,
};
use std::path::Path;

/// What a push is signed with, as it is kept.
const CREDENTIALS: &str = "push.credentials";

/// The state as version 4 had it.
fn as_version_four(folder: &Path) {
    let state = rusqlite::Connection::open(folder.join("headgate.db")).expect("opens");
    let back = "DROP TABLE state_clock; DROP TABLE state_newest;
        ALTER TABLE state_places DROP COLUMN highest;
        PRAGMA user_version = 4;";
    state.execute_batch(back).expect("changed");
}

/// All that an operator can see of the state.
#[derive(Debug, PartialEq)]
struct Seen {
    letters: Vec<DeadLetter>,
    notes: Vec<(Vec<u8>, Vec<u8>)>,
    deliveries: Vec<Vec<EventDelivery>>,
    replays: Vec<ReplayStatus>,
}

async fn seen(bench: &Bench, events: &[EventId]) -> Seen {
    let mut deliveries = Vec::new();
    for event in events {
        let found = bench.attempts().deliveries_of(*event).await.expect("read");
        deliveries.push(found.expect("it is stored"));
    }
    let query = DeadLetterQuery { before: None, limit: 500 };
    let letters = bench.queue.dead_letters("agent", query).await.expect("listed").dead_letters;
    let notes = bench.backend().notes(CREDENTIALS).await.expect("read");
    let replays = bench.queue.replays().await.expect("listed");
    Seen { letters, notes, deliveries, replays }
}

/// An endpoint that answers 503.
async fn refuse(bench: &Bench, event: &Event) {
    let attempt = Attempt {
        attempt: 1,
        at: bench.clock.now(),
        took_ms: 12,
        outcome: "refused".to_owned(),
        status: Some(503),
        answer: None,
        error: Some("answered 503".to_owned()),
    };
    let settlement = Settlement { id: delivery_id(event), verb: retry(60 * SECOND) };
    let tried = vec![Tried { settlement, attempt }];
    let settled = bench.attempts().settle_tried("agent", tried).await.expect("answered");
    assert_eq!(settled, [Ok(())]);
}

async fn redrive(bench: &Bench, id: String) {
    let redriven = bench.queue.settle_letters("agent", vec![id], LetterVerb::Redrive).await;
    assert_eq!(redriven.expect("answered"), [Ok(())]);
}

/// One event each that waits, is redriven, died, and died in a replay, which is still running.
async fn settled_each_in_its_way(bench: &Bench) -> Vec<EventId> {
    let stored = bench.store_many(4).await;
    bench.subscribe("agent").await;
    let events = bench.lease("agent", 4).await;
    refuse(bench, &events[0]).await;
    for event in &events[1..3] {
        bench.settle("agent", event, bury()).await.expect("leased");
    }
    redrive(bench, delivery_id(&events[1])).await;
    bench.settle("agent", &events[3], Verb::Ack).await.expect("leased");
    let events = ReplayEvents::Ids(stored[2..].to_vec());
    let ask = ReplayAsk { subscription: "agent".into(), events, ..ReplayAsk::default() };
    bench.queue.begin_replay(ask).await.expect("begun");
    let again = bench.lease("agent", 9).await;
    let given = again.iter().find(|event| event.id() == stored[3]).expect("it is given again");
    assert_eq!(*given.origin(), Origin::Replay);
    bench.settle("agent", given, bury()).await.expect("leased");
    let value = Some(br#"{"http://a/hook": "kept"}"#.to_vec());
    let note = SourceNote { kind: CREDENTIALS, key: b"agent".to_vec(), value };
    bench.backend().keep_notes(vec![note]).await.expect("kept");
    stored
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_state_of_the_fourth_version_is_brought_up_whole() {
    let bench = Bench::embedded();
    let stored = settled_each_in_its_way(&bench).await;
    // What is merely leased is not after a stop.
    let bench = bench.reopened_after(|_| {}).await;
    let before = seen(&bench, &stored).await;
    assert_eq!((before.letters.len(), before.notes.len(), before.replays.len()), (2, 1, 1));
    assert_eq!(before.deliveries[0][0].attempts.len(), 1);
    let bench = bench.reopened_after(as_version_four).await;
    assert_eq!(seen(&bench, &stored).await, before);
    // The second attempt of what waits is the highest that is known of; a policy allows a
    // thousand, which may have been given before.
    let highest = "SELECT CAST(highest AS TEXT) FROM state_places ORDER BY generation LIMIT 1";
    assert_eq!(bench.state(highest), "1002");
    let died = before.letters.iter().find(|letter| letter.event_id == Some(stored[3]));
    redrive(&bench, died.expect("it died in the replay").delivery.to_string()).await;
    let again = bench.lease("agent", 9).await;
    let given = again.iter().find(|event| event.id() == stored[3]).expect("it is given again");
    let delivery = given.delivery().expect("delivered");
    assert_eq!(delivery.attempt, 1);
    let attempt: u32 = delivery.id.rsplit('.').next().expect("a part").parse().expect("a number");
    assert!(attempt > 1_002, "an id that nothing had: {}", delivery.id);
    bench.ack_all("agent", &again).await;
    assert_eq!(bench.status("agent").await.dead, 1);
}
