//! The cursor of a list that is ordered by names instead of a place in the queue.

use super::{CursorError, checksum};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

/// The cursor for the page that begins after what has these names.
pub(crate) fn write(names: [&str; 3]) -> String {
    // No name has control characters in it.
    let mut bytes = names.join("\n").into_bytes();
    let sum = checksum(&bytes);
    bytes.extend(sum);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The names of a cursor.
pub(crate) fn read(text: &str) -> Result<[String; 3], CursorError> {
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| CursorError::Unknown)?;
    let (content, sum) = bytes.split_last_chunk::<4>().ok_or(CursorError::Unknown)?;
    if *sum != checksum(content) {
        return Err(CursorError::Unknown);
    }
    let text = std::str::from_utf8(content).map_err(|_| CursorError::Unknown)?;
    let names: Vec<String> = text.split('\n').map(str::to_owned).collect();
    names.try_into().map_err(|_| CursorError::Unknown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_gives_its_names_back_and_a_changed_one_is_refused() {
        let names = ["timers", "weekly report", "7"];
        let cursor = write(names);
        assert_eq!(read(&cursor), Ok(names.map(str::to_owned)));
        let mut other = cursor.clone();
        other.replace_range(0..1, if other.starts_with('A') { "B" } else { "A" });
        for wrong in [other.as_str(), &cursor[1..], "", "!", "AAAAAA"] {
            assert_eq!(read(wrong), Err(CursorError::Unknown), "{wrong}");
        }
    }
}
