//! Lists: the newest 50 by each filter, over HTTP, bodies and prompts included.

use crate::{
    call::Caller,
    load::{self, EVENTS},
    process::Server,
};
use anyhow::{Context, Result};
use std::time::Instant;

/// How often each list is asked for.
const CALLS: usize = 300;

/// Prints the times of each filter.
pub(super) fn run(server: &Server) -> Result<()> {
    load::runtime()?.block_on(async {
        let mut caller = Caller::new(&server.address).await?;
        println!("\n{:34} {:>8} {:>8} {:>8}", "newest 50 by", "p50 ms", "p99 ms", "max ms");
        for (name, filter) in filters(&mut caller).await? {
            let path = format!("/v1/events?limit=50{filter}");
            let mut spans = Vec::new();
            for _ in 0..CALLS {
                let started = Instant::now();
                caller.call("GET", &path, "").await?;
                spans.push(started.elapsed().as_secs_f64() * 1000.0);
            }
            spans.sort_by(f64::total_cmp);
            let at = |share: f64| spans[((spans.len() - 1) as f64 * share) as usize];
            let (p50, p99, max) = (at(0.5), at(0.99), at(1.0));
            println!("{name:34} {p50:>8.2} {p99:>8.2} {max:>8.1}  (aim p99 5 at 1 M)");
        }
        Ok(())
    })
}

/// Every filter that these events answer to.
async fn filters(caller: &mut Caller) -> Result<Vec<(&'static str, String)>> {
    let newest = caller.json("GET", "/v1/events?limit=1", "").await?;
    let event = newest.pointer("/events/0").context("an event")?;
    let text = |name: &str| event[name].as_str().unwrap_or_default().to_owned();
    let (at, thread) = (text("created_at"), text("thread_key"));
    let repository = form(&thread);
    Ok(vec![
        ("nothing", String::new()),
        ("type", "&type=webhook.received".to_owned()),
        ("channel", "&channel=hub".to_owned()),
        ("provider", "&provider=github".to_owned()),
        ("provider_event", format!("&provider_event={}", EVENTS[1])),
        ("thread_key", format!("&thread_key={repository}")),
        ("until the newest", format!("&until={}", form(&at))),
        ("channel and provider_event", format!("&channel=hub&provider_event={}", EVENTS[2])),
        ("a channel that has none", "&channel=none".to_owned()),
    ])
}

/// A value as it stands in a query.
fn form(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}
