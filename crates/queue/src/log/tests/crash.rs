//! Random work on a disk that fails in every way it can: what was answered is there, once and byte
//! for byte; calls are stored whole or not at all; ordinary power cuts open by themselves.
//!
//! `HEADGATE_SEEDS=5000` runs so many cases, `HEADGATE_SEED=17` runs that one alone.

mod damage;
mod meanwhile;
mod model;
mod run;
mod seeds;

use run::Run;
use seeds::for_seeds;

/// How many cases the ordinary suite runs.
const CASES: u64 = 600;

#[test]
fn what_was_answered_survives_whatever_the_disk_does() {
    for_seeds("what_was_answered_survives_whatever_the_disk_does", CASES, |seed| {
        Run::new(seed).play();
    });
}

#[test]
fn the_same_seed_gives_the_same_run() {
    for seed in 0..12 {
        let (first, again) = (Run::new(seed).play(), Run::new(seed).play());
        assert_eq!(first, again, "seed {seed}");
        assert!(first.0.0 > 10, "too little happened to show anything");
        assert_ne!(first, Run::new(seed + 1_000).play(), "every seed is another run");
    }
}

#[test]
fn calls_take_long_in_these_runs() {
    let delayed = (0..30).map(|seed| Run::new(seed).play().1).filter(|delayed| *delayed > 0);
    assert!(delayed.count() > 10, "too few to show anything");
}
