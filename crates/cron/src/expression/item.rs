//! One item of a field's list: `*/5`, `MON-FRI`, `15W`. Not for lists.

use super::{
    error::Problem,
    field::{Field, number},
    hashed,
    piece::Piece,
    values::Values,
};

/// An item and where it is written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Item<'a> {
    pub(super) kind: ItemKind,
    pub(super) piece: Piece<'a>,
}

/// What an item says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ItemKind {
    /// `?`.
    Any,
    /// `*`, `*/n`.
    Every { step: Option<u16> },
    /// `a`.
    One(u16),
    /// `a-b`, `a-b/n`, and `a/n`, which is open. Over the weekend `last` is above 6.
    Span { first: u16, last: u16, step: Option<u16>, is_open: bool },
    /// `H`, `H/n`, `H(a-b)`, `H(a-b)/n`.
    Hashed { first: u16, last: u16, step: Option<u16> },
    /// `L`: the last day of the month.
    LastDay,
    /// `LW`: the last day of the month that is Monday to Friday.
    LastWeekday,
    /// `nW`: the day Monday to Friday that is nearest to day n, in the same month.
    NearestWeekday(u16),
    /// `dL`: the last such day of the week of the month.
    LastOf(u16),
    /// `d#k`: the k-th such day of the week of the month.
    Nth { day: u16, nth: u16 },
}

impl<'a> Item<'a> {
    /// Reads the text between two commas.
    pub(super) fn read(piece: Piece<'a>, field: Field) -> Result<Self, Problem> {
        let kind = match piece.text.as_bytes() {
            [b'?', ..] => any(piece, field),
            [b'*', ..] => every(piece, field),
            [b'H' | b'h'] | [b'H' | b'h', b'/' | b'(', ..] => hash(piece, field),
            _ => match special(piece, field) {
                Some(special) => special,
                None => span(piece, field),
            },
        };
        Ok(Self { kind: kind?, piece })
    }

    /// Adds the values that it names in every month alike; there are none of `L`, `W` and `#`.
    pub(super) fn add_to(&self, values: &mut Values, field: Field, seed: u64) {
        let (lowest, highest) = field.values().into_inner();
        match self.kind {
            ItemKind::Any => values.add(lowest, highest, 1),
            ItemKind::Every { step } => values.add(lowest, highest, step.unwrap_or(1)),
            ItemKind::One(value) => values.add(value, value, 1),
            ItemKind::Span { first, last, step, .. } => values.add(first, last, step.unwrap_or(1)),
            ItemKind::Hashed { first, last, step } => {
                let count = last - first + 1;
                let step = step.unwrap_or(count);
                let drawn = hashed::draw(seed, field, step.min(count));
                values.add(first + drawn, last, step);
            }
            ItemKind::LastDay
            | ItemKind::LastWeekday
            | ItemKind::NearestWeekday(_)
            | ItemKind::LastOf(_)
            | ItemKind::Nth { .. } => {}
        }
    }
}

fn any(piece: Piece<'_>, field: Field) -> Result<ItemKind, Problem> {
    if !matches!(field, Field::DayOfMonth | Field::DayOfWeek) {
        return Err(piece.problem(field, "`?` is only for the two day fields", "write `*`"));
    }
    if piece.text != "?" {
        let what = format!("expected `?` alone, found `{}`", piece.shown());
        return Err(piece.problem(field, what, "write `?`, or `*` with a step"));
    }
    Ok(ItemKind::Any)
}

fn every(piece: Piece<'_>, field: Field) -> Result<ItemKind, Problem> {
    match piece.split('/') {
        (Piece { text: "*", .. }, None) => Ok(ItemKind::Every { step: None }),
        (Piece { text: "*", .. }, Some(count)) => {
            Ok(ItemKind::Every { step: Some(step(count, field)?) })
        }
        _ => {
            let what = format!("expected `*` or `*/n`, found `{}`", piece.shown());
            Err(piece.problem(field, what, "put a comma or a space after `*`"))
        }
    }
}

fn step(piece: Piece<'_>, field: Field) -> Result<u16, Problem> {
    if piece.text.is_empty() || !piece.text.bytes().all(|byte| byte.is_ascii_digit()) {
        let what = match piece.text {
            "" => "expected a step after `/`, found nothing".to_owned(),
            _ => format!("expected a step of 1 or more after `/`, found `{}`", piece.shown()),
        };
        return Err(piece.problem(field, what, "write a number such as `/2`"));
    }
    match number(piece.text) {
        Some(0) => {
            let what = format!("expected a step of 1 or more, found `{}`", piece.shown());
            Err(piece.problem(field, what, "write `/1` or no step for every value"))
        }
        // Beyond any range is the same as far beyond it.
        step => Ok(step.unwrap_or(u16::MAX)),
    }
}

/// `H` in its four forms.
fn hash(piece: Piece<'_>, field: Field) -> Result<ItemKind, Problem> {
    if field == Field::Year {
        let what = format!("`{}` cannot be drawn from the years", piece.shown());
        return Err(piece.problem(field, what, "write years in 1970..=2100, or `*`"));
    }
    let (base, count) = piece.split('/');
    let step = count.map(|count| step(count, field)).transpose()?;
    let inner = base.from(1);
    let (first, last) = if inner.text.is_empty() {
        // A day that every month has.
        let last = if field == Field::DayOfMonth { 28 } else { *field.values().end() };
        (*field.values().start(), last)
    } else {
        let range = inner.text.strip_prefix('(').and_then(|rest| rest.strip_suffix(')'));
        let Some((from, Some(to))) = range.map(|text| Piece { text, at: inner.at + 1 }.split('-'))
        else {
            let what = format!("expected `H(a-b)`, found `{}`", base.shown());
            return Err(base.problem(field, what, "write `H` or a range such as `H(1-5)`"));
        };
        (field.value(from)?, field.value(to)?)
    };
    if first > last {
        return Err(backward(base, field, first, last));
    }
    Ok(ItemKind::Hashed { first, last, step })
}

