//! What a schedule may be, and the bounds within which it fires.

use crate::world::{
    DAY, HOUR, at, catching_up, channel, drain, every, fired, schedule, seconds, spec, ticker,
};
use headgate_cron::{
    CatchupPolicy, MissedWhy, Outcome, Overlap, Rules, Schedule, ScheduleError, ScheduleSpec,
    dedupe,
};
use headgate_event::{
    Channel, ChannelType, EventId,
    limits::{DEDUPE_WINDOW_DEFAULT, DEDUPE_WINDOW_MAX},
};
use serde_json::value::RawValue;
use std::{error::Error, sync::Arc, time::Duration};

const START: &str = "2026-01-01T00:00:00Z";

fn json(text: &str) -> Box<RawValue> {
    RawValue::from_string(text.to_owned()).expect("JSON")
}

#[test]
fn each_wrong_part_of_a_schedule_is_named_with_what_was_expected() {
    let timing = every(60);
    let good = || spec("report", &timing);
    let ruled = |rules| ScheduleSpec { rules: Arc::new(rules), ..good() };
    let webhook = Channel::new("billing", "Billing", ChannelType::Webhook).expect("fits");
    let overlap = Overlap::Skip { subscription: "No One".into() };
    let (start, end) = (Some(at("2026-02-01T00:00:00Z")), Some(at("2026-01-01T00:00:00Z")));
    let wrong = [
        ScheduleSpec { name: "  ".into(), ..good() },
        ScheduleSpec { name: "a\u{7}b".into(), ..good() },
        ScheduleSpec { channel: Arc::new(webhook), ..good() },
        ScheduleSpec { payload: json(&format!("\"{}\"", "x".repeat(64 << 10))), ..good() },
        ScheduleSpec { payload: json("[1e400]"), ..good() },
        ruled(catching_up(CatchupPolicy::All, 86 * DAY, 1)),
        ruled(catching_up(CatchupPolicy::All, DAY, 0)),
        ruled(catching_up(CatchupPolicy::All, DAY, 10_001)),
        ruled(Rules { jitter: 25 * HOUR, ..Rules::default() }),
        ruled(Rules { max_fires: Some(0), ..Rules::default() }),
        ruled(Rules { start_at: start, end_at: end, ..Rules::default() }),
        ruled(Rules { overlap, ..Rules::default() }),
    ];
    let mut texts: Vec<_> = wrong.into_iter().map(|spec| said(Schedule::new(spec))).collect();
    texts.insert(3, said(Schedule::id_of(&channel(), "report", Some("seven"))));
    insta::assert_snapshot!(texts.join("\n"));
}

fn said<T: std::fmt::Debug>(found: Result<T, ScheduleError>) -> String {
    let error = found.expect_err("it is wrong");
    let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
    format!("{error}{cause}")
}

#[test]
fn a_schedule_is_the_same_as_long_as_channel_and_name_or_its_id_are() {
    let id = |channel: &Channel, name, given| {
        Schedule::id_of(channel, name, given).expect("fits").to_string()
    };
    let report = id(&channel(), "report", None);
    // Pinned: another id would make every schedule without one another schedule.
    assert_eq!(report, "9bd4c4a1-a668-55f2-a551-2d63b1ec1bbd");
    assert_eq!(id(&channel(), " report ", None), report);
    assert_ne!(id(&channel(), "report 2", None), report);
    let other = Channel::new("timers2", "Timers", ChannelType::Cron).expect("fits");
    assert_ne!(id(&other, "report", None), report);
    let given = "5f0c5bfa-2b3c-4c5e-9d0a-0d0f5a1b2c3d";
    assert_eq!(id(&channel(), "renamed", Some(given)), given);
    assert_eq!(channel().id, "timers");
}

#[test]
fn a_payload_becomes_one_line_and_keeps_its_tokens() {
    let payload = json("{\n\t\"a\" : [1.10,\r\n \"x\u{7f}y\"] }");
    let schedule = Schedule::new(ScheduleSpec { payload, ..spec("s", &every(60)) }).expect("fits");
    assert_eq!(schedule.payload().get(), "{\"a\" : [1.10, \"x\u{7f}y\"] }");
}

#[test]
fn jitter_is_stable_spread_and_ends_before_the_next_occurrence() {
    let jitter = Duration::from_secs(600);
    let rules = || Rules { jitter, ..Rules::default() };
    let delays: Vec<_> = (0..500)
        .map(|n| schedule(&format!("s{n}"), &every(60), rules()))
        .inspect(|s| {
            let within = s.delay_ms(Some(60_000));
            assert!((0..60_000).contains(&within), "{within}");
            assert_eq!(s.delay_ms(Some(0)), 0);
        })
        .map(|s| s.delay_ms(None))
        .collect();
    assert!(delays.iter().all(|delay| (0..600_000).contains(delay)));
    let early = delays.iter().filter(|delay| **delay < 300_000).count();
    assert!((200..300).contains(&early), "{early} of 500 in the first half");
    let again: Vec<_> =
        (0..500).map(|n| schedule(&format!("s{n}"), &every(60), rules()).delay_ms(None)).collect();
    assert_eq!(delays, again);
}

