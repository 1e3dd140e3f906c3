//! How many deliveries a second are pushed: to one endpoint, to many, and beside sick ones.

use super::{Plan, sink::Sink, stand::Stand};
use anyhow::Result;
use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use std::time::Instant;

const CONNECTIONS: usize = 64;

/// Prints the rates, and answers that to one endpoint.
pub(super) async fn run(plan: &Plan) -> Result<f64> {
    println!(
        "\nfan-out, {} deliveries each of an event with 1 KiB (aim: 10,000/s)",
        plan.deliveries
    );
    let mut best = 0.0_f64;
    for _ in 0..plan.rounds {
        let (bare, one) = (bare(plan.deliveries).await?, pushed(plan.deliveries, &["one"]).await?);
        println!("  bare client {bare:>8.0}/s   one endpoint {one:>8.0}/s ({:.2})", one / bare);
        best = best.max(one);
    }
    let many: Vec<String> = (0..plan.endpoints).map(|n| format!("many-{n}")).collect();
    let well: Vec<&str> = many.iter().map(String::as_str).collect();
    let mut sick = well.clone();
    sick.extend(["dead", "slow"]);
    let events = (plan.deliveries / plan.endpoints).max(1);
    for _ in 0..plan.rounds {
        let (alone, beside) = (pushed(events, &well).await?, pushed(events, &sick).await?);
        println!(
            "  {} endpoints {alone:>8.0}/s   beside a dead and a slow one {beside:>8.0}/s \
             ({:+.1} %; aim: -5 % at most)",
            plan.endpoints,
            (beside / alone - 1.0) * 100.0
        );
    }
    Ok(best)
}

/// Deliveries a second to all of these that are well.
async fn pushed(events: usize, paths: &[&str]) -> Result<f64> {
    let (stand, sink) = (Stand::new()?, Sink::start().await?);
    stand.fill(events, 0).await?;
    let well = paths.iter().filter(|path| !matches!(**path, "dead" | "slow")).count();
    let paths: Vec<String> = paths.iter().map(|path| (*path).to_owned()).collect();
    let running = stand.push(&sink, &paths).await?;
    // Connections are made first: each endpoint has all of its own once it has had a few events.
    let before = sink.wait_for(events * well / 5).await;
    let began = Instant::now();
    let all = sink.wait_for(events * well).await;
    let rate = (all - before) as f64 / began.elapsed().as_secs_f64();
    stand.end(Some(running)).await;
    Ok(rate)
}

/// The anchor: the same client and sink, without queue, signature and settlement.
async fn bare(requests: usize) -> Result<f64> {
    let sink = Sink::start().await?;
    let client: Client<HttpConnector, Full<Bytes>> =
        Client::builder(TokioExecutor::new()).build(HttpConnector::new());
    let body = Bytes::from(crate::push::body(1, 2048));
    let began = Instant::now();
    let tasks: Vec<_> = (0..CONNECTIONS)
        .map(|_| {
            let (client, body, url) = (client.clone(), body.clone(), sink.address(0).to_owned());
            tokio::spawn(async move {
                for _ in 0..requests / CONNECTIONS {
                    let request = Request::post(format!("http://{url}/bare"));
                    let answer = client.request(request.body(Full::new(body.clone()))?).await?;
                    answer.into_body().collect().await?;
                }
                anyhow::Ok(())
            })
        })
        .collect();
    for task in tasks {
        task.await??;
    }
    Ok((requests / CONNECTIONS * CONNECTIONS) as f64 / began.elapsed().as_secs_f64())
}
