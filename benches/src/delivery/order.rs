//! What an order costs: lease and ack of the same events, with and without it, in turns.

use super::{Plan, stand::Stand};
use anyhow::Result;
use headgate_queue::{LeaseAsk, Order, Queue, Settlement, Verb};
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

const CONSUMERS: usize = 8;
const LEASED_AT_ONCE: usize = 32;

/// Prints the rates with as many threads as events, with many, and with few.
pub(super) async fn run(plan: &Plan) -> Result<()> {
    println!(
        "\nlease and ack, {} events, {CONSUMERS} consumers of {LEASED_AT_ONCE} (aim: thread >= 0.8 \
         of none)",
        plan.deliveries
    );
    for threads in [0, 10_000, 1_000] {
        for _ in 0..plan.rounds {
            let (none, thread) = (
                rate(plan.deliveries, threads, Order::None).await?,
                rate(plan.deliveries, threads, Order::Thread).await?,
            );
            let of = if threads == 0 { "as many".to_owned() } else { threads.to_string() };
            println!(
                "  {of:>7} threads: none {none:>7.0}/s   thread {thread:>7.0}/s ({:.2})",
                thread / none
            );
        }
    }
    Ok(())
}

async fn rate(events: usize, threads: usize, order: Order) -> Result<f64> {
    let stand = Stand::new()?;
    stand.fill(events, threads).await?;
    stand.subscribe("agent", order, None).await?;
    let done = Arc::new(AtomicUsize::new(0));
    let began = Instant::now();
    let consumers: Vec<_> = (0..CONSUMERS)
        .map(|_| {
            let (queue, done) = (Arc::clone(&stand.queue), Arc::clone(&done));
            tokio::spawn(async move {
                while done.load(Ordering::SeqCst) < events {
                    let wait = Duration::from_millis(50);
                    let ask = LeaseAsk { max: LEASED_AT_ONCE, wait, lease: None, bytes: None };
                    let leased = queue.lease("agent", ask).await?;
                    let ack = |event: &headgate_event::Event| Settlement {
                        id: event.delivery().map(|one| one.id.clone()).unwrap_or_default(),
                        verb: Verb::Ack,
                    };
                    let acks: Vec<_> = leased.iter().map(ack).collect();
                    if !acks.is_empty() {
                        let settled = queue.settle("agent", acks).await?;
                        let ok = settled.iter().filter(|one| one.is_ok()).count();
                        done.fetch_add(ok, Ordering::SeqCst);
                    }
                }
                anyhow::Ok(())
            })
        })
        .collect();
    for consumer in consumers {
        consumer.await??;
    }
    let rate = events as f64 / began.elapsed().as_secs_f64();
    stand.end(None).await;
    Ok(rate)
}
