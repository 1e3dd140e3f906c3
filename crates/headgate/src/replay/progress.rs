//! A bar on a terminal that says how far something is. Elsewhere nothing is shown.

use std::io::{IsTerminal, Write};

/// How wide the bar is, in characters.
const WIDTH: usize = 30;

/// A line on a terminal that is written again and again.
#[derive(Debug)]
pub(super) struct Progress {
    shown: bool,
}

impl Progress {
    /// A bar on stderr when a person reads it.
    pub(super) fn on_terminal() -> Self {
        Self { shown: std::io::stderr().is_terminal() }
    }

    /// Shows a part from 0 to 1, and words beside it.
    pub(super) fn show(&mut self, part: f64, words: &str) {
        if self.shown {
            // Nobody may look any more, which is no reason to stop.
            let _ = write!(std::io::stderr(), "\r{}\u{1b}[K", line(part, words));
            let _ = std::io::stderr().flush();
        }
    }

    /// Takes the line away.
    pub(super) fn end(&mut self) {
        if self.shown {
            let _ = write!(std::io::stderr(), "\r\u{1b}[K");
        }
    }
}

fn line(part: f64, words: &str) -> String {
    let part = if part.is_finite() { part.clamp(0.0, 1.0) } else { 0.0 };
    let full = (0..WIDTH).filter(|at| (*at as f64) < part * WIDTH as f64).count();
    let bar: String = (0..WIDTH).map(|at| if at < full { '#' } else { '.' }).collect();
    format!("[{bar}] {:>3.0}%  {words}", (part * 100.0).floor())
}

#[cfg(test)]
mod tests {
    use super::line;

    #[test]
    fn a_bar_is_as_full_as_its_part() {
        let lines: Vec<String> =
            [0.0, 0.005, 0.5, 0.999, 1.0, 2.0, f64::NAN].map(|part| line(part, "x")).into();
        insta::assert_snapshot!(lines.join("\n"), @r"
        [..............................]   0%  x
        [#.............................]   0%  x
        [###############...............]  50%  x
        [##############################]  99%  x
        [##############################] 100%  x
        [##############################] 100%  x
        [..............................]   0%  x
        ");
    }
}
