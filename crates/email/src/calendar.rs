//! What an invitation says (RFC 5545): a few properties of its first appointment, read line by
//! line.

use headgate_event::{
    data::Calendar,
    limits::{MAIL_CALENDAR_BYTES_MAX, PROMPT_LINE_BYTES_MAX},
};

/// The facts of a calendar. What has no appointment or task in it is still a calendar.
pub(crate) fn read(text: &str) -> Calendar {
    let text = text.get(..text.floor_char_boundary(MAIL_CALENDAR_BYTES_MAX)).unwrap_or_default();
    let mut calendar = Calendar::default();
    let mut within: Vec<String> = Vec::new();
    for line in unfolded(text) {
        let Some((name, parameters, value)) = property(&line) else { continue };
        let in_item = within.len() == 2
            && within.last().is_some_and(|item| matches!(item.as_str(), "VEVENT" | "VTODO"));
        match name.as_str() {
            "BEGIN" if within.len() < 8 => within.push(value.to_ascii_uppercase()),
            "BEGIN" => break,
            "END" => {
                within.pop();
                if in_item {
                    break;
                }
            }
            "METHOD" => keep(&mut calendar.method, &value.to_ascii_uppercase()),
            "UID" if in_item => keep(&mut calendar.uid, value),
            "SUMMARY" if in_item => keep(&mut calendar.summary, &unescaped(value)),
            "DTSTART" if in_item => {
                keep(&mut calendar.start, value);
                let zone = parameters.iter().find_map(|one| one.strip_prefix("TZID="));
                keep(&mut calendar.start_zone, zone.unwrap_or_default().trim_matches('"'));
            }
            _ => {}
        }
    }
    calendar
}

/// The first value counts, as much of it as a line shows.
fn keep(place: &mut Option<String>, value: &str) {
    let value = value.trim();
    if place.is_none() && !value.is_empty() {
        let end = value.floor_char_boundary(PROMPT_LINE_BYTES_MAX);
        *place = value.get(..end).map(str::to_owned);
    }
}

/// Lines, with those that begin with a space put back to the one before (RFC 5545, 3.1).
fn unfolded(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for line in text.lines() {
        match line.strip_prefix([' ', '\t']) {
            Some(rest) if !lines.is_empty() => {
                if let Some(last) = lines.last_mut() {
                    last.push_str(rest);
                }
            }
            _ => lines.push(line.to_owned()),
        }
    }
    lines
}

/// The name in upper case, the parameters and the value. A colon in quotes ends no parameter.
fn property(line: &str) -> Option<(String, Vec<&str>, &str)> {
    let mut quoted = false;
    let colon = line.char_indices().find(|(_, char)| {
        quoted ^= *char == '"';
        *char == ':' && !quoted
    });
    let (before, value) = line.split_at(colon?.0);
    let mut pieces = before.split(';');
    let name = pieces.next()?.trim().to_ascii_uppercase();
    Some((name, pieces.collect(), value.get(1..).unwrap_or_default()))
}

fn unescaped(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    let mut chars = value.chars();
    while let Some(char) = chars.next() {
        match (char, char == '\\') {
            (_, true) => match chars.next() {
                Some('n' | 'N') => out.push(' '),
                Some(other) => out.push(other),
                None => {}
            },
            _ => out.push(char),
        }
    }
    out
}
