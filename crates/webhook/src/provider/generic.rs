//! The `generic` table of a channel: a provider file without name and samples, of which only what
//! differs from the built-in file `generic` has to be said.

use super::{Problems, Provider};
use crate::providers;
use std::borrow::Cow;
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

/// The tables of a provider file that a channel may give.
const OWN: [&str; 11] = [
    "title",
    "docs",
    "request",
    "answer",
    "verify",
    "identity",
    "split",
    "setting",
    "handshake",
    "prompt",
    "event",
];

/// The built-in file with a channel's tables in the place of its own.
pub(super) fn merged<'a>(
    tables: &Spanned<DeValue<'a>>,
    problems: &mut Problems,
) -> Option<Spanned<DeValue<'a>>> {
    let Some(own) = tables.get_ref().as_table() else {
        problems.add(tables.span(), "expected a table");
        return None;
    };
    let mut merged: DeTable<'a> = built_in();
    for (key, value) in own.iter() {
        let name = key.get_ref();
        if !OWN.contains(&name.as_ref()) {
            let known = OWN.join("`, `");
            let message = format!("expected one of `{known}`, found the unknown key `{name}`");
            problems.add(key.span(), message);
        }
        merged.insert(key.clone(), value.clone());
    }
    Some(Spanned::new(tables.span(), DeValue::Table(merged)))
}

/// The tables of the built-in file, apart from its samples, which are of its own scheme.
#[expect(clippy::expect_used, reason = "a test reads every file that is built in")]
fn built_in<'a>() -> DeTable<'a> {
    let text = providers::text(Provider::GENERIC);
    let mut table = DeTable::parse(text).expect("the file is TOML").into_inner();
    table.remove(&Spanned::new(0..0, Cow::Borrowed("sample")));
    table
}
