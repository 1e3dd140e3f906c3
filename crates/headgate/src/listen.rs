//! `headgate listen`: leases events of a subscription and works on each until it succeeds.
//!
//! An event is settled after its work is done, never before; its lease is extended meanwhile. When
//! the program is asked to stop it leases no more, lets the work in hand finish, and gives back
//! what does not finish in time.

mod exec;
mod forward;
mod hand;
mod leases;
mod outcome;

use crate::{cli::ListenArguments, config::Environment, failure::Failure, signals::Signals};
use exec::Exec;
use forward::Forward;
use hand::{Report, Worker};
use headgate_client::Backoff;
use leases::{LEASE_WAIT, Leases};
use outcome::Work;
use std::{sync::Arc, time::Duration};
use tokio::{task::JoinSet, time::Instant};

/// A gateway that answers an empty lease at once is about to stop.
const EMPTY_TOO_SOON: Duration = Duration::from_secs(1);

/// Works on events until it is asked to stop.
pub async fn run(arguments: &ListenArguments, environment: &Environment) -> Result<(), Failure> {
    let client = arguments.client.client(environment)?;
    let work = match (&arguments.work.exec, &arguments.work.forward) {
        (Some(command), _) => Work::Exec(Exec::new(command)),
        (None, Some(url)) => Work::Forward(Box::new(Forward::new(url).map_err(Failure::usage)?)),
        (None, None) => return Err(Failure::usage("expected `--exec` or `--forward`, found none")),
    };
    let signals = Signals::listen()?;
    let leases = Leases::new(client, &arguments.subscription, arguments.lease);
    let report = if arguments.json { Report::JsonLine } else { Report::Nothing };
    let worker = Arc::new(Worker::new(leases, work, report));
    let mut hands = JoinSet::new();
    let most = usize::from(arguments.concurrency);
    tracing::info!(subscription = arguments.subscription, "listening for events");
    let ended = tokio::select! {
        ended = lease_and_work(&worker, most, &mut hands) => ended,
        () = signals.finish() => Ok(()),
    };
    tracing::info!(in_hand = hands.len(), "finishing what is in hand");
    tokio::select! {
        () = async { while hands.join_next().await.is_some() {} } => return ended,
        () = tokio::time::sleep(arguments.grace) => {}
        () = signals.cut() => {}
    }
    worker.stop();
    while hands.join_next().await.is_some() {}
    ended
}

/// Leases as many events as hands are free, for ever; ends with an error that trying again cannot
/// mend.
async fn lease_and_work(
    worker: &Arc<Worker>,
    most: usize,
    hands: &mut JoinSet<()>,
) -> Result<(), Failure> {
    let mut backoff = Backoff::default();
    loop {
        while hands.try_join_next().is_some() {}
        if hands.len() >= most {
            hands.join_next().await;
            continue;
        }
        worker.work_possible().await;
        let asked_at = Instant::now();
        match worker.leases().lease(most - hands.len(), LEASE_WAIT).await {
            Ok(leased) => {
                if leased.is_empty() && asked_at.elapsed() < EMPTY_TOO_SOON {
                    tokio::time::sleep(EMPTY_TOO_SOON).await;
                }
                backoff.reset();
                for delivered in leased {
                    let worker = Arc::clone(worker);
                    hands.spawn(async move { worker.work_on(delivered).await });
                }
            }
            Err(error) if error.is_final() => return Err(error.into()),
            Err(error) => {
                let wait = backoff.next(error.retry_after());
                tracing::warn!(%error, ?wait, "no lease, trying again");
                tokio::time::sleep(wait).await;
            }
        }
    }
}
