//! Damage of every kind: said first, mended when told so, and never more lost than was damaged.

use crate::{
    bench::{Bench, SECOND, ids},
    folder::{copy, open},
};
use bytes::Bytes;
use headgate_event::{Clock, Draft, EventId};
use headgate_queue::{
    Embedded, Export, ExportQuery, ListQuery, OpenError, Queue, RepairReport, Verb,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};
use tempfile::TempDir;

/// A folder with several segments, and what was stored in it.
struct Stored {
    folder: TempDir,
    clock: Arc<dyn Clock>,
    ids: Vec<EventId>,
}

fn body(number: usize) -> Bytes {
    Bytes::from(format!("{{\"needle\": \"needle-{number}.\"}}"))
}

async fn stored() -> Stored {
    let bench = Bench::embedded();
    let mut stored = Vec::new();
    for step in 0..100 {
        let draft = |nth: usize| Draft { raw: body(step * 4 + nth), ..bench.draft("billing") };
        let accepted = bench.queue.accept((0..4).map(draft).collect()).await.expect("stored");
        stored.extend(accepted.into_iter().map(|one| one.id()));
    }
    bench.subscribe("agent").await;
    let events = bench.lease("agent", 100).await;
    bench.ack_all("agent", &events[..80]).await;
    let again = Verb::Retry { after: Some(SECOND), reason: None };
    for event in &events[80..90] {
        bench.settle("agent", event, again.clone()).await.expect("leased");
    }
    bench.queue.close().await;
    let (folder, clock) = bench.left();
    assert!(segments(folder.path()).len() >= 4, "{:?}", segments(folder.path()));
    Stored { folder, clock, ids: stored }
}

fn segments(folder: &Path) -> Vec<PathBuf> {
    let listed = fs::read_dir(folder.join("log")).expect("listed");
    let mut paths: Vec<PathBuf> = listed.map(|entry| entry.expect("listed").path()).collect();
    paths.sort();
    paths
}

/// The first event of a segment.
fn first_of(segment: &Path) -> u64 {
    let name = segment.file_stem().and_then(|name| name.to_str()).expect("a name");
    name.parse().expect("a number")
}

fn change(path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs::read(path).expect("read");
    change(&mut bytes);
    fs::write(path, bytes).expect("written");
}

/// Where the event of a number is in these bytes.
fn place_of(bytes: &[u8], number: usize) -> usize {
    let text = format!("needle-{number}.");
    bytes.windows(text.len()).position(|window| window == text.as_bytes()).expect("it is there")
}

fn content(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut paths = segments(folder);
    paths.push(folder.join("headgate.db"));
    paths.into_iter().filter_map(|path| Some((path.clone(), fs::read(path).ok()?))).collect()
}

fn lost_of(report: &RepairReport) -> BTreeSet<u64> {
    let lost = report.damage.iter().flat_map(|damage| &damage.lost);
    lost.flat_map(|lost| lost.first..=lost.last).collect()
}

impl Stored {
    /// Inspects, repairs, and sees that all is there but what the report calls lost.
    async fn mended(&self) -> RepairReport {
        let path = self.folder.path();
        let before = content(path);
        let said = Embedded::inspect(path).expect("inspected");
        assert!(!said.damage.is_empty(), "nothing was seen");
        assert_eq!(content(path), before, "looking changed something");
        let report = Embedded::repair(path, Arc::clone(&self.clock)).await.expect("repaired");
        assert_eq!(report.damage, said.damage);
        let kept = report.kept_in.clone().expect("something was changed");
        for (file, bytes) in &before {
            let same = fs::read(file).is_ok_and(|now| now == *bytes);
            let aside = fs::read(kept.join(file.file_name().expect("a name")));
            assert!(same || aside.is_ok_and(|aside| aside == *bytes), "{file:?} is not kept");
        }
        let well = Embedded::inspect(path).expect("inspected");
        assert_eq!(well.damage, [], "after {:?}", report.damage);
        self.check(&lost_of(&report)).await;
        report
    }

