//! A `[[handshake]]` of a provider file, and what must hold in it.

use super::{
    Handshake, Stage,
    place::PlaceTable,
    reply::{Reply, ReplyTable},
};
use crate::provider::Problems;
use headgate_event::is_name;
use headgate_http::Hosts;
use http::Method;
use serde::Deserialize;
use toml::Spanned;

/// The table as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct HandshakeTable {
    name: String,
    method: String,
    challenge: Option<PlaceTable>,
    #[serde(default)]
    when: Vec<PlaceTable>,
    expect: Option<PlaceTable>,
    #[serde(default)]
    proved: bool,
    #[serde(default)]
    capture: bool,
    visit: Option<Vec<String>>,
    #[serde(default)]
    answer: ReplyTable,
}

pub(super) fn read(table: Spanned<HandshakeTable>, problems: &mut Problems) -> Option<Handshake> {
    let (at, table) = (table.span(), table.into_inner());
    let before = problems.len();
    if !is_name(&table.name, 64) {
        problems.add(at.clone(), format!("expected a name, found `{}`", table.name));
    }
    let method = ["GET", "HEAD", "OPTIONS", "POST"].contains(&table.method.as_str());
    if !method {
        let message = "expected method `GET`, `HEAD`, `OPTIONS` or `POST`";
        problems.add(at.clone(), format!("{message}, found `{}`", table.method));
    }
    if table.challenge.is_none() && (table.capture || table.visit.is_some()) {
        problems.add(at.clone(), "expected a `challenge` to capture or visit");
    }
    if table.method == "POST" && table.challenge.is_none() && table.when.is_empty() {
        problems.add(at.clone(), "expected a `challenge` or `when`: every event would be one");
    }
    // Whoever knows the URL could have us visit what they like.
    if table.visit.is_some() && !table.proved {
        problems.add(at.clone(), "expected `proved = true` beside `visit`");
    }
    let mut place = |table: &PlaceTable| table.read(&at, problems);
    let challenge = table.challenge.as_ref().map(&mut place);
    let expect = table.expect.as_ref().map(|table| Some((place(table)?, table.setting.clone()?)));
    let when: Vec<_> =
        table.when.iter().map(|table| Some((place(table)?, table.is.clone()))).collect();
    let when: Vec<_> = when.into_iter().collect::<Option<_>>()?;
    let visit = table
        .visit
        .map(|hosts| Hosts::read(&hosts).map_err(|message| problems.add(at.clone(), message)).ok());
    let reply = Reply::read(table.answer, &at, problems)?;
    let challenge = flipped(challenge)?;
    let in_body = challenge.iter().chain(when.iter().map(|(place, _)| place));
    let stage = match in_body.into_iter().any(super::place::Place::is_in_body) {
        _ if table.proved => Stage::Proved,
        true => Stage::Body,
        false => Stage::Head,
    };
    let handshake = Handshake {
        name: table.name,
        method: Method::from_bytes(table.method.as_bytes()).ok()?,
        when,
        challenge,
        expect: flipped(expect)?,
        stage,
        captures: table.capture,
        visit: flipped(visit)?,
        reply,
    };
    (problems.len() == before).then_some(handshake)
}

/// Nothing where nothing was given, and no value at all where it is wrong.
fn flipped<T>(given: Option<Option<T>>) -> Option<Option<T>> {
    match given {
        None => Some(None),
        Some(read) => read.map(Some),
    }
}
