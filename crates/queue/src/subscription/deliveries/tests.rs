//! The state machine, move by move; [`model`] has the random ones.

mod model;

use super::*;
use crate::subscription::{Changes, DeadReason, RetryPolicy, Verb};
use std::time::Duration;

const HEAD: Seq = 1_000;
const SECOND: Duration = Duration::from_secs(1);

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_unix_s(i64::try_from(seconds).expect("small"))
}

fn moment(seconds: u64) -> Moment {
    let policy = RetryPolicy { attempts: 3, first_ms: 1_000, longest_ms: 60_000 };
    Moment { now: at(seconds), head: HEAD, policy, seed: 7 }
}

fn ask(seq: Seq, attempt: u32, verb: &Verb) -> Asked<'_> {
    Asked { seq, attempt, verb, wanted: true, thread: None }
}

fn retry() -> Verb {
    Verb::Retry { after: None, reason: Some("busy".into()) }
}

fn bury() -> Verb {
    Verb::Bury { reason: Some("nonsense".into()) }
}

fn commit(deliveries: &mut Deliveries) -> Changes {
    let changes = deliveries.changes();
    deliveries.commit();
    changes
}

/// A subscription that has the events 1 to `n` leased until second 60.
fn leased(n: Seq) -> Deliveries {
    let mut deliveries = Deliveries::begin(0);
    for seq in 1..=n {
        assert_eq!(deliveries.lease_first(seq, None, at(60)), Some(Leased { seq, attempt: 1 }));
    }
    deliveries
}

/// What another process finds after this one died.
fn reloaded(changes: &Changes) -> Deliveries {
    let (place, deferred) = (changes.place.clone(), changes.deferred.clone());
    Deliveries::load(Kept { place, deferred, ..Kept::default() }, HEAD)
}

#[test]
fn the_floor_waits_for_the_oldest_and_passes_what_is_settled() {
    let mut deliveries = leased(4);
    for seq in [2, 3] {
        assert_eq!(deliveries.settle(ask(seq, 1, &Verb::Ack), moment(0)), Ok(()));
    }
    let changes = commit(&mut deliveries);
    assert_eq!((changes.place.floor, deliveries.floor()), (0, 0));
    assert_eq!(changes.place.settled.iter().collect::<Vec<_>>(), [(2, 3)]);
    assert_eq!(deliveries.settle(ask(1, 1, &Verb::Ack), moment(0)), Ok(()));
    let changes = commit(&mut deliveries);
    assert_eq!((changes.place.floor, deliveries.floor()), (3, 3));
    assert_eq!(changes.place.settled.iter().count(), 0);
}

#[test]
fn what_is_not_wanted_holds_nothing_up() {
    let mut deliveries = Deliveries::begin(0);
    deliveries.lease_first(10, None, at(60));
    deliveries.pass(20);
    assert_eq!(deliveries.floor(), 9);
    assert_eq!(deliveries.settle(ask(10, 1, &Verb::Ack), moment(0)), Ok(()));
    assert_eq!(commit(&mut deliveries).place.floor, 20);
}

#[test]
fn nothing_moves_before_its_commit() {
    let mut deliveries = leased(2);
    deliveries.settle(ask(1, 1, &Verb::Ack), moment(0)).expect("leased");
    deliveries.settle(ask(2, 1, &retry()), moment(0)).expect("leased");
    assert_eq!((deliveries.floor(), deliveries.leased(), deliveries.waiting()), (0, 2, 0));
    deliveries.abandon();
    assert_eq!(deliveries.settle(ask(1, 1, &Verb::Ack), moment(0)), Ok(()));
    deliveries.settle(ask(2, 1, &retry()), moment(0)).expect("leased");
    deliveries.commit();
    assert_eq!((deliveries.floor(), deliveries.leased(), deliveries.waiting()), (2, 0, 1));
}

#[test]
fn a_second_answer_says_that_it_is_settled_also_before_the_commit() {
    for verb in [Verb::Ack, bury()] {
        let mut deliveries = leased(1);
        assert_eq!(deliveries.settle(ask(1, 1, &verb), moment(0)), Ok(()));
        for again in [Verb::Ack, retry(), bury(), Verb::Extend { lease: SECOND }] {
            let answer = deliveries.settle(ask(1, 1, &again), moment(0));
            assert_eq!(answer, Err(Refusal::AlreadySettled), "{verb:?} {again:?}");
        }
        deliveries.commit();
        let answer = deliveries.settle(ask(1, 1, &Verb::Ack), moment(0));
        assert_eq!(answer, Err(Refusal::AlreadySettled));
    }
}

