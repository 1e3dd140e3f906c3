//! Calls of the API: what they make, and what they refuse.

use crate::{
    shell::{START, World, source},
    world::{DAY, HOUR, at, every, made, schedule, seconds, spec},
};
use headgate_cron::{
    Backfilled, Backlog, ChangeError, Rules, Schedule, ScheduleOrigin, ScheduleSpec, ScheduleStore,
};
use headgate_event::Accepted;
use serde_json::value::RawValue;
use std::sync::{Arc, atomic::Ordering};
use uuid::Uuid;

fn hourly() -> Schedule {
    schedule("hourly", &every(3_600), Rules::default())
}

fn over_the_api(name: &str, period: u64) -> Schedule {
    made(ScheduleSpec { origin: ScheduleOrigin::Api, ..spec(name, &every(period)) })
}

fn definition() -> Box<RawValue> {
    RawValue::from_string("{}".into()).expect("JSON")
}

#[tokio::test(start_paused = true)]
async fn a_run_by_hand_with_the_same_key_is_the_same_run_and_moves_no_cursor() {
    let world = Arc::new(World::default());
    let source = source(&world, vec![hourly()], START).await;
    let first = source.run_now(hourly().id(), "a-1").await.expect("runs");
    tokio::time::sleep(seconds(10)).await;
    let again = source.run_now(hourly().id(), "a-1").await.expect("runs");
    assert!(matches!((first, again), (Accepted::New(a), Accepted::Duplicate(b)) if a == b));
    assert!(matches!(source.run_now(hourly().id(), "a-2").await, Ok(Accepted::New(_))));
    let view = source.view(hourly().id(), 1).expect("there");
    assert_eq!((view.cursor.until, view.cursor.fires), (at(START), 0));
    for key in ["", "a b", "\u{e9}", &"x".repeat(201)] {
        assert!(matches!(
            source.run_now(hourly().id(), key).await,
            Err(ChangeError::RunKey { .. })
        ));
    }
}

#[tokio::test(start_paused = true)]
async fn a_backfill_makes_what_did_not_fire_and_nothing_twice() {
    let world = Arc::new(World::default());
    let source = source(&world, vec![hourly()], START).await;
    let running = source.start();
    tokio::time::sleep(2 * HOUR + seconds(5)).await;
    let (from, to) = (at(START).minus(DAY), at(START).plus(2 * HOUR));
    let made = source.backfill(hourly().id(), from, to).await.expect("makes them");
    assert_eq!(made, Backfilled { fired: 25, duplicates: 2 });
    let again = source.backfill(hourly().id(), from, to).await.expect("makes them");
    assert_eq!(again, Backfilled { fired: 0, duplicates: 27 });
    running.stop().await;
    let id = hourly().id();
    assert!(matches!(source.backfill(id, to, from).await, Err(ChangeError::Range { .. })));
    let ahead = to.plus(DAY);
    assert!(matches!(source.backfill(id, from, ahead).await, Err(ChangeError::Range { .. })));
    let years = source.backfill(id, at("2020-01-01T00:00:00Z"), to).await;
    assert!(matches!(years, Err(ChangeError::TooMany)));
}

#[tokio::test(start_paused = true)]
async fn a_pause_outlives_a_restart_and_a_resume_has_no_backlog_unless_asked() {
    let world = Arc::new(World::default());
    let paused = source(&world, vec![hourly()], START).await;
    paused.pause(hourly().id()).await.expect("pauses");
    for (backlog, fired) in [(Backlog::Drop, 0), (Backlog::CatchUp, 1)] {
        let source = source(&world, vec![hourly()], "2026-01-01T05:30:00Z").await;
        let running = source.start();
        tokio::time::sleep(seconds(5)).await;
        assert!(source.view(hourly().id(), 3).expect("there").next.is_empty());
        assert!(world.stored.lock().expect("whole").is_empty());
        let before = world.load().await.expect("loads").cursors;
        source.resume(hourly().id(), backlog).await.expect("resumes");
        tokio::time::sleep(seconds(5)).await;
        assert_eq!(world.stored.lock().expect("whole").len(), fired, "{backlog:?}");
        running.stop().await;
        world.save_cursors(before).await.expect("saves");
    }
}

#[tokio::test(start_paused = true)]
async fn schedules_are_made_changed_and_deleted_over_the_api_but_not_configured_ones() {
    let world = Arc::new(World::default());
    let source = source(&world, vec![hourly()], START).await;
    let made = over_the_api("mine", 60);
    let id = made.id();
    let view = source.create(made.clone(), definition()).await.expect("makes it");
    let next: Vec<_> = view.next.iter().map(|run| run.due_at).collect();
    assert_eq!(next.first(), Some(&at("2026-01-01T00:01:00Z")));
    let twice = source.create(made, definition()).await;
    assert!(matches!(twice, Err(ChangeError::Exists { .. })));
    let other = over_the_api("mine", 120);
    let view = source.change(id, other.clone(), definition()).await.expect("changes it");
    assert_eq!(view.schedule.timing().expression(), "every 2m");
    let named = source.change(id, over_the_api("yours", 60), definition()).await;
    assert!(matches!(named, Err(ChangeError::OtherId { .. })));
    assert_eq!(source.list(2).len(), 2);
    source.delete(id).await.expect("deletes it");
    assert!(world.load().await.expect("loads").schedules.is_empty());
    assert!(matches!(source.delete(id).await, Err(ChangeError::Unknown { .. })));

    let configured = hourly().id();
    for refused in [
        source.delete(configured).await.err(),
        source.change(configured, hourly(), definition()).await.err(),
    ] {
        assert!(matches!(refused, Some(ChangeError::ReadOnly { .. })), "{refused:?}");
    }
    assert!(source.run_now(Uuid::nil(), "k").await.is_err());
}

#[tokio::test(start_paused = true)]
async fn what_could_not_be_stored_does_not_count() {
    let world = Arc::new(World::default());
    let source = source(&world, vec![hourly()], START).await;
    world.store_fails.store(true, Ordering::SeqCst);
    assert!(matches!(source.pause(hourly().id()).await, Err(ChangeError::Store(_))));
    assert!(!source.view(hourly().id(), 1).expect("there").cursor.paused);
    let made = source.create(over_the_api("mine", 60), definition()).await;
    assert!(matches!(made, Err(ChangeError::Store(_))));
    assert_eq!(source.list(1).len(), 1);
}
