//! A workspace served on loopback: `apps.connections.open` over HTTP, and WebSockets that fail in
//! every way that networks and Slack know.

mod connection;
mod request;

use super::{ConnectionId, Ledger, Sent, Workspace, WorkspaceOptions};
use connection::Order;
use serde_json::Value;
use std::{
    collections::{BTreeMap, VecDeque},
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};
use tokio::{
    net::TcpListener,
    sync::{Notify, mpsc},
    task::{AbortHandle, JoinSet},
    time::Instant,
};
use tokio_tungstenite::tungstenite::Message;

/// How long a test waits for what should happen at once, on a machine however busy.
const UNTIL_MAX: Duration = Duration::from_secs(20);

/// What `apps.connections.open` answers.
#[derive(Clone, Debug)]
pub enum OpenAnswer {
    /// A URL.
    Ok,
    /// `ratelimited`, with this `Retry-After`, in seconds.
    RateLimited(u32),
    /// An error with this code.
    Error(String),
    /// A bare status, such as 500.
    Status(u16),
    /// This text for a body, with status 200.
    Body(String),
    /// Nothing, for ever.
    Hang,
}

/// How a handshake goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Handshake {
    /// As it should.
    Accept,
    /// It is accepted, and `hello` never comes.
    AcceptInSilence,
    /// It is answered with this status, such as 409 or 503.
    Status(u16),
    /// Nothing, for ever.
    Hang,
}

/// What befalls a connection.
#[derive(Clone, Debug)]
pub enum Fault {
    /// It is reset.
    Reset,
    /// Its end comes without a closing frame.
    Vanish,
    /// It is neither read nor written any more, and stays open: half open.
    BlackHole,
    /// It is written and not read any more: no ping is answered, no acknowledgement arrives.
    Deaf,
    /// So many pings, as fast as it goes.
    PingFlood(usize),
    /// This message, as it is; fragments are frames one by one.
    Raw(Vec<Message>),
}

/// A Slack of one app on a port of this machine. It ends when it is dropped.
#[derive(Debug)]
pub struct FakeSlack {
    shared: Arc<Shared>,
    address: SocketAddr,
    server: AbortHandle,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    changed: Notify,
    begun: Instant,
    address: SocketAddr,
}

#[derive(Debug)]
struct State {
    workspace: Workspace,
    orders: BTreeMap<ConnectionId, mpsc::UnboundedSender<Order>>,
    opens: VecDeque<OpenAnswer>,
    always: Option<OpenAnswer>,
    handshakes: VecDeque<Handshake>,
    asked: usize,
    sockets: usize,
    sockets_seen: usize,
}

impl FakeSlack {
    /// Serves a workspace with these options on a free port.
    pub async fn start(options: WorkspaceOptions) -> io::Result<Self> {
        Self::start_at(options, SocketAddr::from(([127, 0, 0, 1], 0))).await
    }

    /// The same on this address.
    pub async fn start_at(options: WorkspaceOptions, address: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let state = State {
            workspace: Workspace::new(options),
            orders: BTreeMap::new(),
            opens: VecDeque::new(),
            always: None,
            handshakes: VecDeque::new(),
            asked: 0,
            sockets: 0,
            sockets_seen: 0,
        };
        let (changed, begun) = (Notify::new(), Instant::now());
        let shared = Arc::new(Shared { state: Mutex::new(state), changed, begun, address });
        let server = tokio::spawn(serve(Arc::clone(&shared), listener)).abort_handle();
        Ok(Self { shared, address, server })
    }

    /// The base URL of its Web API.
    #[must_use]
    pub fn api(&self) -> String {
        format!("http://{}/api", self.address)
    }

    /// What `apps.connections.open` answers next; afterwards it is as before.
    pub fn answer_open(&self, answer: OpenAnswer) {
        self.shared.lock().opens.push_back(answer);
    }

    /// What it answers from here on, when nothing else is said for the next one.
    pub fn answer_every_open(&self, answer: OpenAnswer) {
        self.shared.lock().always = Some(answer);
    }

    /// How the next handshake goes.
    pub fn answer_handshake(&self, handshake: Handshake) {
        self.shared.lock().handshakes.push_back(handshake);
    }

    /// Sends a message event to any connection; gives its id.
    pub fn emit(&self) -> String {
        let now = self.shared.begun.elapsed();
        self.shared.change(|state| state.workspace.emit(now))
    }

    /// Sends an envelope of this type to any connection.
    pub fn emit_envelope(&self, kind: &str, event_id: &str, payload: &Value) {
        let now = self.shared.begun.elapsed();
        self.shared.change(|state| state.workspace.emit_envelope(now, kind, event_id, payload));
    }

