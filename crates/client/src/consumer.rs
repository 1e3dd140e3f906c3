//! The shell around what is in hand: lines, handlers, time, and the way out.

use crate::{
    arrival::Arrival,
    backoff::Backoff,
    client::Stopping,
    error::ClientError,
    hand::{Hand, Key},
    limits::{LAST_ANSWER_TIMEOUT, LAST_WORDS_TIMEOUT, SAID_AGAIN_AFTER, WAIT_LONGEST},
    line::{Ended, Heard, Line, Lines, Refusal},
    verdict::Verdict,
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

    /// Consumes until it is stopped, or until an error that no further try can mend. At a stop what
    /// runs has `grace` to be done, after such an error no time at all.
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
        // One that only lets us in, and complains or ends it at once, is not well.
        if heard.is_good() {
            self.backoff.reset();
        }
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
            let refused = self.hand.refused(&id, &code, now);
            let verb = refused.as_ref().map_or("extend", |refused| refused.verdict.verb());
            if refused.is_some_and(|refused| refused.is_done(&code)) {
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
        if let Some(line) = &mut line {
            // Before anything is given back: a call that leases would be given it again.
            line.drain();
            self.until_answered(line).await;
            if let Line::Poll(poll) = line {
                poll.end_leasing();
            }
        }
        self.let_go(&mut line);
        self.hand.say_again(self.now());
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

    /// Waits for the last that is leased: nobody else could have it. What is done is said
    /// meanwhile, and what runs keeps its lease.
    async fn until_answered(&mut self, line: &mut Line) {
        let end = Instant::now() + LAST_ANSWER_TIMEOUT;
        while line.is_leasing() {
            self.note_concluded();
            self.say(line);
            let (alarm, may_say) = (self.alarm(), line.may_say());
            tokio::select! {
                heard = line.receive(0) => match heard {
                    Ok(heard) => self.hear_last(heard),
                    Err(_) => return,
                },
                (key, verdict) = self.work.concluded() => self.conclude(key, verdict),
                () = until(alarm), if may_say => {}
                () = sleep_until(end) => return,
            }
        }
    }

    /// What came again is the same work under another delivery; what is new waits, and nothing
    /// begins any more.
    fn hear_last(&mut self, heard: Heard) {
        self.hear_refusals(heard.refusals);
        if let Some(answered) = heard.answered {
            self.hand.heard(&answered);
        }
        heard.arrivals.into_iter().for_each(|late| self.take(late));
    }

    /// Lets go of what waits: others may have it at once. A stream that cannot be told gives it
    /// back when it is closed, and would be given it again before; until then it is renewed.
    fn let_go(&mut self, line: &mut Option<Line>) {
        match line {
            Some(Line::Stream(stream)) if stream.may_release() => {
                self.hand.let_go().iter().for_each(|delivery| stream.release(delivery));
            }
            Some(Line::Stream(_)) => {}
            Some(Line::Poll(_)) | None => {
                self.hand.give_back("the client stopped before its turn");
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

    /// Says what there is by a call, which is answered, or waits until there is something; false
    /// when that is of no use. A stream stays open meanwhile: were it closed, the gateway would
    /// give back what runs.
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
                    self.hand.say_again(self.now());
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
            heard = listen(line) => match heard {
                Ok(heard) => {
                    self.hear_last(heard);
                    self.let_go(line);
                }
                Err(ended) => {
                    tracing::debug!(?ended, "the line is gone");
                    *line = None;
                }
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

/// What a stream says, which also lets the gateway hear of us.
async fn listen(line: &mut Option<Line>) -> Result<Heard, Ended> {
    match line {
        Some(line @ Line::Stream(_)) => line.receive(0).await,
        Some(Line::Poll(_)) | None => std::future::pending().await,
    }
}

async fn until(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => std::future::pending().await,
    }
}
