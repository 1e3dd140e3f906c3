//! The words and marks of a filter, one after the other, each with its column.

use super::{
    FilterError,
    syntax::{Literal, Number},
};

/// One word or mark.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    /// A name, or a word such as `in`.
    Word(String),
    /// A text in quotes, a number.
    Value(Literal),
    /// A mark such as `==`.
    Mark(&'static str),
    /// Nothing follows.
    End,
}

/// The marks, longer ones before those that they begin with.
const MARKS: [&str; 16] =
    ["&&", "||", "==", "!=", "<=", ">=", "<", ">", "!", "(", ")", "[", "]", ",", ".", "*"];

/// Reads tokens.
pub(super) struct Tokens<'a> {
    text: &'a str,
    at: usize,
}

/// Whether a text can stand as a name between dots.
pub(super) fn is_word(text: &str) -> bool {
    !text.is_empty() && text.len() == word(text)
}

impl<'a> Tokens<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// The next token and its column, from 1 and in characters.
    pub(super) fn next(&mut self) -> Result<(usize, Token), FilterError> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        self.at += rest.len() - rest.trim_start().len();
        let rest = rest.trim_start();
        let column = self.text.get(..self.at).unwrap_or_default().chars().count() + 1;
        let Some(first) = rest.chars().next() else { return Ok((column, Token::End)) };
        if let Some(mark) = MARKS.into_iter().find(|mark| rest.starts_with(mark)) {
            self.at += mark.len();
            return Ok((column, Token::Mark(mark)));
        }
        let (length, token) = match first {
            '=' | '&' | '|' => {
                let expected = format!("`{first}{first}`");
                return Err(FilterError::new(column, &expected, first));
            }
            '"' | '\'' => quoted(rest, column)?,
            '0'..='9' | '-' => number(rest, column)?,
            _ => match word(rest) {
                0 => {
                    let found = first.escape_debug();
                    return Err(FilterError::new(column, "a name, a value or a mark", found));
                }
                length => (length, Token::Word(rest.get(..length).unwrap_or_default().to_owned())),
            },
        };
        self.at += length;
        Ok((column, token))
    }
}

/// How long the name is that a text begins with.
fn word(text: &str) -> usize {
    let begins = text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
    let inside = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    if begins { text.bytes().take_while(inside).count() } else { 0 }
}

/// A text in double quotes, as in JSON, or in single quotes, as it is.
fn quoted(rest: &str, column: usize) -> Result<(usize, Token), FilterError> {
    let quote = rest.as_bytes().first().copied().unwrap_or(b'"');
    let mut escaped = false;
    let end = rest.bytes().enumerate().skip(1).find(|(_, byte)| {
        let ends = *byte == quote && !escaped;
        escaped = quote == b'"' && *byte == b'\\' && !escaped;
        ends
    });
    let Some((end, _)) = end else {
        let shown: String = rest.chars().take(40).collect();
        return Err(FilterError::new(column, "a closing quote", shown));
    };
    let whole = rest.get(..=end).unwrap_or_default();
    let text = if quote == b'\'' {
        rest.get(1..end).unwrap_or_default().to_owned()
    } else {
        let error = || FilterError::new(column, "a text as JSON writes it", whole);
        serde_json::from_str(whole).map_err(|_| error())?
    };
    Ok((end + 1, Token::Value(Literal::Text(text))))
}

fn number(rest: &str, column: usize) -> Result<(usize, Token), FilterError> {
    let inside = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'+' | b'-');
    let text = rest.get(..rest.bytes().take_while(inside).count()).unwrap_or_default();
    let number = whole(text).or_else(|| {
        let number: serde_json::Number = text.parse().ok()?;
        number.as_f64().filter(|number| number.is_finite()).map(Number::Float)
    });
    let error = || FilterError::new(column, "a number as JSON writes it", text);
    Ok((text.len(), Token::Value(Literal::Number(number.ok_or_else(error)?))))
}

/// A whole number as JSON writes it.
fn whole(text: &str) -> Option<Number> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let plain = digits == "0" || !digits.starts_with('0');
    let plain = plain && !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| plain).map(Number::Whole)
}
