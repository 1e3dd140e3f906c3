//! What fuzzers found worth keeping, on an ordinary compiler: every property holds of every input
//! of its corpus, and of every sender's fixtures.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use headgate_fuzz::TARGETS;
use std::{
    collections::BTreeSet,
    fs,
    panic::catch_unwind,
    path::{Path, PathBuf},
};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The files of a folder, in their order.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{folder:?}: {error}"));
    let mut files: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    files
}

#[test]
fn every_property_holds_of_its_corpus() {
    let mut faults = Vec::new();
    for (name, check) in TARGETS {
        let inputs = files(&root().join("fuzz/corpus").join(name));
        assert!(!inputs.is_empty(), "the corpus of `{name}` is empty");
        for input in inputs {
            let bytes = fs::read(&input).expect("an input");
            if catch_unwind(|| check(&bytes)).is_err() {
                faults.push(input);
            }
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn every_property_holds_of_inputs_cut_anywhere() {
    for (name, check) in TARGETS {
        for input in files(&root().join("fuzz/corpus").join(name)).iter().step_by(7) {
            let bytes = fs::read(input).expect("an input");
            let step = bytes.len() / 16 + 1;
            for end in (0..bytes.len()).step_by(step) {
                check(bytes.get(..end).unwrap_or_default());
            }
        }
    }
}

#[test]
fn every_property_is_fuzzed_and_every_corpus_is_of_one() {
    let named: BTreeSet<String> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(named.len(), TARGETS.len());
    let stem = |path: &PathBuf| path.file_stem().expect("a name").to_string_lossy().into_owned();
    for folder in ["fuzz/corpus", "fuzz/fuzz_targets"] {
        let found: BTreeSet<String> = files(&root().join(folder)).iter().map(stem).collect();
        assert_eq!(found, named, "{folder}");
    }
    let manifest = fs::read_to_string(root().join("fuzz/Cargo.toml")).expect("a manifest");
    for name in named {
        assert!(manifest.contains(&format!("name = \"{name}\"\n")), "{name} is no binary of fuzz/");
    }
}

#[test]
fn the_corpora_stay_small() {
    let folders = TARGETS.iter().map(|(name, _)| root().join("fuzz/corpus").join(name));
    let bytes: u64 = folders
        .flat_map(|folder| files(&folder))
        .map(|file| fs::metadata(file).expect("a file").len())
        .sum();
    assert!(
        bytes < 2_000_000,
        "{bytes} bytes of corpora; `fuzz/run` says how to make them smaller"
    );
}
