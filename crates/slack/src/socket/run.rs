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
use futures_util::FutureExt;
use headgate_event::limits::{SOCKET_PAUSE_FIRST, SOCKET_PAUSE_LONGEST};
use std::{collections::BTreeMap, fmt, panic::AssertUnwindSafe, sync::Arc, time::Duration};
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

/// What each run of an app begins with.
#[derive(Clone)]
struct Origin {
    channel: String,
    transport: Transport,
    ports: SocketPorts,
    status: watch::Sender<SocketStatus>,
}

/// What is wished from outside, over all runs.
struct Wishes {
    wishes: mpsc::UnboundedReceiver<Wish>,
    /// Whether a run was told to stop.
    stops: bool,
}

/// Everything of one app.
struct Runner {
    origin: Origin,
    pool: Pool,
    begun: Instant,
    connections: BTreeMap<LinkId, Connection>,
    /// All tasks, so that none outlives this one.
    tasks: JoinSet<()>,
    inputs: mpsc::Sender<Input>,
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
        let (wishes, wished) = mpsc::unbounded_channel();
        let (shown, status) = watch::channel(at_first());
        let channel = spec.channel.clone();
        let origin = Origin { channel, transport, ports, status: shown };
        let task = tokio::spawn(origin.run_on(Wishes { wishes: wished, stops: false }));
        Ok(Self { wishes, status, task })
    }
}

fn at_first() -> SocketStatus {
    SocketStatus { pool: Pool::default().status(Duration::ZERO), heard_at: None }
}

impl Origin {
    /// Runs until it is stopped. What panics is not ready, and begins anew: it had acknowledged
    /// nothing that is not stored, so that Slack sends the rest again.
    async fn run_on(self, mut wishes: Wishes) {
        let mut pause = SOCKET_PAUSE_FIRST;
        loop {
            let begun = Instant::now();
            let run = AssertUnwindSafe(self.clone().run(&mut wishes));
            if run.catch_unwind().await.is_ok() || wishes.stops {
                return;
            }
            if begun.elapsed() > SOCKET_PAUSE_LONGEST {
                pause = SOCKET_PAUSE_FIRST;
            }
            let channel = &self.channel;
            tracing::error!(
                channel,
                ?pause,
                "Socket Mode broke off, and begins anew after a pause"
            );
            measures::show(channel, &at_first());
            self.status.send_replace(at_first());
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                // Told to stop, it has stopped; told to go on, it goes on now.
                _ = wishes.next() => if wishes.stops { return },
            }
            pause = (pause * 2).min(SOCKET_PAUSE_LONGEST);
        }
    }

    async fn run(self, wishes: &mut Wishes) {
        let (inputs, input) = mpsc::channel(INPUTS_WAITING_MAX);
        let runner = Runner {
            origin: self,
            pool: Pool::default(),
            begun: Instant::now(),
            connections: BTreeMap::new(),
            tasks: JoinSet::new(),
            inputs,
            heard_at: None,
        };
        runner.run(input, wishes).await;
    }
}

impl Wishes {
    /// The next one; none when nobody is there any more to wish.
    async fn next(&mut self) -> Option<Input> {
        Some(match self.wishes.recv().await? {
            Wish::Resume => Input::Resume,
            Wish::Stop => {
                self.stops = true;
                Input::Stop
            }
        })
    }
}

impl Runner {
    async fn run(mut self, mut inputs: mpsc::Receiver<Input>, wishes: &mut Wishes) {
        self.step(Input::Tick);
        while !self.pool.is_done() {
            let wake = self.pool.wake_at(self.begun.elapsed()).map(|at| self.begun + at);
            // What already came counts before the time that went on: a pong that waits here is no
            // missing pong.
            let input = tokio::select! {
                biased;
                Some(input) = inputs.recv() => input,
                Some(wish) = wishes.next() => wish,
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
        for action in self.pool.step(now, (self.origin.ports.draw)(), input) {
            self.act(action);
        }
        let status = SocketStatus { pool: self.pool.status(now), heard_at: self.heard_at };
        measures::show(&self.origin.channel, &status);
        self.origin.status.send_if_modified(|shown| {
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
            Action::Alarm(alarm) => measures::alarm(&self.origin.channel, &alarm),
            Action::Count(counted) => measures::count(&self.origin.channel, &counted),
        }
    }

    fn open(&mut self, link: LinkId) {
        let (commands, told) = mpsc::unbounded_channel();
        let carried = carry(link, self.origin.transport.clone(), told, self.inputs.clone());
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
        let (deliver, inputs) = (Arc::clone(&self.origin.ports.deliver), self.inputs.clone());
        let channel = self.origin.channel.clone();
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
