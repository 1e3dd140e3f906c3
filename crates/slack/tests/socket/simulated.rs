//! Hours of Socket Mode in a moment: refreshes, flaps, half-open connections, a store that fails.

use crate::world::World;
use headgate_slack::socket::pool::{Alarm, Input, Refusal};
use headgate_testkit::slack::WorkspaceOptions;
use std::time::Duration;

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn lives(life: u64) -> WorkspaceOptions {
    WorkspaceOptions { life: seconds(life), attempts_max: 1_000, ..WorkspaceOptions::default() }
}

fn assert_all_found_once(world: &World) {
    world.slack.ledger().check(world.stored.iter().map(String::as_str)).expect("each event once");
    assert_eq!(world.slack.ledger().unacknowledged().count(), 0);
}

#[test]
fn a_thousand_refreshes_leave_no_gap_and_lose_and_double_nothing() {
    let mut world = World::ready(lives(120));
    let mut turn = 0_u64;
    while world.count("aged") + world.count("warning") + world.count("refresh_requested") < 1_000 {
        turn += 1;
        world.slack.emit(world.now);
        world.carry();
        // Every third refresh is Slack's own, of one connection or of both at once.
        if turn.is_multiple_of(200) {
            let reason = if turn.is_multiple_of(400) { "refresh_requested" } else { "warning" };
            let told = if turn.is_multiple_of(600) { 2 } else { 1 };
            for connection in world.slack.connections().into_iter().take(told) {
                world.slack.tell(world.now, connection, reason);
            }
            world.carry();
        }
        world.run(Duration::from_millis(977));
    }
    world.run(seconds(30));
    assert!(world.count("aged") > 100 && world.count("warning") > 50, "{turn}");
    assert_eq!(world.gap, Duration::ZERO);
    assert_all_found_once(&world);
    assert!(world.links_seen <= 4, "{}", world.links_seen);
    assert!(world.slack.connections_seen() <= 4);
}

#[test]
fn the_two_connections_are_not_replaced_at_the_same_time() {
    let mut world = World::ready(lives(1_000));
    let mut replaced_at = Vec::new();
    for _ in 0..5_000 {
        let before = world.count("aged");
        world.run(seconds(1));
        if world.count("aged") > before {
            replaced_at.push(world.now);
        }
    }
    assert!(replaced_at.len() >= 8, "{replaced_at:?}");
    for pair in replaced_at.windows(2) {
        assert!(pair[1] - pair[0] >= seconds(200), "{replaced_at:?}");
    }
    assert_eq!(world.count("warning"), 0, "Slack has to ask for nothing");
}

#[test]
fn a_thousand_flaps_leak_no_connection_and_slow_down() {
    let mut world = World::new(lives(18_060));
    let mut flaps = 0;
    while flaps < 1_000 {
        world.run(Duration::from_millis(500));
        for connection in world.slack.connections() {
            if flaps % 3 == 0 {
                world.slack.tell(world.now, connection, "refresh_requested");
                world.carry();
            } else {
                world.cut(connection);
            }
            flaps += 1;
        }
    }
    assert!(world.links_seen <= 4, "{}", world.links_seen);
    assert!(world.slack.connections_seen() <= 4, "{}", world.slack.connections_seen());
    assert!(world.now > seconds(1_000), "{:?}: it hammers", world.now);
    world.run(seconds(180));
    assert_eq!((world.pool.links().count(), world.hearing()), (2, 2), "and it comes back");
}

#[test]
fn a_half_open_connection_is_found_within_ten_seconds_whenever_it_falls_silent() {
    for offset in 0..30 {
        let mut world = World::ready(lives(18_060));
        world.run(Duration::from_millis(100 * offset));
        let first = world.slack.connections()[0];
        world.silenced.insert(first);
        let silent_at = world.now;
        while world.count("half_open") == 0 {
            world.run(Duration::from_millis(50));
            assert!(world.now - silent_at <= seconds(10), "offset {offset}");
        }
        world.run(seconds(2));
        assert_eq!((world.hearing(), world.pool.links().count()), (2, 2));
    }
}

