//! The quarantine as the program uses it: what is kept, what leaves, what a restart finds.

#![allow(clippy::expect_used, reason = "a test fails by a panic")]

use bytes::Bytes;
use headgate_event::{
    Channel, ChannelType, Clock, Timestamp,
    limits::{CLOCK_GRACE, QUARANTINE_WAITING_MAX},
};
use headgate_http::{Arrival, BodyHold, RawRequest, Reject, Rejection, RejectionSink, RequestId};
use headgate_quarantine::{Bounds, Filter, OpenError, Order, Page, Quarantine, Query, Summary};
use headgate_testkit::ManualClock;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use std::{fs, net::SocketAddr, path::Path, sync::Arc, time::Duration};

const NOW: Timestamp = Timestamp::from_unix_s(1_776_590_125);

struct World {
    folder: tempfile::TempDir,
    clock: Arc<ManualClock>,
    bounds: Bounds,
}

impl World {
    fn new(bounds: Bounds) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        Self { folder, clock: Arc::new(ManualClock::at(NOW)), bounds }
    }

    fn path(&self) -> std::path::PathBuf {
        self.folder.path().join("quarantine")
    }

    fn try_open(&self) -> Result<Quarantine, OpenError> {
        let clock = Arc::clone(&self.clock) as Arc<dyn Clock>;
        Quarantine::open(&self.path(), self.bounds, clock)
    }

    fn open(&self) -> Quarantine {
        self.try_open().expect("opens")
    }

    fn rejection(&self, channel: &str, code: &'static str, body: impl Into<Bytes>) -> Rejection {
        let channel = Channel::new(channel, channel, ChannelType::Webhook).expect("a channel");
        Rejection {
            shown_path: format!("/v1/webhook/{}", channel.id),
            channel: Arc::new(channel),
            request: RawRequest {
                method: Method::POST,
                path: "/v1/webhook/x/s3cr3t".to_owned(),
                query: "a=1&b".to_owned(),
                headers: HeaderMap::new(),
                body: body.into(),
                arrival: Arrival {
                    remote: SocketAddr::from(([203, 0, 113, 7], 4711)),
                    received_at: self.clock.now(),
                    request_id: RequestId::new("req-1"),
                },
                hold: BodyHold::default(),
            },
            reject: Reject::unauthorized(code, "the reason"),
        }
    }
}

async fn page(quarantine: &Quarantine, filter: Filter, order: Order, limit: usize) -> Page {
    quarantine.list(Query { filter, order, limit }).await.expect("a page")
}

async fn all(quarantine: &Quarantine) -> Vec<Summary> {
    let order = Order::OldestAfter(None);
    page(quarantine, Filter::default(), order, 10_000).await.rejections
}

/// How many of each channel are kept.
async fn of_channel(quarantine: &Quarantine, channel: &str) -> usize {
    all(quarantine).await.iter().filter(|one| one.channel == channel).count()
}

#[tokio::test]
async fn a_rejection_comes_back_byte_for_byte_after_a_restart() {
    let world = World::new(Bounds::default());
    let quarantine = world.open();
    let body = Bytes::from_static(b"\x00\xff{\"a\": 1}\r\n\r\nmore\n");
    let mut rejection = world.rejection("billing", "signature_mismatch", body.clone());
    for (name, value) in [
        ("x-first", &b"  spaces \xff\x80 kept  "[..]),
        ("x-second", b"a: b: c"),
        ("x-first", b""),
        ("x-\x74ab", b"one\ttwo"),
    ] {
        let name = HeaderName::from_bytes(name.as_bytes()).expect("a name");
        rejection.request.headers.append(name, HeaderValue::from_bytes(value).expect("a value"));
    }
    let headers = rejection.request.headers.clone();
    quarantine.keep(rejection);
    quarantine.close().await;
    drop(quarantine);

    let quarantine = world.open();
    let summary = all(&quarantine).await.pop().expect("one");
    assert_eq!(
        (summary.code.as_str(), summary.cause.as_str()),
        ("signature_mismatch", "the reason")
    );
    assert_eq!((summary.received_at, summary.path.as_str()), (NOW, "/v1/webhook/billing"));
    let kept = quarantine.rejection(summary.id).await.expect("asked").expect("there");
    let request = kept.request().expect("a request");
    assert_eq!((request.body.clone(), request.headers), (body.clone(), headers));
    assert_eq!((request.path.as_str(), request.query.as_str()), ("/v1/webhook/x/s3cr3t", "a=1&b"));
    assert_eq!(request.arrival.received_at, NOW);
    assert_eq!(request.arrival.remote.ip().to_string(), "203.0.113.7");
    let file = kept.file().expect("a file");
    assert!(
        file.starts_with(b"POST /v1/webhook/x/s3cr3t?a=1&b HTTP/1.1\r\nx-first:   spaces \xff")
    );
    assert!(file.ends_with(&[b"\r\n\r\n", &body[..]].concat()));
}