    /// Tells a connection that it will be closed, and closes it after the notice.
    pub fn tell(&self, connection: ConnectionId, reason: &str) {
        let now = self.shared.begun.elapsed();
        self.shared.change(|state| state.workspace.tell(now, connection, reason));
    }

    /// Something befalls a connection.
    pub fn fault(&self, connection: ConnectionId, fault: Fault) {
        if let Some(orders) = self.shared.lock().orders.get(&connection) {
            // A connection that is gone has no faults any more.
            let _ = orders.send(Order::Fault(fault));
        }
    }

    /// The connections that said `hello` and are open, in the order in which they were opened.
    #[must_use]
    pub fn connections(&self) -> Vec<ConnectionId> {
        self.shared.lock().workspace.connections()
    }

    /// How often a URL was asked for.
    #[must_use]
    pub fn asked(&self) -> usize {
        self.shared.lock().asked
    }

    /// How many WebSockets are open, and the most that there ever were at one time.
    #[must_use]
    pub fn sockets(&self) -> (usize, usize) {
        let state = self.shared.lock();
        (state.sockets, state.sockets_seen)
    }

    /// What was sent and what became of it.
    #[must_use]
    pub fn ledger(&self) -> Ledger {
        self.shared.lock().workspace.ledger().clone()
    }

    /// The answers that acknowledgements carried, with the events they answer.
    #[must_use]
    pub fn answers(&self) -> Vec<(String, Value)> {
        self.shared.lock().workspace.answers().to_vec()
    }

    /// Acknowledgements that acknowledged nothing.
    #[must_use]
    pub fn acks_dropped(&self) -> usize {
        self.shared.lock().workspace.acks_dropped()
    }

    /// Waits until something holds of it.
    ///
    /// # Panics
    ///
    /// When it does not within 20 s: what a test waits for does not happen.
    pub async fn until(&self, holds: impl Fn(&Self) -> bool) {
        let waiting = async {
            loop {
                let changed = self.shared.changed.notified();
                if holds(self) {
                    return;
                }
                changed.await;
            }
        };
        let in_time = tokio::time::timeout(UNTIL_MAX, waiting).await;
        assert!(in_time.is_ok(), "waited in vain: {:?}", self.shared.lock());
    }
}

impl Drop for FakeSlack {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Shared {
    #[expect(clippy::expect_used, reason = "nothing panics while it is held")]
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("not poisoned")
    }

    /// Changes the state, and hands on what the workspace sends because of it.
    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let changed = {
            let mut state = self.lock();
            let changed = change(&mut state);
            for (connection, sent) in state.workspace.take_sent() {
                if let Some(orders) = state.orders.get(&connection) {
                    // One that is gone gets nothing; it is sent again.
                    let _ = orders.send(Order::Sent(sent));
                }
            }
            changed
        };
        self.changed.notify_waiters();
        changed
    }

    fn connect(&self, ticket: &str) -> Option<(ConnectionId, mpsc::UnboundedReceiver<Order>)> {
        let now = self.begun.elapsed();
        self.change(|state| {
            let id = state.workspace.connect(now, ticket)?;
            let (orders, received) = mpsc::unbounded_channel();
            state.orders.insert(id, orders);
            Some((id, received))
        })
    }

    fn gone(&self, connection: ConnectionId) {
        self.change(|state| {
            state.orders.remove(&connection);
            state.workspace.gone(connection);
        });
    }

    /// The number of open WebSockets changes.
    fn count_socket(&self, change: isize) {
        self.change(|state| {
            state.sockets = state.sockets.saturating_add_signed(change);
            state.sockets_seen = state.sockets_seen.max(state.sockets);
        });
    }
}

async fn serve(shared: Arc<Shared>, listener: TcpListener) {
    let mut tasks = JoinSet::new();
    tasks.spawn(keep_time(Arc::clone(&shared)));
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                if let Ok((socket, _)) = accepted {
                    tasks.spawn(request::answer(Arc::clone(&shared), socket));
                }
            }
            _ = tasks.join_next() => {}
        }
    }
}

/// Lets the workspace do what is due.
async fn keep_time(shared: Arc<Shared>) {
    loop {
        let changed = shared.changed.notified();
        let due = shared.lock().workspace.wake_at();
        // What is overdue waits for something else than time.
        let due = due.map(|at| at.max(shared.begun.elapsed() + Duration::from_millis(1)));
        let at = due.map(|at| shared.begun + at);
        tokio::select! {
            () = changed => continue,
            () = tokio::time::sleep_until(at.unwrap_or_else(Instant::now)), if at.is_some() => {}
        }
        let now = shared.begun.elapsed();
        shared.change(|state| state.workspace.tick(now));
    }
}
