//! `headgate cron next`: when an expression is due.

use super::{
    asked::{Asked, local},
    explain::Explanation,
    or_now, words,
};
use crate::{cli::CronNextArguments, failure::Failure, output};
use headgate_cron::{Occurrence, Zones};
use headgate_event::Timestamp;
use serde_json::{Value, json};

/// The next times of one expression.
pub(super) fn run(arguments: &CronNextArguments, zones: &Zones) -> Result<(), Failure> {
    let text = arguments.expression.as_deref().unwrap_or_default();
    let asked = Asked::of(text, &arguments.cron, zones)?;
    let after = or_now(arguments.after);
    let count = usize::try_from(arguments.count).unwrap_or(usize::MAX);
    let times = asked.several(after, count);
    if !arguments.explain {
        asked.warnings().iter().for_each(|warning| eprintln!("headgate: warning: {warning}"));
    }
    let explanation = arguments.explain.then_some(Explanation { asked: &asked, at: after });
    if arguments.cron.json {
        return output::line(&told(&asked, after, &times, explanation.as_ref()).to_string());
    }
    if let Some(explanation) = &explanation {
        explanation.lines().iter().try_for_each(|line| output::line(line))?;
        output::line("")?;
    }
    let mut from = after;
    for time in &times {
        output::line(&row(time, arguments.explain.then_some(from)))?;
        from = time.at;
    }
    if times.len() < count {
        eprintln!("headgate: there is no time after {}", words::instant(from));
    }
    Ok(())
}

/// One time in one line, with how long it is since another when that is asked for.
fn row(time: &Occurrence, since: Option<Timestamp>) -> String {
    let local = local(time).format("%a %Y-%m-%d %H:%M:%S %:z");
    let mut row = format!("{}  {local}", words::instant(time.at));
    if let Some(since) = since {
        let span = words::span(time.at.since(since).as_secs());
        row = format!("{row}  {:<7}", format!("+{span}"));
    }
    if let Some(turned) = words::turned(time) {
        row = format!("{row}  {turned}");
    }
    row.trim_end().to_owned()
}

fn told(
    asked: &Asked,
    after: Timestamp,
    times: &[Occurrence],
    explanation: Option<&Explanation<'_>>,
) -> Value {
    let next: Vec<String> = times.iter().map(|time| words::instant(time.at)).collect();
    let details: Vec<Value> = times.iter().map(details).collect();
    let mut told = json!({
        "expr": asked.expression.text(),
        "tz": &*asked.zone.name,
        "after": words::instant(after),
        "next": next,
        "times": details,
    });
    if let (Some(explanation), Some(told)) = (explanation, told.as_object_mut()) {
        told.insert("explanation".to_owned(), explanation.json());
    }
    told
}

/// A time with what its clock shows.
fn details(time: &Occurrence) -> Value {
    let nominal: Vec<String> =
        time.nominal.iter().map(|civil| civil.format("%Y-%m-%dT%H:%M:%S").to_string()).collect();
    json!({
        "at": words::instant(time.at),
        "local": local(time).to_rfc3339(),
        "nominal": nominal,
        "dst": time.dst.map(words::dst),
    })
}
