//! The folder and its one owner.

use crate::bench::{Bench, noon};
use headgate_event::{Clock, Sink};
use headgate_queue::{Embedded, EmbeddedOptions, ListQuery, OpenError, Queue};
use headgate_testkit::ManualClock;
use std::{
    error::Error,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::Arc,
};
use tempfile::TempDir;

pub(crate) fn open(folder: &Path) -> Result<Embedded, OpenError> {
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::at(noon()));
    Embedded::open(folder, clock, EmbeddedOptions::default())
}

/// The folder as it is on disk, as a process that dies leaves it.
pub(crate) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("made");
    for entry in fs::read_dir(from).expect("listed") {
        let entry = entry.expect("listed");
        let (path, copied) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() {
            copy(&path, &copied);
        } else if entry.file_name() != "index.db-shm" && entry.file_name() != "headgate.db-shm" {
            fs::copy(path, copied).expect("copied");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_folder_has_one_owner_and_the_refusal_names_it() {
    let folder = TempDir::new().expect("a folder");
    let owner = open(folder.path()).expect("opens");
    let refused = open(folder.path()).expect_err("it is owned");
    assert!(matches!(&refused, OpenError::Owned { pid: Some(pid), .. }
        if *pid == std::process::id()));
    let text = refused.to_string().replace(&folder.path().display().to_string(), "DATA");
    let text = text.replace(&std::process::id().to_string(), "PID");
    assert_eq!(text, "`DATA` belongs to another running headgate (process PID)");
    owner.close().await;
    assert!(open(folder.path()).is_err(), "it is owned until it is dropped");
    drop(owner);
    open(folder.path()).expect("it is free again");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_folder_that_cannot_be_made_is_named() {
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("file");
    fs::write(&file, "").expect("written");
    let refused = open(&file.join("data")).expect_err("a file is no folder");
    assert!(refused.to_string().starts_with("cannot make the folder `"), "{refused}");
    assert!(refused.source().is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_queue_that_nobody_closed_opens_as_it_was() {
    let bench = Bench::embedded();
    let stored = bench.store_many(700).await;
    bench.subscribe("agent").await;
    let events = bench.lease("agent", 20).await;
    bench.ack_all("agent", &events[5..]).await;
    let left = TempDir::new().expect("a folder");
    copy(bench.path(), left.path());
    let queue = open(left.path()).expect("opens");
    let bench = bench.with(queue);
    let again = bench.lease("agent", 6).await;
    let ids: Vec<_> = again.iter().map(headgate_event::Event::id).collect();
    assert_eq!(ids, [&stored[..5], &stored[20..21]].concat());
    let mut listed = bench.list(ListQuery { limit: 500, ..ListQuery::default() }).await;
    listed.reverse();
    assert_eq!(listed, stored);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_prompt_key_is_made_once_and_is_the_folders_own() {
    let (folder, other) = (TempDir::new().expect("a folder"), TempDir::new().expect("another"));
    let key = |folder: &Path| -> Vec<u8> {
        drop(open(folder).expect("opens"));
        let state = rusqlite::Connection::open(folder.join("headgate.db")).expect("opens");
        let query = "SELECT value FROM state_keys WHERE name = 'prompt'";
        state.query_row(query, [], |row| row.get(0)).expect("there is one")
    };
    let first = key(folder.path());
    assert_eq!(first.len(), 32);
    assert_eq!(first, key(folder.path()));
    assert_ne!(first, key(other.path()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_state_of_a_later_version_is_refused() {
    let folder = TempDir::new().expect("a folder");
    drop(open(folder.path()).expect("opens"));
    let state = rusqlite::Connection::open(folder.path().join("headgate.db")).expect("opens");
    state.pragma_update(None, "user_version", 99).expect("written");
    let refused = open(folder.path()).expect_err("it is newer");
    assert!(matches!(refused, OpenError::Newer { found: 99, known: 7, .. }), "{refused}");
}

/// The paths below this one that others than their owner may read or write.
fn open_to_others(path: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(path).expect("listed") {
        let path = entry.expect("listed").path();
        let metadata = path.metadata().expect("there");
        if metadata.permissions().mode() & 0o077 != 0 {
            found.push(path.clone());
        }
        if metadata.is_dir() {
            found.extend(open_to_others(&path));
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_in_a_folder_is_its_owners_alone() {
    let folder = TempDir::new().expect("a folder");
    let data = folder.path().join("data");
    // It is the operator's own, and may be open to others.
    fs::create_dir(&data).expect("made");
    let bench = Bench::memory();
    let queue = open(&data).expect("opens");
    for channel in ["billing", "other"] {
        queue.accept(vec![bench.draft(channel)]).await.expect("stored");
    }
    queue.back_up(&data.join("copy")).await.expect("copied");
    assert_eq!(open_to_others(&data), Vec::<PathBuf>::new(), "while it is open");
    queue.close().await;
    drop(queue);
    let segment = data.join("log/00000000000000000001.seg");
    let mut bytes = fs::read(&segment).expect("read");
    let first = bytes.windows(7).position(|window| window == b"billing").expect("there");
    bytes[first] ^= 1;
    fs::write(&segment, bytes).expect("written");
    let report = Embedded::repair(&data, Arc::clone(&bench.clock) as _).await.expect("repaired");
    assert!(report.kept_in.is_some());
    Embedded::reindex(&data, Arc::clone(&bench.clock) as _, EmbeddedOptions::default())
        .expect("made anew");
    let found = open_to_others(&data);
    assert_eq!(found, Vec::<PathBuf>::new(), "after {:?}", fs::read_dir(&data));
}
