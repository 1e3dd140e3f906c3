//! How many connections there are, from where, and room for one more.
//!
//! When there is none, those make room that nobody waits for: first the kept-alive ones that have
//! been idle longest, then the oldest of those that have not sent a whole head yet. A connection
//! with a request in hand, or one that speaks another protocol, is never closed for another.

use super::exchange::{Exchange, Quiet};
use headgate_event::limits;
use metrics::{counter, gauge};
use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    net::{IpAddr, Ipv6Addr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{sync::watch, time::Instant};

const GAUGE: &str = "headgate_http_connections";
/// Of the most connections, this part is asked to leave at one time when there is no room.
const LEAVING_PART: usize = 128;
/// When nobody could leave, nobody is asked again for so long.
const LOOK_PAUSE: Duration = Duration::from_millis(10);

/// Room for connections.
#[derive(Clone)]
pub(super) struct Slots {
    rules: SlotRules,
    taken: Arc<Mutex<Taken>>,
    open: Arc<watch::Sender<usize>>,
}

/// How much room there is.
#[derive(Clone)]
pub(super) struct SlotRules {
    pub(super) total: usize,
    pub(super) per_network: usize,
    pub(super) exempt: Option<Exempt>,
}

/// Whether any number of connections may come from an address.
pub type Exempt = Arc<dyn Fn(IpAddr) -> bool + Send + Sync>;

/// The connections that there are, in the order in which they came.
#[derive(Debug, Default)]
struct Taken {
    next: u64,
    by_order: BTreeMap<u64, Arc<Exchange>>,
    by_network: HashMap<Network, usize>,
    looked_in_vain: Option<Instant>,
}

/// Who counts as one: an IPv4 address, or the /64 of an IPv6 address, which one machine may have
/// all of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Network(IpAddr);

/// Why there is no room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Full {
    Total,
    Network,
}

/// The room of one connection. Held by its bytes, so that a connection counts as long as its
/// socket is open, also when it speaks another protocol.
#[derive(Debug)]
pub(super) struct Slot {
    slots: Slots,
    order: u64,
    network: Option<Network>,
}

impl Slots {
    pub(super) fn new(rules: SlotRules) -> Self {
        Self { rules, taken: Arc::default(), open: Arc::new(watch::Sender::new(0)) }
    }

    /// Takes the room for a connection, if need be from one that nobody waits for.
    pub(super) fn take(&self, from: SocketAddr, exchange: &Arc<Exchange>) -> Result<Slot, Full> {
        let network = self.network_of(from.ip());
        let mut taken = self.taken();
        let of_network = network.and_then(|network| taken.by_network.get(&network));
        if of_network.is_some_and(|count| *count >= self.rules.per_network) {
            return Err(Full::Network);
        }
        if taken.by_order.len() >= self.rules.total && taken.make_room(self.rules.total) == 0 {
            return Err(Full::Total);
        }
        let order = taken.next;
        taken.next += 1;
        taken.by_order.insert(order, Arc::clone(exchange));
        if let Some(network) = network {
            *taken.by_network.entry(network).or_default() += 1;
        }
        drop(taken);
        self.open.send_modify(|open| *open += 1);
        gauge!(GAUGE).increment(1.0);
        Ok(Slot { slots: self.clone(), order, network })
    }

    /// Closes some connections that nobody waits for: the system has no room for another.
    pub(super) fn make_room(&self) {
        self.taken().make_room(self.rules.total);
    }

    /// How many connections there are.
    pub(super) fn open(&self) -> usize {
        *self.open.borrow()
    }

    /// Waits until there is no connection.
    pub(super) async fn all_free(&self) {
        // The wait ends only with the sender, which is here.
        let _ = self.open.subscribe().wait_for(|open| *open == 0).await;
    }

    /// The network that an address counts to; none when it is not counted.
    fn network_of(&self, address: IpAddr) -> Option<Network> {
        let address = address.to_canonical();
        let exempt = self.rules.exempt.as_ref().is_some_and(|exempt| exempt(address));
        (!address.is_loopback() && !exempt).then(|| Network::of(address))
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Taken {
    /// Asks some to leave and does not count them any more. Returns how many.
    fn make_room(&mut self, total: usize) -> usize {
        let now = Instant::now();
        if self.looked_in_vain.is_some_and(|looked| now < looked + LOOK_PAUSE) {
            return 0;
        }
        let mut quiet: Vec<(Quiet, u64)> = self
            .by_order
            .iter()
            .filter_map(|(order, exchange)| Some((exchange.quiet()?, *order)))
            .collect();
        let leaving = quiet.len().min(total / LEAVING_PART + 1);
        if leaving == 0 {
            self.looked_in_vain = Some(now);
            return 0;
        }
        if leaving < quiet.len() {
            quiet.select_nth_unstable(leaving - 1);
        }
        for (_, order) in quiet.iter().take(leaving) {
            if let Some(exchange) = self.by_order.remove(order) {
                exchange.ask_to_leave();
            }
        }
        counter!("headgate_http_connections_closed_total", "reason" => "made_room")
            .increment(leaving as u64);
        leaving
    }
}

impl Network {
    /// The network of an address.
    #[must_use]
    pub fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(_) => Self(address),
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                Self(IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0)))
            }
        }
    }
}

