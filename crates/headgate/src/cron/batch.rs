//! `headgate cron next --batch`: questions as JSON lines, each answered in its order by one line.
//!
//! Nothing that a line says ends it. What it keeps is bounded: a line, and the expressions that
//! were asked for last.

use super::words;
use headgate_cron::{CronText, DstPolicy, Fields, PolicyError, TimingError, Timings, Zones};
use headgate_event::{
    Clock, Timestamp,
    limits::{CRON_NEXT_DEFAULT, CRON_NEXT_MAX, CRON_QUESTION_BYTES_MAX},
};
use serde::Deserialize;
use std::{
    borrow::Cow,
    io::{self, BufRead, BufReader, BufWriter, Read, Write},
    str::FromStr,
    sync::Arc,
};
use uuid::Uuid;

/// How much is read and written at a time, in bytes.
const BUFFER_BYTES: usize = 64 << 10;

/// A line of input.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Question<'a> {
    #[serde(borrow)]
    expr: Cow<'a, str>,
    tz: Option<Cow<'a, str>>,
    after: Option<Timestamp>,
    n: Option<u64>,
    seconds: Option<bool>,
    dst_gap: Option<Cow<'a, str>>,
    dst_fold: Option<Cow<'a, str>>,
    id: Option<Cow<'a, str>>,
}

/// Why a line has no answer.
#[derive(Debug, thiserror::Error)]
enum Unanswered {
    #[error("expected at most {CRON_QUESTION_BYTES_MAX} bytes a line")]
    TooLong,
    #[error("expected a question such as {{\"expr\": \"0 14 * * THU\"}}, found an empty line")]
    Empty,
    #[error("expected a question such as {{\"expr\": \"0 14 * * THU\"}}, found no object")]
    NoObject,
    #[error("the line is no question: {0}")]
    Json(#[from] serde_json::Error),
    #[error("`n`: expected at most {CRON_NEXT_MAX}, found `{0}`")]
    Count(u64),
    #[error("`{0}`: {1}")]
    Policy(&'static str, PolicyError),
    #[error("`id`: expected a UUID, found `{0}`")]
    Id(String),
    #[error(transparent)]
    Timing(#[from] TimingError),
}

/// Answers all lines of an input, until it ends. Answers go out whenever the input pauses.
///
/// # Errors
///
/// The input cannot be read, or the output not written.
pub(super) fn answer_all(
    input: impl Read,
    output: impl Write,
    zones: Arc<Zones>,
    clock: &dyn Clock,
) -> io::Result<()> {
    let mut input = BufReader::with_capacity(BUFFER_BYTES, input);
    let mut output = BufWriter::with_capacity(BUFFER_BYTES, output);
    let mut answers = Answers { timings: Timings::new(zones), clock };
    let mut line = Vec::new();
    loop {
        // Who asks one line at a time waits for its answer before it writes the next.
        if !input.buffer().contains(&b'\n') {
            output.flush()?;
        }
        line.clear();
        let at_most = CRON_QUESTION_BYTES_MAX as u64 + 1;
        if input.by_ref().take(at_most).read_until(b'\n', &mut line)? == 0 {
            return output.flush();
        }
        let is_cut = line.len() > CRON_QUESTION_BYTES_MAX && !line.ends_with(b"\n");
        if is_cut {
            input.skip_until(b'\n')?;
        }
        let answer =
            if is_cut { Err(Unanswered::TooLong) } else { answers.answer(line.trim_ascii()) };
        write(answer, &mut output)?;
    }
}

/// What answers need.
struct Answers<'a> {
    timings: Timings,
    clock: &'a dyn Clock,
}

impl Answers<'_> {
    fn answer(&mut self, line: &[u8]) -> Result<Vec<String>, Unanswered> {
        match line.first() {
            None => return Err(Unanswered::Empty),
            Some(b'{') => {}
            // A list would be taken for the members in their order.
            Some(_) => return Err(Unanswered::NoObject),
        }
        let question: Question<'_> = serde_json::from_slice(line)?;
        let count = question.n.unwrap_or(CRON_NEXT_DEFAULT as u64);
        if count > CRON_NEXT_MAX as u64 {
            return Err(Unanswered::Count(count));
        }
        let with_seconds = question.seconds.unwrap_or_default();
        let text = CronText {
            expression: &question.expr,
            fields: if with_seconds { Fields::WithSeconds } else { Fields::Five },
            timezone: question.tz.as_deref().unwrap_or("UTC"),
            policy: DstPolicy {
                gap: word("dst_gap", question.dst_gap.as_deref())?,
                fold: word("dst_fold", question.dst_fold.as_deref())?,
            },
        };
        let timing = self.timings.cron(text, id(question.id.as_deref())?)?;
        let mut cursor = question.after.unwrap_or_else(|| self.clock.now());
        let mut next = Vec::new();
        while (next.len() as u64) < count {
            let Some(occurrence) = timing.next_after(cursor) else { break };
            cursor = occurrence.at;
            next.push(words::instant(cursor));
        }
        Ok(next)
    }
}

/// The rule that a word names; the default without one.
fn word<R: FromStr<Err = PolicyError> + Default>(
    key: &'static str,
    text: Option<&str>,
) -> Result<R, Unanswered> {
    text.map_or_else(|| Ok(R::default()), str::parse)
        .map_err(|error| Unanswered::Policy(key, error))
}

/// What `H` is drawn from.
fn id(text: Option<&str>) -> Result<Uuid, Unanswered> {
    let Some(text) = text else { return Ok(Uuid::nil()) };
    Uuid::parse_str(text).map_err(|_| Unanswered::Id(text.chars().take(64).collect()))
}

fn write(answer: Result<Vec<String>, Unanswered>, output: &mut impl Write) -> io::Result<()> {
    match answer {
        // Instants have no character that JSON would escape.
        Ok(next) if next.is_empty() => output.write_all(b"{\"next\":[]}\n"),
        Ok(next) => writeln!(output, "{{\"next\":[\"{}\"]}}", next.join("\",\"")),
        Err(error) => {
            let told = serde_json::json!({ "error": error.to_string() });
            writeln!(output, "{told}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;
    use headgate_event::limits::TIMINGS_UNUSED_MAX;

    #[test]
    fn endless_different_expressions_are_answered_and_not_all_kept() {
        let timings = Timings::new(Arc::new(Zones::embedded()));
        let mut answers = Answers { timings, clock: &SystemClock };
        for n in 0..TIMINGS_UNUSED_MAX + 500 {
            let (minute, hour, day) = (n % 60, n / 60 % 24, n / 1_440 + 1);
            let line = format!(
                "{{\"expr\":\"{minute} {hour} {day} 1 *\",\
                 \"after\":\"2026-12-31T23:59:59Z\",\"n\":1}}"
            );
            let next = answers.answer(line.as_bytes()).expect("an answer");
            assert_eq!(next, [format!("2027-01-{day:02}T{hour:02}:{minute:02}:00Z")]);
            assert!(answers.timings.expression_count() <= TIMINGS_UNUSED_MAX + 1);
        }
    }
}
