//! `headgate email parse`: what an event would say of a message.

use crate::{captured, cli::EmailParseArguments, clock::SystemClock, failure::Failure, output};
use headgate_email::{Matched, Message, Receipt};
use headgate_event::{Channel, ChannelType, Clock, data::EmailData};
use serde_json::json;
use std::{collections::BTreeMap, path::Path, sync::Arc};

/// Prints the data of each file. One that cannot be opened is told of, and the others are read.
pub(super) fn run(arguments: &EmailParseArguments) -> Result<(), Failure> {
    let mut failed = 0;
    for file in &arguments.files {
        let data = match read(file) {
            Ok(data) => data,
            Err(failure) => {
                eprintln!("headgate: {failure:#}");
                failed += 1;
                continue;
            }
        };
        if arguments.jsonl {
            let line = json!({ "file": file.display().to_string(), "data": data });
            output::line(&line.to_string())?;
        } else {
            output::line(&serde_json::to_string_pretty(&data)?)?;
        }
    }
    if failed == 0 {
        return Ok(());
    }
    let all = arguments.files.len();
    Err(Failure::usage(format!("expected {all} files that can be read, found {}", all - failed)))
}

fn read(file: &Path) -> anyhow::Result<EmailData> {
    let message = Message::read(captured::bytes(file)?.into());
    let channel = Channel::new("parsed", "parsed", ChannelType::Email)?;
    let matched = Matched {
        channel: Arc::new(channel),
        address: None,
        tag: None,
        dedupe: None,
        metadata: BTreeMap::new(),
    };
    let receipt = Receipt {
        received_at: SystemClock.now(),
        envelope: None,
        auth: None,
        provider: None,
        delivery_id: None,
    };
    Ok(message.data(&matched, &receipt))
}
