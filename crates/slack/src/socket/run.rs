//! The shell around the pool: one task that feeds it what happens and does what it says.

use super::{
    connection::{Command, carry},
    deliver::Deliver,
    measures,
    message::Envelope,
    pool::{Action, Input, LinkId, Pool, StoringId},
    spec::{SocketSpec, SocketSpecError},
    transport::Transport,
    watch::{SocketMode, SocketStatus, Wish},
};
use std::{collections::BTreeMap, fmt, sync::Arc, time::Duration};
use tokio::{
    sync::{mpsc, watch},
    task::{AbortHandle, JoinSet},
    time::Instant,
};

/// Inputs that wait for the pool; connections wait with more.
const INPUTS_WAITING_MAX: usize = 16;

/// What Socket Mode needs of the program around it.
#[derive(Clone)]
pub struct SocketPorts {
    /// Where envelopes go.
    pub deliver: Arc<dyn Deliver>,
    /// Random numbers, by which pauses differ.
    pub draw: Arc<dyn Fn() -> u32 + Send + Sync>,
}

/// Everything of one app.
struct Runner {
    channel: String,
    transport: Transport,
    ports: SocketPorts,
    pool: Pool,
    begun: Instant,
    connections: BTreeMap<LinkId, Connection>,
    /// All tasks, so that none outlives this one.
    tasks: JoinSet<()>,
    inputs: mpsc::Sender<Input>,
    status: watch::Sender<SocketStatus>,
    heard_at: Option<Instant>,
}

/// A connection as it can be told what to do.
struct Connection {
    /// Without a bound of its own: each text acknowledges something that is being stored, of which
    /// there are only so many, and a connection that takes nothing is half open in seconds.
    commands: mpsc::UnboundedSender<Command>,
    task: AbortHandle,
}

impl SocketMode {
    /// Begins to receive, on the current runtime.
    ///
    /// # Errors
    ///
    /// When the specification is wrong. That Slack cannot be reached is no error: it is tried
    /// again, and [`SocketMode::status`] says how it stands.
    pub fn start(spec: &SocketSpec, ports: SocketPorts) -> Result<Self, SocketSpecError> {
        let transport = Transport::new(spec)?;
        let (inputs, input) = mpsc::channel(INPUTS_WAITING_MAX);
        let (wishes, wish) = mpsc::unbounded_channel();
        let pool = Pool::default();
        let at_first = SocketStatus { pool: pool.status(Duration::ZERO), heard_at: None };
        let (shown, status) = watch::channel(at_first);
        let runner = Runner {
            channel: spec.channel.clone(),
            transport,
            ports,
            pool,
            begun: Instant::now(),
            connections: BTreeMap::new(),
            tasks: JoinSet::new(),
            inputs,
            status: shown,
            heard_at: None,
        };
        let task = tokio::spawn(runner.run(input, wish));
        Ok(Self { wishes, status, task })
    }
}

impl Runner {
    async fn run(
        mut self,
        mut inputs: mpsc::Receiver<Input>,
        mut wishes: mpsc::UnboundedReceiver<Wish>,
    ) {
        self.step(Input::Tick);
        while !self.pool.is_done() {
            let wake = self.pool.wake_at(self.begun.elapsed()).map(|at| self.begun + at);
            // What already came counts before the time that went on: a pong that waits here is no
            // missing pong.
            let input = tokio::select! {
                biased;
                Some(input) = inputs.recv() => input,
                Some(wish) = wishes.recv() => match wish {
                    Wish::Resume => Input::Resume,
                    Wish::Stop => Input::Stop,
                },
                Some(_) = self.tasks.join_next() => continue,
                () = sleep_until(wake) => Input::Tick,
            };
            self.step(input);
        }
    }

    fn step(&mut self, input: Input) {
        match &input {
            Input::Message(..) | Input::Pong(_) => self.heard_at = Some(Instant::now()),
            Input::Closed(link) | Input::Refused(link, _) => {
                self.connections.remove(link);
            }
            _ => {}
        }
        let now = self.begun.elapsed();
        for action in self.pool.step(now, (self.ports.draw)(), input) {
            self.act(action);
        }
        let status = SocketStatus { pool: self.pool.status(now), heard_at: self.heard_at };
        measures::show(&self.channel, &status);
        self.status.send_if_modified(|shown| {
            let changed = shown.pool != status.pool;
            *shown = status;
            changed
        });
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::Open(link) => self.open(link),
            Action::Store(id, envelope) => self.store(id, envelope),
            Action::Acknowledge(link, text) => self.command(link, Command::Text(text)),
            Action::Ping(link) => self.command(link, Command::Ping),
            Action::Close(link) => self.command(link, Command::Close),
            Action::Drop(link) => {
                if let Some(connection) = self.connections.remove(&link) {
                    connection.task.abort();
                }
            }
            Action::Alarm(alarm) => measures::alarm(&self.channel, &alarm),
            Action::Count(counted) => measures::count(&self.channel, &counted),
        }
    }

    fn open(&mut self, link: LinkId) {
        let (commands, told) = mpsc::unbounded_channel();
        let carried = carry(link, self.transport.clone(), told, self.inputs.clone());
        let task = self.tasks.spawn(carried);
        self.connections.insert(link, Connection { commands, task });
    }

    /// A connection that is gone gets nothing; that it is gone is the next input.
    fn command(&self, link: LinkId, command: Command) {
        if let Some(connection) = self.connections.get(&link) {
            let _ = connection.commands.send(command);
        }
    }

    /// Stores in a task of its own, so that a slow store holds up no pong. What panics there is not
    /// stored.
    fn store(&mut self, id: StoringId, envelope: Envelope) {
        let (deliver, inputs) = (Arc::clone(&self.ports.deliver), self.inputs.clone());
        let channel = self.channel.clone();
        self.tasks.spawn(async move {
            let storing = tokio::spawn(async move { deliver.deliver(envelope).await });
            let input = match storing.await {
                Ok(Ok(answer)) => Input::Stored(id, answer),
                Ok(Err(error)) => {
                    tracing::warn!(channel, cause = %error, "an envelope is not stored");
                    Input::Unstored(id)
                }
                Err(error) => {
                    tracing::error!(channel, cause = %error, "storing an envelope broke off");
                    Input::Unstored(id)
                }
            };
            // Nobody listens once it is stopped: Slack sends it again.
            let _ = inputs.send(input).await;
        });
    }
}

async fn sleep_until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}

impl fmt::Debug for SocketPorts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SocketPorts").finish_non_exhaustive()
    }
}