#[tokio::test]
async fn beyond_the_count_the_oldest_leaves() {
    let world = World::new(Bounds { count: 3, ..Bounds::default() });
    let quarantine = world.open();
    for n in 0..5 {
        quarantine.keep(world.rejection("a", "signature_mismatch", format!("{n}")));
    }
    let ids: Vec<u64> = all(&quarantine).await.iter().map(|one| one.id.place()).collect();
    assert_eq!(ids, [3, 4, 5]);
}

#[tokio::test]
async fn beyond_the_bytes_the_oldest_leaves() {
    let world = World::new(Bounds { bytes: 1 << 20, ..Bounds::default() });
    let quarantine = world.open();
    for _ in 0..20 {
        quarantine.keep(world.rejection("a", "signature_mismatch", vec![b'x'; 100_000]));
    }
    let kept = all(&quarantine).await;
    assert_eq!(kept.len(), 10);
    assert_eq!(kept.last().expect("one").id.place(), 20);
}

#[tokio::test]
async fn what_is_too_old_leaves() {
    let world = World::new(Bounds { age: Duration::from_secs(3600), ..Bounds::default() });
    let quarantine = world.open();
    quarantine.keep(world.rejection("a", "signature_mismatch", "old"));
    assert_eq!(all(&quarantine).await.len(), 1);
    world.clock.advance(Duration::from_secs(1800));
    quarantine.keep(world.rejection("a", "signature_mismatch", "young"));
    assert_eq!(all(&quarantine).await.len(), 2);
    world.clock.advance(Duration::from_secs(1801));
    assert_eq!(all(&quarantine).await.len(), 1);
    quarantine.close().await;
    drop(quarantine);
    world.clock.advance(Duration::from_secs(1800));
    assert!(all(&world.open()).await.is_empty());
}

/// Symptom: a clock that leapt a year ahead for a moment emptied the quarantine. Cause: age was
/// judged by the wall clock alone. Fix: nothing leaves for its age until the time is believed.
#[tokio::test]
async fn a_clock_that_leaps_a_year_takes_nothing_until_it_is_believed() {
    const YEAR: Duration = Duration::from_secs(366 * 24 * 3600);
    let world = World::new(Bounds::default());
    let quarantine = world.open();
    quarantine.keep(world.rejection("a", "signature_mismatch", "x"));
    assert_eq!(all(&quarantine).await.len(), 1);
    world.clock.set(NOW.plus(YEAR));
    assert_eq!(all(&quarantine).await.len(), 1);
    quarantine.keep(world.rejection("a", "signature_mismatch", "y"));
    assert_eq!(all(&quarantine).await.len(), 2);
    quarantine.close().await;
    drop(quarantine);
    // What it has kept of the time outlives the program.
    let quarantine = world.open();
    assert_eq!(all(&quarantine).await.len(), 2);
    world.clock.advance(CLOCK_GRACE);
    let left = all(&quarantine).await;
    assert_eq!(left.len(), 1, "the time is believed");
    assert_eq!(left[0].id.place(), 2);
}

#[tokio::test]
async fn a_clock_that_is_set_back_after_a_leap_is_believed_at_once() {
    let world = World::new(Bounds { age: Duration::from_secs(3600), ..Bounds::default() });
    let quarantine = world.open();
    quarantine.keep(world.rejection("a", "signature_mismatch", "x"));
    assert_eq!(all(&quarantine).await.len(), 1);
    world.clock.set(NOW.plus(Duration::from_secs(24 * 3600)));
    assert_eq!(all(&quarantine).await.len(), 1);
    world.clock.set(NOW);
    world.clock.advance(Duration::from_secs(3601));
    assert!(all(&quarantine).await.is_empty());
}

