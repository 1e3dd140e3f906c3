//! `format=flowed` (RFC 3676): lines that end in a space go on in the next one.

/// The text with its paragraphs on one line each. `delsp` takes the space away that joins them.
pub(crate) fn unwrapped(text: &str, delsp: DeleteSpace) -> String {
    let mut out = String::with_capacity(text.len());
    // How deep the line before was quoted, when it goes on.
    let mut going_on: Option<usize> = None;
    for (number, line) in text.lines().enumerate() {
        let depth = line.bytes().take_while(|byte| *byte == b'>').count();
        let content = line.get(depth..).unwrap_or_default();
        let content = content.strip_prefix(' ').unwrap_or(content);
        if going_on != Some(depth) {
            if number > 0 {
                out.push('\n');
            }
            out.extend(std::iter::repeat_n('>', depth));
            if depth > 0 {
                out.push(' ');
            }
        }
        let is_signature = content == "-- ";
        let flows = content.ends_with(' ') && !is_signature;
        let shown = match content.strip_suffix(' ') {
            Some(shown) if flows && delsp == DeleteSpace::Yes => shown,
            _ => content,
        };
        out.push_str(shown);
        going_on = flows.then_some(depth);
    }
    if text.ends_with('\n') {
        out.push('\n');
    }
    out
}

/// Whether the space that joins two lines goes away (`DelSp=yes`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DeleteSpace {
    Yes,
    No,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paragraphs_are_put_together_and_quotes_stay() {
        let text = "One \nline.\n> quoted \n> on\n>> deeper\n\n -- stuffed\n-- \nme\n";
        let expected = "One line.\n> quoted on\n>> deeper\n\n-- stuffed\n-- \nme\n";
        assert_eq!(unwrapped(text, DeleteSpace::No), expected);
        assert_eq!(unwrapped("a \nb\n", DeleteSpace::Yes), "ab\n");
    }
}
