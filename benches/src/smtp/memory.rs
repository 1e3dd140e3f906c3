//! What connections cost while nothing is said on them, and what messages cost while they come.

use super::{
    Programs,
    latency::Client,
    receivers::{Kind, Receiver},
};
use crate::{folder, load};
use anyhow::Result;

const IDLE: usize = 1_000;
const COMING: usize = 50;
/// What is sent of each message, without its end: a little less than is taken by default.
const SENT_MIB: usize = 24;

/// Prints Headgate's resident memory with idle connections, and with messages in flight besides.
pub(super) fn run(programs: &Programs<'_>) -> Result<()> {
    let folder = folder::temporary()?;
    let receiver = Receiver::start(Kind::Headgate, programs, folder.path())?;
    load::runtime()?.block_on(async {
        let alone = receiver.resident_mib()?;
        let mut idle = Vec::new();
        for _ in 0..IDLE {
            idle.push(Client::connect(&receiver.address).await?);
        }
        let with_idle = receiver.resident_mib()?;
        println!(
            "\nmemory: {alone:.0} MiB alone, {with_idle:.0} MiB with {IDLE} idle connections: \
             {:.1} KiB each (aim 64)",
            (with_idle - alone) * 1024.0 / IDLE as f64
        );
        let coming: Vec<_> = (0..COMING).map(|_| send(&receiver.address)).collect();
        let coming = futures_util::future::try_join_all(coming).await?;
        let with_both = receiver.resident_mib()?;
        println!(
            "{with_both:.0} MiB with {} messages of which {SENT_MIB} MiB came besides (aim 300)",
            coming.len()
        );
        drop(idle);
        Ok(())
    })
}

/// Sends all of a message but its end.
async fn send(address: &str) -> Result<Client> {
    let mut client = Client::connect(address).await?;
    client.begin().await?;
    client.send(b"Subject: a large one\r\n\r\n").await?;
    let line = [&[b'x'; 78][..], b"\r\n"].concat();
    let part = line.repeat((1 << 20) / line.len());
    for _ in 0..SENT_MIB {
        client.send(&part).await?;
    }
    Ok(client)
}
