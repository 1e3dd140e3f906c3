//! The limits of messages: how much of one is read, and how much of it an event shows.

/// Mail: the largest message that a configuration may allow, in bytes.
pub const MAIL_BYTES_MAX: usize = super::BODY_BYTES_MAX;
/// How long the signed URL of an attachment or of a message is good, unless the configuration says
/// otherwise.
pub const LINK_LIFETIME_DEFAULT: std::time::Duration = std::time::Duration::from_secs(15 * 60);
/// The longest that such a URL may be good.
pub const LINK_LIFETIME_MAX: std::time::Duration = std::time::Duration::from_secs(7 * 24 * 3600);
/// Mail: what is kept of the header block of a message, in bytes. Later fields are kept only where
/// an event is made of them.
pub const MAIL_HEAD_BYTES_MAX: usize = 256 << 10;
/// Mail: the most fields that are kept of a header block.
pub const MAIL_HEADERS_MAX: usize = 1_000;
/// Mail: the most fields of one name that are kept beyond the limits above.
pub const MAIL_HEADERS_OF_A_NAME_MAX: usize = 4;
/// Mail: the longest value of a header that is read, in bytes; the rest of it is not looked at.
pub const MAIL_HEADER_BYTES_MAX: usize = 64 << 10;
/// Mail: the longest value of a header as text, of a media type or of a date, in bytes.
pub const MAIL_HEADER_TEXT_BYTES_MAX: usize = 8 << 10;
/// Mail: the most addresses of one list.
pub const MAIL_ADDRESSES_MAX: usize = 1_000;
/// Mail: the longest address, in bytes (RFC 5321, 4.5.3.1 allows 320).
pub const MAIL_ADDRESS_BYTES_MAX: usize = 1_000;
/// Mail: the longest Message-ID, in bytes: a line of RFC 5322.
pub const MAIL_ID_BYTES_MAX: usize = 998;
/// Mail: the most Message-IDs of References.
pub const MAIL_REFERENCES_MAX: usize = 200;
/// Mail: the most parts that are told apart; what follows belongs to the last of them.
pub const MAIL_PARTS_MAX: usize = 10_000;
/// Mail: how deep multiparts nest before one is a file like any other.
pub const MAIL_DEPTH_MAX: usize = 64;
/// Mail: the longest boundary of a multipart, in bytes (RFC 2046, 5.1.1 allows 70).
pub const MAIL_BOUNDARY_BYTES_MAX: usize = 2_048;
/// Mail: the most attachments that an event lists.
pub const MAIL_ATTACHMENTS_MAX: usize = 1_000;
/// Mail: the longest name of an attachment, in bytes: what file systems take.
pub const MAIL_FILENAME_BYTES_MAX: usize = 200;
/// Mail: the longest text of an event, in bytes.
pub const MAIL_TEXT_BYTES_MAX: usize = 256 << 10;
/// Mail: the longest HTML of an event, in bytes.
pub const MAIL_HTML_BYTES_MAX: usize = 1 << 20;
/// Mail: the HTML that is read to make text of it, in bytes.
pub const MAIL_HTML_READ_BYTES_MAX: usize = 2 << 20;
/// Mail: how deep the elements of HTML nest before the rest is left out.
pub const MAIL_HTML_DEPTH_MAX: usize = 10_000;
/// Mail: the text that is searched for what is new in it, in bytes.
pub const MAIL_REPLY_BYTES_MAX: usize = 1 << 20;
/// Mail: the longest line in which "On .. wrote:" is looked for, in bytes.
pub const MAIL_ATTRIBUTION_BYTES_MAX: usize = 400;
/// Mail: the longest address of a link that a text shows, in bytes.
pub const MAIL_LINK_BYTES_MAX: usize = 500;
/// Mail: how many `>` are written before a quoted line.
pub const MAIL_QUOTE_DEPTH_MAX: usize = 8;
/// Mail: the most attachments that a prompt lists.
pub const MAIL_ATTACHMENTS_SHOWN_MAX: usize = 20;
/// Mail: the most hosts of a domain that are looked at when it is checked.
pub const MAIL_EXCHANGES_SHOWN_MAX: usize = 20;
/// Mail: the most addresses of one list that a prompt shows.
pub const MAIL_ADDRESSES_SHOWN_MAX: usize = 10;
/// Mail: the most files that are told of a winmail.dat.
pub const MAIL_TNEF_FILES_MAX: usize = 100;
/// Mail: the calendar that is read of an invitation, in bytes.
pub const MAIL_CALENDAR_BYTES_MAX: usize = 256 << 10;
/// Mail: how long a repeat of a message is known: senders try again for five days.
pub const MAIL_DEDUPE_WINDOW_DEFAULT: std::time::Duration =
    std::time::Duration::from_secs(5 * 24 * 3600);

const _: () = assert!(MAIL_BYTES_MAX < super::FRAME_BYTES_MAX);
const _: () = assert!(MAIL_BYTES_MAX < u32::MAX as usize);
const _: () = assert!(MAIL_HEADER_TEXT_BYTES_MAX <= MAIL_HEADER_BYTES_MAX);
const _: () = assert!(MAIL_HEADER_BYTES_MAX <= MAIL_HEAD_BYTES_MAX);
const _: () = assert!(MAIL_HTML_BYTES_MAX <= MAIL_HTML_READ_BYTES_MAX);
