//! One command line, read (RFC 5321 and its extensions 1870, 3030, 3207, 6152, 6531).
//!
//! Not for finding where a line ends, and not for whether the command is legal at this point.

use super::{address::Address, reply::Reply};
use headgate_event::limits::SMTP_DOMAIN_BYTES_MAX;

/// What a client asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Command {
    Ehlo(String),
    Helo(String),
    Mail(MailFrom),
    Rcpt(Address),
    Data,
    Bdat(Chunk),
    Rset,
    Noop,
    Vrfy,
    Quit,
    StartTls,
}

/// The sender of a message and what is announced of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct MailFrom {
    /// None for `<>`.
    pub(super) from: Option<Address>,
    /// `SIZE`; the most there is for what no number holds.
    pub(super) size: Option<u64>,
    /// Whether `SMTPUTF8` was said.
    pub(super) utf8: bool,
}

/// One part of a message (RFC 3030).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Chunk {
    pub(super) bytes: u64,
    pub(super) is_last: bool,
}

const SYNTAX: &str = "5.5.4";

/// Reads a line without its end.
pub(super) fn parse(line: &[u8]) -> Result<Command, Reply> {
    if line.iter().any(|byte| byte.is_ascii_control() && *byte != b'\t') {
        return Err(Reply::syntax("5.5.2", "the line holds a control character"));
    }
    let Ok(line) = std::str::from_utf8(line) else {
        return Err(Reply::syntax("5.5.2", "the line is not UTF-8"));
    };
    let line = line.trim_end_matches([' ', '\t']);
    let (verb, rest) = line.split_once([' ', '\t']).unwrap_or((line, ""));
    let rest = rest.trim_start_matches([' ', '\t']);
    match verb.to_ascii_uppercase().as_str() {
        "EHLO" => greeting(rest).map(Command::Ehlo),
        "HELO" => greeting(rest).map(Command::Helo),
        "MAIL" => mail(rest).map(Command::Mail),
        "RCPT" => recipient(rest).map(Command::Rcpt),
        "BDAT" => chunk(rest).map(Command::Bdat),
        "DATA" => alone(rest, Command::Data),
        "RSET" => alone(rest, Command::Rset),
        "QUIT" => alone(rest, Command::Quit),
        "STARTTLS" => alone(rest, Command::StartTls),
        "NOOP" => Ok(Command::Noop),
        "VRFY" => Ok(Command::Vrfy),
        _ => Err(Reply::UNKNOWN_COMMAND),
    }
}

fn alone(rest: &str, command: Command) -> Result<Command, Reply> {
    let error = Reply::syntax(SYNTAX, "the command takes no argument");
    rest.is_empty().then_some(command).ok_or(error)
}

fn greeting(rest: &str) -> Result<String, Reply> {
    let fits = rest.len() <= SMTP_DOMAIN_BYTES_MAX && !rest.contains([' ', '\t']);
    let error = Reply::syntax(SYNTAX, "expected the name of a host");
    (fits && !rest.is_empty()).then(|| rest.to_owned()).ok_or(error)
}

fn mail(rest: &str) -> Result<MailFrom, Reply> {
    let expected = Reply::syntax(SYNTAX, "expected `FROM:<address>`");
    let (path, parameters) = path(rest, "FROM:").ok_or(expected)?;
    let mut mail = MailFrom::default();
    if !path.is_empty() {
        let address = Address::parse(path);
        mail.from = Some(address.map_err(|_| Reply::syntax("5.1.7", "not a sender's address"))?);
    }
    for parameter in parameters.split_ascii_whitespace() {
        let (name, value) = match parameter.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (parameter, None),
        };
        match (name.to_ascii_uppercase().as_str(), value) {
            ("SIZE", Some(value)) => mail.size = Some(size(value)?),
            ("SMTPUTF8", None) => mail.utf8 = true,
            ("BODY", Some(value)) if is_text(value) => {}
            ("BODY", _) => return Err(Reply::BODY_NOT_TAKEN),
            _ => return Err(Reply::BAD_PARAMETER),
        }
    }
    Ok(mail)
}

fn recipient(rest: &str) -> Result<Address, Reply> {
    let expected = Reply::syntax(SYNTAX, "expected `TO:<address>`");
    let (path, parameters) = path(rest, "TO:").ok_or(expected)?;
    if !parameters.is_empty() {
        return Err(Reply::BAD_PARAMETER);
    }
    Address::parse(path).map_err(|_| Reply::syntax("5.1.3", "not a recipient's address"))
}

/// The path behind a keyword, without its brackets, and what follows it. Brackets inside of a
/// quoted local part do not end it.
fn path<'l>(rest: &'l str, keyword: &str) -> Option<(&'l str, &'l str)> {
    let (found, rest) = rest.split_at_checked(keyword.len())?;
    if !found.eq_ignore_ascii_case(keyword) {
        return None;
    }
    let rest = rest.trim_start_matches(' ').strip_prefix('<')?;
    let end = path_end(rest)?;
    let (path, rest) = (rest.get(..end)?, rest.get(end + 1..)?);
    let parted = rest.is_empty() || rest.starts_with([' ', '\t']);
    parted.then(|| (path, rest.trim_start_matches([' ', '\t'])))
}

fn path_end(text: &str) -> Option<usize> {
    let (mut quoted, mut escaped) = (false, false);
    for (at, character) in text.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '>' if !quoted => return Some(at),
            _ => {}
        }
    }
    None
}

fn size(value: &str) -> Result<u64, Reply> {
    number(value).ok_or(Reply::syntax(SYNTAX, "expected a number for `SIZE`"))
}

/// Digits alone. A number too large for us is still one: the largest.
fn number(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(u64::MAX))
}

fn is_text(value: &str) -> bool {
    value.eq_ignore_ascii_case("7BIT") || value.eq_ignore_ascii_case("8BITMIME")
}

fn chunk(rest: &str) -> Result<Chunk, Reply> {
    let (bytes, last) = rest.split_once([' ', '\t']).unwrap_or((rest, ""));
    let is_last = last.trim_start().eq_ignore_ascii_case("LAST");
    match number(bytes) {
        Some(bytes) if is_last || last.is_empty() => Ok(Chunk { bytes, is_last }),
        _ => Err(Reply::syntax(SYNTAX, "expected `BDAT size` or `BDAT size LAST`")),
    }
}
