//! The index against a list that is read through.

use super::{
    Entry, IndexWriter, Span,
    find::Order,
    times::{self, More, PART_EVENTS},
};
use crate::{
    KeyName, Selectable, Selection, Seq,
    log::{Committed, Keys, NameDigest, Position},
};
use headgate_event::{ChannelType, Correlation, EventId, Timestamp, limits::DEDUPE_WINDOW_MAX};
use proptest::prelude::*;
use std::{collections::BTreeMap, sync::Arc};

/// Steps that cross the parts in which keys lie.
const STEP_MAX: u64 = 90_000;

fn text(prefix: &'static str) -> impl Strategy<Value = String> {
    (0..4_u8).prop_map(move |n| format!("{prefix}{n}"))
}

fn key() -> impl Strategy<Value = Option<String>> {
    // The same values under different names.
    proptest::option::of(text("v"))
}

fn keys() -> impl Strategy<Value = Keys> {
    let channel = (0..20_u8).prop_map(|n| format!("c{n}"));
    let kind = (text("t."), channel, proptest::option::of(text("p")));
    (kind, key(), key(), (key(), key(), key(), key(), key())).prop_map(
        |((event_type, channel, provider), provider_event, thread_key, ids)| Keys {
            event_type,
            channel,
            channel_kind: ChannelType::Webhook,
            provider,
            provider_event,
            dedupe_key: None,
            dedupe_window: None,
            thread_key,
            correlation: Correlation {
                flow_id: ids.0,
                flow_type: ids.1,
                proposal_id: ids.2,
                deal_id: ids.3,
                session_id: ids.4,
            },
            event_id: None,
            names: Vec::new(),
            content: None,
            digest: None,
            erased_at: None,
        },
    )
}

/// Events at rising places, each received up to forty seconds before it was stored.
fn events() -> impl Strategy<Value = Vec<Committed>> {
    let one = (1..STEP_MAX, keys(), 0..40_000_i64);
    proptest::collection::vec(one, 1..120).prop_map(|all| {
        let mut seq: Seq = 0;
        let event = |(step, keys, late)| {
            seq += step;
            let stored_at = i64::try_from(seq).expect("small");
            Committed {
                seq,
                id: EventId::from_parts(Timestamp::from_unix_ms(stored_at), 0),
                created_at: Timestamp::from_unix_ms(stored_at - late),
                position: Position { segment: 1, offset: seq, len: 10 },
                keys: Arc::new(keys),
            }
        };
        all.into_iter().map(event).collect()
    })
}

fn selection() -> impl Strategy<Value = Selection> {
    let names = proptest::sample::select(&KeyName::ALL[..]);
    let values = proptest::collection::vec(text("v"), 0..3);
    let keys = proptest::collection::btree_map(names, values, 0..4);
    let channels = proptest::collection::btree_set((0..20_u8).prop_map(|n| format!("c{n}")), 0..6);
    let types = proptest::collection::btree_set(text("t."), 0..3);
    (keys, channels, types).prop_map(|(keys, channels, types)| Selection {
        types: types.iter().map(|one| one.parse().expect("a type")).collect(),
        channels: channels.into_iter().collect(),
        providers: Vec::new(),
        keys: BTreeMap::from_iter(keys),
        filter: None,
    })
}

fn span(end: Seq) -> impl Strategy<Value = Span> {
    let time = || proptest::option::of((0..end).prop_map(|ms| ms.cast_signed()));
    (0..=end, 0..=end, time(), time()).prop_map(move |(first, last, since, until)| Span {
        first: first / 2,
        last: end / 2 + last / 2 + 1,
        since: since.map(Timestamp::from_unix_ms),
        until: until.map(Timestamp::from_unix_ms),
    })
}

fn expected(events: &[Committed], selection: &Selection, span: Span) -> Vec<Seq> {
    let fits = |event: &&Committed| {
        selection.wants(Selectable::from(&*event.keys))
            && (span.first..=span.last).contains(&event.seq)
            && span.since.is_none_or(|since| event.created_at >= since)
            && span.until.is_none_or(|until| event.created_at < until)
    };
    events.iter().filter(fits).map(|event| event.seq).collect()
}

fn places(entries: Vec<Entry>) -> Vec<Seq> {
    entries.into_iter().map(|entry| entry.seq).collect()
}

