//! The quick start of the README, run as it stands there.

use anyhow::{Context, Result, ensure};
use headgate_tests::{Gateway, request};
use std::{
    io::{BufRead, BufReader},
    process::{Command, Stdio},
};

const README: &str = include_str!("../../../README.md");
const EXAMPLE: &str = include_str!("../../../examples/quickstart.rs");

#[test]
fn the_quick_start_of_the_readme_works_as_written() -> Result<()> {
    let shown = README.split("```rust\n").nth(1).and_then(|rest| rest.split("```").next());
    ensure!(shown == Some(EXAMPLE), "the README shows another text than `examples/quickstart.rs`");
    let folder = tempfile::tempdir()?;
    let data = folder.path().display().to_string();
    let environment = [("HEADGATE_LISTEN", "127.0.0.1:0"), ("HEADGATE_DATA_DIR", data.as_str())];
    let gateway = Gateway::start_with(&["serve".into()], &environment)?;
    let body = br#"{"title": "Printer on fire"}"#;
    let sent = request(&gateway.address, "POST", "/v1/webhook/demo", &[], body)?;
    assert_eq!(sent.status, 200);
    let mut program = Command::new(env!("CARGO_BIN_EXE_quickstart"))
        .arg(format!("http://{}", gateway.address))
        .stdout(Stdio::piped())
        .spawn()?;
    let output = BufReader::new(program.stdout.take().context("its output")?);
    let mut lines = output.lines().map_while(Result::ok);
    let found = lines.find(|line| line.contains("Printer on fire"));
    program.kill()?;
    program.wait()?;
    ensure!(found.is_some(), "the prompt was not printed");
    Ok(())
}
