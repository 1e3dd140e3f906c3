//! What is new in a text: without the messages it quotes and without its signature.
//!
//! One pass over its lines. A line is looked at with a few that follow it, never with all, so that
//! no text takes longer than its length.

mod words;

use headgate_event::limits::{MAIL_ATTRIBUTION_BYTES_MAX, MAIL_REPLY_BYTES_MAX};

/// How many lines "On .. wrote:" may be broken into.
const ATTRIBUTION_LINES_MAX: usize = 4;
/// In how many lines a header block has its fields.
const HEADER_BLOCK_LINES: usize = 8;

/// What its author wrote; the whole text where nothing would be left, so that a message that only
/// quotes or only signs still says something.
pub(crate) fn stripped(text: &str) -> String {
    let text = text.get(..text.floor_char_boundary(MAIL_REPLY_BYTES_MAX)).unwrap_or_default();
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    let kept = own(&lines);
    let kept = kept.join("\n");
    let kept = kept.trim_matches('\n').trim_end();
    if kept.trim().is_empty() { text.trim().to_owned() } else { kept.to_owned() }
}

/// The lines of its author.
fn own<'a>(lines: &[&'a str]) -> Vec<&'a str> {
    let end = history(lines).unwrap_or(lines.len());
    let before = lines.get(..end).unwrap_or_default();
    let below = below_the_quote(before);
    without_signature(without_quote(below)).to_vec()
}

/// The line from which on everything is what other people wrote.
fn history(lines: &[&str]) -> Option<usize> {
    (0..lines.len()).find(|at| {
        let rest = lines.get(*at..).unwrap_or_default();
        if is_separator(rest) || is_header_block(rest) {
            return true;
        }
        match attribution(rest) {
            // "On .. wrote:" with no quote marks: a program that shows quotes otherwise.
            Some(length) => {
                let after = rest.get(length..).unwrap_or_default();
                let next = after.iter().take(4).find(|line| !line.is_empty());
                next.is_some_and(|line| !is_quoted(line))
            }
            None => false,
        }
    })
}

/// `-----Original Message-----` in the languages of mail programs.
fn is_separator(rest: &[&str]) -> bool {
    let Some(line) = rest.first() else { return false };
    let line = line.trim_start_matches(['>', ' ', '*']).trim_end_matches(['*', ' ']);
    // Outlook draws a line before its header block.
    if line.len() >= 20 && line.bytes().all(|byte| byte == b'_') {
        let next = rest.iter().skip(1).take(3).position(|line| !line.is_empty());
        return next.is_some_and(|next| is_header_block(rest.get(next + 1..).unwrap_or_default()));
    }
    let inside = line.trim_start_matches(['-', '_', '=', '—', '–']);
    let dashes = line.len() - inside.len();
    let inside = inside.trim_end_matches(['-', '_', '=', '—', '–', ':']).trim();
    dashes >= 2 && words::is_original_message(inside)
}

/// Three fields or more of a header in the lines of a message: `From:`, `Sent:`, `To:`, `Subject:`.
fn is_header_block(rest: &[&str]) -> bool {
    let of_line = |line: &&str| words::header_word(line);
    if rest.first().and_then(of_line) != Some(words::HeaderWord::From) {
        return false;
    }
    let mut seen = [false; 4];
    for line in rest.iter().take(HEADER_BLOCK_LINES) {
        if let Some(word) = of_line(line)
            && let Some(seen) = seen.get_mut(word as usize)
        {
            *seen = true;
        }
    }
    seen.iter().filter(|seen| **seen).count() >= 3
}