#[tokio::test]
async fn an_attacked_channel_pushes_out_its_own_and_no_others() {
    let world = World::new(Bounds { count: 20, ..Bounds::default() });
    let quarantine = world.open();
    for _ in 0..5 {
        quarantine.keep(world.rejection("quiet", "signature_mismatch", "mine"));
    }
    for _ in 0..3 {
        quarantine.keep(world.rejection("attacked", "signature_mismatch", "its sender's"));
    }
    for _ in 0..QUARANTINE_WAITING_MAX / 4 {
        quarantine.keep(world.rejection("attacked", "missing_signature", "a scanner's"));
    }
    let kept = all(&quarantine).await;
    assert_eq!(kept.len(), 20);
    assert_eq!(of_channel(&quarantine, "quiet").await, 5);
    // Nor does a scanner without a signature push out what had one.
    let signed = |one: &&Summary| one.channel == "attacked" && one.code == "signature_mismatch";
    assert_eq!(kept.iter().filter(signed).count(), 3);
}

#[tokio::test]
async fn a_flood_of_one_channel_leaves_room_in_the_line_for_others() {
    let world = World::new(Bounds::default());
    let quarantine = world.open();
    for _ in 0..QUARANTINE_WAITING_MAX * 20 {
        quarantine.keep(world.rejection("attacked", "signature_mismatch", vec![0; 2_000]));
    }
    quarantine.keep(world.rejection("quiet", "signature_mismatch", "mine"));
    assert_eq!(of_channel(&quarantine, "quiet").await, 1);
    // The line is bounded, and it is emptied at a bounded rate: most of the flood is not kept.
    assert!(of_channel(&quarantine, "attacked").await < QUARANTINE_WAITING_MAX * 10);
}

#[tokio::test]
async fn a_body_that_is_too_large_for_the_quarantine_is_not_kept() {
    let world = World::new(Bounds { bytes: 1 << 20, ..Bounds::default() });
    let quarantine = world.open();
    quarantine.keep(world.rejection("a", "signature_mismatch", vec![0; 200_000]));
    let summary = all(&quarantine).await.pop().expect("one");
    assert_eq!((summary.body_kept, summary.body_size_bytes), (false, 200_000));
    let kept = quarantine.rejection(summary.id).await.expect("asked").expect("there");
    assert!(kept.request().is_none() && kept.file().is_none());
}

#[tokio::test]
async fn lists_come_in_pages_both_ways_and_filtered() {
    let world = World::new(Bounds::default());
    let quarantine = world.open();
    for (n, channel) in ["a", "b", "a", "c", "a"].into_iter().enumerate() {
        let code = if n == 4 { "missing_signature" } else { "signature_mismatch" };
        quarantine.keep(world.rejection(channel, code, ""));
        world.clock.advance(Duration::from_secs(1));
    }
    let places =
        |page: &Page| -> Vec<u64> { page.rejections.iter().map(|one| one.id.place()).collect() };
    let first = page(&quarantine, Filter::default(), Order::NewestBefore(None), 2).await;
    assert_eq!((places(&first), first.next), (vec![5, 4], Some(4)));
    let rest = page(&quarantine, Filter::default(), Order::NewestBefore(first.next), 3).await;
    assert_eq!((places(&rest), rest.next), (vec![3, 2, 1], None));
    let of_a = Filter { channels: vec!["a".to_owned()], ..Filter::default() };
    let oldest = page(&quarantine, of_a, Order::OldestAfter(Some(1)), 9).await;
    assert_eq!(places(&oldest), [3, 5]);
    let filter = Filter {
        channels: vec!["a".to_owned(), "b".to_owned()],
        codes: vec!["signature_mismatch".to_owned()],
        since: Some(NOW.plus(Duration::from_secs(1))),
        until: Some(NOW.plus(Duration::from_secs(3))),
    };
    let some = page(&quarantine, filter.clone(), Order::NewestBefore(None), 9).await;
    assert_eq!(places(&some), [3, 2]);
    assert_eq!(quarantine.delete_all(filter).await.expect("deletes"), 2);
    assert_eq!(all(&quarantine).await.len(), 3);
}

