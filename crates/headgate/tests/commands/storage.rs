//! The commands about the folder: what they say of a whole one, of a damaged one, and of a file.

use crate::{
    house::House,
    run::{Ended, run},
};
use serde_json::Value;
use std::{fs, path::Path};
use tempfile::TempDir;

/// A folder with three events, which no gateway has any more.
fn left_behind() -> TempDir {
    let house = House::open();
    for body in ["{\"n\": 1}", "{\"n\": 2}", "{\"n\": 3}"] {
        house.post(body);
    }
    let House { gateway, folder, .. } = house;
    gateway.terminate();
    assert!(gateway.ended().success());
    folder
}

fn data(folder: &Path) -> String {
    folder.join("headgate-data").to_str().expect("a path").to_owned()
}

/// What was said, without what is another each time.
fn shown(ended: &Ended, folder: &Path) -> String {
    let text = format!("{}{}code {}\n", ended.stdout, ended.stderr, ended.code.unwrap_or(-1));
    let text = text.replace(folder.to_str().expect("a path"), "FOLDER");
    let mut words = Vec::new();
    for word in text.split_inclusive(char::is_whitespace) {
        let is_id = word.trim().len() == 26 && word.starts_with("01");
        let moment = word.find("damaged-2").or(word.find("backup-2"));
        match moment {
            _ if is_id => words.push(word.replace(word.trim(), "ID")),
            Some(at) => {
                let end = word[at..].find('Z').map_or(word.len(), |end| at + end + 1);
                words.push(word.replace(&word[at..end], "TIME"));
            }
            None => words.push(word.to_owned()),
        }
    }
    words.concat()
}

#[test]
fn repair_says_what_is_damaged_and_mends_it_when_told_so() {
    let folder = left_behind();
    let data = data(folder.path());
    let repair = |more: &[&str]| {
        shown(&run([&["repair", "--data-dir", &data], more].concat()), folder.path())
    };
    let well = repair(&[]);
    assert!(well.ends_with("nothing is damaged\ncode 0\n"), "{well}");
    let segment = Path::new(&data).join("log/00000000000000000001.seg");
    let mut bytes = fs::read(&segment).expect("read");
    let needle = b"{\"n\": 2}";
    let at = bytes.windows(needle.len()).position(|window| window == needle).expect("there");
    bytes[at] ^= 1;
    fs::write(&segment, &bytes).expect("written");
    let digits = without_numbers(&repair(&[]));
    insta::assert_snapshot!("repair_damaged", digits);
    assert_eq!(fs::read(&segment).expect("read"), bytes, "it changed something");
    insta::assert_snapshot!("repair_done", without_numbers(&repair(&["--yes"])));
    let well = repair(&[]);
    assert!(well.ends_with("nothing is damaged\ncode 0\n"), "{well}");
}

/// The text with its offsets and lengths taken out.
fn without_numbers(text: &str) -> String {
    let mut shown = Vec::new();
    for line in text.lines() {
        let line = match line.split_once(" at offset ") {
            Some((file, rest)) => {
                let reason = rest.split_once(": ").map_or("", |(_, reason)| reason);
                format!("{file} at offset N, N bytes: {reason}")
            }
            None => line.to_owned(),
        };
        shown.push(line);
    }
    shown.join("\n")
}

#[test]
fn an_export_of_the_folder_is_imported_elsewhere() {
    let folder = left_behind();
    let data = data(folder.path());
    let [file, elsewhere] =
        ["all.jsonl", "elsewhere"].map(|name| folder.path().join(name).display().to_string());
    let exported = run(["export", "--data-dir", &data, "--out", &file]);
    assert_eq!(
        shown(&exported, folder.path()),
        "exported 3 events to `FOLDER/all.jsonl`\ncode 0\n"
    );
    let again = run(["export", "--data-dir", &data, "--out", &file]);
    assert_eq!(again.code, Some(2), "{}", again.stderr);
    let imported = run(["import", &file, "--data-dir", &elsewhere, "--json"]);
    let said: Value = serde_json::from_str(&imported.stdout).expect("JSON");
    assert_eq!((&said["imported"], &said["known"]), (&3.into(), &0.into()));
    let text = fs::read_to_string(&file).expect("read");
    assert_eq!(run(["export", "--data-dir", &elsewhere]).stdout, text);
}

