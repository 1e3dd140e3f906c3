//! [`MessageParser`] by the crate `mail-parser`.

use super::{Mailbox, Media, MessageParser};
use headgate_event::{
    Timestamp,
    limits::{
        MAIL_ADDRESS_BYTES_MAX, MAIL_ADDRESSES_MAX, MAIL_HEADER_BYTES_MAX,
        MAIL_HEADER_TEXT_BYTES_MAX,
    },
};
use mail_parser::{
    Addr, Address, HeaderValue, decoders::charsets::map::charset_decoder, parsers::MessageStream,
};

/// The crate `mail-parser`, one value at a time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MailParser;

impl MessageParser for MailParser {
    fn text(&self, value: &[u8]) -> String {
        let value = prepared(value, MAIL_HEADER_TEXT_BYTES_MAX);
        match MessageStream::new(&value).parse_unstructured() {
            // An encoded word may hold a NUL that the value does not.
            HeaderValue::Text(text) => text.replace('\0', "").trim().to_owned(),
            _ => String::new(),
        }
    }

    fn addresses(&self, value: &[u8]) -> Vec<Mailbox> {
        let value = prepared(value, usize::MAX);
        let list = match MessageStream::new(&value).parse_address() {
            HeaderValue::Address(Address::List(list)) => list,
            HeaderValue::Address(Address::Group(groups)) => {
                groups.into_iter().flat_map(|group| group.addresses).collect()
            }
            _ => Vec::new(),
        };
        list.into_iter().filter_map(mailbox).take(MAIL_ADDRESSES_MAX).collect()
    }

    fn date(&self, value: &[u8]) -> Option<Timestamp> {
        let value = prepared(value, MAIL_HEADER_TEXT_BYTES_MAX);
        // A date without a zone is taken for UTC (RFC 5322, 4.3 says so of unknown zones).
        let with_zone = [value.strip_suffix(b"\n").unwrap_or_default(), b" +0000\n"].concat();
        [value, with_zone].iter().find_map(|value| match MessageStream::new(value).parse_date() {
            HeaderValue::DateTime(date) if date.is_valid() && date.year < 10_000 => {
                Some(Timestamp::from_unix_s(date.to_timestamp()))
            }
            _ => None,
        })
    }

    fn media(&self, value: &[u8]) -> Option<Media> {
        let value = prepared(value, MAIL_HEADER_TEXT_BYTES_MAX);
        let HeaderValue::ContentType(media) = MessageStream::new(&value).parse_content_type()
        else {
            return None;
        };
        let parameters = media.attributes.unwrap_or_default().into_iter();
        Some(Media {
            kind: media.c_type.trim().to_ascii_lowercase(),
            subkind: media.c_subtype.unwrap_or_default().trim().to_ascii_lowercase(),
            parameters: parameters
                .map(|one| (one.name.to_ascii_lowercase(), one.value.into_owned()))
                .collect(),
        })
    }

    fn decode(&self, bytes: &[u8], charset: &str) -> Option<String> {
        charset_decoder(charset.trim().as_bytes()).map(|decoder| decoder(bytes))
    }
}

/// A value as the parser wants it: within its length, in UTF-8, with a line end after it. Bytes
/// that are no UTF-8 are read as what they most often are, Windows-1252.
fn prepared(value: &[u8], bytes_max: usize) -> Vec<u8> {
    let is_cut = value.len() > bytes_max.min(MAIL_HEADER_BYTES_MAX - 1);
    let value = value.get(..value.len().min(bytes_max)).unwrap_or_default();
    let mut prepared = match std::str::from_utf8(value) {
        Ok(_) => value.to_vec(),
        // A character that the cut went through.
        Err(error) if is_cut && error.error_len().is_none() => {
            value.get(..error.valid_up_to()).unwrap_or_default().to_vec()
        }
        Err(_) => charset_decoder(b"windows-1252")
            .map_or_else(|| value.to_vec(), |decoder| decoder(value).into_bytes()),
    };
    // A NUL says nothing, and ends a value in many a reader.
    prepared.retain(|byte| *byte != 0);
    prepared.push(b'\n');
    prepared
}

fn mailbox(one: Addr<'_>) -> Option<Mailbox> {
    let name = one.name.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty());
    let address = plain_address(&one.address?)?;
    Some(Mailbox { name, address })
}

/// An address without the route before it and the spaces around its dots (RFC 5322, 4.4). None when
/// it is no address: `undisclosed-recipients:;`, a name, or two addresses with a space between.
fn plain_address(text: &str) -> Option<String> {
    let text = text.trim().trim_matches('"');
    let address = match text.strip_prefix('@') {
        Some(route) => route.rsplit_once(':')?.1,
        None => text,
    };
    let glued = |char: &char| ['.', '@'].contains(char);
    let words: Vec<&str> = address.split_whitespace().collect();
    let joins = words.windows(2).all(|pair| match pair {
        [a, b] => {
            a.chars().last().as_ref().is_some_and(glued)
                || b.chars().next().as_ref().is_some_and(glued)
        }
        _ => true,
    });
    let address = words.concat();
    let quoted = address.starts_with('"');
    let fits = (quoted || joins && address.matches('@').count() == 1)
        && address.rsplit_once('@').is_some_and(|(_, domain)| !domain.contains([':', ';', ',']))
        && address.len() <= MAIL_ADDRESS_BYTES_MAX;
    fits.then_some(address)
}
