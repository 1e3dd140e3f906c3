//! Takes secrets out of what leaves Headgate as text: prompts and the headers in `data`.
//!
//! It finds what is known to be a secret by its shape. It is a net, not a proof: the exact bytes
//! stay in the event's raw form.

mod pair;
mod scan;
mod shapes;

pub(super) use pair::secret_name;
pub use scan::secrets;

/// What stands for the value of a header that is secret.
pub const REDACTED: &str = "[redacted]";

/// Whether the name of a header, or of a parameter, says that its value is a secret.
#[must_use]
pub fn is_secret_header(name: &str) -> bool {
    let bytes = name.as_bytes();
    let whole = ["cookie", "set-cookie"].iter().any(|secret| name.eq_ignore_ascii_case(secret));
    whole || (0..bytes.len()).any(|at| bytes.get(at..).is_some_and(begins_secret))
}

/// Whether a name that goes on so has a part here that tells a secret. Few parts begin with the
/// same letter, so that hardly any is compared.
fn begins_secret(rest: &[u8]) -> bool {
    let parts: &[&str] = match rest.first().map(u8::to_ascii_lowercase) {
        Some(b's') => &["signature", "secret", "session", "subscription-key"],
        Some(b't') => &["token"],
        Some(b'a') => &["api-key", "apikey", "api_key", "auth-key", "access-key", "authorization"],
        Some(b'p') => &["private-key", "passcode", "password"],
        Some(b'f') => &["functions-key"],
        Some(b'h') => &["hmac"],
        Some(b'c') => &["credential"],
        Some(b'-') => &["-mac"],
        Some(b'j') => &["jwt"],
        _ => &[],
    };
    let begins = |part: &&str| {
        rest.get(..part.len()).is_some_and(|start| start.eq_ignore_ascii_case(part.as_bytes()))
    };
    parts.iter().any(begins)
}
