//! Reading a filter. It is as deep and as long as its bounds allow, and says where it stops being
//! one, what was expected there and what was found.

use super::{
    syntax::{Comparison, Expression, Field, Literal, Path, Step, Test},
    token::{Token, Tokens},
};
use headgate_event::limits::{
    FILTER_BYTES_MAX, FILTER_DEPTH_MAX, FILTER_STEPS_MAX, FILTER_TESTS_MAX, FILTER_VALUES_MAX,
};
use std::fmt::Display;

/// Why a text is no filter, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected}, found {found} (column {column})")]
pub struct FilterError {
    /// The column, from 1 and in characters.
    pub column: usize,
    expected: String,
    found: String,
}

/// What may follow a path.
const OPERATORS: &str = "`==`, `!=`, `<`, `<=`, `>`, `>=`, `in` or `startsWith`";

struct Reader<'a> {
    tokens: Tokens<'a>,
    column: usize,
    token: Token,
    tests: usize,
}

/// The expression of a text.
pub(super) fn parse(text: &str) -> Result<Expression, FilterError> {
    if text.len() > FILTER_BYTES_MAX {
        let expected = format!("at most {FILTER_BYTES_MAX} bytes");
        return Err(FilterError::plain(1, expected, format!("{} bytes", text.len())));
    }
    let mut tokens = Tokens::of(text);
    let (column, token) = tokens.next()?;
    let mut reader = Reader { tokens, column, token, tests: 0 };
    let expression = reader.any(0)?;
    match reader.token {
        Token::End => Ok(expression),
        _ => Err(reader.expected("`&&`, `||` or the end")),
    }
}

