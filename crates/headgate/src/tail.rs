//! `headgate tail`: events as they come, over a stream that is opened again when it breaks.

use crate::{
    cli::TailArguments,
    client::{CallPath, Client, ClientError},
    config::Environment,
    failure::Failure,
    output,
};
use headgate_client::Backoff;
use serde::Deserialize;
use std::borrow::Cow;

/// What a frame says of itself. An event has a `schema`; other frames have a `type` of their own.
#[derive(Deserialize)]
struct Frame<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    #[serde(default, borrow)]
    id: Option<Cow<'a, str>>,
    #[serde(default, borrow)]
    schema: Option<Cow<'a, str>>,
    #[serde(default, borrow)]
    prompt_ready: Option<Cow<'a, str>>,
    #[serde(default)]
    missed: Option<u64>,
}

/// How events are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    Prompt,
    JsonLine,
}

/// What is shown, and how far.
struct Shown<'a> {
    shape: Shape,
    last_seen: &'a mut Option<String>,
}

/// Shows events until it is stopped.
pub async fn run(arguments: &TailArguments, environment: &Environment) -> Result<(), Failure> {
    let client = arguments.client.client(environment)?;
    let path = CallPath::new("/v1/stream")
        .parameters("channel", &arguments.channel)
        .parameters("type", &arguments.types)
        .parameters("provider", &arguments.provider)
        .each(arguments.keys.parameters());
    let json = arguments.json || !output::is_terminal();
    let shape = if json { Shape::JsonLine } else { Shape::Prompt };
    let mut backoff = Backoff::default();
    let mut last_seen = arguments.after.clone();
    loop {
        let path = path.clone().parameters("last_event_id", &last_seen);
        let mut shown = Shown { shape, last_seen: &mut last_seen };
        match follow(&client, &path, &mut shown, &mut backoff).await? {
            None => eprintln!("the gateway closed the stream, connecting again"),
            Some(error) if error.is_final() => return Err(error.into()),
            Some(error) => eprintln!("{error}, connecting again"),
        }
        tokio::time::sleep(backoff.next(None)).await;
    }
}

/// Follows one stream to its end, and answers why it ended.
async fn follow(
    client: &Client,
    path: &CallPath,
    shown: &mut Shown<'_>,
    backoff: &mut Backoff,
) -> Result<Option<ClientError>, Failure> {
    let mut stream = match client.stream(path.as_str()).await {
        Ok(stream) => stream,
        Err(error) => return Ok(Some(error)),
    };
    loop {
        match stream.next().await {
            Ok(Some(text)) => {
                backoff.reset();
                shown.show(&text)?;
            }
            Ok(None) => return Ok(None),
            Err(error) => return Ok(Some(error)),
        }
    }
}

impl Shown<'_> {
    fn show(&mut self, text: &str) -> Result<(), Failure> {
        let Ok(frame) = serde_json::from_str::<Frame<'_>>(text) else {
            eprintln!("the gateway sent a frame that cannot be read");
            return Ok(());
        };
        if frame.schema.is_some() {
            match self.shape {
                Shape::JsonLine => output::line(text)?,
                Shape::Prompt => {
                    output::line(&format!("{}\n", frame.prompt_ready.unwrap_or_default()))?;
                }
            }
            *self.last_seen = frame.id.map(Cow::into_owned);
            return Ok(());
        }
        match (frame.kind.as_ref(), frame.missed) {
            ("lagged", Some(missed)) => eprintln!("{missed} events were not shown"),
            ("lagged", None) => eprintln!(
                "the event to go on after is not stored; events before the next one may be missing"
            ),
            // `hello`, and what later versions may say.
            (kind, _) => tracing::debug!(kind, "a frame that is no event"),
        }
        Ok(())
    }
}
