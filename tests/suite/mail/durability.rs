//! `250` means stored, whatever happens to the process, the sender or the disk.

use super::{FROM, SUPPORT, events, message, raw, support};
use anyhow::{Context, Result, ensure};
use headgate_tests::{Gateway, MailConnection, binary, write_config};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    process::Command,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
};

const ROUNDS: u64 = 10;
const SENDERS: u64 = 4;

/// What senders know of their messages.
#[derive(Default)]
struct Ledger {
    acknowledged: Mutex<BTreeSet<u64>>,
    /// Sent without an answer: they come again.
    open: Mutex<BTreeSet<u64>>,
    next: AtomicU64,
    stop: AtomicBool,
}

impl Ledger {
    /// Sends on one connection until it breaks or the round is over.
    fn send(&self, address: &str) -> Result<()> {
        let mut connection = MailConnection::open(address)?;
        while !self.stop.load(Ordering::SeqCst) {
            let again = lock(&self.open).pop_first();
            let number = again.unwrap_or_else(|| self.next.fetch_add(1, Ordering::SeqCst));
            lock(&self.open).insert(number);
            let reply = connection.deliver(FROM, &[SUPPORT], &numbered(number))?;
            ensure!(reply.starts_with("250"), "{reply}");
            lock(&self.acknowledged).insert(number);
            lock(&self.open).remove(&number);
        }
        Ok(())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A message of some KiB that nothing else is.
fn numbered(number: u64) -> String {
    let line = format!("line of {number}\r\n");
    message(&format!("n{number}"), &line.repeat(usize::try_from(number % 300).unwrap_or(1)))
}

fn all(gateway: &Gateway) -> Result<Vec<Value>> {
    let (mut all, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = super::get(gateway, &format!("/v1/events?limit=500{cursor}"))?.json()?;
        all.extend(page["events"].as_array().context("events")?.iter().cloned());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return Ok(all),
        }
    }
}

#[test]
fn no_acknowledged_mail_is_lost_and_none_is_there_twice_when_it_is_killed() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let config = write_config(folder.path(), &support())?;
    let ledger = Arc::new(Ledger::default());
    for round in 0..ROUNDS {
        let gateway = Gateway::start(&config)?;
        ledger.stop.store(false, Ordering::SeqCst);
        let before = lock(&ledger.acknowledged).len();
        let senders: Vec<_> = (0..SENDERS)
            .map(|_| {
                let (ledger, address) = (Arc::clone(&ledger), gateway.mail_address.clone());
                thread::spawn(move || ledger.send(&address).err().map(|error| error.to_string()))
            })
            .collect();
        while lock(&ledger.acknowledged).len() < before + 20 + (round as usize * 7) % 40 {
            thread::yield_now();
        }
        gateway.kill()?;
        ledger.stop.store(true, Ordering::SeqCst);
        for sender in senders {
            let why = sender.join().ok().flatten();
            ensure!(why.is_none_or(|why| !why.contains("4.3.0")), "a message was not stored");
        }
    }
    let gateway = Gateway::start(&config)?;
    let mut stored = BTreeMap::new();
    for event in all(&gateway)? {
        let subject = event["data"]["subject"].as_str().context("a subject")?.to_owned();
        let number: u64 = subject.trim_start_matches('n').parse()?;
        ensure!(raw(&gateway, &event)? == numbered(number).as_bytes(), "{subject} is damaged");
        ensure!(stored.insert(number, event).is_none(), "{subject} is stored twice");
    }
    let acknowledged = lock(&ledger.acknowledged);
    let lost: Vec<_> = acknowledged.iter().filter(|number| !stored.contains_key(number)).collect();
    ensure!(lost.is_empty(), "acknowledged and not stored: {lost:?}");
    ensure!(acknowledged.len() > 200, "too little happened: {}", acknowledged.len());
    Ok(())
}