#[test]
fn a_file_with_a_bad_line_is_refused_with_the_line() {
    let folder = left_behind();
    let data = data(folder.path());
    let whole = run(["export", "--data-dir", &data]).stdout;
    let lines: Vec<&str> = whole.lines().collect();
    let other = lines[2].replace("raw_b64\":\"", "raw_b64\":\"!");
    let changed = lines[2].replace("open", "shut");
    let cases = [
        ("empty", String::new()),
        ("no_export", "{}\n".to_owned()),
        ("a_later_version", "{\"schema\":\"headgate.export.v2\"}\n".to_owned()),
        ("no_json", format!("{}\nnonsense\n", lines[0])),
        ("no_base64", format!("{}\n{}\n{other}\n", lines[0], lines[1])),
        ("without_its_end", format!("{}\n{}\n", lines[0], lines[1])),
        ("cut_in_a_line", whole[..whole.len() - 5].to_owned()),
        ("out_of_order", format!("{}\n{}\n{}\n", lines[0], lines[2], lines[1])),
        ("a_line_missing", format!("{}\n{}\n{}\n{}\n", lines[0], lines[1], lines[3], lines[4])),
        ("a_changed_line", [lines[0], lines[1], &changed, lines[3], lines[4], ""].join("\n")),
        ("more_behind_its_end", format!("{whole}{}\n", lines[1])),
    ];
    let mut said = String::new();
    for (name, text) in cases {
        let file = folder.path().join(format!("{name}.jsonl"));
        fs::write(&file, text).expect("written");
        let to = folder.path().join(format!("data-{name}"));
        let arguments = ["import", file.to_str().expect("a path"), "--data-dir"];
        let ended = run([&arguments[..], &[to.to_str().expect("a path")]].concat());
        assert_eq!(ended.code, Some(1), "{name}");
        assert!(!to.exists(), "{name}: something was imported");
        said.push_str(&shown(&ended, folder.path()));
    }
    // Ids and digests are others each time.
    let is_other = |word: &&str| word.trim_matches(['`', ',']).len() >= 26 && !word.contains('/');
    let words: Vec<String> = said
        .split(' ')
        .map(|word| if is_other(&word) { "X".to_owned() } else { word.to_owned() })
        .collect();
    insta::assert_snapshot!("import_refused", words.join(" "));
}

#[test]
fn a_file_does_not_go_into_a_folder_that_has_newer_events() {
    let (folder, other) = (left_behind(), left_behind());
    let file = folder.path().join("all.jsonl");
    let file = file.to_str().expect("a path");
    assert_eq!(run(["export", "--data-dir", &data(folder.path()), "--out", file]).code, Some(0));
    let refused = run(["import", file, "--data-dir", &data(other.path())]);
    assert_eq!(refused.code, Some(1));
    assert!(refused.stderr.contains("line 2: expected events after `"), "{}", refused.stderr);
    assert!(refused.stderr.contains("import into an empty folder"), "{}", refused.stderr);
    let later = other.path().join("later.jsonl");
    let later = later.to_str().expect("a path");
    assert_eq!(run(["export", "--data-dir", &data(other.path()), "--out", later]).code, Some(0));
    let appended = run(["import", later, "--data-dir", &data(folder.path())]);
    assert_eq!(appended.code, Some(0), "{}", appended.stderr);
    let all = run(["export", "--data-dir", &data(folder.path())]).stdout;
    assert_eq!(all.lines().count(), 3 + 3 + 2);
}

#[test]
fn a_running_gateway_is_asked_for_an_export_and_wants_an_admin() {
    let house = House::open();
    house.post("{\"n\": 1}");
    let exported = house.run(&["export"]);
    assert_eq!((exported.code, exported.stdout.lines().count()), (Some(0), 3));
    let none = house.run(&["export", "--channel", "nobody"]).stdout;
    assert_eq!(none.lines().count(), 2);
    let refused = house.run(&["backup"]);
    assert_eq!(refused.code, Some(1));
    let expected = "409 Conflict no_backup_dir: expected `backup_dir` in the configuration's";
    assert!(refused.stderr.contains(expected), "{}", refused.stderr);
    let refused = house.run(&["backup", "--to", "here"]);
    assert_eq!(refused.code, Some(2), "{}", refused.stderr);
    let locked = House::locked();
    for command in ["export", "backup"] {
        let refused = crate::run::finish(
            locked.command(&[command, "--key-env", "KEY"]).env("KEY", crate::house::KEY),
        );
        assert!(refused.stderr.contains("403 Forbidden"), "{}", refused.stderr);
    }
}

#[test]
fn a_backup_of_the_folder_is_a_folder_that_starts() {
    let folder = left_behind();
    let (data, to) = (data(folder.path()), folder.path().join("copies"));
    let to = to.to_str().expect("a path");
    let ended = run(["backup", "--data-dir", &data, "--to", to, "--json"]);
    let said: Value = serde_json::from_str(&ended.stdout).expect("JSON");
    let copy = said["folder"].as_str().expect("a folder");
    let [of_copy, of_data] = [copy, data.as_str()].map(|data| run(["export", "--data-dir", data]));
    assert_eq!(of_copy.stdout, of_data.stdout);
    assert_eq!(run(["repair", "--data-dir", copy]).code, Some(0));
}
