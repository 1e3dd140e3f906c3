//! The cursor of a list that is ordered by two names instead of a place in the queue.

use super::{CursorError, checksum};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

/// The cursor for the page that begins after this channel and name.
pub(crate) fn write(channel: &str, name: &str) -> String {
    // No name has control characters in it.
    let mut bytes = format!("{channel}\n{name}").into_bytes();
    let sum = checksum(&bytes);
    bytes.extend(sum);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The channel and the name of a cursor.
pub(crate) fn read(text: &str) -> Result<(String, String), CursorError> {
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| CursorError::Unknown)?;
    let (content, sum) = bytes.split_last_chunk::<4>().ok_or(CursorError::Unknown)?;
    if *sum != checksum(content) {
        return Err(CursorError::Unknown);
    }
    let text = std::str::from_utf8(content).map_err(|_| CursorError::Unknown)?;
    let (channel, name) = text.split_once('\n').ok_or(CursorError::Unknown)?;
    Ok((channel.to_owned(), name.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_gives_its_names_back_and_a_changed_one_is_refused() {
        let cursor = write("timers", "weekly report");
        assert_eq!(read(&cursor), Ok(("timers".to_owned(), "weekly report".to_owned())));
        let mut other = cursor.clone();
        other.replace_range(0..1, if other.starts_with('A') { "B" } else { "A" });
        for wrong in [other.as_str(), &cursor[1..], "", "!", "AAAAAA"] {
            assert_eq!(read(wrong), Err(CursorError::Unknown), "{wrong}");
        }
    }
}