#[test]
fn what_was_given_back_waits_and_comes_with_the_next_attempt() {
    let mut deliveries = leased(1);
    let after = Some(10 * SECOND);
    let verb = Verb::Retry { after, reason: Some("busy".into()) };
    deliveries.settle(ask(1, 1, &verb), moment(5)).expect("leased");
    assert_eq!(deliveries.settle(ask(1, 1, &Verb::Ack), moment(5)), Err(Refusal::LeaseExpired));
    assert_eq!(deliveries.settle(ask(1, 2, &Verb::Ack), moment(5)), Err(Refusal::Unknown));
    let changes = commit(&mut deliveries);
    let last_error = Some("busy".to_owned());
    assert_eq!(
        changes.deferred,
        [Deferred { seq: 1, attempt: 2, due: at(15), last_error, thread: None }]
    );
    assert_eq!((changes.place.floor, deliveries.next_time()), (1, Some(at(15))));
    assert_eq!(deliveries.settle(ask(1, 1, &Verb::Ack), moment(9)), Err(Refusal::LeaseExpired));
    assert_eq!(deliveries.settle(ask(1, 2, &Verb::Ack), moment(9)), Err(Refusal::Unknown));
    deliveries.wake(at(14));
    assert!(deliveries.ready_again(9).is_empty());
    deliveries.wake(at(15));
    assert_eq!(deliveries.ready_again(9), [1]);
    assert_eq!(deliveries.settle(ask(1, 2, &Verb::Ack), moment(16)), Err(Refusal::Unknown));
    assert_eq!(deliveries.lease_again(1, at(80)), Some(Leased { seq: 1, attempt: 2 }));
    assert_eq!(deliveries.lease_again(1, at(80)), None);
    assert_eq!(deliveries.settle(ask(1, 1, &Verb::Ack), moment(16)), Err(Refusal::LeaseExpired));
    assert_eq!(deliveries.settle(ask(1, 2, &Verb::Ack), moment(16)), Ok(()));
    assert_eq!(commit(&mut deliveries).ended, [1]);
}

#[test]
fn a_lease_that_ends_is_ready_for_the_next_attempt_and_dead_after_the_last() {
    let mut deliveries = leased(1);
    assert!(!deliveries.overdue(at(59)) && deliveries.overdue(at(60)));
    for attempt in 2..=3 {
        let now = 60 * u64::from(attempt - 1);
        deliveries.end_leases(moment(now));
        assert!(!deliveries.overdue(at(now)), "it is staged");
        let answer = deliveries.settle(ask(1, attempt - 1, &Verb::Ack), moment(now));
        assert_eq!(answer, Err(Refusal::LeaseExpired));
        assert_eq!(commit(&mut deliveries).deferred[0].attempt, attempt);
        deliveries.wake(at(now));
        let until = at(now + 60);
        assert_eq!(deliveries.lease_again(1, until), Some(Leased { seq: 1, attempt }));
    }
    deliveries.end_leases(moment(180));
    let changes = commit(&mut deliveries);
    assert_eq!((changes.ended.as_slice(), changes.deferred.len()), ([1].as_slice(), 0));
    let letter = &changes.dead[0];
    assert_eq!((letter.reason, letter.attempts), (DeadReason::Exhausted, 3));
    let last_error = "the lease ended before the delivery was settled";
    assert_eq!(letter.last_error.as_deref(), Some(last_error));
    assert_eq!((deliveries.dead(), deliveries.open.len()), (1, 0));
}

#[test]
fn giving_back_the_last_attempt_makes_a_dead_letter_with_its_error() {
    let mut deliveries = leased(1);
    for attempt in 1..=3 {
        assert_eq!(deliveries.settle(ask(1, attempt, &retry()), moment(0)), Ok(()));
        let changes = commit(&mut deliveries);
        if attempt == 3 {
            let letter = &changes.dead[0];
            assert_eq!((letter.reason, letter.attempts), (DeadReason::Exhausted, 3));
            assert_eq!(letter.last_error.as_deref(), Some("busy"));
        } else {
            deliveries.wake(at(50));
            deliveries.lease_again(1, at(60)).expect("due");
        }
    }
    assert_eq!(deliveries.dead(), 1);
}

#[test]
fn an_extension_counts_from_the_present_moment() {
    let mut deliveries = leased(1);
    let verb = Verb::Extend { lease: 30 * SECOND };
    assert_eq!(deliveries.settle(ask(1, 1, &verb), moment(50)), Ok(()));
    assert!(!deliveries.has_staged());
    assert_eq!(deliveries.next_time(), Some(at(80)));
    assert_eq!(deliveries.settle(ask(1, 1, &verb), moment(10)), Ok(()));
    assert_eq!(deliveries.next_time(), Some(at(40)));
}

#[test]
fn what_was_never_given_is_unknown() {
    let mut deliveries = Deliveries::begin(5);
    deliveries.lease_first(10, None, at(60));
    for (seq, attempt) in [(0, 1), (5, 1), (11, 1), (HEAD + 1, 1), (10, 2), (10, 0), (7, 0)] {
        let answer = deliveries.settle(ask(seq, attempt, &Verb::Ack), moment(0));
        assert_eq!(answer, Err(Refusal::Unknown), "{seq} {attempt}");
    }
    let unwanted = Asked { wanted: false, ..ask(8, 1, &Verb::Ack) };
    assert_eq!(deliveries.settle(unwanted, moment(0)), Err(Refusal::Unknown));
    assert!(!deliveries.has_staged());
}

