//! `headgate rejections release`: refused requests become events, where they prove themselves.

use super::{PATH, unexpected};
use crate::{
    cli::RejectionsReleaseArguments,
    client::{CallPath, Client},
    config::Environment,
    failure::Failure,
    output,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::time::Duration;

/// How much longer than another a call may take that releases many.
const WAIT: Duration = Duration::from_secs(120);

/// The code of what proves itself and can never be released.
const NO_EVENT: &str = "no_event";

/// What became of one.
#[derive(Debug, Deserialize)]
struct One {
    id: String,
    duplicate: bool,
}

/// What became of many, as the gateway tells it for each call.
#[derive(Debug, Default, Deserialize, Serialize)]
struct Counts {
    dry_run: bool,
    released: u64,
    duplicates: u64,
    refused: u64,
    still_refused: Vec<Stays>,
    #[serde(skip_serializing)]
    next_cursor: Option<String>,
}

#[derive(Debug, Deserialize, Serialize)]
struct Stays {
    id: String,
    code: String,
    message: String,
}

/// Releases those that are named, or all that the filter lets through.
pub(super) async fn run(
    arguments: &RejectionsReleaseArguments,
    environment: &Environment,
) -> Result<(), Failure> {
    if !arguments.all && !arguments.filter.is_all() {
        return Err(Failure::usage("expected ids, or `--all` with a filter, found both"));
    }
    let client = arguments.client.client(environment)?;
    if !arguments.all {
        return named(&client, arguments).await;
    }
    let counts = all(&client, arguments).await?;
    if arguments.json {
        return output::line(&serde_json::to_string(&counts)?);
    }
    output::line(&told(&counts))
}

async fn named(client: &Client, arguments: &RejectionsReleaseArguments) -> Result<(), Failure> {
    let body = json!({ "ignore_age": arguments.ignore_age });
    for id in &arguments.ids {
        let path = CallPath::new(PATH).segment(id).segment("release");
        let reply = client.post(path.as_str(), &body, WAIT).await?;
        let one: One = serde_json::from_slice(&reply.body).map_err(unexpected)?;
        if arguments.json {
            let line = json!({ "rejection": id, "id": one.id, "duplicate": one.duplicate });
            output::line(&line.to_string())?;
        } else {
            let known = if one.duplicate { ", which was there already" } else { "" };
            output::line(&format!("{id} is event {}{known}", one.id))?;
        }
    }
    if arguments.json {
        return Ok(());
    }
    output::line("\nsee them: headgate events list")
}

/// Page after page, until the gateway has no more.
async fn all(client: &Client, arguments: &RejectionsReleaseArguments) -> Result<Counts, Failure> {
    let mut body = Map::new();
    let filter = &arguments.filter;
    for (name, values) in [("channel", &filter.channel), ("code", &filter.code)] {
        if !values.is_empty() {
            body.insert(name.to_owned(), json!(values));
        }
    }
    for (name, time) in [("since", &filter.since), ("until", &filter.until)] {
        if let Some(time) = time {
            body.insert(name.to_owned(), json!(time));
        }
    }
    body.insert("ignore_age".to_owned(), arguments.ignore_age.into());
    body.insert("dry_run".to_owned(), arguments.dry_run.into());
    let mut counts = Counts { dry_run: arguments.dry_run, ..Counts::default() };
    loop {
        let ask = Value::Object(body.clone());
        let reply = client.post("/v1/rejections/release", &ask, WAIT).await?;
        let page: Counts = serde_json::from_slice(&reply.body).map_err(unexpected)?;
        counts.released += page.released;
        counts.duplicates += page.duplicates;
        counts.refused += page.refused;
        counts.still_refused.extend(page.still_refused);
        match page.next_cursor {
            Some(cursor) => body.insert("cursor".to_owned(), cursor.into()),
            None => return Ok(counts),
        };
    }
}

fn told(counts: &Counts) -> String {
    let Counts { dry_run, released, duplicates, refused, still_refused, .. } = counts;
    // What proves itself and is no event, such as Slack's question whether a URL is ours.
    let (nothing, refusals): (Vec<_>, Vec<_>) =
        still_refused.iter().partition(|stays| stays.code == NO_EVENT);
    let refused = refused.saturating_sub(nothing.len() as u64);
    let mut text = if *dry_run {
        format!("would be released: {released}, still refused: {refused}")
    } else {
        format!("released: {released} (already there: {duplicates}), still refused: {refused}")
    };
    if !nothing.is_empty() {
        text.push_str(&format!(", nothing to release: {}", nothing.len()));
    }
    for Stays { id, code, message } in still_refused {
        let message: String = message.chars().flat_map(char::escape_debug).collect();
        text.push_str(&format!("\n  {id}  {code}: {message}"));
    }
    if let Some(stays) = nothing.first() {
        let id = &stays.id;
        text.push_str(&format!("\n\nwhat is no event: headgate rejections delete {id}"));
    }
    match (refusals.first(), dry_run) {
        (Some(stays), _) => {
            text.push_str(&format!("\n\nwhy one stays: headgate rejections get {}", stays.id));
        }
        (None, false) if *released > 0 => text.push_str("\n\nsee them: headgate events list"),
        (None, true) if *released > 0 => {
            text.push_str("\n\nrelease them: the same without --dry-run");
        }
        (None, _) => {}
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(json: Value) -> Counts {
        serde_json::from_value(json).expect("counts")
    }

    #[test]
    fn what_became_of_many_is_told_with_what_to_do_next() {
        let stays = json!([{
            "id": "01KAJ3V3W20000000000000002",
            "code": "signature_mismatch",
            "message": "no signature of this request matches",
        }]);
        let nothing = json!([{
            "id": "01KAJ3V3W20000000000000003",
            "code": "no_event",
            "message": "the request proves itself, and is none that an event is made of",
        }]);
        let texts: Vec<String> = [
            json!({"dry_run": false, "released": 3, "duplicates": 1, "refused": 0,
                   "still_refused": [], "next_cursor": null}),
            json!({"dry_run": false, "released": 2, "duplicates": 0, "refused": 1,
                   "still_refused": stays, "next_cursor": null}),
            json!({"dry_run": false, "released": 2, "duplicates": 0, "refused": 1,
                   "still_refused": nothing, "next_cursor": null}),
            json!({"dry_run": true, "released": 3, "duplicates": 0, "refused": 0,
                   "still_refused": [], "next_cursor": null}),
        ]
        .into_iter()
        .map(|json| told(&counts(json)))
        .collect();
        insta::assert_snapshot!("rejections_released", texts.join("\n\n---\n\n"));
    }
}
