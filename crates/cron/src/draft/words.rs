//! A firing in words, for whoever reads its prompt.

use super::late_by_ms;
use crate::{DstMark, Firing, Occurrence};
use bytes::Bytes;
use headgate_event::{
    Timestamp,
    data::CronTrigger,
    json::Doc,
    prompt::{Fact, Outline, Rendering, inline, outline},
};

/// Less than this is on time.
const LATE_SHOWN_MS: u64 = 1_000;

pub(super) fn rendering(firing: &Firing) -> Rendering {
    let Outline { facts: payload, foreign } = payload(firing);
    let mut facts = vec![
        fact("When", firing.schedule.timing().describe()),
        fact("Due", due(firing)),
        fact("Clock", turned(&firing.occurrence)),
        fact("Jitter", jitter(firing)),
        fact("Late by", late(firing)),
        fact("Missed before it", missed(firing)),
        fact("Why", why(firing.trigger).to_owned()),
    ];
    facts.extend(payload);
    Rendering { headline: headline(firing), facts, foreign }
}

fn headline(firing: &Firing) -> String {
    let verb = match firing.trigger {
        CronTrigger::Schedule => "fired",
        CronTrigger::Catchup => "fired late",
        CronTrigger::Manual => "was run by hand",
        CronTrigger::Backfill => "was backfilled",
    };
    format!("Schedule {} {verb}", inline(firing.schedule.name()))
}

/// `14:00 on Thursday 2026-11-19, America/New_York (2026-11-19T19:00:00Z)`.
fn due(firing: &Firing) -> String {
    let instant = seconds(firing.occurrence.at);
    let Some(civil) = firing.occurrence.nominal.first() else { return instant };
    let time = civil.time().to_string();
    let time = time.strip_suffix(":00").unwrap_or(&time);
    let zone = firing.schedule.timing().timezone();
    format!("{time} on {}, {zone} ({instant})", civil.format("%A %Y-%m-%d"))
}

fn turned(occurrence: &Occurrence) -> String {
    let text = match occurrence.dst {
        Some(DstMark::Gap) => "that time did not exist: the clock was put forward past it",
        Some(DstMark::FirstPass) => "that time came twice: this is the first",
        Some(DstMark::SecondPass) => "that time came twice: this is the second",
        None => "",
    };
    let more = occurrence.nominal.get(1..).unwrap_or_default();
    match (text, more) {
        (text, []) => text.to_owned(),
        (text, more) => {
            let times: Vec<_> = more.iter().take(3).map(|time| time.time().to_string()).collect();
            let dots = if more.len() > 3 { ", …" } else { "" };
            format!("{text}; it stands for {}{dots} too", times.join(", "))
        }
    }
}

fn jitter(firing: &Firing) -> String {
    match firing.due_at.since(firing.occurrence.at).as_secs() {
        0 => String::new(),
        seconds => format!("{} later, as each time", span(seconds)),
    }
}

fn late(firing: &Firing) -> String {
    let ms = late_by_ms(firing);
    if ms < LATE_SHOWN_MS { String::new() } else { span(ms / 1_000) }
}

/// `2d 3h`, `1h 5m`, `40s`: the two largest units.
fn span(seconds: u64) -> String {
    let units = [(86_400, "d"), (3_600, "h"), (60, "m"), (1, "s")];
    let mut left = seconds;
    let mut parts = Vec::new();
    for (unit, name) in units {
        if left >= unit && parts.len() < 2 {
            parts.push(format!("{}{name}", left / unit));
        }
        left %= unit;
    }
    parts.join(" ")
}

fn missed(firing: &Firing) -> String {
    match firing.missed {
        0 => String::new(),
        1 => "1 run, which will not come".to_owned(),
        many => format!("{many} runs, which will not come"),
    }
}

fn why(trigger: CronTrigger) -> &'static str {
    match trigger {
        CronTrigger::Schedule => "",
        CronTrigger::Catchup => "it was missed when it was due",
        CronTrigger::Manual => "somebody asked for it",
        CronTrigger::Backfill => "somebody asked for the runs of a time that is past",
    }
}

/// The payload as an outline; its labels say that they are the payload's.
fn payload(firing: &Firing) -> Outline {
    let text = firing.schedule.payload().get();
    if matches!(text, "null" | "{}") {
        return Outline::default();
    }
    let Ok(doc) = Doc::parse(Bytes::copy_from_slice(text.as_bytes())) else {
        return Outline::default();
    };
    outline(doc.root()).under("payload")
}

fn seconds(time: Timestamp) -> String {
    Timestamp::from_unix_s(time.unix_s()).to_string().replace(".000Z", "Z")
}

fn fact(label: &str, value: String) -> Fact {
    Fact { label: label.to_owned(), value }
}
