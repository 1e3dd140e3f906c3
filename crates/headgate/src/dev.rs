//! `headgate dev`: what people who develop against Headgate try it with. No release has it.

use crate::{
    cli::{DevCommand, FakeSlackArguments},
    client::{ClientError, Transport, url},
    clock::SystemClock,
    config::Environment,
    failure::Failure,
    output,
    signals::Signals,
};
use anyhow::{Context, anyhow};
use headgate_event::{Clock, Secret};
use headgate_testkit::slack::{EventsApi, FakeSlack, Ledger, Outcome, WorkspaceOptions};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde_json::json;
use std::time::Duration;
use tokio::task::JoinSet;

/// How long Slack waits for an answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(3);
/// How often it is looked for retries that are due.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// The shortest time between two events.
const EVERY_MIN: Duration = Duration::from_millis(1);

/// Runs one of them.
pub async fn run(command: &DevCommand, environment: &Environment) -> Result<(), Failure> {
    match command {
        DevCommand::FakeSlack(arguments) => fake_slack(arguments, environment).await,
    }
}

/// Events over HTTP, and where they go.
struct Requests {
    slack: EventsApi,
    transport: Transport,
    to: String,
    /// The requests that wait for their answers, each with its event.
    sent: JoinSet<(String, Outcome)>,
}

async fn fake_slack(
    arguments: &FakeSlackArguments,
    environment: &Environment,
) -> Result<(), Failure> {
    let signals = Signals::listen()?;
    let mut requests = requests(arguments, environment)?;
    let listening = FakeSlack::start_at(WorkspaceOptions::default(), arguments.listen).await;
    let slack = listening.with_context(|| format!("listen on {}", arguments.listen))?;
    output::line(&json!({"api": slack.api()}).to_string())?;
    let every = Duration::from_millis(arguments.every.as_ms()).max(EVERY_MIN);
    let mut events = tokio::time::interval(every);
    let mut retries = tokio::time::interval(LOOK_EVERY);
    loop {
        tokio::select! {
            () = signals.finish() => break,
            _ = events.tick() => {
                if !slack.connections().is_empty() {
                    slack.emit();
                }
                if let Some(requests) = &mut requests {
                    requests.slack.emit(SystemClock.now());
                    requests.send_due();
                }
            }
            _ = retries.tick() => {
                if let Some(requests) = &mut requests {
                    requests.send_due();
                }
            }
            () = answer(requests.as_mut()) => {}
        }
    }
    // What is on its way is answered within Slack's patience.
    if let Some(requests) = &mut requests {
        while requests.answered().await {}
    }
    let over_http = requests.as_ref().map(|requests| requests.slack.ledger());
    let socket = slack.ledger();
    output::line(&json!({"socket": told(&socket), "http": over_http.map(told)}).to_string())?;
    let ledgers = [Some(&socket), over_http];
    let missing: usize =
        ledgers.into_iter().flatten().map(|ledger| ledger.unacknowledged().count()).sum();
    match missing {
        0 => Ok(()),
        _ => Err(anyhow!("{missing} events are not acknowledged").into()),
    }
}

fn requests(
    arguments: &FakeSlackArguments,
    environment: &Environment,
) -> Result<Option<Requests>, Failure> {
    let Some((to, name)) = arguments.to.as_ref().zip(arguments.secret_env.as_ref()) else {
        return Ok(None);
    };
    let value = environment.variable(name).filter(|value| !value.is_empty());
    let value = value.ok_or_else(|| {
        Failure::usage(format!("expected a secret in environment variable `{name}`, found none"))
    })?;
    let slack = EventsApi::new(Secret::new(value.into_encoded_bytes()));
    let transport = Transport::new(&url(to).map_err(Failure::usage)?)?;
    Ok(Some(Requests { slack, transport, to: to.clone(), sent: JoinSet::new() }))
}

/// Waits for the next answer, if need be for ever.
async fn answer(requests: Option<&mut Requests>) {
    let answered = match requests {
        Some(requests) => requests.answered().await,
        None => false,
    };
    if !answered {
        std::future::pending().await
    }
}

fn told(ledger: &Ledger) -> serde_json::Value {
    json!({
        "events": ledger.len(),
        "unacknowledged": ledger.unacknowledged().collect::<Vec<_>>(),
        "given_up": ledger.abandoned().collect::<Vec<_>>(),
    })
}

impl Requests {
    /// Sends what is due, each beside the others as Slack does.
    fn send_due(&mut self) {
        for request in self.slack.due(SystemClock.now()) {
            let header = |(name, value): (&'static str, String)| {
                Some((HeaderName::from_static(name), HeaderValue::try_from(value).ok()?))
            };
            let headers: HeaderMap = request.headers.into_iter().filter_map(header).collect();
            let (transport, to) = (self.transport.clone(), self.to.clone());
            self.sent.spawn(async move {
                let sent = transport.send(Method::POST, &to, headers, request.body, ANSWER_TIMEOUT);
                let outcome = match sent.await {
                    Ok(reply) => Outcome::Status(reply.status.as_u16()),
                    Err(ClientError::TimedOut { .. }) => Outcome::TimedOut,
                    Err(_) => Outcome::Unreachable,
                };
                (request.event_id, outcome)
            });
        }
    }

    /// Notes the next answer; `false` when nothing waits for one.
    async fn answered(&mut self) -> bool {
        match self.sent.join_next().await {
            Some(Ok((id, outcome))) => self.slack.answered(SystemClock.now(), &id, outcome),
            // It is never answered, which is said in the end.
            Some(Err(_)) => {}
            None => return false,
        }
        true
    }
}