impl Reader<'_> {
    fn any(&mut self, depth: usize) -> Result<Expression, FilterError> {
        let mut parts = vec![self.all(depth)?];
        while self.takes("||")? {
            parts.push(self.all(depth)?);
        }
        Ok(alone(parts, Expression::Any))
    }

    fn all(&mut self, depth: usize) -> Result<Expression, FilterError> {
        let mut parts = vec![self.one(depth)?];
        while self.takes("&&")? {
            parts.push(self.one(depth)?);
        }
        Ok(alone(parts, Expression::All))
    }

    fn one(&mut self, depth: usize) -> Result<Expression, FilterError> {
        if depth > FILTER_DEPTH_MAX {
            return Err(self.expected(&format!("at most {FILTER_DEPTH_MAX} levels")));
        }
        if self.takes("!")? {
            return Ok(Expression::Not(Box::new(self.one(depth + 1)?)));
        }
        if self.takes("(")? {
            let inner = self.any(depth + 1)?;
            self.must("`)`", ")")?;
            return Ok(inner);
        }
        self.tests += 1;
        if self.tests > FILTER_TESTS_MAX {
            return Err(self.expected(&format!("at most {FILTER_TESTS_MAX} comparisons")));
        }
        if matches!(&self.token, Token::Word(word) if word == "exists") {
            self.advance()?;
            self.must("`(` after `exists`", "(")?;
            let path = self.path()?;
            self.must("`)`", ")")?;
            return Ok(Expression::Test(path, Test::Exists));
        }
        let path = self.path()?;
        let test = self.test()?;
        Ok(Expression::Test(path, test))
    }

    fn test(&mut self) -> Result<Test, FilterError> {
        let operator = match &self.token {
            Token::Mark(mark) => (*mark).to_owned(),
            Token::Word(word) => word.clone(),
            _ => return Err(self.expected(OPERATORS)),
        };
        let comparison = match operator.as_str() {
            "<" => Comparison::Less,
            "<=" => Comparison::LessOrEqual,
            ">" => Comparison::More,
            ">=" => Comparison::MoreOrEqual,
            "==" => return self.after(Self::literal).map(Test::Is),
            "!=" => return self.after(Self::literal).map(Test::IsNot),
            "in" => return self.after(Self::list).map(Test::In),
            "startsWith" => return self.after(Self::text).map(Test::StartsWith),
            _ => return Err(self.expected(OPERATORS)),
        };
        self.advance()?;
        match &self.token {
            Token::Value(_) => Ok(Test::Compares(comparison, self.literal()?)),
            _ => Err(self.expected("a number or a text in quotes")),
        }
    }

    fn after<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, FilterError>,
    ) -> Result<T, FilterError> {
        self.advance()?;
        read(self)
    }

    fn list(&mut self) -> Result<Vec<Literal>, FilterError> {
        self.must("`[` after `in`", "[")?;
        let mut values = vec![self.literal()?];
        while self.takes(",")? {
            if values.len() == FILTER_VALUES_MAX {
                return Err(self.expected(&format!("at most {FILTER_VALUES_MAX} values")));
            }
            values.push(self.literal()?);
        }
        self.must("`,` or `]`", "]")?;
        Ok(values)
    }

    fn text(&mut self) -> Result<String, FilterError> {
        let Token::Value(Literal::Text(text)) = &self.token else {
            return Err(self.expected("a text in quotes"));
        };
        let text = text.clone();
        self.advance()?;
        Ok(text)
    }

    fn literal(&mut self) -> Result<Literal, FilterError> {
        let literal = match &self.token {
            Token::Value(value) => value.clone(),
            Token::Word(word) if word == "null" => Literal::Null,
            Token::Word(word) if word == "true" => Literal::Bool(true),
            Token::Word(word) if word == "false" => Literal::Bool(false),
            _ => {
                let expected = "a text in quotes, a number, `true`, `false` or `null`";
                return Err(self.expected(expected));
            }
        };
        self.advance()?;
        Ok(literal)
    }

    fn path(&mut self) -> Result<Path, FilterError> {
        let Token::Word(word) = &self.token else {
            return Err(self.expected("a field of the event, `exists`, `!` or `(`"));
        };
        if let Some(field) = Field::ALL.into_iter().find(|field| field.as_str() == word) {
            self.advance()?;
            return Ok(Path::Field(field));
        }
        if word != "data" {
            let names: Vec<_> = Field::ALL.iter().map(|field| field.as_str()).collect();
            return Err(self.expected(&format!("one of `{}`, `data`", names.join("`, `"))));
        }
        self.advance()?;
        let mut steps = Vec::new();
        while let Some(step) = self.step()? {
            if steps.len() == FILTER_STEPS_MAX {
                return Err(self.expected(&format!("at most {FILTER_STEPS_MAX} steps")));
            }
            steps.push(step);
        }
        if steps.is_empty() {
            return Err(self.expected("`.` and a name after `data`"));
        }
        Ok(Path::Data(steps))
    }

    fn step(&mut self) -> Result<Option<Step>, FilterError> {
        if self.takes(".")? {
            let Token::Word(word) = &self.token else {
                return Err(self.expected("a name, or `[\"..\"]` for any other key"));
            };
            let step = Step::Key(word.clone());
            self.advance()?;
            return Ok(Some(step));
        }
        if !self.takes("[")? {
            return Ok(None);
        }
        let step = match &self.token {
            Token::Value(Literal::Text(key)) => Step::Key(key.clone()),
            Token::Value(Literal::Number(super::syntax::Number::Whole(item))) => {
                match usize::try_from(*item) {
                    Ok(item) => Step::Item(item),
                    Err(_) => return Err(self.expected("the number of an item, from 0")),
                }
            }
            Token::Mark("*") => Step::Each,
            _ => return Err(self.expected("a key in quotes, the number of an item or `*`")),
        };
        self.advance()?;
        self.must("`]`", "]")?;
        Ok(Some(step))
    }

    fn takes(&mut self, mark: &str) -> Result<bool, FilterError> {
        let taken = matches!(&self.token, Token::Mark(found) if *found == mark);
        if taken {
            self.advance()?;
        }
        Ok(taken)
    }

    fn must(&mut self, expected: &str, mark: &str) -> Result<(), FilterError> {
        if self.takes(mark)? { Ok(()) } else { Err(self.expected(expected)) }
    }

    fn advance(&mut self) -> Result<(), FilterError> {
        (self.column, self.token) = self.tokens.next()?;
        Ok(())
    }

    fn expected(&self, expected: &str) -> FilterError {
        let found = match &self.token {
            Token::End => "the end".to_owned(),
            Token::Mark(mark) => format!("`{mark}`"),
            Token::Word(word) => format!("`{}`", shown(word)),
            Token::Value(value) => format!("`{}`", shown(value)),
        };
        FilterError::plain(self.column, expected.to_owned(), found)
    }
}

/// One part alone is itself.
fn alone(mut parts: Vec<Expression>, joined: fn(Vec<Expression>) -> Expression) -> Expression {
    match parts.pop() {
        Some(only) if parts.is_empty() => only,
        last => {
            parts.extend(last);
            joined(parts)
        }
    }
}

fn shown(what: impl Display) -> String {
    what.to_string().chars().take(40).collect()
}

impl FilterError {
    pub(super) fn new(column: usize, expected: &str, found: impl Display) -> Self {
        Self::plain(column, expected.to_owned(), format!("`{}`", shown(found)))
    }

    fn plain(column: usize, expected: String, found: String) -> Self {
        Self { column, expected, found }
    }
}
