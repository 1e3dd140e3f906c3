//! Opening: a power cut is cut off, damage is named and left alone.

use super::{super::format::BatchHeader, *};
use proptest::prelude::*;

const FIRST: &str = "00000000000000000001.seg";

/// Three batches of two events, and the offsets at which they begin and end.
async fn three_batches() -> (SimulatedDisk, Vec<usize>, Vec<Read>) {
    let rig = Rig::new();
    let mut ends = vec![rig.disk.used()];
    for n in 0..3 {
        let long = Bytes::from(noise(700, n));
        rig.append(&[draft(format!("{n}")), draft(long)]).await;
        ends.push(rig.disk.used());
    }
    let reads = rig.all();
    drop(rig.log);
    (rig.disk, ends, reads)
}

fn with(bytes: &[u8]) -> SimulatedDisk {
    let disk = SimulatedDisk::default();
    disk.put(FIRST, bytes);
    disk
}

fn refusal(disk: &SimulatedDisk) -> String {
    let before = disk.content();
    let error = reopened(disk).expect_err("it is damaged").to_string();
    assert!(disk.content() == before, "a damaged log was changed");
    error
}

#[tokio::test]
async fn a_batch_cut_short_anywhere_is_cut_off_and_the_earlier_ones_stay() {
    let (disk, ends, reads) = three_batches().await;
    let bytes = disk.bytes_of(FIRST);
    for length in ends[2]..bytes.len() {
        let cut = with(&bytes[..length]);
        let log = reopened(&cut).expect("it opens");
        assert_eq!(all(&log), reads[..4], "{length}");
        assert_eq!(cut.bytes_of(FIRST).len(), ends[2]);
    }
    let log = reopened(&with(&bytes[..ends[2] + 5])).expect("it opens");
    append(&log, &[draft("next")]).await.expect("it is stored");
    assert_eq!(all(&log)[4].seq, 5);
}

#[tokio::test]
async fn zeros_and_garbage_at_the_end_are_cut_off() {
    let (disk, ends, reads) = three_batches().await;
    for rest in [vec![0; 5_000], noise(5_000, 3), b"HGB1".repeat(100), vec![0xff; 3]] {
        let cut = with(&[disk.bytes_of(FIRST), rest].concat());
        assert_eq!(all(&reopened(&cut).expect("it opens")), reads);
        assert_eq!(cut.bytes_of(FIRST).len(), ends[3]);
    }
}

#[tokio::test]
async fn a_flipped_bit_in_the_last_batch_is_cut_off() {
    let (disk, ends, reads) = three_batches().await;
    for at in ends[2]..ends[3] {
        let mut bytes = disk.bytes_of(FIRST);
        bytes[at] ^= 4;
        assert_eq!(all(&reopened(&with(&bytes)).expect("it opens")), reads[..4], "{at}");
    }
}

#[tokio::test]
async fn a_flipped_bit_below_a_durable_end_is_damage_and_nothing_is_changed() {
    let (disk, ends, _) = three_batches().await;
    for at in ends[0]..ends[2] {
        let mut bytes = disk.bytes_of(FIRST);
        bytes[at] ^= 4;
        let broken = if at < ends[1] { ends[0] } else { ends[1] };
        let place = format!("`{FIRST}` is damaged at offset {broken}: ");
        let error = refusal(&with(&bytes));
        assert!(error.starts_with(&place), "{at}: {error}");
    }
    let mut bytes = disk.bytes_of(FIRST);
    bytes[ends[1] + 100] ^= 4;
    assert_eq!(
        refusal(&with(&bytes)),
        format!(
            "`{FIRST}` is damaged at offset {}: the checksum of a batch does not fit, \
             and the batch at offset {} came after it",
            ends[1], ends[2]
        )
    );
}

#[tokio::test]
async fn damage_is_known_by_the_header_of_a_later_batch_that_is_torn_itself() {
    let (disk, ends, _) = three_batches().await;
    let mut bytes = disk.bytes_of(FIRST);
    bytes[ends[1] + 100] ^= 4;
    bytes.truncate(ends[2] + 60);
    assert!(refusal(&with(&bytes)).contains("is damaged at offset"));
}

