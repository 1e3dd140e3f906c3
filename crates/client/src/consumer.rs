//! The shell around what is in hand: lines, handlers, time, and the way out.

use crate::{
    arrival::Arrival,
    backoff::Backoff,
    client::Stopping,
    error::ClientError,
    hand::{Hand, Key},
    limits::{LAST_ANSWER_TIMEOUT, LAST_WORDS_TIMEOUT, SAID_AGAIN_AFTER, WAIT_LONGEST},
    line::{Ended, Heard, Line, Lines, Refusal},
    poll::Poll,
    verdict::{Batch, Verdict},
    work::{Work, WorkKey},
};
use headgate_event::{Event, EventId};
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// Takes deliveries of a subscription, one run from its first line to its last word.
#[derive(Debug)]
pub(crate) struct Consumer {
    lines: Lines,
    hand: Hand<EventId, (WorkKey, Event)>,
    work: Work,
    backoff: Backoff,
    begun: Instant,
}

impl Consumer {
    pub(crate) fn new(lines: Lines, hand: Hand<EventId, (WorkKey, Event)>, work: Work) -> Self {
        Self { lines, hand, work, backoff: Backoff::default(), begun: Instant::now() }
    }

    /// Consumes until it is stopped, or until an error that no further try can mend. What is in
    /// hand then has `grace` to be done.
    pub(crate) async fn run(
        mut self,
        mut stopping: Stopping,
        grace: Duration,
    ) -> Result<(), ClientError> {
        match self.until_stopped(&mut stopping).await {
            Ok(line) => {
                self.leave(line, grace).await;
                Ok(())
            }
            Err(error) => {
                self.leave(None, Duration::ZERO).await;
                Err(error)
            }
        }
    }

