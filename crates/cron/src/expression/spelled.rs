//! The fields of an expression one by one, with what each stands for. Not for when it fires, which
//! the fields say together only.

use super::{
    Field,
    describe::{day_of_length, day_of_week},
    item::ItemKind,
    part::Part,
    words::{list, months, numbers, weekdays},
    written::Written,
};

/// One field of an expression: what is written, and what it stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpelledField {
    /// Which.
    pub field: Field,
    /// As it is written, or as the nickname stands for it.
    pub text: String,
    /// Its values in order, Sunday as 0. Days that depend on the month (`L`, `15W`, `FRI#2`) are
    /// not among them.
    pub values: Vec<u16>,
    /// The values in words, days that depend on the month too: `0, 20, 40`, `Monday to Friday`,
    /// `every`.
    pub words: String,
}

/// Each field that is written.
pub(super) fn spelled(written: &Written<'_>, seed: u64) -> Vec<SpelledField> {
    let parts = written.parts().into_iter().filter(|part| part.is_written);
    parts.map(|part| of_part(part, seed)).collect()
}

fn of_part(part: &Part<'_>, seed: u64) -> SpelledField {
    SpelledField {
        field: part.field,
        text: part.piece.text.to_owned(),
        values: part.values(seed).iter().collect(),
        words: words(part, seed),
    }
}

fn words(part: &Part<'_>, seed: u64) -> String {
    let values = part.values(seed);
    if values.is_full() {
        return "every".to_owned();
    }
    let plain = (!values.is_empty()).then(|| match part.field {
        Field::Month => months(&values),
        Field::DayOfWeek => weekdays(&values),
        _ => numbers(&values),
    });
    let special = |kind: ItemKind| day_of_length(kind).or_else(|| day_of_week(kind));
    list(plain.into_iter().chain(part.items.iter().filter_map(|item| special(item.kind))), "and")
}