/// How many lines say "On .. wrote:" at the beginning of `rest`.
fn attribution(rest: &[&str]) -> Option<usize> {
    let first = rest.first()?.trim_start_matches(['>', ' ']);
    if first.is_empty() || first.len() > MAIL_ATTRIBUTION_BYTES_MAX {
        return None;
    }
    let mut joined = String::new();
    for (number, line) in rest.iter().take(ATTRIBUTION_LINES_MAX).enumerate() {
        let line = line.trim_start_matches(['>', ' ']);
        if number > 0 && (line.is_empty() || !words::begins_attribution(first)) {
            return None;
        }
        joined.push(' ');
        joined.push_str(line);
        if joined.len() > MAIL_ATTRIBUTION_BYTES_MAX {
            return None;
        }
        if words::is_attribution(joined.trim()) {
            return Some(number + 1);
        }
    }
    None
}

fn is_quoted(line: &str) -> bool {
    line.trim_start().starts_with('>')
}

/// Without a quote that comes first, when its author answered below it.
fn below_the_quote<'s, 'a>(lines: &'s [&'a str]) -> &'s [&'a str] {
    let Some(start) = lines.iter().position(|line| !line.is_empty()) else { return lines };
    let rest = lines.get(start..).unwrap_or_default();
    let said = attribution(rest).unwrap_or(0);
    let quote = rest.get(said..).unwrap_or_default();
    let quoted = quote.iter().take_while(|line| is_quoted(line) || line.is_empty()).count();
    let has_quote = quote.iter().take(quoted).any(|line| is_quoted(line));
    let below = quote.get(quoted..).unwrap_or_default();
    // Answers between the lines of a quote make no sense without it.
    let is_between = below.iter().any(|line| is_quoted(line));
    let signs = below.first().is_none_or(|line| is_delimiter(line) || words::is_footer(line));
    if has_quote && !is_between && !signs { below } else { lines }
}

/// Without the quote at the end and what introduces it.
fn without_quote<'s, 'a>(lines: &'s [&'a str]) -> &'s [&'a str] {
    let mut end = last_said(lines);
    let quoted = end;
    while lines.get(..end).and_then(<[&str]>::last).is_some_and(|l| is_quoted(l) || l.is_empty()) {
        end -= 1;
    }
    if end == quoted {
        return lines;
    }
    let introduction = (1..=ATTRIBUTION_LINES_MAX).find(|count| {
        let from = end.checked_sub(*count);
        from.and_then(|from| lines.get(from..end)).and_then(attribution) == Some(*count)
    });
    lines.get(..end - introduction.unwrap_or(0)).unwrap_or_default()
}

/// The end of what is said before footers of mailing lists and telephones.
fn last_said(lines: &[&str]) -> usize {
    let mut end = lines.len();
    while let Some(line) = lines.get(..end).and_then(<[&str]>::last) {
        if !line.is_empty() && !words::is_footer(line) {
            break;
        }
        end -= 1;
    }
    // A signature below a quote.
    let near = end.saturating_sub(12);
    let tail = lines.get(near..end).unwrap_or_default();
    match tail.iter().rposition(|line| is_delimiter(line)) {
        Some(at)
            if near + at > 0
                && lines.get(near + at - 1).is_some_and(|l| is_quoted(l) || l.is_empty()) =>
        {
            near + at
        }
        _ => end,
    }
}

/// Without the signature: what follows `-- ` (RFC 3676, 4.3), and telephones' footers.
fn without_signature<'s, 'a>(lines: &'s [&'a str]) -> &'s [&'a str] {
    let first = lines.iter().position(|line| !line.is_empty()).unwrap_or(0);
    let delimiter = lines.iter().skip(first + 1).position(|line| is_delimiter(line));
    let mut end = delimiter.map_or(lines.len(), |at| first + 1 + at);
    while let Some(line) = lines.get(..end).and_then(<[&str]>::last) {
        if end == 0 || (!line.is_empty() && !words::is_footer(line)) {
            break;
        }
        end -= 1;
    }
    lines.get(..end).unwrap_or_default()
}

fn is_delimiter(line: &str) -> bool {
    matches!(line, "--" | "-- " | "—" | "__")
}

#[cfg(test)]
mod tests;
