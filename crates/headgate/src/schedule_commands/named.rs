//! Which schedule a person means: by id, by channel and name, or by a name that only one has.

use super::{PATH, Page, read, unexpected};
use crate::{
    client::{CallPath, Client, ClientError},
    failure::Failure,
};
use anyhow::anyhow;
use headgate_event::limits::LIST_EVENTS_MAX;
use serde::Deserialize;
use uuid::Uuid;

/// How many of the schedules that share a name an error shows.
const SHOWN_MAX: usize = 5;

#[derive(Deserialize)]
struct Known {
    id: String,
    channel: String,
    name: String,
}

/// The id of the schedule that is meant.
pub(super) async fn id(client: &Client, text: &str) -> Result<String, Failure> {
    // An id is asked for as it is, so that a gateway with a million schedules is asked once.
    if Uuid::parse_str(text).is_ok() {
        return Ok(text.to_owned());
    }
    let mut meant = Vec::new();
    if let Some((channel, _)) = text.split_once('/') {
        meant = matching(client, Some(channel), |known| place(known) == text).await?;
    }
    if meant.is_empty() {
        meant = matching(client, None, |known| known.name == text).await?;
    }
    match meant.as_slice() {
        [one] => Ok(one.id.clone()),
        [] => Err(anyhow!("there is no schedule `{text}`").into()),
        [..] => Err(Failure::usage(ambiguous(text, &meant))),
    }
}

async fn matching(
    client: &Client,
    channel: Option<&str>,
    fits: impl Fn(&Known) -> bool,
) -> Result<Vec<Known>, ClientError> {
    let (mut cursor, mut found) = (None, Vec::new());
    loop {
        let mut path = CallPath::new(PATH)
            .parameter("limit", &LIST_EVENTS_MAX.to_string())
            .parameter("runs", "0")
            .parameters("cursor", &cursor);
        if let Some(channel) = channel {
            path = path.parameter("channel", channel);
        }
        let page: Page = read(&client.fetch(path.as_str()).await?)?;
        for schedule in &page.schedules {
            let known: Known = serde_json::from_str(schedule.get()).map_err(unexpected)?;
            found.extend(Some(known).filter(&fits));
        }
        cursor = page.next_cursor;
        // A page without schedules would otherwise be asked for again and again.
        if cursor.is_none() || page.schedules.is_empty() {
            return Ok(found);
        }
    }
}

fn place(known: &Known) -> String {
    format!("{}/{}", known.channel, known.name)
}

fn ambiguous(text: &str, meant: &[Known]) -> String {
    let shown: Vec<String> = meant.iter().take(SHOWN_MAX).map(place).collect();
    let more = if meant.len() > SHOWN_MAX { ", ..." } else { "" };
    format!("expected one schedule, found several `{text}`: `{}`{more}", shown.join("`, `"))
}