#[test]
fn an_ack_survives_a_restart() {
    let mut before = leased(3);
    before.settle(ask(2, 1, &Verb::Ack), moment(0)).expect("leased");
    let mut after = reloaded(&commit(&mut before));
    assert_eq!(after.settle(ask(2, 1, &Verb::Ack), moment(1)), Err(Refusal::AlreadySettled));
    assert_eq!(after.settle(ask(3, 2, &Verb::Ack), moment(1)), Err(Refusal::Unknown));
    for seq in [3, 1] {
        assert_eq!(after.settle(ask(seq, 1, &Verb::Ack), moment(1)), Ok(()));
        after.commit();
        let again = after.settle(ask(seq, 1, &Verb::Ack), moment(1));
        assert_eq!(again, Err(Refusal::AlreadySettled));
    }
    assert_eq!((after.floor(), after.cursor()), (3, 3));
}

#[test]
fn an_extension_survives_a_restart() {
    let mut after = reloaded(&commit(&mut leased(3)));
    let verb = Verb::Extend { lease: 30 * SECOND };
    assert_eq!(after.settle(ask(2, 1, &verb), moment(1)), Ok(()));
    assert_eq!(after.lease_first(2, None, at(60)), None, "it is leased already");
    after.pass(3);
    assert_eq!(after.floor(), 1, "it holds the floor");
}

#[test]
fn a_deferred_delivery_keeps_its_attempt_over_a_restart() {
    let mut before = leased(1);
    let verb = Verb::Retry { after: Some(10 * SECOND), reason: None };
    before.settle(ask(1, 1, &verb), moment(0)).expect("leased");
    let changes = commit(&mut before);
    let mut after = reloaded(&changes);
    assert_eq!(after.settle(ask(1, 1, &Verb::Ack), moment(5)), Err(Refusal::LeaseExpired));
    assert_eq!(after.settle(ask(1, 2, &Verb::Ack), moment(5)), Err(Refusal::Unknown), "not due");
    assert_eq!(after.settle(ask(1, 3, &Verb::Ack), moment(11)), Err(Refusal::Unknown));
    assert_eq!(after.settle(ask(1, 2, &Verb::Ack), moment(11)), Ok(()), "it may have been leased");
    assert_eq!(commit(&mut after).ended, [1]);
    let mut other = reloaded(&changes);
    other.wake(at(11));
    assert_eq!(other.lease_again(1, at(60)), Some(Leased { seq: 1, attempt: 2 }));
}

#[test]
fn an_answer_from_before_a_restart_that_cannot_be_written_leaves_its_delivery_to_come_again() {
    let mut after = reloaded(&commit(&mut leased(3)));
    after.settle(ask(2, 1, &Verb::Ack), moment(1)).expect("the one that would be given");
    assert_eq!(after.lease_first(2, None, at(60)), None, "its commit is under way");
    after.abandon();
    after.pass(3);
    assert_eq!(after.floor(), 1);
    after.end_leases(moment(2));
    assert_eq!(commit(&mut after).deferred[0].attempt, 2);
}

#[test]
fn leasing_stops_at_its_bounds() {
    let mut deliveries = leased(u64::try_from(IN_FLIGHT_MAX).expect("small"));
    assert_eq!(deliveries.room(), 0);
    assert_eq!(deliveries.reach(), SETTLED_AHEAD_MAX);
    deliveries.settle(ask(1, 1, &Verb::Ack), moment(0)).expect("leased");
    deliveries.commit();
    assert_eq!((deliveries.room(), deliveries.reach()), (1, SETTLED_AHEAD_MAX + 1));

    let deferred = (1..=Seq::try_from(DEFERRED_MAX).expect("small")).map(|seq| Deferred {
        seq,
        attempt: 2,
        due: at(0),
        last_error: None,
        thread: None,
    });
    let settled = Ranges::default();
    let place = Place { floor: 200_000, settled };
    let kept = Kept { place, deferred: deferred.collect(), ..Kept::default() };
    assert_eq!(Deliveries::load(kept, 300_000).reach(), 200_000, "nothing for the first time");
}

#[test]
fn a_reason_is_kept_within_its_bound_on_a_character_boundary() {
    let mut deliveries = leased(1);
    let reason = Some("ü".repeat(2_000));
    deliveries.settle(ask(1, 1, &Verb::Bury { reason }), moment(0)).expect("leased");
    let changes = commit(&mut deliveries);
    assert_eq!(changes.dead[0].last_error.as_ref().map(String::len), Some(1_024));
}

#[test]
fn what_cannot_be_read_is_a_dead_letter_of_its_own_kind() {
    let mut deliveries = leased(2);
    deliveries.give_up(1, at(0), "checksum");
    deliveries.give_up(7, at(0), "never leased");
    let changes = commit(&mut deliveries);
    assert_eq!(changes.dead.len(), 1);
    assert_eq!(changes.dead[0].reason, DeadReason::Damaged);
}
