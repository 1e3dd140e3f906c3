//! Schedules of which something is missing, and channels that change their label.

use crate::{
    shell::{START, World, source},
    world::{HOUR, at, channel, every, made, schedule, seconds, spec},
};
use headgate_cron::{
    ChangeError, CronSource, Parked, Rules, Schedule, ScheduleOrigin, ScheduleSpec, ScheduleStore,
    Timing,
};
use headgate_event::{Channel, ChannelType};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
};

fn hourly() -> Schedule {
    made(ScheduleSpec { origin: ScheduleOrigin::Api, ..spec("hourly", &every(3_600)) })
}

/// The same without its channel.
fn parked() -> Schedule {
    let fingerprint = hourly().timing().fingerprint();
    let timing = Parked::new(("every 1h", "UTC"), fingerprint, "its channel is missing");
    let timing = Arc::new(Timing::Parked(timing));
    made(ScheduleSpec { origin: ScheduleOrigin::Api, ..spec("hourly", &timing) })
}

async fn forget_the_removed(source: &CronSource) {
    let running = source.start();
    tokio::time::sleep(seconds(120)).await;
    running.stop().await;
}

/// Such a schedule was left out at a start: its cursor was buried, so that its pause was forgotten
/// after a week and nobody was told what it missed.
#[tokio::test(start_paused = true)]
async fn a_schedule_that_is_parked_keeps_its_place_and_its_pause_and_goes_on_when_it_can() {
    let world = Arc::new(World::default());
    let first = source(&world, vec![hourly()], START).await;
    forget_the_removed(&first).await;
    let second = source(&world, vec![parked()], "2026-01-01T05:30:00Z").await;
    let view = second.view(hourly().id(), 5).expect("it is shown");
    assert_eq!(view.schedule.timing().parked(), Some("its channel is missing"));
    assert_eq!((view.next.len(), view.cursor.until), (0, at(START)));
    assert!(second.pause(hourly().id()).await.expect("pauses").cursor.paused);
    forget_the_removed(&second).await;
    let run = second.run_now(hourly().id(), "key").await;
    assert!(matches!(run, Err(ChangeError::Parked { .. })), "{run:?}");

    // After more than a week.
    let third = source(&world, vec![parked()], "2026-01-10T05:30:00Z").await;
    forget_the_removed(&third).await;
    assert!(third.view(hourly().id(), 5).expect("it is shown").cursor.paused);
    assert_eq!(third.revive(vec![hourly()]).await.expect("revives"), 1);
    assert_eq!(third.revive(vec![hourly()]).await.expect("looks"), 0, "it is parked no more");
    let running = third.start();
    tokio::time::sleep(seconds(5)).await;
    assert!(world.stored.lock().expect("whole").is_empty(), "it is paused");
    third.resume(hourly().id(), headgate_cron::Backlog::CatchUp).await.expect("resumes");
    tokio::time::sleep(seconds(5)).await;
    running.stop().await;
    let cursor = world.load().await.expect("loads").cursors.pop().expect("one");
    assert_eq!((cursor.fires, cursor.until), (1, at("2026-01-10T05:00:00Z")));
    assert_eq!(world.stored.lock().expect("whole").len(), 1, "caught up from where it was");
}

#[tokio::test(start_paused = true)]
async fn a_schedule_made_over_the_api_takes_the_label_of_its_channel_and_keeps_its_place() {
    let world = Arc::new(World::default());
    let configured = schedule("configured", &every(3_600), Rules::default());
    let source = source(&world, vec![hourly(), configured.clone()], START).await;
    let renamed = Channel::new(&channel().id, "Renamed", ChannelType::Cron).expect("fits");
    let reloaded = source.reload(vec![configured.clone()], vec![Arc::new(renamed)]).await;
    assert_eq!(reloaded.expect("loads").unchanged, 1);
    let label = |id| source.view(id, 1).expect("there").schedule.channel().label.clone();
    assert_eq!(label(hourly().id()), "Renamed");
    assert_eq!(label(configured.id()), "Timers", "that one comes with its channel");
    let running = source.start();
    tokio::time::sleep(HOUR + seconds(5)).await;
    running.stop().await;
    assert_eq!(world.stored.lock().expect("whole").len(), 2, "it fires as it would have");
}

/// Lists, and the look of a reload, held the lock that firing needs until they had seen all.
#[tokio::test]
async fn while_all_schedules_are_looked_through_others_have_their_turn() {
    let timing = every(86_400);
    let made = |n| {
        let origin = ScheduleOrigin::Api;
        made(ScheduleSpec { origin, ..spec(&format!("s{n}"), &timing) })
    };
    let all = (0..40_000).map(made).collect();
    let source = source(&Arc::new(World::default()), all, START).await;
    // Somebody else asks when the look has begun: has he his answer when it comes to the last?
    let had_its_turn = || {
        let (begun, answered) = (AtomicBool::new(false), AtomicBool::new(false));
        let (seen, in_time) = (AtomicUsize::new(0), AtomicBool::new(false));
        thread::scope(|scope| {
            scope.spawn(|| {
                while !begun.load(Ordering::SeqCst) {
                    thread::yield_now();
                }
                let _ = source.is_empty();
                answered.store(true, Ordering::SeqCst);
            });
            let none = source.made_for(|_| {
                begun.store(true, Ordering::SeqCst);
                if seen.fetch_add(1, Ordering::SeqCst) == 39_999 {
                    in_time.store(answered.load(Ordering::SeqCst), Ordering::SeqCst);
                }
                false
            });
            assert!(none.is_empty());
        });
        assert_eq!(seen.into_inner(), 40_000);
        in_time.into_inner()
    };
    // A busy machine may keep him waiting for other reasons.
    assert!((0..20).any(|_| had_its_turn()), "nobody had a turn before all were seen");
}
