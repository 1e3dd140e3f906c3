//! Yes means stored, whatever happens to the process.

use anyhow::{Context, Result, ensure};
use headgate_tests::{
    Connection, Gateway,
    kill::{self, Plan},
    senders, write_config,
};
use serde_json::Value;
use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
};

const ROUNDS: u64 = 20;

#[test]
fn nothing_acknowledged_is_lost_and_nothing_settled_comes_again_when_it_is_killed() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let plan = Plan { rounds: ROUNDS, seed: 7, reindex: true, ..Plan::default() };
    let report = kill::run(&plan, folder.path())?;
    ensure!(report.acknowledged > 100, "too little happened to show anything: {report:?}");
    ensure!(report.reindexed > 0, "the index was never made anew: {report:?}");
    ensure!(report.settled > 20, "too little was settled to show anything: {report:?}");
    Ok(())
}

#[test]
fn a_stop_under_load_loses_nothing_and_answers_all_it_read() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let config = github_channel(folder.path())?;
    let gateway = Gateway::start(&config)?;
    let (answered, stop) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
    let senders: Vec<_> = (0..8)
        .map(|sender| {
            let address = gateway.address.clone();
            let (answered, stop) = (Arc::clone(&answered), Arc::clone(&stop));
            thread::spawn(move || {
                let _ = send_until_cut(&address, sender, &answered, &stop);
            })
        })
        .collect();
    while answered.load(Ordering::SeqCst) < 200 {
        thread::yield_now();
    }
    let status = gateway.stop()?;
    stop.store(true, Ordering::SeqCst);
    for sender in senders {
        let _ = sender.join();
    }
    ensure!(status.code() == Some(0), "it ended with {status}");
    let gateway = Gateway::start(&config)?;
    let stored = count(&gateway.address)?;
    // Equal both ways: what was answered is stored, and what was stored was answered.
    assert_eq!(stored, answered.load(Ordering::SeqCst));
    Ok(())
}

#[test]
fn a_second_process_on_the_same_folder_is_refused_by_name() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let config = github_channel(folder.path())?;
    let gateway = Gateway::start(&config)?;
    let Err(error) = Gateway::start(&config) else { anyhow::bail!("two processes own the folder") };
    let said = format!("{error:#}");
    ensure!(said.contains("another running headgate (process "), "it said: {said}");
    ensure!(said.contains("exit status: 1"), "it said: {said}");
    drop(gateway);
    Ok(())
}

fn send_until_cut(
    address: &str,
    sender: usize,
    answered: &AtomicUsize,
    stop: &AtomicBool,
) -> Result<()> {
    let mut connection = Connection::open(address)?;
    for number in 0.. {
        if stop.load(Ordering::SeqCst) {
            break;
        }
        let body = format!(r#"{{"number": {number}}}"#);
        let answer = connection.request(
            "POST",
            "/v1/webhook/hub",
            &[
                ("x-github-event", "push"),
                ("x-github-delivery", &format!("{sender}-{number}")),
                ("x-hub-signature-256", &senders::github("of the stop test", body.as_bytes())),
            ],
            body.as_bytes(),
        )?;
        ensure!(answer.status == 200, "status {}", answer.status);
        answered.fetch_add(1, Ordering::SeqCst);
    }
    Ok(())
}

fn count(address: &str) -> Result<usize> {
    let mut connection = Connection::open(address)?;
    let (mut count, mut cursor) = (0, String::new());
    loop {
        let target = format!("/v1/events?limit=500{cursor}");
        let page = connection.request("GET", &target, &[], b"")?.json()?;
        count += page.get("events").and_then(Value::as_array).context("events")?.len();
        match page.get("next_cursor").and_then(Value::as_str) {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return Ok(count),
        }
    }
}

fn github_channel(folder: &Path) -> Result<PathBuf> {
    let tables = r#"[[channel]]
id = "hub"
type = "webhook"
provider = "github"
secrets = [{ insecure_inline = "of the stop test" }]
"#;
    write_config(folder, tables)
}
