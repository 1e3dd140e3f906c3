//! The values of one field, as a set. Not for which field's values belong together.

use super::field::{Field, YEAR_FIRST};

/// Values of a field, each once, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Values {
    field: Field,
    /// A bit for each value; of years, for each year since the first.
    bits: [u64; 3],
}

impl Values {
    /// No values of this field.
    pub(super) fn none(field: Field) -> Self {
        Self { field, bits: [0; 3] }
    }

    /// All values of this field.
    pub(super) fn all(field: Field) -> Self {
        let (first, last) = field.values().into_inner();
        let mut values = Self::none(field);
        values.add(first, last, 1);
        values
    }

    /// Value n for each bit n. Not for years.
    pub(super) fn of_bits(field: Field, bits: u64) -> Self {
        Self { field, bits: [bits, 0, 0] }
    }

    /// Adds every `step`-th from `first` to `last`. Days of the week may go on beyond Saturday.
    pub(super) fn add(&mut self, first: u16, last: u16, step: u16) {
        for value in (first..=last).step_by(usize::from(step.max(1))) {
            let value = if self.field == Field::DayOfWeek { value % 7 } else { value };
            let at = usize::from(value - self.base());
            if let Some(word) = self.bits.get_mut(at / 64) {
                *word |= 1 << (at % 64);
            }
        }
    }

    /// Only those for which this is true.
    pub(super) fn filtered(self, keep: impl Fn(u16) -> bool) -> Self {
        let mut values = Self::none(self.field);
        self.iter().filter(|value| keep(*value)).for_each(|value| values.add(value, value, 1));
        values
    }

    /// In order.
    pub(super) fn iter(&self) -> impl Iterator<Item = u16> + Clone + use<> {
        let (bits, base) = (self.bits, self.base());
        let is_in = move |at: &u16| {
            bits.get(usize::from(at / 64)).is_some_and(|word| word >> (at % 64) & 1 == 1)
        };
        (0..192).filter(is_in).map(move |at| at + base)
    }

    /// Whether every value of the field is in it.
    pub(super) fn is_full(&self) -> bool {
        *self == Self::all(self.field)
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.bits.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.bits == [0; 3]
    }

    /// Bit n is set for value n. Not for years.
    pub(super) fn low_bits(&self) -> u64 {
        self.bits.first().copied().unwrap_or_default()
    }

    /// As plain numbers with commas, each greater by `shift`; `*` when it is full.
    pub(super) fn list(&self, shift: u16) -> String {
        if self.is_full() {
            return "*".to_owned();
        }
        let numbers: Vec<_> = self.iter().map(|value| (value + shift).to_string()).collect();
        numbers.join(",")
    }

    fn base(&self) -> u16 {
        if self.field == Field::Year { YEAR_FIRST } else { 0 }
    }
}
