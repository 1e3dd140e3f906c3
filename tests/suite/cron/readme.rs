//! What the README says of schedules, run as it stands there.

use super::listed;
use anyhow::{Context, Result, ensure};
use headgate_tests::{Gateway, binary, cron::stored, write_config};
use std::process::Command;

const README: &str = include_str!("../../../README.md");

/// The blocks of the section in this language.
fn blocks(language: &str) -> Result<Vec<&'static str>> {
    let section = README.split("\n## Schedules\n").nth(1).context("the section")?;
    let section = section.split("\n## ").next().context("its end")?;
    let begin = format!("\n```{language}\n");
    let blocks = section.split(begin.as_str()).skip(1);
    blocks.map(|block| Ok(block.split_once("\n```").context("its end")?.0)).collect()
}

#[test]
fn the_schedules_of_the_readme_work_as_written() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let [tables] = *blocks("toml")? else { anyhow::bail!("one configuration was expected") };
    let gateway = Gateway::start(&write_config(folder.path(), tables)?)?;
    let commands = blocks("sh")?;
    ensure!(commands.len() >= 2, "{} blocks of commands only", commands.len());
    let programs = binary()?.parent().context("its folder")?.display().to_string();
    let script = format!(
        "set -euo pipefail\nexport PATH=\"{programs}:$PATH\"\n{}",
        commands.join("\n").replace("127.0.0.1:8080", &gateway.address)
    );
    let output = Command::new("bash")
        .args(["-c", &script])
        .current_dir(folder.path())
        .env("HEADGATE_URL", format!("http://{}", gateway.address))
        .output()?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    ensure!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    for expected in ["14:00:00", "at 09:00 on day 1", "timers/weekly report", "every 90s"] {
        ensure!(
            said.to_lowercase().contains(&expected.to_lowercase()),
            "`{expected}` is not in:\n{said}"
        );
    }
    let all = listed(&gateway)?;
    assert_eq!(all.keys().collect::<Vec<_>>(), ["heartbeat", "weekly report"]);
    assert_eq!(all["heartbeat"]["origin"], "api");
    let fired = stored(&gateway.address)?;
    ensure!(fired.iter().filter(|it| it.data("trigger") == "manual").count() == 1, "{fired:?}");
    assert_eq!(fired[0].data("payload"), &serde_json::json!({"report": "weekly"}));
    Ok(())
}