#[tokio::test]
async fn a_batch_of_another_segment_inside_an_event_proves_nothing() {
    let (disk, ends, reads) = three_batches().await;
    let (other, other_ends, _) = three_batches().await;
    let foreign = other.bytes_of(FIRST)[other_ends[1]..].to_vec();
    // An event that looks like later batches is in a batch that a power cut tears.
    let bytes = [&disk.bytes_of(FIRST)[..ends[2] + 30], &foreign].concat();
    assert_eq!(all(&reopened(&with(&bytes)).expect("it opens")), reads[..4]);
}

#[tokio::test]
async fn a_later_batch_that_does_not_say_the_place_was_durable_proves_nothing() {
    let (disk, ends, reads) = three_batches().await;
    let bytes = disk.bytes_of(FIRST);
    let with_durable_end = |durable_end: usize| {
        let header = BatchHeader {
            tag: u64::from_le_bytes(bytes[24..32].try_into().expect("8 bytes")),
            first_seq: 7,
            durable_end: durable_end as u64,
            count: 1,
            payload_bytes: 100,
            payload_crc: 0,
        };
        with(&[&bytes[..ends[2] + 30], header.encode().as_slice()].concat())
    };
    // It was written together with the broken one, or says more than it can know.
    for durable_end in [0, ends[1], ends[2], ends[2] + 31, usize::MAX >> 1] {
        let log = reopened(&with_durable_end(durable_end)).expect("it opens");
        assert_eq!(all(&log), reads[..4], "{durable_end}");
    }
    assert!(refusal(&with_durable_end(ends[2] + 1)).contains("is damaged at offset"));
    assert!(refusal(&with_durable_end(ends[2] + 30)).contains("is damaged at offset"));
}

#[tokio::test]
async fn a_log_of_a_later_version_is_refused_by_its_version() {
    let (disk, ..) = three_batches().await;
    let mut bytes = disk.bytes_of(FIRST);
    bytes[8] = 2;
    bytes[12..16].fill(0);
    let crc = crc32c::crc32c(&bytes[..64]);
    bytes[12..16].copy_from_slice(&crc.to_le_bytes());
    assert_eq!(
        refusal(&with(&bytes)),
        format!(
            "`{FIRST}` has format version 2, expected at most 1: \
             a later version of headgate wrote it"
        )
    );
}

#[tokio::test]
async fn a_broken_header_over_batches_is_damage() {
    let (disk, ..) = three_batches().await;
    for at in 0..64 {
        let mut bytes = disk.bytes_of(FIRST);
        bytes[at] ^= 1;
        assert!(refusal(&with(&bytes)).starts_with(&format!("`{FIRST}` is damaged at offset 0:")));
    }
}

/// Five segments of one event each.
async fn five_segments() -> (SimulatedDisk, Vec<Read>) {
    let rig = Rig::with(LogOptions { segment_bytes_max: 1, ..LogOptions::default() });
    for n in 1..=5 {
        rig.append_raw(format!("{n}")).await;
    }
    let reads = rig.all();
    drop(rig.log);
    (rig.disk, reads)
}

fn without(disk: &SimulatedDisk, seq: Seq) -> SimulatedDisk {
    let fewer = SimulatedDisk::default();
    for (name, bytes) in disk.content() {
        if name != format!("{seq:020}.seg") {
            fewer.put(&name, &bytes);
        }
    }
    fewer
}

#[tokio::test]
async fn a_missing_segment_between_others_is_damage() {
    let (disk, reads) = five_segments().await;
    assert_eq!(
        refusal(&without(&disk, 3)),
        "`00000000000000000003.seg` is missing: `00000000000000000004.seg` continues it"
    );
    let log = reopened(&without(&disk, 1)).expect("retention may have removed the first");
    assert_eq!(all(&log), reads[1..]);
    assert_eq!(log.first_seq(), 2);
}

