//! What a source keeps is there after a restart, all of a call or none of it.

use super::*;
use crate::{Queue, SourceNote, SourceNotes};
use tempfile::TempDir;

const CURSOR: &str = "cron.cursor";

fn note(key: &str, value: Option<&str>) -> SourceNote {
    let value = value.map(|value| value.as_bytes().to_vec());
    SourceNote { kind: CURSOR, key: key.as_bytes().to_vec(), value }
}

async fn kept(queue: &Embedded) -> Vec<(String, String)> {
    let text = |bytes| String::from_utf8(bytes).expect("text");
    let notes = queue.notes(CURSOR).await.expect("read").into_iter();
    notes.map(|(key, value)| (text(key), text(value))).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_source_keeps_outlives_the_program() {
    let (folder, disk) = (TempDir::new().expect("a folder"), SimulatedDisk::new(1));
    let queue = open(folder.path(), &disk).expect("opens");
    let first = vec![note("b", Some("1")), note("a", Some("2")), note("c", Some("3"))];
    queue.keep_notes(first).await.expect("kept");
    queue.keep_notes(vec![note("b", Some("4")), note("c", None)]).await.expect("kept");
    let other = SourceNote { kind: "cron.schedule", ..note("a", Some("other")) };
    queue.keep_notes(vec![other]).await.expect("kept");
    queue.close().await;
    let closed = queue.keep_notes(vec![note("a", None)]).await;
    assert!(closed.is_err(), "a closed queue keeps nothing");
    drop(queue);
    let queue = open(folder.path(), &disk).expect("opens again");
    let expected = [("a".to_owned(), "2".to_owned()), ("b".to_owned(), "4".to_owned())];
    assert_eq!(kept(&queue).await, expected);
    queue.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_fails_keeps_none_of_its_values() {
    let (folder, disk) = (TempDir::new().expect("a folder"), SimulatedDisk::new(1));
    let queue = open(folder.path(), &disk).expect("opens");
    let state = rusqlite::Connection::open(folder.path().join("headgate.db")).expect("opens");
    state
        .execute_batch(
            "CREATE TRIGGER no_room BEFORE INSERT ON state_source_notes WHEN NEW.key = x'62'
             BEGIN SELECT RAISE(FAIL, 'no room'); END",
        )
        .expect("a trigger");
    let notes = vec![note("a", Some("1")), note("b", Some("2"))];
    assert!(queue.keep_notes(notes).await.is_err());
    assert_eq!(kept(&queue).await, []);
    queue.close().await;
}
