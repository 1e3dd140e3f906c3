//! How many connections there are, and how many from one network.

use super::session::Load;
use headgate_event::limits::SMTP_LOAD_PERCENT;
use headgate_http::Network;
use metrics::gauge;
use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::watch;

const GAUGE: &str = "headgate_smtp_connections";

/// Room for connections.
#[derive(Clone, Debug)]
pub(super) struct Seats {
    total: usize,
    per_network: usize,
    by_network: Arc<Mutex<HashMap<Network, usize>>>,
    taken: Arc<watch::Sender<usize>>,
}

/// The room of one connection. It is given back when dropped.
#[derive(Debug)]
pub(super) struct Seat {
    seats: Seats,
    network: Option<Network>,
}

impl Seats {
    pub(super) fn new(total: usize, per_network: usize) -> Self {
        let taken = Arc::new(watch::Sender::new(0));
        Self { total, per_network, by_network: Arc::default(), taken }
    }

    /// Takes a seat; none when all are taken.
    pub(super) fn take(&self) -> Option<Seat> {
        let mut there_is = false;
        self.taken.send_if_modified(|taken| {
            there_is = *taken < self.total;
            *taken += usize::from(there_is);
            there_is
        });
        there_is.then(|| {
            gauge!(GAUGE).increment(1.0);
            Seat { seats: self.clone(), network: None }
        })
    }

    pub(super) fn taken(&self) -> usize {
        *self.taken.borrow()
    }

    /// Whether nearly all are taken.
    pub(super) fn load(&self) -> Load {
        let many = self.taken().saturating_mul(100) > self.total.saturating_mul(SMTP_LOAD_PERCENT);
        if many { Load::Heavy } else { Load::Ordinary }
    }

    /// Waits until none is taken.
    pub(super) async fn all_free(&self) {
        // The wait ends only with the sender, which is here.
        let _ = self.taken.subscribe().wait_for(|taken| *taken == 0).await;
    }

    fn by_network(&self) -> MutexGuard<'_, HashMap<Network, usize>> {
        self.by_network.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seat {
    /// Counts the connection to the network of an address; false when that has too many.
    pub(super) fn belongs_to(&mut self, address: IpAddr) -> bool {
        let network = Network::of(address.to_canonical());
        let mut by_network = self.seats.by_network();
        let count = by_network.entry(network).or_default();
        if *count >= self.seats.per_network {
            return false;
        }
        *count += 1;
        self.network = Some(network);
        true
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        if let Some(network) = self.network {
            let mut by_network = self.seats.by_network();
            if let Some(count) = by_network.get_mut(&network) {
                *count -= 1;
                if *count == 0 {
                    by_network.remove(&network);
                }
            }
        }
        self.seats.taken.send_modify(|taken| *taken -= 1);
        gauge!(GAUGE).decrement(1.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_has_so_many_seats_and_gets_them_back() {
        let seats = Seats::new(10, 2);
        let from = |address: &str| {
            let mut seat = seats.take().expect("a seat");
            seat.belongs_to(address.parse().expect("an address")).then_some(seat)
        };
        let first = from("2001:db8::1").expect("the first");
        let _second = from("2001:db8::2").expect("the second");
        assert!(from("2001:db8::3").is_none(), "one /64 counts as one");
        assert!(from("192.0.2.1").is_some());
        drop(first);
        assert!(from("2001:db8::4").is_some());
        assert_eq!(seats.taken(), 1);
    }

    #[test]
    fn the_last_seats_are_scarce_and_then_there_are_none() {
        let seats = Seats::new(5, 5);
        let taken: Vec<_> = (0..4).map(|_| seats.take().expect("a seat")).collect();
        assert_eq!(seats.load(), Load::Ordinary);
        let last = seats.take();
        assert_eq!(seats.load(), Load::Heavy);
        assert!(last.is_some() && seats.take().is_none());
        drop((last, taken));
        assert_eq!(seats.taken(), 0);
    }
}