#[tokio::test]
async fn what_is_deleted_is_nowhere_in_the_files_and_its_id_is_not_given_again() {
    let world = World::new(Bounds::default());
    let quarantine = world.open();
    let secret = "a-very-secret-body-that-must-go".repeat(3);
    quarantine.keep(world.rejection("a", "signature_mismatch", secret.clone()));
    let id = all(&quarantine).await.pop().expect("one").id;
    assert!(somewhere(&world.path(), secret.as_bytes()));
    assert!(quarantine.delete(id).await.expect("deletes"));
    assert!(!quarantine.delete(id).await.expect("asked"));
    assert!(!somewhere(&world.path(), secret.as_bytes()));
    quarantine.keep(world.rejection("a", "signature_mismatch", "another"));
    assert_ne!(all(&quarantine).await.pop().expect("one").id, id);
    assert!(quarantine.rejection(id).await.expect("asked").is_none());
}

/// Symptom: a deletion answered that the bytes are gone while they stood in the write-ahead log.
/// Cause: SQLite says so by a column of its answer, which nobody read. Fix: it is an error.
#[tokio::test]
async fn a_deletion_that_another_reader_holds_up_says_so_and_is_finished_by_asking_again() {
    let world = World::new(Bounds::default());
    let quarantine = world.open();
    let secret = "a-very-secret-body-that-must-go".repeat(3);
    quarantine.keep(world.rejection("a", "signature_mismatch", secret.clone()));
    let id = all(&quarantine).await.pop().expect("one").id;
    let reader =
        rusqlite::Connection::open(world.path().join("quarantine.db")).expect("another program");
    reader.execute_batch("BEGIN; SELECT count(*) FROM rejection").expect("it reads");
    quarantine.delete(id).await.expect_err("bytes are left");
    drop(reader);
    assert!(!quarantine.delete(id).await.expect("asked again"));
    assert!(!somewhere(&world.path(), secret.as_bytes()));
}

/// Whether a file of the folder holds these bytes.
fn somewhere(folder: &Path, bytes: &[u8]) -> bool {
    fs::read_dir(folder).expect("a folder").any(|entry| {
        let content = fs::read(entry.expect("an entry").path()).expect("reads");
        content.windows(bytes.len()).any(|window| window == bytes)
    })
}

#[cfg(unix)]
#[tokio::test]
async fn the_files_are_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let world = World::new(Bounds::default());
    let quarantine = world.open();
    quarantine.keep(world.rejection("a", "signature_mismatch", "x"));
    assert_eq!(all(&quarantine).await.len(), 1);
    let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode() & 0o777;
    assert_eq!(mode(&world.path()), 0o700);
    for entry in fs::read_dir(world.path()).expect("a folder") {
        assert_eq!(mode(&entry.expect("an entry").path()), 0o600);
    }
}

#[tokio::test]
async fn a_torn_end_takes_the_last_rejections_and_not_the_file() {
    let world = World::new(Bounds::default());
    let quarantine = world.open();
    quarantine.keep(world.rejection("a", "signature_mismatch", "first"));
    assert_eq!(all(&quarantine).await.len(), 1);
    quarantine.keep(world.rejection("a", "signature_mismatch", "second"));
    assert_eq!(all(&quarantine).await.len(), 2);
    // As after a power cut: the files as they lie there, the log of the last commit torn.
    let cut = World::new(Bounds::default());
    fs::create_dir(cut.path()).expect("a folder");
    for name in ["quarantine.db", "quarantine.db-wal"] {
        let mut bytes = fs::read(world.path().join(name)).expect("reads");
        if name.ends_with("-wal") {
            bytes.truncate(bytes.len() - 100);
        }
        fs::write(cut.path().join(name), bytes).expect("writes");
    }
    let reopened = cut.open();
    assert_eq!(all(&reopened).await.len(), 1);
    reopened.keep(cut.rejection("a", "signature_mismatch", "third"));
    assert_eq!(all(&reopened).await.len(), 2);
}

#[tokio::test]
async fn a_damaged_file_is_set_aside() {
    for damage in [&b"this is no database, and long enough to be sure of it"[..], &[0xA5; 8192]] {
        let world = World::new(Bounds::default());
        fs::create_dir(world.path()).expect("a folder");
        fs::write(world.path().join("quarantine.db"), damage).expect("writes");
        let quarantine = world.open();
        quarantine.keep(world.rejection("a", "signature_mismatch", "x"));
        assert_eq!(all(&quarantine).await.len(), 1);
        let aside = fs::read(world.path().join("quarantine.db.damaged")).expect("set aside");
        assert_eq!(aside, damage);
    }
}

