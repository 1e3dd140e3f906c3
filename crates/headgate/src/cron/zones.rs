//! `headgate cron zones`: which zone data counts, how old it is, and when the clock of a zone is
//! turned.

use super::{or_now, words};
use crate::{cli::CronZonesArguments, failure::Failure, output};
use headgate_cron::{Turn, Zone, ZoneData, ZoneRules, Zones};
use headgate_event::{
    Timestamp,
    limits::{TURNS_AHEAD, ZONE_DATA_AGE_MAX},
};
use serde_json::{Value, json};

/// Tells of the data, or of one zone.
pub(super) fn run(arguments: &CronZonesArguments, zones: &Zones) -> Result<(), Failure> {
    let at = or_now(arguments.at);
    let data = zones.data();
    let zone = arguments.name.as_deref().map(|name| zones.zone(name).map_err(Failure::usage));
    let zone = zone.transpose()?;
    if arguments.json {
        let mut told = data_json(&data, at);
        if let (Some(zone), Some(told)) = (&zone, told.as_object_mut()) {
            told.insert("zone".to_owned(), zone_json(zone, at));
        }
        return output::line(&told.to_string());
    }
    let lines = data_lines(&data, at).into_iter();
    let zone_lines = zone.iter().flat_map(|zone| zone_lines(zone, at));
    lines.chain(zone_lines).try_for_each(|line| output::line(&line))
}

fn data_lines(data: &ZoneData, at: Timestamp) -> Vec<String> {
    let version = data.version.map_or_else(|| "unknown".to_owned(), |version| version.to_string());
    let age = data.age_days(at).map_or_else(
        || "unknown".to_owned(),
        |days| format!("{days} day{}", if days == 1 { "" } else { "s" }),
    );
    let mut lines = vec![
        format!("version  {version}"),
        format!("source   {}: {}", data.origin, data.choice),
        format!("age      {age}"),
    ];
    lines.extend(warning(data, at).map(|warning| format!("warning  {warning}")));
    lines
}

/// What to say of data that is old.
fn warning(data: &ZoneData, at: Timestamp) -> Option<String> {
    let days = ZONE_DATA_AGE_MAX.as_secs() / 86_400;
    data.is_stale(at).then(|| {
        let age = if data.released_by.is_some() { "is" } else { "may be" };
        format!(
            "the data {age} older than {days} days, and some country changes its clocks every \
             year: update the system's tzdata"
        )
    })
}

fn zone_lines(zone: &Zone, at: Timestamp) -> Vec<String> {
    let mut lines = vec![
        String::new(),
        format!("zone     {}", zone.name),
        format!("offset   {} at {}", zone.rules.offset_at(at), words::instant(at)),
    ];
    let turns = turns(zone, at);
    if turns.is_empty() {
        lines.push("turn     none in the 13 months to come".to_owned());
    }
    lines.extend(turns.into_iter().map(|turn| {
        let (before, after) = (turn.before, turn.after);
        let civil = words::turn(turn);
        format!("turn     {}  {civil}, from {before} to {after}", words::instant(turn.at))
    }));
    lines.extend(zone.warnings.iter().map(|warning| format!("warning  {warning}")));
    lines
}

fn turns(zone: &Zone, at: Timestamp) -> Vec<Turn> {
    zone.rules.turns(at, at.plus(TURNS_AHEAD))
}

fn data_json(data: &ZoneData, at: Timestamp) -> Value {
    json!({
        "version": data.version.map(|version| version.to_string()),
        "source": data.origin.to_string(),
        "why": data.choice.to_string(),
        "released_by": data.released_by.map(words::instant),
        "age_days": data.age_days(at),
        "stale": data.is_stale(at),
    })
}

fn zone_json(zone: &Zone, at: Timestamp) -> Value {
    let turn = |turn: Turn| {
        json!({
            "at": words::instant(turn.at),
            "before": turn.before.to_string(),
            "after": turn.after.to_string(),
            "forward_s": turn.forward_s(),
        })
    };
    json!({
        "name": &*zone.name,
        "offset": zone.rules.offset_at(at).to_string(),
        "turns": turns(zone, at).into_iter().map(turn).collect::<Vec<_>>(),
        "warnings": zone.warnings.iter().map(ToString::to_string).collect::<Vec<_>>(),
    })
}
