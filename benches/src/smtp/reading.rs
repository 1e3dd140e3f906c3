//! Reading a message and making its event, beside the parser alone, over the messages in
//! `fixtures/email`.

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use headgate_email::{Matched, Message, Receipt};
use headgate_event::{
    Channel, ChannelType, Timestamp, data::Envelope, limits::MAIL_DEDUPE_WINDOW_DEFAULT,
    prompt::PromptKey,
};
use std::{collections::BTreeMap, fs, hint::black_box, path::Path, sync::Arc, time::Instant};

const TURNS: usize = 200;

/// Prints the spans of the median message and of the slowest one in a hundred.
pub(super) fn run() -> Result<()> {
    let messages = messages()?;
    let bytes: usize = messages.iter().map(Bytes::len).sum();
    println!(
        "parse and extract, {} messages of {} bytes in the mean (aim: median <= 100 us)\n\
         {:22} {:>8} {:>8} {:>9}",
        messages.len(),
        bytes / messages.len(),
        "",
        "p50 us",
        "p99 us",
        "MiB/s"
    );
    tell("mail-parser alone", &messages, |raw| {
        black_box(mail_parser::MessageParser::default().parse(raw.as_ref()));
    });
    tell("read", &messages, |raw| {
        black_box(Message::read(raw.clone()));
    });
    let (matched, receipt, key) = (matched()?, receipt(), PromptKey::new([7; 32]));
    tell("read, event and prompt", &messages, |raw| {
        black_box(Message::read(raw.clone()).draft(&matched, &receipt, &key));
    });
    Ok(())
}

fn tell(name: &str, messages: &[Bytes], work: impl Fn(&Bytes)) {
    let mut spans = Vec::new();
    let started = Instant::now();
    for _ in 0..TURNS {
        for raw in messages {
            let began = Instant::now();
            work(raw);
            spans.push(began.elapsed().as_secs_f64() * 1e6);
        }
    }
    let seconds = started.elapsed().as_secs_f64();
    let bytes = TURNS * messages.iter().map(Bytes::len).sum::<usize>();
    spans.sort_by(f64::total_cmp);
    let at = |share: f64| spans[((spans.len() - 1) as f64 * share) as usize];
    let rate = bytes as f64 / f64::from(1 << 20) / seconds;
    println!("{name:22} {:>8.1} {:>8.1} {rate:>9.1}", at(0.5), at(0.99));
}

fn messages() -> Result<Vec<Bytes>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/email");
    let mut all = Vec::new();
    for part in ["", "legacy", "malformed"] {
        for entry in fs::read_dir(folder.join(part)).context("the messages")? {
            let path = entry?.path();
            if path.extension().is_some_and(|end| end == "eml") {
                all.push(Bytes::from(fs::read(path)?));
            }
        }
    }
    ensure!(!all.is_empty(), "there are no messages in `{}`", folder.display());
    Ok(all)
}

fn matched() -> Result<Matched> {
    Ok(Matched {
        channel: Arc::new(Channel::new("support", "Support", ChannelType::Email)?),
        address: None,
        tag: None,
        dedupe: Some(MAIL_DEDUPE_WINDOW_DEFAULT),
        metadata: BTreeMap::new(),
    })
}

fn receipt() -> Receipt {
    Receipt {
        received_at: Timestamp::from_unix_s(1_776_590_125),
        envelope: Some(Envelope::default()),
        auth: None,
        provider: None,
        delivery_id: None,
    }
}
