//! What a filter says that an index can answer: fields that have to be one of some texts, whatever
//! else it asks for.

use super::syntax::{Expression, Field, Literal, Path, Test};
use std::collections::{BTreeMap, BTreeSet};

/// The texts that fields have to be one of. A field that is missing may be anything.
pub(crate) type Implied = BTreeMap<Field, BTreeSet<String>>;

impl super::Filter {
    /// What has to hold of the fields of every event that fits.
    pub(crate) fn implied(&self) -> Implied {
        let mut implied = Implied::new();
        add(self.expression(), &mut implied);
        implied
    }
}

fn add(expression: &Expression, implied: &mut Implied) {
    match expression {
        Expression::All(parts) => parts.iter().for_each(|part| add(part, implied)),
        Expression::Test(Path::Field(field), Test::Is(Literal::Text(text))) => {
            narrow(*field, BTreeSet::from([text.clone()]), implied);
        }
        Expression::Test(Path::Field(field), Test::In(values)) => {
            let text = |value: &Literal| match value {
                Literal::Text(text) => Some(text.clone()),
                _ => None,
            };
            // With `null` among them it may be missing, which no index knows.
            if let Some(texts) = values.iter().map(text).collect() {
                narrow(*field, texts, implied);
            }
        }
        // One field that is one of several: `type == "a" || type == "b"`.
        Expression::Any(parts) => {
            let each: Vec<Implied> = parts
                .iter()
                .map(|part| {
                    let mut one = Implied::new();
                    add(part, &mut one);
                    one
                })
                .collect();
            for field in Field::ALL {
                let texts: Option<Vec<&BTreeSet<String>>> =
                    each.iter().map(|one| one.get(&field)).collect();
                if let Some(texts) = texts {
                    narrow(field, texts.into_iter().flatten().cloned().collect(), implied);
                }
            }
        }
        Expression::Test(..) | Expression::Not(_) => {}
    }
}

fn narrow(field: Field, texts: BTreeSet<String>, implied: &mut Implied) {
    let known = implied.entry(field).or_insert_with(|| texts.clone());
    known.retain(|text| texts.contains(text));
}