impl Full {
    pub(super) fn reason(self) -> &'static str {
        match self {
            Self::Total => "total",
            Self::Network => "network",
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut taken = self.slots.taken();
        taken.by_order.remove(&self.order);
        if let Some(network) = self.network
            && let Some(count) = taken.by_network.get_mut(&network)
        {
            *count -= 1;
            if *count == 0 {
                taken.by_network.remove(&network);
            }
        }
        drop(taken);
        self.slots.open.send_modify(|open| *open -= 1);
        gauge!(GAUGE).decrement(1.0);
    }
}

impl Default for SlotRules {
    fn default() -> Self {
        Self {
            total: limits::CONNECTIONS_MAX,
            per_network: limits::CONNECTIONS_PER_NETWORK_MAX,
            exempt: None,
        }
    }
}

impl fmt::Debug for Slots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Slots").field("open", &self.open()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    /// Which of them were asked to leave since this was last asked.
    fn leave(connections: [&(Slot, Arc<Exchange>); 3]) -> [bool; 3] {
        connections.map(|(_, exchange)| exchange.asked_to_leave().now_or_never().is_some())
    }

    fn slots(total: usize, per_network: usize) -> Slots {
        let exempt: Exempt = Arc::new(|address| address == IpAddr::from([10, 0, 0, 1]));
        Slots::new(SlotRules { total, per_network, exempt: Some(exempt) })
    }

    fn take(slots: &Slots, from: &str) -> Result<(Slot, Arc<Exchange>), Full> {
        let exchange = Arc::new(Exchange::default());
        let from = SocketAddr::new(from.parse().expect("an address"), 1);
        slots.take(from, &exchange).map(|slot| (slot, exchange))
    }

    #[test]
    fn one_network_takes_no_more_than_its_part() {
        let slots = slots(100, 2);
        let first = take(&slots, "203.0.113.1").expect("room");
        let _second = take(&slots, "203.0.113.1").expect("room");
        assert_eq!(take(&slots, "203.0.113.1").map(drop), Err(Full::Network));
        assert_eq!(take(&slots, "::ffff:203.0.113.1").map(drop), Err(Full::Network));
        let _other = take(&slots, "203.0.113.2").expect("room");
        drop(first);
        let _again = take(&slots, "203.0.113.1").expect("room again");
    }

    #[test]
    fn an_ipv6_network_is_a_64() {
        let slots = slots(100, 1);
        let _first = take(&slots, "2001:db8::1").expect("room");
        assert_eq!(take(&slots, "2001:db8::ffff:2").map(drop), Err(Full::Network));
        let _other = take(&slots, "2001:db8:0:1::1").expect("room");
    }

    #[test]
    fn loopback_and_exempt_addresses_have_no_part() {
        let slots = slots(100, 1);
        for address in ["127.0.0.1", "127.9.9.9", "::1", "10.0.0.1"] {
            let _first = take(&slots, address).expect("room");
            let _second = take(&slots, address).expect("room");
        }
    }

    #[test]
    fn the_longest_idle_leaves_before_any_that_has_sent_no_head() {
        let slots = slots(3, 100);
        let silent = take(&slots, "203.0.113.1").expect("room");
        let idle = take(&slots, "203.0.113.2").expect("room");
        let busy = take(&slots, "203.0.113.3").expect("room");
        for exchange in [&busy.1, &idle.1] {
            exchange.begin();
        }
        drop(idle.1.ends_with());
        let fourth = take(&slots, "203.0.113.4").expect("the idle one made room");
        assert_eq!(leave([&silent, &idle, &busy]), [false, true, false]);
        let _fifth = take(&slots, "203.0.113.5").expect("the silent one made room");
        assert_eq!(leave([&silent, &fourth, &busy]), [true, false, false]);
    }

    #[test]
    fn nobody_with_a_request_in_hand_makes_room() {
        let slots = slots(1, 100);
        let busy = take(&slots, "203.0.113.1").expect("room");
        busy.1.begin();
        assert_eq!(take(&slots, "203.0.113.2").map(drop), Err(Full::Total));
        drop(busy);
        let _next = take(&slots, "203.0.113.2").expect("room again");
    }
}