#[test]
fn a_sender_that_is_gone_in_the_middle_of_a_message_leaves_nothing() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let gateway = Gateway::start(&write_config(folder.path(), &support())?)?;
    let half = message("half", "the first line");
    for begin in ["DATA\r\n", "BDAT 100000\r\n"] {
        let mut sender = MailConnection::open(&gateway.mail_address)?;
        sender.ask("EHLO client.example")?;
        sender.ask(&format!("MAIL FROM:<{FROM}>"))?;
        sender.ask(&format!("RCPT TO:<{SUPPORT}>"))?;
        sender.send(begin.as_bytes())?;
        if begin.starts_with("DATA") {
            sender.reply()?;
        }
        sender.send(half.as_bytes())?;
        drop(sender);
    }
    let mut whole = MailConnection::open(&gateway.mail_address)?;
    let reply = whole.deliver(FROM, &[SUPPORT], &message("whole", "all of it"))?;
    ensure!(reply.starts_with("250"), "{reply}");
    gateway.terminate()?;
    gateway.wait()?;
    let gateway = Gateway::start(&folder.path().join("headgate.toml"))?;
    let subjects: Vec<Value> =
        events(&gateway)?.iter().map(|event| event["data"]["subject"].clone()).collect();
    ensure!(subjects == ["whole"], "{subjects:?}");
    Ok(())
}

#[test]
fn a_stop_lets_the_message_in_hand_be_stored_and_then_says_goodbye() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let config = write_config(folder.path(), &support())?;
    let gateway = Gateway::start(&config)?;
    let address = gateway.mail_address.clone();
    let mut busy = MailConnection::open(&address)?;
    let mut idle = MailConnection::open(&address)?;
    let begun = busy.begin(FROM, &[SUPPORT])?;
    ensure!(begun.starts_with("354"), "{begun}");
    busy.send(message("in hand", "first").as_bytes())?;
    gateway.terminate()?;
    gateway.said("stopping: no new connections")?;
    let goodbye = idle.reply()?;
    ensure!(goodbye.starts_with("421 4.3.2"), "{goodbye}");
    ensure!(MailConnection::open(&address).is_err(), "it still takes connections");
    busy.send(b"last\r\n.\r\n")?;
    let stored = busy.reply()?;
    ensure!(stored.starts_with("250 2.0.0 stored as "), "{stored}");
    let goodbye = busy.reply()?;
    ensure!(goodbye.starts_with("421 4.3.2"), "{goodbye}");
    let status = gateway.wait()?;
    ensure!(status.code() == Some(0), "{status}");
    let gateway = Gateway::start(&config)?;
    let id = events(&gateway)?[0]["id"].as_str().context("an id")?.to_owned();
    ensure!(stored.ends_with(&id), "{stored}, and {id} is there");
    Ok(())
}

/// A disk of 64 MiB, which is less than what is kept free: mounted where only the program sees it.
#[test]
fn a_disk_that_is_nearly_full_takes_no_message_and_says_so_before_it_comes() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let config = write_config(folder.path(), &support())?;
    std::fs::create_dir(folder.path().join("data"))?;
    let mut command = Command::new("unshare");
    command.args(["--map-root-user", "--mount", "sh", "-c"]);
    command.arg("mount -t tmpfs -o size=64m none \"$0\" && exec \"$@\"");
    command.arg(folder.path().join("data")).arg(binary()?);
    command.args(["serve", "--config"]).arg(&config);
    let gateway = Gateway::start_command(command)?;
    let mut sender = MailConnection::open(&gateway.mail_address)?;
    let reply = sender.begin(FROM, &[SUPPORT])?;
    ensure!(reply.starts_with("452 4.3.1 "), "{reply}");
    let ready = super::get(&gateway, "/readyz")?;
    ensure!(ready.status == 503, "{}", String::from_utf8_lossy(&ready.body));
    ensure!(sender.ask("NOOP")?.starts_with("250"), "reading goes on");
    ensure!(events(&gateway)?.is_empty());
    Ok(())
}