    async fn check(&self, lost: &BTreeSet<u64>) {
        let queue = open(self.folder.path()).expect("opens");
        let mut left = Vec::new();
        for (number, id) in self.ids.iter().enumerate() {
            let found = queue.event(*id).await.expect("readable");
            let raw = found.map(|stored| stored.raw);
            if lost.contains(&(number as u64 + 1)) {
                assert_eq!(raw, None, "event {number} was said to be lost");
            } else {
                assert_eq!(raw, Some(body(number)), "event {number}");
                left.push(*id);
            }
        }
        let mut listed = Vec::new();
        let mut query = ListQuery { limit: 150, ..ListQuery::default() };
        loop {
            let page = queue.list(query.clone()).await.expect("listed");
            listed.extend(ids(&page.events));
            query.before = page.next;
            if page.next.is_none() {
                break;
            }
        }
        listed.reverse();
        assert_eq!(listed, left);
        let (mut read, mut next) = (Vec::new(), 1);
        loop {
            let events = queue.read(next, 64).await.expect("read");
            let Some(last) = events.last() else { break };
            next = last.seq + 1;
            read.extend(events.iter().map(|stored| stored.event.id()));
        }
        assert_eq!(read, left);
        queue.close().await;
    }

    /// Leases all that is left and settles it: nothing stalls at a hole, and what was settled does
    /// not come again.
    async fn drained(self) -> (Vec<EventId>, u64) {
        let Self { folder, ids: stored, .. } = self;
        let bench = Bench::over(folder);
        bench.clock.advance(SECOND * 60);
        let mut all = Vec::new();
        loop {
            let events = bench.lease("agent", 100).await;
            if events.is_empty() {
                break;
            }
            all.extend(ids(&events));
            bench.ack_all("agent", &events).await;
        }
        let new = bench.store(bench.draft("billing")).await;
        assert!(new > *stored.last().expect("some"), "ids rise");
        assert_eq!(ids(&bench.lease("agent", 10).await), [new]);
        all.sort();
        (all, bench.status("agent").await.dead)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flipped_bit_in_a_sealed_segment_loses_the_one_event() {
    let stored = stored().await;
    let second = segments(stored.folder.path())[1].clone();
    let number = usize::try_from(first_of(&second)).expect("small") + 5;
    change(&second, |bytes| {
        let at = place_of(bytes, number);
        bytes[at] ^= 1;
    });
    let report = stored.mended().await;
    assert_eq!(lost_of(&report), BTreeSet::from([number as u64 + 1]));
    assert_eq!(report.damage[0].lost[0].ids, [stored.ids[number]]);
    let left = [&stored.ids[80..number], &stored.ids[number + 1..]].concat();
    assert_eq!(stored.drained().await, (left, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_export_says_how_many_events_it_had_to_leave_out() {
    let stored = stored().await;
    change(&segments(stored.folder.path())[1], |bytes| {
        let at = bytes.len() / 2;
        bytes[at] ^= 1;
    });
    for repaired in [false, true] {
        if repaired {
            stored.mended().await;
        }
        let queue = Arc::new(open(stored.folder.path()).expect("opens"));
        let mut export = Export::new(queue.clone(), ExportQuery::default());
        let mut text = Vec::new();
        while let Some(piece) = export.piece().await.expect("read") {
            text.extend_from_slice(&piece);
        }
        let (events, left_out) = (export.events(), export.left_out());
        assert!(left_out > 0 && events + left_out == 400, "{events} and {left_out}");
        let said = format!("\"left_out\":{left_out}");
        assert!(String::from_utf8_lossy(&text).contains(&said), "{repaired}");
        queue.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_event_that_was_to_come_again_is_a_dead_letter() {
    let stored = stored().await;
    change(&segments(stored.folder.path())[0], |bytes| {
        let at = place_of(bytes, 85);
        bytes[at] ^= 1;
    });
    let report = stored.mended().await;
    assert_eq!(lost_of(&report), BTreeSet::from([86]));
    let left = [&stored.ids[80..85], &stored.ids[86..]].concat();
    assert_eq!(stored.drained().await, (left, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn damage_in_the_last_segment_stops_the_start_and_is_mended() {
    let stored = stored().await;
    let last = segments(stored.folder.path()).pop().expect("one");
    let number = usize::try_from(first_of(&last)).expect("small") + 1;
    change(&last, |bytes| {
        let at = place_of(bytes, number);
        bytes[at] ^= 1;
    });
    assert!(open(stored.folder.path()).is_err(), "it started over damage");
    assert_eq!(lost_of(&stored.mended().await), BTreeSet::from([number as u64 + 1]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broken_header_of_a_segment_or_of_a_batch_loses_nothing() {
    for at in [3, 20, 40, 64 + 9] {
        for nth in [0, 1, 3] {
            let stored = stored().await;
            change(&segments(stored.folder.path())[nth], |bytes| bytes[at] ^= 4);
            let report = stored.mended().await;
            assert_eq!(lost_of(&report), BTreeSet::new(), "{at} of {nth}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_segment_without_header_and_first_batch_loses_its_events_alone() {
    let stored = stored().await;
    let paths = segments(stored.folder.path());
    change(&paths[1], |bytes| bytes[..300].fill(0));
    let lost = lost_of(&stored.mended().await);
    assert!(lost.iter().all(|seq| (first_of(&paths[1])..first_of(&paths[2])).contains(seq)));
    stored.drained().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_missing_segment_loses_its_events() {
    let stored = stored().await;
    let paths = segments(stored.folder.path());
    fs::remove_file(&paths[1]).expect("removed");
    let report = stored.mended().await;
    let (from, to) = (first_of(&paths[1]), first_of(&paths[2]));
    assert_eq!(lost_of(&report), (from..to).collect());
    assert!(report.damage[0].reason.contains("is missing"), "{:?}", report.damage[0]);
    let index = |seq: u64| usize::try_from(seq - 1).expect("small");
    let from = index(from).max(80);
    let left = [&stored.ids[80..from], &stored.ids[index(to).max(from)..]].concat();
    assert_eq!(stored.drained().await.0, left);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_missing_segments_in_a_row_lose_their_events() {
    let stored = stored().await;
    let paths = segments(stored.folder.path());
    fs::remove_file(&paths[1]).expect("removed");
    fs::remove_file(&paths[2]).expect("removed");
    let report = stored.mended().await;
    assert_eq!(lost_of(&report), (first_of(&paths[1])..first_of(&paths[3])).collect());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sealed_segment_that_was_cut_loses_its_end() {
    let stored = stored().await;
    let paths = segments(stored.folder.path());
    change(&paths[1], |bytes| bytes.truncate(bytes.len() / 2));
    let lost = lost_of(&stored.mended().await);
    let (first, next) = (first_of(&paths[1]), first_of(&paths[2]));
    let least = *lost.first().expect("some are lost");
    assert!(least > first + 10, "the first half is kept");
    assert_eq!(lost, (least..next).collect());
    stored.drained().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bytes_behind_the_end_of_a_sealed_segment_are_taken_away() {
    let stored = stored().await;
    change(&segments(stored.folder.path())[1], |bytes| bytes.extend_from_slice(&[7; 900]));
    assert_eq!(lost_of(&stored.mended().await), BTreeSet::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_ends_before_what_was_seen_takes_its_readers_back() {
    let stored = stored().await;
    let last = segments(stored.folder.path()).pop().expect("one");
    fs::remove_file(&last).expect("removed");
    let lost = lost_of(&stored.mended().await);
    assert_eq!(lost, (first_of(&last)..=400).collect());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_index_is_made_again() {
    let stored = stored().await;
    change(&stored.folder.path().join("index.db"), |bytes| {
        bytes.chunks_mut(512).skip(9).step_by(3).for_each(|chunk| chunk.fill(0x5a));
    });
    let report = stored.mended().await;
    assert_eq!(lost_of(&report), BTreeSet::new());
    assert_eq!(report.damage[0].file, "index.db");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_state_is_beyond_repair_and_left_as_it_is() {
    let stored = stored().await;
    let path = stored.folder.path();
    change(&path.join("headgate.db"), |bytes| bytes[..4096].fill(0x5a));
    let before = content(path);
    let report = Embedded::repair(path, Arc::clone(&stored.clock)).await.expect("looked at");
    assert!(report.is_beyond_repair() && report.kept_in.is_none(), "{report:?}");
    assert!(report.damage[0].reason.contains("restore it from a backup"), "{report:?}");
    assert_eq!(content(path), before);
}

/// Looking without repairing took the half that was overwritten for damage: what was begun was
/// finished before a repair only.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_that_is_being_erased_is_no_damage() {
    let stored = stored().await;
    let path = stored.folder.path();
    let state = rusqlite::Connection::open(path.join("headgate.db")).expect("opens");
    let keep_the_note = "CREATE TRIGGER keep BEFORE DELETE ON state_erasures
         BEGIN SELECT RAISE(FAIL, 'the power is cut'); END";
    state.execute_batch(keep_the_note).expect("a trigger");
    let first = segments(path).remove(0);
    let whole = fs::read(&first).expect("read");
    let queue = open(path).expect("opens");
    queue.erase(stored.ids[5]).await.expect_err("it stays begun");
    queue.close().await;
    drop(queue);
    state.execute_batch("DROP TRIGGER keep").expect("dropped");
    drop(state);
    let at = place_of(&whole, 5);
    change(&first, |bytes| bytes[at..at + 4].copy_from_slice(&whole[at..at + 4]));
    let said = Embedded::inspect(path).expect("inspected");
    assert_eq!((said.damage.as_slice(), said.unfinished_erasures), (&[][..], 1));
    let report = Embedded::repair(path, Arc::clone(&stored.clock)).await.expect("repaired");
    assert_eq!((report.damage.as_slice(), report.kept_in), (&[][..], None));
    let well = Embedded::inspect(path).expect("inspected");
    assert_eq!((well.damage.as_slice(), well.unfinished_bytes), (&[][..], 0));
    let bytes = fs::read(&first).expect("read");
    assert!(!bytes.windows(9).any(|window| window == b"needle-5."), "the bytes are still there");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_whole_folder_is_not_changed() {
    let stored = stored().await;
    let path = stored.folder.path();
    let before = content(path);
    let report = Embedded::repair(path, Arc::clone(&stored.clock)).await.expect("looked at");
    assert_eq!((report.damage.len(), report.kept_in), (0, None));
    assert_eq!((report.first, report.last), (1, 400));
    assert_eq!(content(path), before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_folder_of_a_later_version_is_refused_with_the_version() {
    let stored = stored().await;
    let path = stored.folder.path();
    let early = TempDir::new().expect("a folder");
    copy(path, early.path());
    change(&segments(path)[1], |bytes| {
        bytes[8] = 7;
        bytes[12..16].fill(0);
        let crc = crc32c::crc32c(&bytes[..64]);
        bytes[12..16].copy_from_slice(&crc.to_le_bytes());
    });
    let chain = |error: &dyn std::error::Error| {
        format!("{error}: {}", error.source().map(ToString::to_string).unwrap_or_default())
    };
    let refused = Embedded::inspect(path).expect_err("a later version");
    assert!(chain(&refused).contains("has format version 7"), "{refused}");
    let state = rusqlite::Connection::open(early.path().join("headgate.db")).expect("opens");
    state.pragma_update(None, "user_version", 9).expect("written");
    drop(state);
    for refused in [
        Embedded::inspect(early.path()).map(drop).expect_err("a later version"),
        open(early.path()).map(drop).expect_err("a later version"),
    ] {
        assert!(refused.to_string().contains("has version 9"), "{refused}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_flipped_bit_anywhere_loses_the_events_of_one_batch_at_most() {
    let original = stored().await;
    let length = fs::metadata(&segments(original.folder.path())[1]).expect("there").len();
    let length = usize::try_from(length).expect("small");
    for nth in 0..40 {
        let folder = TempDir::new().expect("a folder");
        copy(original.folder.path(), folder.path());
        let (clock, ids) = (Arc::clone(&original.clock), original.ids.clone());
        let stored = Stored { folder, clock, ids };
        // A prime step meets headers, heads, keys and payloads alike.
        let at = (nth * 1_607 + 11) % length;
        change(&segments(stored.folder.path())[1], |bytes| bytes[at] ^= 1 << (nth % 8));
        let lost = lost_of(&stored.mended().await);
        assert!(lost.len() <= 4, "{lost:?} are lost by offset {at}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_missing_state_stops_the_start_until_a_repair_begins_another() {
    for empty in [false, true] {
        let stored = stored().await;
        let path = stored.folder.path();
        let state = path.join("headgate.db");
        for file in ["headgate.db-wal", "headgate.db-shm"] {
            let _ = fs::remove_file(path.join(file));
        }
        if empty {
            fs::write(&state, "").expect("emptied");
        } else {
            fs::remove_file(&state).expect("removed");
        }
        for _ in 0..2 {
            let refused = open(path).expect_err("what was settled is lost");
            assert!(matches!(refused, OpenError::LostState { .. }), "{refused}");
            assert_eq!(fs::metadata(&state).map_or(0, |file| file.len()), 0, "it was begun");
        }
        let report = stored.mended().await;
        assert_eq!(report.damage.len(), 1, "{report:?}");
        assert_eq!(report.damage[0].file, "headgate.db");
        assert!(!report.is_beyond_repair() && lost_of(&report).is_empty(), "{report:?}");
        let bench = Bench::over(stored.folder);
        bench.subscribe("agent").await;
        assert_eq!(ids(&bench.lease("agent", 500).await), stored.ids, "all comes anew");
    }
}

/// Makes the checksum of the batch that this place is in fit what is there.
fn seal_batch_of(bytes: &mut [u8], place: usize) {
    let number = |bytes: &[u8], at: usize| {
        u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes")) as usize
    };
    let mut at = 64;
    while at + 48 + number(bytes, at + 36) <= place {
        at += 48 + number(bytes, at + 36);
    }
    let payload = at + 48..at + 48 + number(bytes, at + 36);
    let crc = crc32c::crc32c(&bytes[payload]);
    bytes[at + 40..at + 44].copy_from_slice(&crc.to_le_bytes());
    bytes[at + 4..at + 8].fill(0);
    let crc = crc32c::crc32c(&bytes[at..at + 48]);
    bytes[at + 4..at + 8].copy_from_slice(&crc.to_le_bytes());
}

/// Symptom: an event could not be read, and a repair found nothing. Cause: only the checksum of
/// its batch was looked at, which fits again once a neighbour was overwritten. Fix: each frame's.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_frame_in_a_batch_whose_checksum_fits_is_found() {
    for (nth, of_batch) in [(1, 1), (1, 3), (usize::MAX, 0), (usize::MAX, 3)] {
        let stored = stored().await;
        let all = segments(stored.folder.path());
        let path = all[nth.min(all.len() - 1)].clone();
        let first = usize::try_from(first_of(&path)).expect("small") - 1;
        // In the last segment, its last batch: nothing comes after it.
        let number = if nth == 1 { first + of_batch } else { 396 + of_batch };
        change(&path, |bytes| {
            let at = place_of(bytes, number);
            bytes[at] ^= 1;
            seal_batch_of(bytes, at);
        });
        let report = stored.mended().await;
        assert_eq!(lost_of(&report), BTreeSet::from([number as u64 + 1]), "{report:?}");
    }
}
