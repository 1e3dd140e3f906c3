//! A folder that cannot be used is told with its path and the reason, and left as it was.

use super::*;
use crate::{Health, Queue, log::simulated::Ask};
use headgate_event::Sink;
use std::{error::Error, fs, io::ErrorKind, os::unix::fs::MetadataExt};
use tempfile::TempDir;

fn said(error: &OpenError, folder: &TempDir) -> String {
    let (mut text, mut cause) = (error.to_string(), error.source());
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text.replace(&folder.path().display().to_string(), "DATA")
}

/// A disk with a log of some segments.
async fn some_segments(folder: &TempDir) -> SimulatedDisk {
    let disk = SimulatedDisk::new(1);
    let queue = open(folder.path(), &disk).expect("opens");
    for n in 0..12_u8 {
        queue.accept(vec![draft(vec![n; 1_500])]).await.expect("stored");
    }
    queue.close().await;
    disk
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_cannot_be_written_is_told_with_file_and_reason() {
    let folder = TempDir::new().expect("a folder");
    let disk = some_segments(&folder).await;
    let before = disk.content();
    disk.fail(Ask::Open, 1, ErrorKind::PermissionDenied);
    let error = open(folder.path(), &disk).expect_err("it may not be opened");
    let expected = "cannot open the log in `DATA/log`: cannot open \
                    `00000000000000000001.seg`: permission denied";
    assert_eq!(said(&error, &folder), expected);
    assert!(disk.content() == before);
    open(folder.path(), &disk).expect("it opens when it may").close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_is_full_at_the_start_is_told() {
    let (folder, disk) = (TempDir::new().expect("a folder"), SimulatedDisk::new(1));
    disk.hold_at_most(Some(10));
    let error = open(folder.path(), &disk).expect_err("there is no room for a segment");
    let expected = "cannot open the log in `DATA/log`: cannot begin \
                    `00000000000000000001.seg`: no storage space";
    assert_eq!(said(&error, &folder), expected);
    disk.hold_at_most(None);
    open(folder.path(), &disk).expect("it opens when there is room").close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_segment_that_is_gone_is_named() {
    let folder = TempDir::new().expect("a folder");
    let disk = some_segments(&folder).await;
    let fewer = SimulatedDisk::new(1);
    let files: Vec<_> = disk.content().into_iter().collect();
    let (gone, next) = (&files[1].0, &files[2].0);
    for (name, bytes) in files.iter().filter(|(name, _)| name != gone) {
        fewer.put(name, bytes);
    }
    let error = open(folder.path(), &fewer).expect_err("it is half deleted");
    let expected =
        format!("cannot open the log in `DATA/log`: `{gone}` is missing: `{next}` continues it");
    assert_eq!(said(&error, &folder), expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_was_copied_while_it_grew_is_told_from_the_whole_one() {
    let folder = TempDir::new().expect("a folder");
    let disk = some_segments(&folder).await;
    let copy = SimulatedDisk::new(1);
    let files: Vec<_> = disk.content().into_iter().collect();
    // The copy began before the last segments came, and index and state came last.
    for (name, bytes) in &files[..files.len() - 2] {
        copy.put(name, bytes);
    }
    let error = open(folder.path(), &copy).expect_err("the end is missing");
    assert!(matches!(error, OpenError::LostEnd { seen: 12, .. }), "{error}");
    let text = said(&error, &folder);
    assert!(text.starts_with("the log in `DATA/log` ends at event "), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_is_nearly_full_takes_nothing_from_the_start() {
    let folder = TempDir::new().expect("a folder");
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::at(NOW));
    let options = EmbeddedOptions { disk_free_bytes_min: u64::MAX, ..options() };
    let queue = Embedded::open(folder.path(), clock, options).expect("opens");
    let error = queue.accept(vec![draft("1")]).await.expect_err("too little is free");
    assert!(error.to_string().contains("the disk is nearly full: "), "{error}");
    let health = queue.health();
    let told = health.receiving.first().expect("told");
    assert!(told.starts_with("the disk is nearly full: "), "{told}");
    assert!(health.consuming.is_empty(), "{health:?}");
    queue.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_state_of_a_later_version_is_refused_with_both_versions() {
    let (folder, disk) = (TempDir::new().expect("a folder"), SimulatedDisk::new(1));
    open(folder.path(), &disk).expect("opens").close().await;
    let state = rusqlite::Connection::open(folder.path().join("headgate.db")).expect("opens");
    state.pragma_update(None, "user_version", 99).expect("written");
    drop(state);
    let error = open(folder.path(), &disk).expect_err("it is newer");
    let expected = "`DATA/headgate.db` has version 99, expected at most 7: a later headgate has \
                    written it";
    assert_eq!(said(&error, &folder), expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_index_of_a_later_version_is_made_again() {
    let (folder, disk) = (TempDir::new().expect("a folder"), SimulatedDisk::new(1));
    let queue = open(folder.path(), &disk).expect("opens");
    let id = queue.accept(vec![draft("1")]).await.expect("stored")[0].id();
    queue.close().await;
    drop(queue);
    let path = folder.path().join("index.db");
    let index = rusqlite::Connection::open(&path).expect("opens");
    index.pragma_update(None, "user_version", 99).expect("written");
    drop(index);
    let queue = open(folder.path(), &disk).expect("it is derived");
    assert!(queue.event(id).await.expect("read").is_some());
    queue.close().await;
}

/// Symptom: a folder without room or with too many open files lost its index, and made it again
/// for minutes. Cause: every error counted as damage. Fix: only damage does.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_index_that_cannot_be_reached_is_left_alone() {
    let (folder, disk) = (TempDir::new().expect("a folder"), SimulatedDisk::new(1));
    open(folder.path(), &disk).expect("opens").close().await;
    let (path, aside) = (folder.path().join("index.db"), folder.path().join("aside.db"));
    fs::rename(&path, &aside).expect("moved");
    // What is there is no file, which no rebuilding mends.
    fs::create_dir(&path).expect("made");
    let error = open(folder.path(), &disk).expect_err("it cannot be opened");
    let text = said(&error, &folder);
    let expected = "cannot open or make the index in `DATA/index.db` (nothing is lost: mend the \
                    cause and start again): unable to open database file";
    assert!(text.starts_with(expected), "{text}");
    assert!(path.is_dir());
    fs::remove_dir(&path).expect("removed");
    fs::rename(&aside, &path).expect("moved");
    let before = fs::metadata(&path).expect("there").ino();
    open(folder.path(), &disk).expect("it opens").close().await;
    assert_eq!(fs::metadata(&path).expect("there").ino(), before, "it is the same file");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_index_that_is_deleted_while_it_is_used_is_told() {
    let (folder, disk) = (TempDir::new().expect("a folder"), SimulatedDisk::new(1));
    let queue = open(folder.path(), &disk).expect("opens");
    assert_eq!(queue.health(), Health::default());
    fs::remove_file(folder.path().join("index.db")).expect("deleted");
    let health = queue.health();
    let reason = health.consuming.first().expect("it is gone");
    assert!(reason.contains("was removed or replaced: restart"), "{reason}");
    queue.close().await;
    drop(queue);
    let queue = open(folder.path(), &disk).expect("it is made again");
    assert_eq!(queue.health(), Health::default());
    queue.close().await;
}
