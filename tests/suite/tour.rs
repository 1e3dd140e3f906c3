//! The README's tour, run as it stands there.

use anyhow::{Context, Result, ensure};
use headgate_tests::binary;
use std::{net::TcpListener, process::Command};

const README: &str = include_str!("../../README.md");

/// Waits until something holds, or says what did not.
const PROLOGUE: &str = r#"
set -euo pipefail
started=()
end() { for id in "${started[@]}"; do kill "$id" 2>/dev/null || true; done; wait; }
trap end EXIT
holds_soon() {
    for _ in $(seq 300); do if eval "$1" 2>/dev/null; then return 0; fi; sleep 0.1; done
    echo "never: $1"; cat ./*.log; return 1
}
"#;

#[test]
fn the_tour_of_the_readme_works_as_written() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let ports = [free_port()?, free_port()?];
    let script = script(&ports)?;
    let output = Command::new("bash")
        .args(["-c", &script])
        .current_dir(folder.path())
        .env("HEADGATE_URL", format!("http://127.0.0.1:{}", ports[0]))
        .output()?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let complained = String::from_utf8_lossy(&output.stderr).into_owned();
    ensure!(output.status.success(), "{}\n{said}\n{complained}", output.status);
    for expected in [
        r#""duplicate":false"#,
        "Printer on fire",
        r#""deliveries":[{"schema":"headgate.event.v1""#,
        r#""code":"signature_mismatch""#,
        "pull_request",
    ] {
        ensure!(said.contains(expected), "`{expected}` is not in:\n{said}\n{complained}");
    }
    let handled = std::fs::read_to_string(folder.path().join("last-event.json"))?;
    ensure!(handled.contains("Printer on fire"), "the handler was given: {handled}");
    Ok(())
}

/// All blocks of the tour as one script, with its ports replaced by free ones.
fn script(ports: &[u16; 2]) -> Result<String> {
    let tour = README.split("## A five-minute tour").nth(1).context("the tour")?;
    let tour = tour.split("\n## ").next().context("its end")?;
    let folder = binary()?.parent().context("its folder")?.display().to_string();
    let mut script = format!("{PROLOGUE}\nexport PATH=\"{folder}:$PATH\"\n");
    let mut blocks = 0;
    for block in tour.split("\n```sh").skip(1) {
        let (kind, rest) = block.split_once('\n').context("a block")?;
        let (commands, _) = rest.split_once("\n```").context("its end")?;
        let commands = commands
            .replace("127.0.0.1:8080", &format!("127.0.0.1:{}", ports[0]))
            .replace("127.0.0.1:8081", &format!("127.0.0.1:{}", ports[1]));
        if kind.trim() == "background" {
            script.push_str(&in_background(&commands, ports, blocks));
        } else {
            script.push_str(&commands);
        }
        script.push('\n');
        blocks += 1;
    }
    ensure!(blocks > 5, "the tour has {blocks} blocks only");
    Ok(script)
}

/// A command of a terminal of its own: started, and waited for until it does its work.
fn in_background(command: &str, ports: &[u16; 2], number: usize) -> String {
    let (listen, ready) = match command {
        "headgate serve" => {
            (format!("export HEADGATE_LISTEN=127.0.0.1:{}; ", ports[0]), accepts(ports[0]))
        }
        _ if command.contains("headgate serve") => (String::new(), accepts(ports[1])),
        _ => (String::new(), "[ -s last-event.json ]".to_owned()),
    };
    // The last line becomes the process itself, so that its id is the one to end.
    let (before, last) = command.rsplit_once('\n').unwrap_or(("", command));
    let lines = format!("{listen}{before}\nexec {last}");
    let started = format!("({lines}) > {number}.log 2>&1 & started+=($!)");
    format!("{started}\nholds_soon '{ready}'\n")
}

fn accepts(port: u16) -> String {
    format!("(exec 3<>/dev/tcp/127.0.0.1/{port})")
}

fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}