#[test]
fn a_deaf_pool_says_so_within_fifteen_seconds_and_a_refresh_is_no_deafness() {
    let mut world = World::ready(lives(600));
    for _ in 0..10_000 {
        world.run(Duration::from_millis(500));
        assert!(world.pool.status(world.now).ready);
    }
    world.silenced.extend(world.slack.connections());
    world.refusals.extend((0..100).map(|_| Refusal::Passing("gone".into())));
    let deaf_at = world.now;
    while world.pool.status(world.now).ready {
        world.run(Duration::from_millis(50));
        assert!(world.now - deaf_at <= seconds(15));
    }
    world.refusals.clear();
    world.run(seconds(61));
    assert!(world.pool.status(world.now).ready, "and it hears again");
}

#[test]
fn what_the_store_refuses_is_not_acknowledged_and_comes_again() {
    let mut world = World::ready(lives(18_060));
    world.store_faults = 7;
    for _ in 0..5 {
        world.slack.emit(world.now);
        world.carry();
        world.run(Duration::from_millis(10));
    }
    world.run(seconds(1));
    assert_eq!(world.slack.ledger().unacknowledged().count(), 5);
    world.run(seconds(60));
    assert_all_found_once(&world);
}

#[test]
fn what_happens_while_nobody_listens_is_taken_from_the_retries() {
    let mut world = World::ready(lives(18_060));
    for connection in world.slack.connections() {
        world.cut(connection);
    }
    let id = world.slack.emit(world.now);
    world.carry();
    world.run(seconds(10));
    assert_eq!(world.stored, [id]);
    assert_all_found_once(&world);
}

#[test]
fn ghosts_of_ten_dead_connections_stop_the_pool_for_half_a_minute_and_are_told() {
    let mut world = World::ready(lives(300));
    for _ in 0..8 {
        let ticket = world.slack.ticket();
        let ghost = world.slack.connect(world.now, &ticket).expect("a ghost");
        world.silenced.insert(ghost);
    }
    let first = world.slack.connections()[0];
    world.cut(first);
    let ticket = world.slack.ticket();
    world.slack.connect(world.now, &ticket).expect("the tenth");
    let opened = world.opened;
    world.run(seconds(29));
    assert_eq!(world.opened, opened + 1, "one attempt, which was one too many");
    assert_eq!(world.alarms, [Alarm::TooManyWebsockets(Some(2))]);
    assert!(world.pool.status(world.now).ready, "the other one listens");
    world.run(seconds(400));
    assert_eq!(world.pool.status(world.now).listening, 2);
    assert_eq!(world.pool.status(world.now).alarm, None);
}

#[test]
fn a_switched_off_app_is_told_once_and_tried_again_in_minutes_or_when_somebody_says_so() {
    let mut world = World::ready(lives(18_060));
    for connection in world.slack.connections() {
        world.slack.tell(world.now, connection, "link_disabled");
    }
    world.carry();
    let fatal = |code: &str| Refusal::Fatal(code.to_owned());
    world.refusals.extend((0..50).map(|_| fatal("invalid_auth")));
    world.run(seconds(3_600));
    let tried = 50 - world.refusals.len();
    assert!((6..=12).contains(&tried), "{tried} attempts in an hour");
    assert_eq!(&world.alarms[..2], [Alarm::LinkDisabled, Alarm::LinkDisabled]);
    assert_eq!(world.alarms.len(), 2 + tried);
    assert_eq!(world.pool.status(world.now).alarm, Some(Alarm::Refused("invalid_auth".into())));
    assert!(!world.pool.status(world.now).ready);
    world.refusals.clear();
    world.step(Input::Resume);
    world.run(seconds(2));
    assert_eq!(world.pool.status(world.now).listening, 2);
    assert_eq!(world.pool.status(world.now).alarm, None);
}

#[test]
fn a_stop_acknowledges_what_is_being_stored_and_leaves_no_connection() {
    for after in [0, 21, 23, 26, 100] {
        let mut world = World::ready(lives(18_060));
        world.slack.emit(world.now);
        world.carry();
        world.run(Duration::from_millis(after));
        world.step(Input::Stop);
        world.run(seconds(10));
        assert!(world.pool.is_done(), "after {after} ms");
        assert_eq!(world.slack.connections(), []);
        let acknowledged = world.slack.ledger().unacknowledged().count() == 0;
        assert!(acknowledged || world.stored.len() <= 1);
        if after > 20 {
            assert!(acknowledged, "after {after} ms: it had come before the stop");
        }
        assert_eq!(world.pool.wake_at(world.now), None);
    }
}
