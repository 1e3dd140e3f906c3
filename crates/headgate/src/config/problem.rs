//! What is wrong with a configuration: all of it, each with its place.

use std::{cell::RefCell, fmt, ops::Range};

/// One thing that is wrong, where, and what was expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    offset: usize,
    /// The line, from 1; 0 when the whole file is meant.
    pub line: usize,
    /// The column in characters, from 1, for what is no TOML at all.
    pub column: Option<usize>,
    /// The key, as a path from the top; empty when no key is meant.
    pub key: String,
    /// What was expected and what was found.
    pub text: String,
}

/// Everything that is wrong with one configuration, in the order of its lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems {
    /// The file as it was named.
    pub file: String,
    /// What is wrong; never empty.
    pub problems: Vec<Problem>,
}

/// Where problems are noted while a text is read.
#[derive(Debug)]
pub(crate) struct Notes<'a> {
    file: &'a str,
    text: &'a str,
    found: RefCell<Vec<Problem>>,
}

impl Problems {
    /// One problem with the file as a whole.
    #[must_use]
    pub fn whole(file: &str, text: String) -> Self {
        let problem = Problem { offset: 0, line: 0, column: None, key: String::new(), text };
        Self { file: file.to_owned(), problems: vec![problem] }
    }

    /// Each problem as one line of text, with its file.
    pub fn lines(&self) -> impl Iterator<Item = String> + '_ {
        self.problems.iter().map(|problem| problem.in_file(&self.file))
    }
}

impl Problem {
    fn in_file(&self, file: &str) -> String {
        let mut line = file.to_owned();
        if self.line > 0 {
            line.push_str(&format!(":{}", self.line));
        }
        if let Some(column) = self.column {
            line.push_str(&format!(":{column}"));
        }
        if !self.key.is_empty() {
            line.push_str(&format!(": {}", self.key));
        }
        format!("{line}: {}", self.text)
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (nth, line) in self.lines().enumerate() {
            if nth > 0 {
                f.write_str("\n")?;
            }
            f.write_str(&line)?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

impl<'a> Notes<'a> {
    pub(crate) fn new(file: &'a str, text: &'a str) -> Self {
        Self { file, text, found: RefCell::default() }
    }

    /// The name and the text that are read.
    pub(crate) fn source(&self) -> (&'a str, &'a str) {
        (self.file, self.text)
    }

    /// Notes what is wrong with a key.
    pub(crate) fn key(&self, at: Range<usize>, key: &str, text: String) {
        let (line, _) = self.place(at.start);
        let key = key.to_owned();
        self.found.borrow_mut().push(Problem { offset: at.start, line, column: None, key, text });
    }

    /// Notes what is no TOML.
    pub(crate) fn syntax(&self, at: usize, text: &str) {
        let (line, column) = self.place(at);
        let (column, key, text) = (Some(column), String::new(), text.to_owned());
        self.found.borrow_mut().push(Problem { offset: at, line, column, key, text });
    }

    /// The line of a place, from 1.
    pub(crate) fn line(&self, at: usize) -> usize {
        self.place(at).0
    }

    /// All that was noted, in the order of the text; none when nothing is wrong.
    pub(crate) fn into_problems(self) -> Option<Problems> {
        let mut problems = self.found.into_inner();
        problems.sort_by(|a, b| (a.offset, &a.key, &a.text).cmp(&(b.offset, &b.key, &b.text)));
        problems.dedup();
        (!problems.is_empty()).then(|| Problems { file: self.file.to_owned(), problems })
    }

    fn place(&self, at: usize) -> (usize, usize) {
        let mut end = at.min(self.text.len());
        while !self.text.is_char_boundary(end) {
            end -= 1;
        }
        let before = self.text.get(..end).unwrap_or_default();
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let column = before.get(line_start..).unwrap_or_default().chars().count() + 1;
        (before.matches('\n').count() + 1, column)
    }
}