fn check(
    writer: &IndexWriter,
    events: &[Committed],
    selection: &Selection,
    span: Span,
    max: usize,
) -> Result<(), TestCaseError> {
    let index = writer.index();
    let mut wanted = expected(events, selection, span);
    let oldest = index.oldest(selection, span, max).expect("read");
    prop_assert_eq!(places(oldest), wanted.iter().copied().take(max).collect::<Vec<_>>());
    wanted.reverse();
    let newest = index.newest(selection, span, max).expect("read");
    prop_assert_eq!(places(newest), wanted.iter().copied().take(max).collect::<Vec<_>>());
    for event in events {
        let entry = index.at(event.seq).expect("read").expect("there");
        let wants = index.wants(selection, &entry).expect("read");
        prop_assert_eq!(wants, selection.wants(Selectable::from(&*event.keys)));
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn what_a_selection_wants_is_found_from_both_ends(
        (events, span) in events().prop_flat_map(|events| {
            let end = events.last().map_or(1, |event| event.seq);
            (Just(events), span(end))
        }),
        selections in proptest::collection::vec(selection(), 1..8),
        max in 1_usize..100,
        cut in any::<prop::sample::Index>(),
    ) {
        let folder = tempfile::tempdir().expect("a folder");
        let mut writer = IndexWriter::open(&folder.path().join("index.db")).expect("opens");
        for step in events.chunks(50) {
            writer.add(step).expect("added");
        }
        for selection in &selections {
            check(&writer, &events, selection, span, max)?;
        }
        let left = &events[..=cut.index(events.len())];
        writer.cut_back(left.last().expect("one").seq).expect("cut");
        for selection in &selections {
            check(&writer, left, selection, span, max)?;
        }
    }
}

const DAY_MS: i64 = 24 * 3600 * 1000;

/// An event with a dedupe key, received on a day.
fn keyed(seq: Seq, day: i64, key: &str) -> Committed {
    let keys = Keys {
        event_type: "t.0".into(),
        channel: "c".into(),
        channel_kind: ChannelType::Webhook,
        provider: None,
        provider_event: None,
        dedupe_key: Some(key.into()),
        dedupe_window: Some(DEDUPE_WINDOW_MAX),
        thread_key: None,
        correlation: Correlation::default(),
        event_id: None,
        names: Vec::new(),
        content: None,
        digest: None,
        erased_at: None,
    };
    let created_at = Timestamp::from_unix_ms(day * DAY_MS + 1);
    Committed {
        seq,
        id: EventId::from_parts(Timestamp::from_unix_ms(20_000 * DAY_MS), seq.into()),
        created_at,
        position: Position { segment: 1, offset: seq, len: 10 },
        keys: Arc::new(keys),
    }
}

/// The places of a key's events, as an event of this day looks for them.
fn repeats(writer: &IndexWriter, day: i64, key: &str) -> Vec<Seq> {
    let event = keyed(0, day, key);
    let oldest = event.created_at.minus(DEDUPE_WINDOW_MAX);
    writer.index().repeats_of(event.keys.dedupe_digest().expect("keyed"), oldest).expect("read")
}

/// What happens to an index.
#[derive(Clone, Debug)]
enum Happens {
    Added { day: i64, keys: Vec<u8> },
    Filled,
    Reopened,
    CutBack,
}

fn happens() -> impl Strategy<Value = Happens> {
    let keys = proptest::collection::vec(0..40_u8, 1..12);
    prop_oneof![
        5 => (0..4_i64, keys).prop_map(|(day, keys)| Happens::Added { day, keys }),
        3 => Just(Happens::Filled),
        1 => Just(Happens::Reopened),
        1 => Just(Happens::CutBack),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn every_repeat_is_found_whatever_happened(all in proptest::collection::vec(happens(), 1..25)) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("index.db");
        let mut writer = IndexWriter::open(&path).expect("opens");
        let mut stored: Vec<(u8, Seq)> = Vec::new();
        let mut seq = 0;
        for one in all {
            match one {
                Happens::Added { day, keys } => {
                    let events: Vec<_> = keys.iter().map(|key| {
                        seq += 1;
                        stored.push((*key, seq));
                        named(keyed(seq, day, &key.to_string()), [*key; 32])
                    }).collect();
                    writer.add(&events).expect("added");
                }
                Happens::Filled => drop(writer.fill().expect("filled")),
                Happens::Reopened => {
                    drop(writer);
                    writer = IndexWriter::open(&path).expect("opens");
                }
                Happens::CutBack => {
                    seq /= 2;
                    stored.retain(|(_, stored)| *stored <= seq);
                    writer.cut_back(seq).expect("cut");
                }
            }
            for key in 0..40 {
                let of_key = stored.iter().rev().filter(|(stored, _)| *stored == key);
                let wanted: Vec<Seq> = of_key.map(|(_, seq)| *seq).collect();
                prop_assert_eq!(&repeats(&writer, 4, &key.to_string()), &wanted);
                prop_assert_eq!(writer.index().named(&[key; 32], 1).expect("found"), wanted);
            }
        }
    }
}

fn named(event: Committed, name: NameDigest) -> Committed {
    let keys = Keys { names: vec![name], ..(*event.keys).clone() };
    Committed { keys: Arc::new(keys), ..event }
}

fn name(number: Seq) -> NameDigest {
    let mut name = [0; 32];
    name[..8].copy_from_slice(&number.to_le_bytes());
    name
}

const DAY: i64 = 24 * 3600 * 1000;

/// An event that was stored so long after the start, and received so long before it was stored.
fn received(seq: Seq, stored_ms: i64, late_ms: i64) -> Committed {
    let stored = Timestamp::from_unix_ms(DAY + stored_ms);
    let created_at = Timestamp::from_unix_ms(stored.unix_ms() - late_ms);
    Committed { id: EventId::from_parts(stored, 0), created_at, ..keyed(seq, 5, &seq.to_string()) }
}

/// The runs of places that are looked through.
fn looked_through(writer: &IndexWriter, span: Span) -> Vec<(Seq, Seq)> {
    let mut runs = Vec::new();
    let look = |run: Span| {
        runs.push((run.first, run.last));
        Ok(More::Yes)
    };
    times::runs(&writer.connection, span, Order::Oldest, look).expect("looked");
    runs
}

// Symptom: one late event made every list that ends at a time read on to the newest event, for good.
// Cause: the end of a list was widened by how late an event was at most. Fix: it widens the list by
// the part of the log that it is in.
#[test]
fn one_late_event_does_not_widen_what_is_looked_through() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut writer = IndexWriter::open(&folder.path().join("index.db")).expect("opens");
    let (late, all) = (9 * PART_EVENTS + 5, 12 * PART_EVENTS);
    let one =
        |seq: Seq| received(seq, seq.cast_signed() * 1_000, if seq == late { DAY } else { 0 });
    writer.add(&(1..=all).map(one).collect::<Vec<_>>()).expect("added");
    let until = Some(Timestamp::from_unix_ms(DAY + 100_000));
    let span = Span { first: 1, last: all, since: None, until };
    let parts = [(1, PART_EVENTS - 1), (9 * PART_EVENTS, 10 * PART_EVENTS - 1)];
    assert_eq!(looked_through(&writer, span), parts);
    let found = writer.index().newest(&Selection::default(), span, 3).expect("found");
    assert_eq!(places(found), [late, 99, 98]);
    let all: Vec<Seq> = (1..100).chain([late]).collect();
    let found = writer.index().oldest(&Selection::default(), span, 500).expect("found");
    assert_eq!(places(found), all);
    writer.cut_back(9 * PART_EVENTS + 2).expect("cut");
    let found = writer.index().newest(&Selection::default(), span, 1).expect("found");
    assert_eq!(places(found), [99]);
}

