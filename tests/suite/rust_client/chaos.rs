//! Kills, cuts and failures at random: each event is handled, none is lost.

use super::world::{World, send};
use anyhow::{Result, anyhow, ensure};
use headgate_client::{Event, Transport};
use headgate_tests::{Connection, Proxy};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

const EVENTS: usize = 10_000;
/// Fewer over long polls, which take longer: what breaks is the same.
const POLLED: usize = 1_000;
const SENDERS: usize = 8;

type Handled = Arc<Mutex<BTreeMap<(String, u32), usize>>>;

/// Numbers that look random and are the same in every run (SplitMix64).
#[derive(Debug)]
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        (mixed ^ (mixed >> 31)) % most
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_event_is_handled_whatever_breaks() -> Result<()> {
    chaos(Transport::Auto, EVENTS).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_event_is_handled_whatever_breaks_over_long_polls() -> Result<()> {
    chaos(Transport::Poll, POLLED).await
}

async fn chaos(transport: Transport, count: usize) -> Result<()> {
    let mut world = World::start()?;
    let proxy = Proxy::start(&world.gateway.address)?;
    let url = format!("http://{}", proxy.address);
    let builder = world.client().url(url).concurrency(64).lease(Duration::from_secs(2));
    let mut client = builder.transport(transport).build()?;
    let (handled, failed) = (Handled::default(), Arc::new(AtomicUsize::new(0)));
    let (noted, failures) = (Arc::clone(&handled), Arc::clone(&failed));
    client.on_event(move |event: Event| {
        let (noted, failures) = (Arc::clone(&noted), Arc::clone(&failures));
        async move {
            let attempt = event.delivery().map_or(0, |delivery| delivery.attempt);
            tokio::time::sleep(Duration::from_millis(u64::from(attempt % 7))).await;
            let is_unlucky = event.id().to_bytes().last().is_some_and(|byte| byte % 50 == 7);
            if is_unlucky && attempt % 3 == 1 {
                failures.fetch_add(1, Ordering::SeqCst);
                return Err("a failure at random");
            }
            let mut noted = noted.lock().unwrap_or_else(PoisonError::into_inner);
            *noted.entry((event.id().to_string(), attempt)).or_default() += 1;
            Ok(())
        }
    });
    let stopper = client.stopper();
    let running = tokio::spawn(async move { client.run().await });
    let senders = senders(&world.gateway.address, count);
    let mut dice = Dice(7);
    while senders.iter().any(|sender| !sender.is_finished()) {
        ensure!(!running.is_finished(), "the client ended: {:?}", running.await);
        disturb(&mut world, &proxy, &mut dice).await?;
    }
    let mut sent = BTreeSet::new();
    for sender in senders {
        sent.extend(sender.join().map_err(|_| anyhow!("a sender broke off"))?);
    }
    // More than these may be stored: an answer that was cut is asked for again.
    while !events(&handled).is_superset(&sent) {
        ensure!(!running.is_finished(), "the client ended: {:?}", running.await);
        disturb(&mut world, &proxy, &mut dice).await?;
    }
    stopper.stop();
    running.await??;
    world.until_settled()?;
    judge(&world, &handled, &sent)?;
    ensure!(failed.load(Ordering::SeqCst) > 0, "no handler failed");
    Ok(())
}

fn judge(world: &World, handled: &Handled, sent: &BTreeSet<String>) -> Result<()> {
    let events = events(handled);
    let handled = handled.lock().unwrap_or_else(PoisonError::into_inner);
    let again = handled.len() - events.len();
    println!("{} sent, {} handled, {again} by more than one attempt", sent.len(), events.len());
    ensure!(events.is_superset(sent), "{} are lost", sent.difference(&events).count());
    // One delivery, one success: only another attempt is another try.
    ensure!(handled.values().all(|times| *times == 1), "a delivery was handled twice");
    let letters = world.read("/v1/dead-letters?subscription=agent")?;
    ensure!(letters["dead_letters"] == serde_json::json!([]), "{letters}");
    Ok(())
}

fn events(handled: &Handled) -> BTreeSet<String> {
    let handled = handled.lock().unwrap_or_else(PoisonError::into_inner);
    handled.keys().map(|(id, _)| id.clone()).collect()
}

/// Breaks something and mends it.
async fn disturb(world: &mut World, proxy: &Proxy, dice: &mut Dice) -> Result<()> {
    let moment = |dice: &mut Dice| Duration::from_millis(dice.below(400));
    tokio::time::sleep(moment(dice)).await;
    match dice.below(4) {
        0 => world.kill()?,
        1 => proxy.cut(),
        2 => {
            proxy.close();
            tokio::time::sleep(moment(dice)).await;
            proxy.open();
        }
        _ => {
            proxy.delay(Duration::from_millis(dice.below(50)));
            tokio::time::sleep(moment(dice)).await;
            proxy.delay(Duration::ZERO);
        }
    }
    Ok(())
}

/// Send until each of theirs is stored; what is answered counts, what is sent again comes twice.
fn senders(address: &str, count: usize) -> Vec<thread::JoinHandle<Vec<String>>> {
    let sender = move |first: usize, address: String| {
        let mut connection = None;
        let mut ids = Vec::new();
        for number in (first..count).step_by(SENDERS) {
            let id = loop {
                let open = connection.take().map_or_else(|| Connection::open(&address), Ok);
                let Ok(mut open) = open else { continue };
                if let Ok(id) = send(&mut open, number) {
                    connection = Some(open);
                    break id;
                }
            };
            ids.push(id);
        }
        ids
    };
    (0..SENDERS)
        .map(|first| {
            let address = address.to_owned();
            thread::spawn(move || sender(first, address))
        })
        .collect()
}
