//! Whether people see in the blocks of a message what its `text` says.
//!
//! Slack writes one message twice: as blocks, and as markup for programs. The two name the same
//! things in different words: markup knows what a channel is called, rich text only its id, and
//! both count lists in their own way. So ids are compared, and what counts is left out.

use super::{Words, blocks, mrkdwn, writer::Writer};
use crate::directory::Directory;
use headgate_event::json::Node;

/// Whether the blocks show all that the text says.
pub(super) fn is_seen<'n>(text: &str, blocks: impl Iterator<Item = Node<'n>>) -> bool {
    let directory = Directory::default();
    let mut writer = Writer::of_ids(&directory);
    let own = words(&mrkdwn::rendered(text, &mut writer));
    let mut shown = Words::default();
    for block in blocks {
        shown.add(&words(&blocks::block(block, &mut writer)));
    }
    shown.contains(&own)
}

/// The words without what counts the items of lists.
fn words(text: &str) -> Words {
    let mut uncounted = String::with_capacity(text.len());
    for line in text.lines() {
        let line = line.trim_start_matches([' ', '\t', '>']);
        let item = line.split_once(". ").filter(|(count, _)| is_count(count));
        uncounted.push_str(item.map_or(line, |(_, item)| item));
        uncounted.push('\n');
    }
    Words::of(&uncounted)
}

/// `12`, `c` or `xiv`, of a length that lists have.
fn is_count(text: &str) -> bool {
    let all = |of: fn(&u8) -> bool| text.bytes().all(|byte| of(&byte));
    let is_roman = all(|byte| b"ivxl".contains(byte));
    let is_letter = text.len() == 1 && all(u8::is_ascii_lowercase);
    matches!(text.len(), 1..=5) && (all(u8::is_ascii_digit) || is_letter || is_roman)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_counts_a_list_is_short_and_of_one_kind() {
        for count in ["1", "12", "a", "z", "iv", "xlii"] {
            assert!(is_count(count), "{count}");
        }
        for word in ["", "rm", "no", "1a", "A", "123456", "ive", "ß"] {
            assert!(!is_count(word), "{word}");
        }
    }
}