// Symptom: after a clock that was a year ahead for a moment, every list that began or ended at a
// time read through all that came since. Cause: events were found by the times of their ids, which
// go on from the wrong one, and all of them were listed one by one as late. Fix: what tells where
// events of a time are is when they were received.
#[test]
fn a_clock_that_was_ahead_does_not_widen_what_is_looked_through() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut writer = IndexWriter::open(&folder.path().join("index.db")).expect("opens");
    let (before, all) = (4 * PART_EVENTS, 20 * PART_EVENTS);
    let one = |seq: Seq| {
        let at = seq.cast_signed() * 1_000;
        let ahead = if seq >= before { 366 * DAY } else { 0 };
        received(seq, at + ahead, if seq > before { ahead } else { 0 })
    };
    writer.add(&(1..=all).map(one).collect::<Vec<_>>()).expect("added");
    let at = |seq: Seq| Some(Timestamp::from_unix_ms(DAY + seq.cast_signed() * 1_000));
    let (since, until) = (at(9 * PART_EVENTS), at(10 * PART_EVENTS));
    let span = Span { first: 1, last: all, since, until };
    // The part of the wrong moment holds all times up to it.
    let wrong = (before, 5 * PART_EVENTS - 1);
    let wanted = (9 * PART_EVENTS, 10 * PART_EVENTS - 1);
    assert_eq!(looked_through(&writer, span), [wrong, wanted]);
    let found = writer.index().newest(&Selection::default(), span, 2).expect("found");
    assert_eq!(places(found), [10 * PART_EVENTS - 1, 10 * PART_EVENTS - 2]);
    let open = Span { until: None, ..span };
    assert_eq!(looked_through(&writer, open), [wrong, (9 * PART_EVENTS, all)]);
    let first = writer.index().received_from(since.expect("a time")).expect("found");
    assert_eq!(first.map(|entry| entry.seq), Some(before));
}

