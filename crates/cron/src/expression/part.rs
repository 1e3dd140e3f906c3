//! One field of an expression with what is written in it. Not for days that depend on the month.

use super::{
    error::Problem,
    field::Field,
    item::{Item, ItemKind},
    piece::Piece,
    values::Values,
};

/// A field with its items.
#[derive(Debug)]
pub(super) struct Part<'a> {
    pub(super) field: Field,
    pub(super) piece: Piece<'a>,
    pub(super) items: Vec<Item<'a>>,
    /// Whether it begins with `+`: a day must be right by both day fields.
    pub(super) has_plus: bool,
    /// Whether it has a place in the text; seconds and year may have none.
    pub(super) is_written: bool,
}

impl<'a> Part<'a> {
    /// What an absent field stands for.
    pub(super) fn absent(field: Field) -> Result<Self, Problem> {
        let text = if field == Field::Second { "0" } else { "*" };
        let part = Self::read(Piece { text, at: 0 }, field)?;
        Ok(Self { is_written: false, ..part })
    }

    /// Reads the text of a field.
    pub(super) fn read(piece: Piece<'a>, field: Field) -> Result<Self, Problem> {
        let has_plus = field == Field::DayOfWeek && piece.text.starts_with('+');
        let list = if has_plus { piece.from(1) } else { piece };
        let items: Vec<Item<'a>> =
            list.parts(',').map(|part| Item::read(part, field)).collect::<Result<_, _>>()?;
        let any = items.iter().find(|item| item.kind == ItemKind::Any);
        if let Some(any) = any
            && items.len() > 1
        {
            let what = "`?` stands for the whole field";
            return Err(any.piece.problem(field, what, "remove it or the rest"));
        }
        Ok(Self { field, piece, items, has_plus, is_written: true })
    }

    /// Whether cron takes it for unset: its text begins with `*`, or is `?`.
    pub(super) fn is_star(&self) -> bool {
        self.piece.text.starts_with(['*', '?'])
    }

    /// The values that its items name in every month alike.
    pub(super) fn values(&self, seed: u64) -> Values {
        let mut values = Values::none(self.field);
        for item in &self.items {
            item.add_to(&mut values, self.field, seed);
        }
        values
    }

    /// Whether it names every value, in every month.
    pub(super) fn is_full(&self, seed: u64) -> bool {
        self.values(seed).is_full()
    }
}
