//! A bit that turned below what was durable is named with segment and offset, and never skipped.

use super::{super::*, seeds::for_seeds};
use crate::log::{LogError, Position, random::seeded, storage::simulated::Dice};

const CASES: u64 = 200;

/// What is known of an event elsewhere, as the index has it.
struct Noted {
    position: Position,
    read: Read,
}

/// What is known of a log.
struct Known {
    noted: Vec<Noted>,
    /// The first event of the last batch.
    last_batch: Seq,
    /// Whether the index has seen all of it.
    is_indexed: bool,
}

#[test]
fn a_turned_bit_is_named_and_never_skipped() {
    for_seeds("a_turned_bit_is_named_and_never_skipped", CASES, |seed| {
        seeded::begin(seed);
        let mut dice = Dice::new(seed);
        let (disk, noted, last_batch) = some_events(&mut dice);
        let files: Vec<_> = disk.content().into_iter().collect();
        let (name, bytes) = &files[dice.below(files.len())];
        let (at, bit) = (dice.below(bytes.len()), dice.below(8));
        disk.flip(name, at, u32::try_from(bit).expect("a bit"));
        let segment: Seq = name.trim_end_matches(".seg").parse().expect("a number");
        let noted = Known { noted, last_batch, is_indexed: dice.one_in(2) };
        check(&disk, &noted, segment, at as u64);
    });
}

/// A log in several segments, closed, and the first event of its last batch.
fn some_events(dice: &mut Dice) -> (SimulatedDisk, Vec<Noted>, Seq) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let disk = SimulatedDisk::new(dice.number());
    let options = LogOptions { segment_bytes_max: 4_000, ..LogOptions::default() };
    let log = open(&disk, &Arc::new(ManualClock::at(NOW)), options).expect("an empty log opens");
    let mut last_batch = 1;
    for _ in 0..4 + dice.below(8) {
        last_batch = *log.head().borrow() + 1;
        let count = 1 + dice.below(3);
        let drafts: Vec<_> = (0..count)
            .map(|_| {
                let length = dice.below(1_500);
                draft(dice.bytes(length))
            })
            .collect();
        runtime.block_on(append(&log, &drafts)).expect("it is stored");
    }
    let positions = log.committed(0, usize::MAX).into_iter().map(|entry| entry.position);
    let noted = positions.zip(all(&log)).map(|(position, read)| Noted { position, read });
    (disk, noted.collect(), last_batch)
}

fn check(disk: &SimulatedDisk, known: &Known, segment: Seq, at: u64) {
    let (before, mut noted) = (disk.content(), &*known.noted);
    let indexed = known.is_indexed.then_some(noted.len() as u64);
    let options = LogOptions { indexed, ..LogOptions::default() };
    let log = match open(disk, &Arc::new(ManualClock::at(NOW)), options) {
        Ok(log) => log,
        Err(error) => {
            check_refusal(&error, segment, at);
            assert!(disk.content() == before, "a log that is refused is left alone");
            return;
        }
    };
    let head = *log.head().borrow();
    if !known.is_indexed && head < noted.len() as u64 {
        // Without the index the last batch looks as if a power cut had left it, and no other.
        assert_eq!(head + 1, known.last_batch, "only the last batch may be cut off");
        noted = &noted[..usize::try_from(head).expect("a count")];
    }
    for Noted { position, read } in noted {
        match log.read(*position).and_then(|frame| frame.unpack().map(|found| (frame, found))) {
            Ok((frame, found)) => {
                assert_eq!((frame.seq, frame.id), (read.seq, read.id));
                assert!(found.event == read.event && found.raw == read.raw);
            }
            Err(LogError::Damaged { segment: named, offset, .. }) => {
                assert_eq!((named, offset), (position.segment, position.offset));
                assert_eq!(named, segment);
                let frame = offset..position.end().offset;
                assert!(at < 64 || frame.contains(&at), "a frame is refused that is whole");
            }
            Err(error) => panic!("{error}"),
        }
    }
    check_scan(&log, noted, segment, at);
}

/// Reading in order gives everything, or stops at the damage and names it.
fn check_scan(log: &Log, noted: &[Noted], segment: Seq, at: u64) {
    let mut seen = 0;
    let mut place = log.place_before(0);
    loop {
        match log.scan(place, 1, usize::MAX) {
            Ok(scanned) if scanned.frames.is_empty() => break,
            Ok(scanned) => {
                assert_eq!(scanned.frames[0].id, noted[seen].read.id);
                (seen, place) = (seen + 1, scanned.next);
            }
            Err(LogError::Damaged { segment: named, offset, .. }) => {
                assert_eq!(named, segment);
                assert!(offset <= at, "the damage at {at} is named as {offset}");
                return;
            }
            Err(error) => panic!("{error}"),
        }
    }
    assert_eq!(seen, noted.len(), "an event is skipped");
}

fn check_refusal(error: &OpenError, turned: Seq, at: u64) {
    match error {
        OpenError::Damaged { segment, offset, .. } => {
            assert_eq!(*segment, turned);
            assert!(*offset <= at, "the damage at {at} is named as {offset}");
        }
        // The last batch could have been cut off by a power cut; the index knows better.
        OpenError::Behind { .. } => {}
        OpenError::Newer { segment, .. } => assert_eq!((*segment, at / 4), (turned, 2)),
        error => panic!("{error}"),
    }
}