#[tokio::test]
async fn an_earlier_segment_of_another_length_is_damage() {
    let (disk, _) = five_segments().await;
    let name = "00000000000000000003.seg";
    let bytes = disk.bytes_of(name);
    disk.put(name, &bytes[..bytes.len() - 1]);
    let (expected, found) = (bytes.len(), bytes.len() - 1);
    assert_eq!(
        refusal(&disk),
        format!("`{name}` is damaged at offset {found}: expected {expected} bytes, found {found}")
    );
    disk.put(name, &[bytes, vec![0]].concat());
    assert!(refusal(&disk).starts_with(&format!("`{name}` is damaged at offset {expected}: ")));
}

#[tokio::test]
async fn a_segment_under_the_name_of_another_is_damage() {
    let (disk, _) = five_segments().await;
    let bytes = disk.bytes_of("00000000000000000005.seg");
    disk.put("00000000000000000009.seg", &bytes);
    assert!(refusal(&disk).starts_with("`00000000000000000009.seg` is damaged at offset 0: "));
}

#[tokio::test]
async fn a_segment_that_was_only_begun_is_removed() {
    let (disk, reads) = five_segments().await;
    for rest in [vec![], vec![0; 64], b"HEADGATE".to_vec()] {
        let begun = without(&disk, 0);
        begun.put("00000000000000000006.seg", &rest);
        let log = reopened(&begun).expect("it opens");
        assert_eq!(all(&log), reads);
        assert!(!begun.content().contains_key("00000000000000000006.seg"));
        append(&log, &[draft("6")]).await.expect("it is stored");
        assert_eq!(all(&log).len(), 6);
    }
    let first = with(&[0; 10]);
    assert!(all(&reopened(&first).expect("it opens")).is_empty());
}

#[tokio::test]
async fn files_of_other_names_are_left_alone() {
    let (disk, reads) = five_segments().await;
    disk.put("notes.txt", b"mine");
    disk.put("3.seg", b"mine");
    assert_eq!(all(&reopened(&disk).expect("it opens")), reads);
    assert_eq!(disk.bytes_of("3.seg"), b"mine");
}

#[tokio::test]
async fn what_was_written_but_not_synced_is_durable_once_it_is_shown() {
    let rig = Rig::new();
    rig.disk.hold_syncs();
    let log = rig.log.clone();
    let call = tokio::spawn(async move { append(&log, &[draft("1")]).await });
    let disk = rig.disk.clone();
    tokio::task::spawn_blocking(move || disk.until_a_sync_waits()).await.expect("it waits");
    // The process dies here, the machine does not: the pages are there.
    let killed = SimulatedDisk::default();
    for (name, bytes) in rig.disk.content() {
        killed.put(&name, &bytes);
    }
    rig.disk.release_syncs();
    call.await.expect("no panic").expect("it is stored");
    let shown = all(&reopened(&killed).expect("it opens"));
    assert_eq!(raws(&shown), ["1"]);
    assert_eq!(all(&reopened(&killed.with_what_was_synced()).expect("it opens")), shown);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_bytes_open_or_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        if let Ok(log) = reopened(&with(&bytes)) {
            prop_assert!(all(&log).is_empty());
        }
    }

    #[test]
    fn any_change_to_a_log_opens_or_is_refused(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in any::<prop::sample::Index>(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let (disk, ends, reads) = runtime.block_on(three_batches());
        let mut bytes = disk.bytes_of(FIRST);
        let untouched = bytes.clone();
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        bytes.truncate(ends[0] + cut.index(bytes.len()));
        if let Ok(log) = reopened(&with(&bytes)) {
            let found = all(&log);
            prop_assert_eq!(&found[..], &reads[..found.len()]);
        } else {
            prop_assert!(bytes != untouched);
        }
    }

    #[test]
    fn any_bytes_are_a_frame_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let place = Place { segment: 1, offset: 64 };
        prop_assert!(super::super::Frame::decode(&bytes.into(), place).is_err());
    }
}