// Symptom: after the index was made anew, the filter of names took every name twice, and memory for
// twice as many. Cause: names went into it as they were added, and once more when the file was read
// into it. Fix: an index that begins empty has nothing to be read.
#[test]
fn an_index_that_begins_empty_takes_each_name_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut writer = IndexWriter::open(&folder.path().join("index.db")).expect("opens");
    assert!(!writer.index().may_be_named(&name(1)), "there is none");
    let events: Vec<_> = (1..9).map(|n| named(keyed(n, 5, &n.to_string()), name(n))).collect();
    writer.add(&events).expect("added");
    assert!(!writer.fill_names().expect("filled"), "nothing is left to read");
    assert!((1..9).all(|n| writer.index().may_be_named(&name(n))));
    assert!(!writer.index().may_be_named(&name(9)));
}

#[test]
fn a_name_that_is_new_is_not_looked_for_however_long_the_log_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("index.db");
    let mut writer = IndexWriter::open(&path).expect("opens");
    // An event in each of ten parts.
    let events: Vec<_> =
        (0..20_000).map(|n| named(keyed(n * 131 + 1, 5, &n.to_string()), name(n))).collect();
    writer.add(&events).expect("added");
    drop(writer);
    let mut writer = IndexWriter::open(&path).expect("opens");
    assert!(writer.index().may_be_named(&name(20_000)), "the file was not read yet");
    while writer.fill().expect("filled") {}
    assert!(writer.index().may_be_named(&name(7)));
    assert_eq!(writer.index().named(&name(7), 1).expect("found"), [7 * 131 + 1]);
    let looked = |n: &Seq| writer.index().may_be_named(&name(*n));
    assert!((20_000..21_000).filter(looked).count() < 10);
    writer.add(&[named(keyed(3_000_000, 5, "new"), name(20_500))]).expect("added");
    assert_eq!(writer.index().named(&name(20_500), 1).expect("found"), [3_000_000]);
}

#[test]
fn a_key_that_is_new_is_not_looked_for() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("index.db");
    let mut writer = IndexWriter::open(&path).expect("opens");
    let events: Vec<_> = (1..=20_000).map(|seq| keyed(seq, 5, &seq.to_string())).collect();
    writer.add(&events).expect("added");
    drop(writer);
    let mut writer = IndexWriter::open(&path).expect("opens");
    let mut steps = 0;
    while writer.fill().expect("filled") {
        steps += 1;
    }
    assert_eq!(steps, 4, "some thousand at a time, and no names");
    writer.connection.execute_batch("ALTER TABLE index_dedupe_5 RENAME TO away").expect("renamed");
    let looked = |key: Seq| {
        let event = keyed(0, 5, &key.to_string());
        let digest = event.keys.dedupe_digest().expect("keyed");
        let missed = writer.index().repeats_of(digest, event.created_at).is_err();
        // Memory says beforehand whether a table is looked into.
        assert_eq!(writer.index().may_repeat(digest, event.created_at), missed, "{key}");
        missed
    };
    assert!((1..=100).all(looked), "the table is missed");
    assert!((20_001..=21_000).filter(|key| looked(*key)).count() < 10);
}

#[test]
fn dedupe_keys_that_no_window_reaches_are_dropped() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("index.db");
    let mut writer = IndexWriter::open(&path).expect("opens");
    for day in 0..300_i64 {
        writer.add(&[keyed(day.cast_unsigned() + 1, day, &format!("of {day}"))]).expect("added");
        writer.fill().expect("filled");
        for before in [0, 1, 45, 90] {
            let expected: Vec<Seq> =
                (day >= before).then_some((day - before + 1).cast_unsigned()).into_iter().collect();
            assert_eq!(repeats(&writer, day, &format!("of {}", day - before)), expected, "{day}");
        }
    }
    drop(writer);
    let tables = || {
        let index = rusqlite::Connection::open(&path).expect("opens");
        let query = "SELECT count(*) FROM sqlite_schema WHERE name GLOB 'index_dedupe_*'";
        index.query_row(query, [], |row| row.get::<_, i64>(0)).expect("counted")
    };
    assert_eq!(tables(), 92);
    let writer = IndexWriter::open(&path).expect("opens");
    assert_eq!(writer.index().last(), 300, "it is whole without them");
    assert_eq!(repeats(&writer, 299, "of 209"), [210]);
}

#[test]
fn a_clock_that_jumps_ahead_and_back_forgets_no_key() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut writer = IndexWriter::open(&folder.path().join("index.db")).expect("opens");
    let mut seq = 0;
    let mut add = |writer: &mut IndexWriter, day: i64, key: &str| {
        seq += 1;
        writer.add(&[keyed(seq, day, key)]).expect("added");
    };
    for day in 0..80 {
        add(&mut writer, day, &format!("of {day}"));
    }
    add(&mut writer, 500, "of a wrong clock");
    for day in 80..200 {
        add(&mut writer, day, &format!("of {day}"));
        let wanted = (day - 60).max(0);
        assert_eq!(repeats(&writer, day, &format!("of {wanted}")).len(), 1, "{day}");
    }
}
