//! How long an event takes from the call that stores it to its consumer, at half of the load that
//! pushes take.

use super::{
    Plan,
    sink::{Sink, number},
    stand::Stand,
};
use anyhow::Result;
use headgate_event::Sink as _;
use headgate_queue::{LeaseAsk, Order, Queue, Settlement, Verb};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::sync::watch;

/// Senders at one time.
const SENDERS: usize = 16;

pub(super) type Moments = Vec<(usize, Instant)>;

/// Prints the latencies of a push and of a consumer that leases.
pub(super) async fn run(plan: &Plan, rate: f64) -> Result<()> {
    let rate = rate / 2.0;
    println!("\nfrom receiving to the consumer at {rate:.0} events/s (aim: p99 <= 100 ms)");
    for _ in 0..plan.rounds {
        let (stand, sink) = (Stand::new()?, Sink::start().await?);
        let running = stand.push(&sink, &["one".to_owned()]).await?;
        sink.note_arrivals();
        let sent = send(&stand, plan.span, rate).await?;
        sink.wait_for(sent.len()).await;
        tell("push", sent, sink.arrivals());
        stand.end(Some(running)).await;

        let stand = Stand::new()?;
        stand.subscribe("agent", Order::None, None).await?;
        let (stop, stopping) = watch::channel(false);
        let leased = tokio::spawn(consume(Arc::clone(&stand.queue) as _, stopping));
        let sent = send(&stand, plan.span, rate).await?;
        tokio::time::sleep(Duration::from_millis(500)).await;
        stop.send_replace(true);
        tell("lease", sent, leased.await??);
        stand.end(None).await;
    }
    Ok(())
}

/// Stores events at this rate, one a call, and notes when each call began.
async fn send(stand: &Stand, span: Duration, rate: f64) -> Result<Moments> {
    let (began, total) = (Instant::now(), (span.as_secs_f64() * rate) as usize);
    let one = |sender: usize| {
        let (queue, mut sent) = (Arc::clone(&stand.queue), Vec::new());
        let drafts: Vec<_> = (sender..total).step_by(SENDERS).collect();
        async move {
            for number in drafts {
                let due = began + Duration::from_secs_f64(number as f64 / rate);
                tokio::time::sleep_until(due.into()).await;
                sent.push((number, Instant::now()));
                queue.accept(vec![stand.draft(number, 0)]).await?;
            }
            anyhow::Ok(sent)
        }
    };
    let sent = futures(std::array::from_fn::<_, SENDERS, _>(one)).await?;
    Ok(sent.into_iter().flatten().collect())
}

async fn futures<F, const N: usize>(all: [F; N]) -> Result<Vec<Moments>>
where
    F: Future<Output = Result<Moments>>,
{
    futures_util::future::try_join_all(all).await
}

/// Leases and acks until it is told to stop, and notes when each number came.
async fn consume(queue: Arc<dyn Queue>, stop: watch::Receiver<bool>) -> Result<Moments> {
    let mut seen = Vec::new();
    while !*stop.borrow() {
        let ask = LeaseAsk { max: 100, wait: Duration::from_millis(200), lease: None, bytes: None };
        let events = queue.lease("agent", ask).await?;
        let now = Instant::now();
        let settle = |event: &headgate_event::Event| {
            let id = event.delivery().map(|delivery| delivery.id.clone()).unwrap_or_default();
            Settlement { id, verb: Verb::Ack }
        };
        let numbers = events.iter().filter_map(|event| {
            let data = format!("{},", event.data().get());
            number(data.as_bytes())
        });
        seen.extend(numbers.map(|number| (number, now)));
        if !events.is_empty() {
            let (queue, acks) = (Arc::clone(&queue), events.iter().map(settle).collect());
            tokio::spawn(async move { queue.settle("agent", acks).await.map(drop) });
        }
    }
    Ok(seen)
}

pub(super) fn tell(name: &str, mut sent: Moments, came: Moments) {
    sent.sort_unstable_by_key(|(number, _)| *number);
    let span = |(number, at): (usize, Instant)| {
        let (_, began) = sent.get(number)?;
        Some(at.saturating_duration_since(*began).as_secs_f64() * 1000.0)
    };
    let mut spans: Vec<f64> = came.into_iter().filter_map(span).collect();
    spans.sort_by(f64::total_cmp);
    let share = |share: f64| {
        let at = (spans.len().saturating_sub(1) as f64 * share) as usize;
        spans.get(at).copied().unwrap_or_default()
    };
    let (events, p50, p99, max) = (spans.len(), share(0.5), share(0.99), share(1.0));
    println!("  {name:<6} {events:>7} events  p50 {p50:>7.2} ms  p99 {p99:>7.2}  max {max:>7.2}");
}