#[test]
fn jitter_moves_the_firing_and_not_the_time_that_was_due() {
    let rules = Rules { jitter: HOUR, ..Rules::default() };
    let mut ticker = ticker(vec![schedule("s", &every(60), rules)], at(START));
    for minute in 1..100 {
        let due = ticker.sleep_until(at(START).plus(seconds(60 * minute + 59)));
        let (batches, _) = drain(&mut ticker, due);
        for firing in batches.iter().flat_map(|batch| &batch.firings) {
            let delay = firing.due_at.since(firing.occurrence.at);
            assert!(delay < seconds(60), "{delay:?} is past the next occurrence");
            assert_eq!(firing.occurrence.at.unix_ms() % 60_000, 0);
        }
    }
}

#[test]
fn a_schedule_fires_as_often_as_it_may_and_within_its_bounds() {
    let rules = Rules {
        start_at: Some(at("2026-01-02T00:00:00Z")),
        end_at: Some(at("2026-01-02T03:00:00Z")),
        ..Rules::default()
    };
    let mut bounded = ticker(vec![schedule("s", &every(3_600), rules.clone())], at(START));
    let hours: Vec<_> =
        (0..80).flat_map(|hour| fired(&mut bounded, at(START).plus(hour * HOUR))).collect();
    let all = ["00", "01", "02", "03"].map(|hour| format!("2026-01-02T{hour}:00:00Z"));
    assert_eq!(hours, all);

    let rules = Rules { max_fires: Some(2), ..rules };
    let mut counted = ticker(vec![schedule("s", &every(3_600), rules)], at(START));
    let hours: Vec<_> =
        (0..80).flat_map(|hour| fired(&mut counted, at(START).plus(hour * HOUR))).collect();
    assert_eq!(hours, all.get(..2).expect("two"));
}

#[test]
fn a_start_in_the_past_asks_for_what_was_due_since() {
    let rules = Rules {
        start_at: Some(at("2025-12-31T20:00:00Z")),
        ..catching_up(CatchupPolicy::All, DAY, 100)
    };
    let mut ticker = ticker(vec![schedule("s", &every(3_600), rules)], at(START));
    assert_eq!(fired(&mut ticker, at(START)).len(), 5);
}

#[test]
fn an_occurrence_is_known_as_fired_for_as_long_as_it_may_be_caught_up() {
    for (window, jitter) in [(HOUR, HOUR), (30 * DAY, HOUR), (85 * DAY, DAY)] {
        let rules = Rules { jitter, ..catching_up(CatchupPolicy::One, window, 1) };
        let mut ticker = ticker(vec![schedule("s", &every(60), rules)], at(START));
        let (batches, _) = drain(&mut ticker, at(START).plus(seconds(3_600)));
        let firing = batches.iter().flat_map(|batch| &batch.firings).next().expect("one fires");
        let known = dedupe(firing);
        assert!(known.window >= window + jitter, "{:?}", known.window);
        assert!((DEDUPE_WINDOW_DEFAULT..=DEDUPE_WINDOW_MAX).contains(&known.window));
        let occurrence = (firing.schedule.id(), firing.occurrence.at);
        assert_eq!(known.key, format!("cron:{}:{}", occurrence.0, occurrence.1));
    }
}

#[test]
fn a_schedule_waits_for_its_event_before_where_it_is_told_to() {
    let rules = Rules {
        overlap: Overlap::Skip { subscription: "agent".into() },
        max_fires: Some(3),
        ..catching_up(CatchupPolicy::All, DAY, 100)
    };
    let mut ticker = ticker(vec![schedule("s", &every(60), rules)], at(START));
    let now = at(START).plus(seconds(180));
    let id = EventId::from_parts(now, 7);

    let first = ticker.due(now);
    assert_eq!(first.firings.iter().map(|f| f.previous).collect::<Vec<_>>(), [None]);
    assert!(first.more, "what is due after it waits until it is stored");
    ticker.settle(&first, &[Outcome::Stored(id)]);

    let second = ticker.due(now);
    assert_eq!(second.firings.iter().map(|f| f.previous).collect::<Vec<_>>(), [Some(id)]);
    let settled = ticker.settle(&second, &[Outcome::Overlapped]);
    assert_eq!(settled.missed.iter().map(|m| m.why).collect::<Vec<_>>(), [MissedWhy::Overlap]);
    let cursors = ticker.cursors(&settled.moved);
    assert_eq!(cursors.iter().map(|c| (c.fires, c.missed)).collect::<Vec<_>>(), [(1, 1)]);

    let third = ticker.due(now);
    assert_eq!(third.firings.iter().map(|f| f.missed).collect::<Vec<_>>(), [1]);
    ticker.settle(&third, &[Outcome::Stored(id)]);
    assert_eq!(fired(&mut ticker, now.plus(seconds(60))).len(), 1, "the skipped one did not count");
    assert!(fired(&mut ticker, now.plus(seconds(120))).is_empty());
}
