//! What the command line takes, and what it says when it does not.

use crate::run::{finish, headgate, run};
use std::fs;

#[test]
fn help_and_version_are_no_failure() {
    for arguments in [vec!["--help"], vec!["--version"], vec!["listen", "--help"]] {
        assert_eq!(run(&arguments).code, Some(0), "{arguments:?}");
    }
}

#[test]
fn a_wrong_command_line_ends_with_2() {
    for arguments in [
        vec![],
        vec!["sreve"],
        vec!["serve", "--listen", "here"],
        vec!["listen", "--subscription", "a"],
        vec!["listen", "--exec", "true"],
        vec!["listen", "--subscription", "a", "--exec", "true", "--forward", "http://a"],
        vec!["listen", "--subscription", "a", "--exec", "true", "--concurrency", "0"],
        vec!["listen", "--subscription", "a", "--exec", "true", "--lease", "1"],
        vec!["listen", "--subscription", "a", "--forward", "ftp://a"],
        vec!["events", "get", "a", "--raw", "--json"],
        vec!["events", "list", "--limit", "0"],
        vec!["events", "list", "--since", "yesterday"],
        vec!["events", "list", "--key-env", "NO_SUCH_VARIABLE"],
        vec!["events", "list", "--url", "127.0.0.1:8080"],
        vec!["events", "list", "--url", "http://user:password@127.0.0.1"],
        vec!["check"],
        vec!["reindex"],
        vec!["repair"],
        vec!["export"],
        vec!["export", "--data-dir", "a", "--since", "soon"],
        vec!["import", "--data-dir", "a"],
        vec!["import", "a"],
        vec!["backup"],
        vec!["send", "github"],
        vec!["--log", "a=b=c", "send", "github", "--list"],
    ] {
        let ended = run(&arguments);
        assert_eq!(ended.code, Some(2), "{arguments:?}: {}", ended.stderr);
        assert!(!ended.stderr.is_empty() && ended.stdout.is_empty(), "{arguments:?}");
    }
}

#[test]
fn a_gateway_that_is_not_there_is_a_failure() {
    let ended = run(["events", "list", "--url", "http://127.0.0.1:1"]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.starts_with("headgate: cannot reach `http://127.0.0.1:1/v1/events"));
}

#[test]
fn the_help_says_what_there_is() {
    insta::assert_snapshot!("help", run(["--help"]).stdout);
    insta::assert_snapshot!("help_listen", run(["listen", "--help"]).stdout);
    for command in ["export", "import", "backup", "repair"] {
        insta::assert_snapshot!(format!("help_{command}"), run([command, "--help"]).stdout);
    }
    insta::assert_snapshot!("help_serve", run(["serve", "--help"]).stdout);
}

#[test]
fn check_says_what_a_right_configuration_amounts_to() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("headgate.toml");
    let text = "data_dir = \"/var/lib/headgate\"\n[[channel]]\nid = \"a\"\ntype = \"webhook\"\n\
                verify = \"none\"\n[[subscription]]\nname = \"s\"\n";
    fs::write(&file, text).expect("written");
    let file = file.to_str().expect("a path");
    let ended = run(["check", "--config", file]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    insta::assert_snapshot!("check", ended.stdout);
    let ended = run(["check", "--config", file, "--json"]);
    insta::assert_snapshot!("check_json", ended.stdout);
}

#[test]
fn check_and_channels_take_the_file_of_the_folder_and_show_channels_of_every_type() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = "data_dir = \"data\"\n[email]\nlisten = \"127.0.0.1:0\"\nhostname = \"mx.example.com\"\n\
                [[channel]]\nid = \"hook\"\ntype = \"webhook\"\n\
                verify = \"none\"\n[[channel]]\nid = \"team\"\ntype = \"slack\"\n\
                signing_secrets = [{ insecure_inline = \"8f742231b10e8888abcd99yyyzzz85a5\" }]\n\
                [[channel]]\nid = \"post\"\ntype = \"email\"\naddresses = [\"a@example.com\"]\n\
                [[channel]]\nid = \"daily\"\ntype = \"cron\"\n[[channel.schedule]]\n\
                name = \"report\"\ncron = \"0 9 * * *\"\n";
    fs::write(folder.path().join("headgate.toml"), text).expect("written");
    let run = |arguments: &[&str]| finish(headgate().current_dir(folder.path()).args(arguments));
    let ended = run(&["check"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    for (id, row) in [
        ("hook", "url          /v1/webhook/hook"),
        ("team", "url          /v1/slack/team"),
        ("post", "addresses    a@example.com"),
        ("daily", "schedules    1"),
    ] {
        let ended = run(&["channels", "show", id]);
        assert!(ended.stdout.contains(row), "{id}: {}{}", ended.stdout, ended.stderr);
        let shown = run(&["channels", "show", id, "--json"]).stdout;
        let shown: serde_json::Value = serde_json::from_str(&shown).expect("JSON");
        assert_eq!(shown["id"], id);
    }
    assert_eq!(run(&["channels", "forget", "hook"]).code, Some(0));
    let ended = run(&["channels", "show", "nobody"]);
    assert_eq!(ended.code, Some(2));
    assert!(ended.stderr.contains("`headgate.toml`, found `nobody`"), "{}", ended.stderr);
}

#[test]
fn check_says_all_that_is_wrong_line_by_line_and_ends_with_2() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("wrong.toml"), "a = 1\n[server]\nlisten = 5\n").expect("written");
    let check = |more: &[&str]| {
        let mut command = headgate();
        command.current_dir(folder.path()).args(["check", "--config", "wrong.toml"]).args(more);
        finish(&mut command)
    };
    let ended = check(&[]);
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""));
    let lines: Vec<&str> = ended.stderr.lines().collect();
    assert_eq!(lines.len(), 2);
    assert!(lines[0].starts_with("wrong.toml:1: a: expected one of `data_dir`"), "{}", lines[0]);
    assert!(lines[1].starts_with("wrong.toml:3: server.listen: expected an address"));
    let ended = check(&["--json"]);
    let said: serde_json::Value = serde_json::from_str(&ended.stdout).expect("JSON");
    assert_eq!(ended.code, Some(2));
    assert_eq!(said["problems"][1]["line"], 3);
    assert_eq!(said["problems"][1]["key"], "server.listen");
}
