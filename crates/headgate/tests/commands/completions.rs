//! What shells are told.

use crate::run::{finish, run};
use std::{fs, process::Command};

/// What bash offers for a command line whose last word is unfinished.
fn offered(script: &str, words: &[&str]) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("headgate.bash");
    fs::write(&file, script).expect("written");
    let (last, before) = (words[words.len() - 1], words[words.len() - 2]);
    let asked = format!(
        "set -eu; source '{}'; COMP_WORDS=({}); COMP_CWORD={}; _headgate headgate '{last}' '{before}' || true; \
         printf '%s\\n' \"${{COMPREPLY[@]}}\"",
        file.display(),
        words.join(" "),
        words.len() - 1,
    );
    let ended = finish(Command::new("bash").args(["--norc", "-c", &asked]));
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{}", ended.stdout);
    ended.stdout
}

#[test]
fn bash_completes_commands_options_and_values() {
    let ended = run(["completions", "bash"]);
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    assert_eq!(offered(&ended.stdout, &["headgate", "prov"]), "providers\n");
    assert_eq!(offered(&ended.stdout, &["headgate", "events", "g"]), "get\n");
    assert_eq!(offered(&ended.stdout, &["headgate", "serve", "--data"]), "--data-dir\n");
    assert_eq!(offered(&ended.stdout, &["headgate", "completions", "f"]), "fish\n");
}

#[test]
fn every_shell_has_a_script_and_no_other() {
    for (shell, mark) in
        [("bash", "complete -F"), ("zsh", "#compdef headgate"), ("fish", "complete -c headgate")]
    {
        let ended = run(["completions", shell]);
        assert_eq!(ended.code, Some(0), "{shell}: {}", ended.stderr);
        assert!(ended.stdout.contains(mark), "{shell}");
    }
    let ended = run(["completions", "tcsh"]);
    assert_eq!(ended.code, Some(2));
    assert!(ended.stderr.contains("[possible values: bash, zsh, fish]"), "{}", ended.stderr);
}