#[tokio::test]
async fn damage_within_the_file_is_found_at_the_start() {
    let world = World::new(Bounds::default());
    let quarantine = world.open();
    for n in 0..200 {
        quarantine.keep(world.rejection("a", "signature_mismatch", format!("{n:0500}")));
    }
    quarantine.close().await;
    drop(quarantine);
    let path = world.path().join("quarantine.db");
    let mut bytes = fs::read(&path).expect("reads");
    assert!(bytes.len() > 10 * 4096, "{}", bytes.len());
    for page in 1..bytes.len() / 4096 {
        bytes[page * 4096..page * 4096 + 64].fill(0xA5);
    }
    fs::write(&path, bytes).expect("writes");
    assert!(all(&world.open()).await.is_empty());
    assert!(world.path().join("quarantine.db.damaged").exists());
}

/// Symptom: a start took the longer the more the quarantine held. Cause: the whole file was checked.
/// Fix: it is not, and damage that a start does not meet is met by the next rejection.
#[tokio::test]
async fn damage_that_no_start_meets_is_found_by_the_next_rejection() {
    const TABLE_LEAF: u8 = 0x0d;
    let world = World::new(Bounds::default());
    let quarantine = world.open();
    for n in 0..200 {
        quarantine.keep(world.rejection("a", "signature_mismatch", format!("{n:0500}")));
    }
    quarantine.close().await;
    drop(quarantine);
    let path = world.path().join("quarantine.db");
    let mut bytes = fs::read(&path).expect("reads");
    let leaves = (1..bytes.len() / 4096).filter(|page| bytes[page * 4096] == TABLE_LEAF);
    let large = leaves.filter(|page| bytes[page * 4096 + 2000..][..2000].contains(&b'0'));
    for page in large.collect::<Vec<_>>() {
        bytes[page * 4096..page * 4096 + 64].fill(0xA5);
    }
    fs::write(&path, bytes).expect("writes");
    let quarantine = world.open();
    assert!(!world.path().join("quarantine.db.damaged").exists(), "no start reads them");
    quarantine.keep(world.rejection("a", "signature_mismatch", "after"));
    let kept = all(&quarantine).await;
    assert_eq!(kept.len(), 1, "it is kept in a file that was begun anew");
    assert!(world.path().join("quarantine.db.damaged").exists());
    quarantine.keep(world.rejection("a", "signature_mismatch", "one more"));
    assert_eq!(all(&quarantine).await.len(), 2);
}

#[tokio::test]
async fn a_file_of_the_first_version_is_brought_up_with_what_it_holds() {
    let world = World::new(Bounds::default());
    let quarantine = world.open();
    quarantine.keep(world.rejection("a", "signature_mismatch", "x"));
    quarantine.close().await;
    drop(quarantine);
    let connection = rusqlite::Connection::open(world.path().join("quarantine.db")).expect("opens");
    connection
        .execute_batch(
            "DROP TABLE believed; DROP INDEX rejection_share; PRAGMA user_version = 1;
             CREATE INDEX rejection_share ON rejection (channel, code, seq);",
        )
        .expect("as it was");
    drop(connection);
    let quarantine = world.open();
    quarantine.keep(world.rejection("a", "signature_mismatch", "y"));
    assert_eq!(all(&quarantine).await.len(), 2);
}

#[tokio::test]
async fn a_file_of_a_later_version_is_refused_with_its_version() {
    let world = World::new(Bounds::default());
    world.open().close().await;
    let connection = rusqlite::Connection::open(world.path().join("quarantine.db")).expect("opens");
    connection.pragma_update(None, "user_version", 7).expect("writes");
    drop(connection);
    let error = world.try_open().expect_err("refused").to_string();
    assert!(error.ends_with("is of version 7, expected at most 2: a later headgate made it"));
}

#[tokio::test]
async fn smaller_bounds_hold_from_the_next_rejection_on() {
    let mut world = World::new(Bounds::default());
    let quarantine = world.open();
    for n in 0..50 {
        quarantine.keep(world.rejection("a", "signature_mismatch", format!("{n}")));
    }
    quarantine.close().await;
    drop(quarantine);
    world.bounds.count = 10;
    let quarantine = world.open();
    quarantine.keep(world.rejection("a", "signature_mismatch", "last"));
    let kept = all(&quarantine).await;
    assert_eq!((kept.len(), kept.last().expect("one").id.place()), (10, 51));
}
