//! The index against a list that is read through.

use super::{Entry, IndexWriter, Span};
use crate::{
    KeyName, Selectable, Selection, Seq,
    log::{Committed, Keys, Position},
};
use headgate_event::{ChannelType, Correlation, EventId, Timestamp};
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
        },
    )
}

/// Events at rising places, each received up to ten seconds before it was stored.
fn events() -> impl Strategy<Value = Vec<Committed>> {
    let one = (1..STEP_MAX, keys(), 0..10_000_i64);
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
