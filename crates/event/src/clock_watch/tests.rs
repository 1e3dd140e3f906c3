//! What is believed of two clocks, moment by moment.

use super::*;

const HOUR: Duration = Duration::from_secs(3600);
const START: Timestamp = Timestamp::from_unix_ms(1_795_222_923_456);

/// The moment so long after the start, with the wall clock so much ahead.
fn at(elapsed: Duration, ahead: Duration) -> Moment {
    Moment { wall: START.plus(elapsed).plus(ahead), elapsed }
}

fn kept(believed: Timestamp) -> Option<KeptTime> {
    Some(KeptTime { believed, doubted: None })
}

fn watch() -> ClockWatch {
    ClockWatch::new(at(Duration::ZERO, Duration::ZERO), kept(START), None)
}

/// The watch of the next run, which begins at this moment.
fn stopped(watch: &ClockWatch, stop: Moment, start: Moment) -> ClockWatch {
    ClockWatch::new(start, Some(watch.present(stop)), None)
}

/// When it is believed, as the next look says it.
fn believed_in(verdict: Belief) -> Duration {
    match verdict {
        Belief::Leapt { believed_in, .. } => believed_in,
        other => panic!("expected a leap, found {other:?}"),
    }
}

#[test]
fn time_that_passes_is_believed_and_kept_now_and_then() {
    let mut watch = watch();
    let soon = at(CLOCK_NOTE_EVERY / 2, Duration::ZERO);
    assert_eq!((watch.look(soon), watch.due(soon)), (Belief::Believed, None));
    let later = at(1_000 * HOUR, CLOCK_LEAP_MIN);
    assert_eq!((watch.look(later), watch.due(later)), (Belief::Believed, kept(later.wall)));
    watch.keeps(watch.present(later));
    assert_eq!((watch.look(later), watch.due(later)), (Belief::Believed, None));
}

#[test]
fn a_leap_is_doubted_until_the_clock_is_back() {
    let mut watch = watch();
    let leapt = watch.look(at(HOUR, 3 * HOUR));
    assert_eq!(leapt, Belief::Leapt { expected: START.plus(HOUR), believed_in: CLOCK_GRACE });
    assert_eq!(watch.look(at(2 * HOUR, 3 * HOUR)), Belief::Doubted);
    assert_eq!(watch.look(at(3 * HOUR, Duration::ZERO)), Belief::Believed);
}

#[test]
fn a_clock_that_stands_where_it_leapt_to_is_believed_at_last() {
    let mut watch = watch();
    watch.look(at(HOUR, 3 * HOUR));
    let last = HOUR + CLOCK_GRACE;
    assert_eq!(watch.look(at(last - HOUR / 60, 3 * HOUR)), Belief::Doubted);
    assert_eq!(watch.look(at(last, 3 * HOUR)), Belief::Believed);
    assert!(matches!(watch.look(at(last, Duration::ZERO)), Belief::Leapt { .. }));
}

#[test]
fn a_clock_that_leaps_again_is_waited_for_anew() {
    let mut watch = watch();
    watch.look(at(HOUR, 3 * HOUR));
    let again = watch.look(at(HOUR + CLOCK_GRACE, 6 * HOUR));
    assert_eq!(believed_in(again), CLOCK_GRACE);
    assert_eq!(watch.look(at(2 * HOUR + CLOCK_GRACE, 6 * HOUR)), Belief::Doubted);
}

#[test]
fn many_small_steps_are_a_leap_too() {
    let mut watch = watch();
    let step = |nth: u32| at(HOUR * nth, HOUR / 2 * nth);
    assert!((1..=2).all(|nth| watch.look(step(nth)) == Belief::Believed));
    assert!(matches!(watch.look(step(3)), Belief::Leapt { .. }));
}

#[test]
fn the_newest_event_tells_the_time_where_none_was_kept() {
    let now = at(Duration::ZERO, 3 * HOUR);
    assert_eq!(ClockWatch::new(now, None, None).look(now), Belief::Believed);
    let looked = ClockWatch::new(now, None, Some(START)).look(now);
    assert!(matches!(looked, Belief::Leapt { .. }), "{looked:?}");
    let mut watch = ClockWatch::new(now, kept(now.wall), Some(START));
    assert_eq!(watch.look(now), Belief::Believed);
}

// Symptom: a machine that runs for some hours a day kept every event for ever. Cause: how long a
// clock had stood began anew with each run. Fix: the state keeps it.
#[test]
fn how_long_a_clock_has_stood_goes_on_over_stops() {
    let mut watch = watch();
    let mut day = at(HOUR, 20 * HOUR);
    watch.look(day);
    let stop = |start: Moment, ran: Duration| Moment {
        wall: start.wall.plus(ran),
        elapsed: start.elapsed + ran,
    };
    let mut waits = Vec::new();
    for _ in 0..2 {
        let evening = stop(day, 2 * HOUR);
        assert_eq!(watch.look(evening), Belief::Doubted);
        day = Moment { wall: evening.wall.plus(CLOCK_STOP_MAX), elapsed: Duration::ZERO };
        watch = stopped(&watch, evening, day);
        waits.push(believed_in(watch.look(day)));
    }
    assert_eq!(waits, [CLOCK_GRACE - 2 * HOUR, CLOCK_GRACE - 4 * HOUR]);
    assert_eq!(watch.look(stop(day, 2 * HOUR)), Belief::Believed);
}

#[test]
fn a_clock_that_is_elsewhere_after_a_stop_is_waited_for_anew() {
    let mut watch = watch();
    watch.look(at(HOUR, 90 * HOUR));
    let evening = at(5 * HOUR, 90 * HOUR);
    watch.look(evening);
    let elsewhere = [
        evening.wall.plus(CLOCK_STOP_MAX).plus(HOUR),
        evening.wall.minus(CLOCK_LEAP_MIN).minus(HOUR),
    ];
    for wall in elsewhere {
        let morning = Moment { wall, elapsed: Duration::ZERO };
        assert_eq!(believed_in(stopped(&watch, evening, morning).look(morning)), CLOCK_GRACE);
    }
    let right = Moment { wall: START.plus(5 * HOUR), elapsed: Duration::ZERO };
    assert_eq!(stopped(&watch, evening, right).look(right), Belief::Believed, "it was set right");
}

#[test]
fn a_doubt_is_kept_when_it_begins_now_and_then_and_when_it_ends() {
    let mut watch = watch();
    let mut look = |moment: Moment| {
        watch.look(moment);
        let due = watch.due(moment);
        due.into_iter().for_each(|due| watch.keeps(due));
        due.map(|kept| kept.doubted.map(|doubted| doubted.stood))
    };
    let leapt = |elapsed| at(elapsed, 3 * HOUR);
    assert_eq!(look(leapt(HOUR)), Some(Some(Duration::ZERO)));
    assert_eq!(look(leapt(HOUR + CLOCK_NOTE_EVERY / 2)), None);
    assert_eq!(look(leapt(HOUR + CLOCK_NOTE_EVERY)), Some(Some(CLOCK_NOTE_EVERY)));
    assert_eq!(look(at(2 * HOUR, Duration::ZERO)), Some(None));
}
