//! What `docs/cron.md` shows is what the program says: its commands are run, its configurations
//! checked. `UPDATE_FIXTURES=1` writes what they say into the document.

use crate::run::{finish, headgate};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

const EXAMPLE: &str = "```console\n";
const CONFIGURATION: &str = "```toml\n";

fn document() -> (PathBuf, String) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/cron.md");
    let text = fs::read_to_string(&path).expect("the document");
    (path, text)
}

/// What a script needs of the environment, and whether the document is to be written.
#[expect(clippy::disallowed_methods, reason = "a test is told by it where programs are")]
fn variable(name: &str) -> Option<std::ffi::OsString> {
    std::env::var_os(name)
}

/// What one command line says, by the zone data that is built in.
fn said(line: &str) -> String {
    let program = Path::new(env!("CARGO_BIN_EXE_headgate"));
    let folder = program.parent().expect("a folder").display();
    let path = variable("PATH").expect("a path");
    let mut command = Command::new("bash");
    command.args(["--norc", "-c", &format!("exec 2>&1; {line}")]);
    command.env("PATH", format!("{folder}:{}", path.display())).env("TZDIR", "/nonexistent");
    finish(command.env_remove("RUST_LOG")).stdout
}

#[test]
fn the_examples_of_the_document_say_what_it_shows() {
    let (path, text) = document();
    let mut blocks = text.split(EXAMPLE);
    let mut real = blocks.next().expect("a beginning").to_owned();
    let mut count = 0;
    for block in blocks {
        let (shown, rest) = block.split_once("```").expect("the end of an example");
        real.push_str(EXAMPLE);
        for line in shown.lines().filter_map(|line| line.strip_prefix("$ ")) {
            real.push_str(&format!("$ {line}\n{}", said(line)));
            count += 1;
        }
        real.push_str("```");
        real.push_str(rest);
    }
    assert!(count >= 15, "{count} examples only");
    if variable("UPDATE_FIXTURES").is_some() {
        return fs::write(&path, &real).expect("written");
    }
    for (shown, real) in text.lines().zip(real.lines()) {
        assert_eq!(shown, real);
    }
    assert_eq!(text, real);
}

#[test]
fn the_configurations_of_the_document_are_right() {
    let (_, text) = document();
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("headgate.toml");
    let blocks: Vec<&str> = text.split(CONFIGURATION).skip(1).collect();
    assert!(blocks.len() >= 2, "{} configurations only", blocks.len());
    for block in blocks {
        let (toml, _) = block.split_once("```").expect("the end of a configuration");
        fs::write(&file, toml).expect("written");
        let ended = finish(headgate().args(["check", "--config"]).arg(&file));
        assert_eq!(ended.code, Some(0), "{toml}\n{}", ended.stderr);
    }
}
