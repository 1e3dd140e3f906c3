//! Expressions as their users meet them: the times they name, the words about them.

#[cfg(test)]
mod descriptions;
#[cfg(test)]
mod errors;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod lints;
#[cfg(test)]
mod times;

#[cfg(test)]
use headgate_cron::{CivilTimes, Expression, ExpressionError, Fields};

/// The key of every expression here.
#[cfg(test)]
const KEY: &[u8] = b"b2f1c1de-0f3c-5e0e-8f0e-1c2d3e4f5a6b";

/// Reads an expression of five to seven fields.
#[cfg(test)]
fn read(text: &str) -> Result<Expression, ExpressionError> {
    Expression::parse(text, Fields::WithSeconds, KEY)
}

/// The first `count` times after the beginning of a day.
#[cfg(test)]
fn times(text: &str, after: &str, count: usize) -> Vec<String> {
    let expression = read(text).expect(text);
    let begin = format!("{after}T00:00:00").parse().expect("a time");
    std::iter::successors(Some(begin), |time| expression.next_after(*time))
        .skip(1)
        .take(count)
        .map(|time| time.format("%Y-%m-%d %a %H:%M:%S").to_string())
        .collect()
}