/// `L`, `LW`, `nW`, `dL` and `d#k`, when it is one of them.
fn special(piece: Piece<'_>, field: Field) -> Option<Result<ItemKind, Problem>> {
    let text = piece.text;
    let before_last = piece.until(text.len().saturating_sub(1));
    match (text.as_bytes().last()?.to_ascii_uppercase(), field) {
        _ if text.contains('#') => Some(nth(piece, field)),
        (b'L', Field::DayOfMonth) if text.len() == 1 => Some(Ok(ItemKind::LastDay)),
        (b'W', Field::DayOfMonth) if text.eq_ignore_ascii_case("LW") => {
            Some(Ok(ItemKind::LastWeekday))
        }
        (b'W', Field::DayOfMonth) if text.len() > 1 => {
            Some(field.value(before_last).map(ItemKind::NearestWeekday))
        }
        (_, Field::DayOfMonth) if text.contains(['L', 'l']) => {
            let is_weekday = matches!(text.as_bytes(), [b'0'..=b'7', b'L' | b'l']);
            let hint = if is_weekday {
                "the last of a day of the week belongs to day-of-week, the last of five fields"
            } else {
                "`L` stands alone, as in `15,L`"
            };
            let what = format!("`{}` is not a day of the month (1..=31 or L)", piece.shown());
            Some(Err(piece.problem(field, what, hint)))
        }
        (b'L', Field::DayOfWeek) if text.len() == 1 => Some(Err(piece.problem(
            field,
            format!("`{text}` is not a day (0..=7 or SUN..=SAT)"),
            "write `FRIL` for the last Friday of the month, or `SAT`",
        ))),
        (b'L', Field::DayOfWeek) => {
            Some(field.value(before_last).map(|day| ItemKind::LastOf(day % 7)))
        }
        (b'W', Field::DayOfWeek) if before_last.text.bytes().all(|byte| byte.is_ascii_digit()) => {
            Some(Err(piece.problem(
                field,
                format!("`{}` is not a day (0..=7 or SUN..=SAT)", piece.shown()),
                "`W` belongs to day-of-month, as in `15W`; Monday to Friday is `MON-FRI`",
            )))
        }
        _ => None,
    }
}

fn nth(piece: Piece<'_>, field: Field) -> Result<ItemKind, Problem> {
    let (day, nth) = piece.split('#');
    if field != Field::DayOfWeek {
        let what = format!("`{}` is only for day-of-week", piece.shown());
        return Err(piece.problem(field, what, "put it into the last of five fields"));
    }
    let day = field.value(day)? % 7;
    let nth = nth.unwrap_or(piece.from(piece.text.len()));
    let known = nth.text.bytes().all(|byte| byte.is_ascii_digit()).then(|| number(nth.text));
    match known.flatten() {
        Some(count @ 1..=5) => Ok(ItemKind::Nth { day, nth: count }),
        _ if nth.text.eq_ignore_ascii_case("L") => {
            let what = "expected 1..=5 after `#`, found `L`";
            Err(nth.problem(field, what, "write the last Friday as `FRIL`"))
        }
        _ => {
            let found = match nth.text {
                "" => "nothing".to_owned(),
                _ => format!("`{}`", nth.shown()),
            };
            let what = format!("expected 1..=5 after `#`, found {found}");
            Err(nth.problem(field, what, "write the second Friday as `FRI#2`"))
        }
    }
}

/// `a`, `a-b`, `a-b/n` and `a/n`.
fn span(piece: Piece<'_>, field: Field) -> Result<ItemKind, Problem> {
    if piece.text.contains('~') {
        let what = format!("`{}` is random at every start", piece.shown());
        let hint = "write `H(a-b)`, which is drawn once for each schedule";
        return Err(piece.problem(field, what, hint));
    }
    let (base, count) = piece.split('/');
    let (from, to) = base.split('-');
    let first = field.value(from)?;
    let last = to.map(|to| field.value(to)).transpose()?;
    let step = count.map(|count| step(count, field)).transpose()?;
    let (first, last, is_open) = match (last, step) {
        (None, None) => return Ok(ItemKind::One(first)),
        // Open to the last of the values that stand for themselves: Saturday.
        (None, Some(_)) => match field {
            Field::DayOfWeek => (first % 7, 6, true),
            _ => (first, *field.values().end(), true),
        },
        (Some(last), _) if field == Field::DayOfWeek => (first, weekly_end(first, last), false),
        (Some(last), _) if first > last => return Err(backward(base, field, first, last)),
        (Some(last), _) => (first, last, false),
    };
    Ok(ItemKind::Span { first, last, step, is_open })
}

/// Where a range of days of the week ends: beyond the weekend further on, so that `5-0` ends on
/// day 7.
fn weekly_end(first: u16, last: u16) -> u16 {
    if first > last { last + 7 } else { last }
}

fn backward(piece: Piece<'_>, field: Field, first: u16, last: u16) -> Problem {
    let (lowest, highest) = field.range().into_inner();
    let what = format!("range `{}` runs backward in {lowest}..={highest}", piece.shown());
    let hint = match piece.text.as_bytes() {
        [b'H' | b'h', ..] => format!("write `H({last}-{first})`"),
        _ => format!("write `{first}-{highest},{lowest}-{last}`"),
    };
    piece.problem(field, what, hint)
}