    /// Answers the line that was open when it was stopped.
    async fn until_stopped(
        &mut self,
        stopping: &mut Stopping,
    ) -> Result<Option<Line>, ClientError> {
        loop {
            let opened = tokio::select! {
                biased;
                () = stopping.wait() => return Ok(None),
                opened = self.open() => opened,
            };
            let ended = match opened {
                Ok(mut line) => {
                    let since = self.now();
                    match self.serve(&mut line, stopping).await {
                        Ok(()) => return Ok(Some(line)),
                        Err(ended) => {
                            self.judge(since);
                            ended
                        }
                    }
                }
                Err(error) => Ended::Failed(error),
            };
            self.hand.lost(self.now());
            let Ended::Failed(error) = ended else { continue };
            if !error.try_again() {
                return Err(error);
            }
            let wait = self.backoff.next(error.retry_after());
            tracing::warn!(%error, ?wait, "trying again");
            tokio::select! {
                biased;
                () = stopping.wait() => return Ok(None),
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    /// A line that stood for long was a good one, though nothing may have come.
    fn judge(&mut self, since: Duration) {
        if self.now() - since >= WAIT_LONGEST {
            self.backoff.reset();
        }
    }

    /// Opens a line. What is in hand is said first, before others can be given it.
    async fn open(&mut self) -> Result<Line, ClientError> {
        loop {
            self.note_concluded();
            let batch = self.hand.flush(self.now());
            if batch.is_empty() {
                return self.lines.open(self.now()).await;
            }
            let refusals = self.lines.settle(&batch).await?;
            self.hear_refusals(refusals);
            self.hand.heard(&batch);
        }
    }

    /// Reads, writes and works until the line ends or it is stopped.
    async fn serve(&mut self, line: &mut Line, stopping: &mut Stopping) -> Result<(), Ended> {
        loop {
            self.note_concluded();
            while let Some((key, event)) = self.hand.start() {
                self.work.begin(key, event);
            }
            self.say(line);
            let (room, alarm) = (self.hand.room(), self.alarm());
            let may_say = line.may_say();
            tokio::select! {
                biased;
                () = stopping.wait() => return Ok(()),
                heard = line.receive(room) => self.hear(heard?),
                (key, verdict) = self.work.concluded() => self.conclude(key, verdict),
                () = until(alarm), if may_say => {}
            }
        }
    }

    fn say(&mut self, line: &mut Line) {
        if !line.may_say() {
            return;
        }
        let batch = self.hand.flush(self.now());
        if !batch.is_empty() && line.say(batch) {
            self.hand.streamed();
        }
    }

    fn hear(&mut self, heard: Heard) {
        // One that only lets us in, and ends it at once, is not well: it is heard of first.
        self.backoff.reset();
        self.hear_refusals(heard.refusals);
        if let Some(answered) = heard.answered {
            self.hand.heard(&answered);
        }
        heard.arrivals.into_iter().for_each(|arrival| self.take(arrival));
    }

    fn take(&mut self, Arrival { delivery, event }: Arrival) {
        match event {
            Ok(event) => {
                let key = key_of(&event);
                let now = self.now();
                self.hand.take(key.clone(), delivery, (key, event), now);
            }
            Err(error) => {
                // It comes again, for a client that can read it, until it is a dead letter.
                tracing::error!(delivery, error, "an event cannot be read");
                let verdict = Verdict::retry(format!("the client cannot read the event: {error}"));
                self.hand.answer(delivery, verdict);
            }
        }
    }

    fn hear_refusals(&mut self, refusals: Vec<Refusal>) {
        let now = self.now();
        for Refusal { id, code, message } in refusals {
            let Some(id) = id else {
                tracing::warn!(code, message, "the gateway complains");
                continue;
            };
            let verdict = self.hand.refused(&id, &code, now);
            let verb = verdict.as_ref().map_or("extend", Verdict::verb);
            if code == "already_settled" {
                tracing::debug!(delivery = id, verb, "it was settled before");
            } else {
                tracing::warn!(delivery = id, verb, code, message, "it was not settled");
            }
        }
    }

    fn note_concluded(&mut self) {
        while let Some((key, verdict)) = self.work.next_concluded() {
            self.conclude(key, verdict);
        }
    }

    fn conclude(&mut self, key: WorkKey, verdict: Verdict) {
        if let Verdict::Retry { reason: Some(reason), .. } = &verdict {
            tracing::warn!(event = %key.event, reason, "the event comes again");
        }
        let now = self.now();
        self.hand.conclude(key, verdict, now);
    }

    /// Finishes what is in hand, or gives it back when its time is over.
    async fn leave(&mut self, mut line: Option<Line>, grace: Duration) {
        if let Some(Line::Poll(poll)) = &mut line {
            // Before anything is given back: this call would be given it again.
            self.until_answered(poll).await;
            poll.end_leasing();
        }
        if !matches!(line, Some(Line::Stream(_))) {
            self.hand.give_back("the client stopped before its turn");
        }
        self.hand.lost(self.now());
        let end = Instant::now() + grace;
        while self.hand.running() > 0 && Instant::now() < end {
            self.last_words(&mut line, end).await;
        }
        self.work.abort();
        self.say_all(&mut line).await;
        if let Some(line) = line {
            line.close().await;
        }
    }

    /// Waits for the lease call that is under way: nobody else could have what it still leases. What
    /// is done is said meanwhile, and what runs keeps its lease.
    async fn until_answered(&mut self, poll: &mut Poll) {
        let end = Instant::now() + LAST_ANSWER_TIMEOUT;
        while poll.is_leasing() {
            self.note_concluded();
            let batch = if poll.may_say() { self.hand.flush(self.now()) } else { Batch::default() };
            if !batch.is_empty() {
                poll.say(batch);
            }
            let (alarm, may_say) = (self.alarm(), poll.may_say());
            tokio::select! {
                heard = poll.receive(0) => match heard {
                    Ok(heard) => self.hear_last(heard),
                    Err(_) => return,
                },
                (key, verdict) = self.work.concluded() => self.conclude(key, verdict),
                () = until(alarm), if may_say => {}
                () = sleep_until(end) => return,
            }
        }
    }

    fn hear_last(&mut self, heard: Heard) {
        self.hear_refusals(heard.refusals);
        if let Some(answered) = heard.answered {
            self.hand.heard(&answered);
        }
        for late in heard.arrivals {
            let key = late.event.as_ref().ok().map(key_of);
            if key.is_some_and(|key| self.hand.knows(&key, self.now())) {
                // It came again: the same work under another delivery.
                self.take(late);
            } else {
                self.give_back(late);
            }
        }
    }

    async fn say_all(&mut self, line: &mut Option<Line>) {
        let end = Instant::now() + LAST_WORDS_TIMEOUT;
        while (self.hand.running() > 0 || !self.hand.has_said_all()) && Instant::now() < end {
            if !self.last_words(line, end).await {
                break;
            }
        }
    }

    /// Lets go of a delivery that came too late: others may have it at once.
    fn give_back(&mut self, late: Arrival) {
        let (after, reason) = (Some(Duration::ZERO), Some("the client stops".to_owned()));
        self.hand.answer(late.delivery, Verdict::Retry { after, reason });
    }

    /// Says what there is by a call, which is answered, or waits until there is something; false
    /// when that is of no use. A stream stays open meanwhile: what it gives more is left unbegun,
    /// and given back by the gateway when it is closed.
    async fn last_words(&mut self, line: &mut Option<Line>, end: Instant) -> bool {
        self.note_concluded();
        let batch = self.hand.flush(self.now());
        let mut alarm = self.alarm();
        if !batch.is_empty() {
            match self.lines.settle(&batch).await {
                Ok(refusals) => {
                    self.hear_refusals(refusals);
                    self.hand.heard(&batch);
                    return true;
                }
                Err(error) => {
                    tracing::warn!(%error, "what became of events is not said");
                    self.hand.lost(self.now());
                    if !error.try_again() {
                        return false;
                    }
                    alarm = Some(Instant::now() + SAID_AGAIN_AFTER);
                }
            }
        }
        tokio::select! {
            (key, verdict) = self.work.concluded() => self.conclude(key, verdict),
            () = until(alarm) => {}
            () = sleep_until(end) => {}
            ended = listen(line) => {
                tracing::debug!(?ended, "the line is gone");
                *line = None;
            }
        }
        true
    }

    fn alarm(&self) -> Option<Instant> {
        self.hand.next_at().map(|at| self.begun + at)
    }

    fn now(&self) -> Duration {
        self.begun.elapsed()
    }
}

fn key_of(event: &Event) -> WorkKey {
    let replay = event.delivery().and_then(|delivery| delivery.replay_id.clone());
    Key { event: event.id(), replay }
}

/// Listens to a stream, so that the gateway hears of us, until it ends.
async fn listen(line: &mut Option<Line>) -> Ended {
    let Some(line @ Line::Stream(_)) = line else { return std::future::pending().await };
    loop {
        if let Err(ended) = line.receive(0).await {
            return ended;
        }
    }
}

async fn until(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => std::future::pending().await,
    }
}
