//! Reading a template that needs no engine. What is not known here is none.

use super::{Expression, Operand, Piece, Place, Step};
use std::iter::Peekable;

/// What marks what is more than text, in the order in which it would be looked for.
const MARKS: [&str; 3] = ["{{", "{%", "{#"];

/// The pieces of a template.
pub(super) fn pieces(source: &str) -> Option<Vec<Piece>> {
    // The engine takes a line feed away from the end.
    if source.ends_with(['\n', '\r']) {
        return None;
    }
    let mut tokens = tokens(source)?.into_iter().peekable();
    let pieces = sequence(&mut tokens)?;
    tokens.next().is_none().then_some(pieces)
}

enum Token<'s> {
    Text(&'s str),
    Show(&'s str),
    Tag(&'s str),
}

fn tokens(source: &str) -> Option<Vec<Token<'_>>> {
    let mut tokens = Vec::new();
    let mut rest = source;
    while let Some(at) = MARKS.iter().filter_map(|mark| rest.find(mark)).min() {
        let (text, from) = rest.split_at(at);
        if !text.is_empty() {
            tokens.push(Token::Text(text));
        }
        let (inner, after, show) = match from.strip_prefix("{{") {
            Some(inner) => inner.split_once("}}").map(|(inner, after)| (inner, after, true))?,
            None => {
                let (inner, after) = from.strip_prefix("{%")?.split_once("%}")?;
                (inner, after, false)
            }
        };
        // With a sign instead of the space, the space around would go.
        let inner = inner.strip_prefix(' ')?.strip_suffix(' ')?;
        tokens.push(if show { Token::Show(inner) } else { Token::Tag(inner) });
        rest = after;
    }
    if !rest.is_empty() {
        tokens.push(Token::Text(rest));
    }
    Some(tokens)
}

/// The pieces up to a tag that ends them, or to the end.
fn sequence<'s>(tokens: &mut Peekable<impl Iterator<Item = Token<'s>>>) -> Option<Vec<Piece>> {
    let mut pieces = Vec::new();
    loop {
        if matches!(tokens.peek(), None | Some(Token::Tag("else" | "endif"))) {
            return Some(pieces);
        }
        pieces.push(match tokens.next()? {
            Token::Text(text) => Piece::Text(text.to_owned()),
            Token::Show(text) => Piece::Show(expression(text)?),
            Token::Tag(tag) => match tag.strip_prefix("for ") {
                Some(all) => repetition(all, tokens)?,
                None => condition(tag.strip_prefix("if ")?, tokens)?,
            },
        });
    }
}

/// What an `if` opens, with its end.
fn condition<'s>(
    asked: &str,
    tokens: &mut Peekable<impl Iterator<Item = Token<'s>>>,
) -> Option<Piece> {
    let (wanted, asked) = match asked.strip_prefix("not ") {
        Some(asked) => (false, asked),
        None => (true, asked),
    };
    let place = place(asked)?;
    let first = sequence(tokens)?;
    let second = match tokens.next()? {
        Token::Tag("else") => {
            let second = sequence(tokens)?;
            matches!(tokens.next()?, Token::Tag("endif")).then_some(second)?
        }
        Token::Tag("endif") => Vec::new(),
        _ => return None,
    };
    let (then, otherwise) = if wanted { (first, second) } else { (second, first) };
    Some(Piece::If { place, then, otherwise })
}

/// A `for` with its end. What is in it is the engine's.
fn repetition<'s>(all: &str, tokens: &mut impl Iterator<Item = Token<'s>>) -> Option<Piece> {
    let (item, all) = all.split_once(" in ")?;
    key(item)?;
    let all = match all.strip_suffix(']') {
        Some(sliced) => {
            let (all, count) = sliced.split_once("[:")?;
            number(count)?;
            all
        }
        None => all,
    };
    let place = place(all)?;
    let mut open = 1;
    while open > 0 {
        match tokens.next()? {
            Token::Tag("endfor") => open -= 1,
            // Said where there is nothing to go through.
            Token::Tag("else") if open == 1 => return None,
            Token::Tag(tag) if tag.starts_with("for ") => open += 1,
            Token::Tag("else" | "endif") | Token::Text(_) | Token::Show(_) => {}
            Token::Tag(tag) if tag.starts_with("if ") || tag.starts_with("elif ") => {}
            Token::Tag(_) => return None,
        }
    }
    Some(Piece::For { place })
}

fn expression(text: &str) -> Option<Expression> {
    if let Some((shown, asked)) = text.split_once(" | length if ") {
        let asked = asked.strip_suffix(" else ''")?;
        let same = (shown == asked).then_some(shown)?;
        let operands = vec![Operand::Place(place(same)?)];
        return Some(Expression { operands, steps: vec![Step::LengthIfAny] });
    }
    if let Some(inner) = text.strip_prefix('(') {
        let (inner, slice) = inner.split_once(')')?;
        let count = slice.strip_prefix("[:")?.strip_suffix(']')?;
        let steps = vec![Step::First(number(count)?)];
        return Some(Expression { operands: operands(inner)?, steps });
    }
    let (shown, filters) = text.split_once(" | ").map_or((text, None), |(s, f)| (s, Some(f)));
    let operands = operands(shown)?;
    let Some(filters) = filters else { return Some(Expression { operands, steps: Vec::new() }) };
    // A filter belongs to the last operand alone.
    let steps = filters.split(" | ").map(replace).collect::<Option<_>>()?;
    (operands.len() == 1).then_some(Expression { operands, steps })
}

fn replace(filter: &str) -> Option<Step> {
    let (from, to) = filter.strip_prefix("replace(")?.strip_suffix(')')?.split_once(", ")?;
    Some(Step::Replace { from: literal(from)?, to: literal(to)? })
}

fn operands(text: &str) -> Option<Vec<Operand>> {
    let operand = |text: &str| match literal(text) {
        Some(text) => Some(Operand::Literal(text)),
        None => place(text).map(Operand::Place),
    };
    text.split(" or ").map(operand).collect()
}

fn number(digits: &str) -> Option<usize> {
    let known = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    known.then(|| digits.parse().ok()).flatten()
}

fn literal(text: &str) -> Option<String> {
    let inner = text.strip_prefix('\'')?.strip_suffix('\'')?;
    (!inner.contains(['\'', '\\'])).then(|| inner.to_owned())
}

fn place(text: &str) -> Option<Place> {
    let mut names = text.split('.');
    let place = match names.next()? {
        "event" => Place::Event,
        "name" => Place::Name,
        "action" => Place::Action,
        "body" => return names.map(key).collect::<Option<_>>().map(Place::Body),
        _ => return None,
    };
    names.next().is_none().then_some(place)
}

fn key(name: &str) -> Option<String> {
    let letter = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_';
    let known = name.bytes().all(|byte| letter(byte) || byte.is_ascii_digit());
    (known && name.bytes().next().is_some_and(letter)).then(|| name.to_owned())
}
