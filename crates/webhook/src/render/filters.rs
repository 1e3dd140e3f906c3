//! What templates can do to a value that their language cannot: money and times.
//!
//! A value that is no money or no time gives nothing, so that its fact is left out.

use base64::{Engine, engine::general_purpose::STANDARD};
use headgate_event::Timestamp;
use minijinja::Value;

/// Currencies without a minor unit, as payment providers count them.
const WHOLE: [&str; 16] = [
    "BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "UGX", "VND", "VUV",
    "XAF", "XOF", "XPF",
];
/// Currencies whose minor unit is a thousandth.
const THOUSANDTHS: [&str; 5] = ["BHD", "JOD", "KWD", "OMR", "TND"];

/// An amount in the smallest unit of its currency, as people write it: `49.00 EUR`.
pub(super) fn money(amount: &Value, currency: &Value) -> Value {
    shown_money(&amount.to_string(), &currency.to_string())
        .map_or(Value::UNDEFINED, Value::from_safe_string)
}

fn shown_money(amount: &str, currency: &str) -> Option<String> {
    let amount: i64 = amount.parse().ok()?;
    let currency = currency.to_ascii_uppercase();
    if currency.len() != 3 || !currency.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return None;
    }
    let digits = match currency.as_str() {
        whole if WHOLE.contains(&whole) => 0,
        fine if THOUSANDTHS.contains(&fine) => 3,
        _ => 2,
    };
    let sign = if amount < 0 { "-" } else { "" };
    let (unit, amount) = (10_u64.pow(digits), amount.unsigned_abs());
    let (units, rest) = (amount / unit, amount % unit);
    Some(match digits {
        0 => format!("{sign}{units} {currency}"),
        digits => format!("{sign}{units}.{rest:0width$} {currency}", width = digits as usize),
    })
}

/// Seconds since 1970, with or without parts of one, as a time: `2026-04-19T09:15:22Z`.
pub(super) fn time(seconds: &Value) -> Value {
    let text = seconds.to_string();
    let whole = text.split_once('.').map_or(text.as_str(), |(whole, _)| whole);
    let Ok(seconds) = whole.parse::<i64>() else { return Value::UNDEFINED };
    // Beyond the year 9999 it is no time that anyone meant.
    if !(0..=253_402_300_799).contains(&seconds) {
        return Value::UNDEFINED;
    }
    let time = Timestamp::from_unix_s(seconds).to_string();
    Value::from_safe_string(time.replace(".000Z", "Z"))
}

/// Milliseconds since 1970 as a time.
pub(super) fn time_ms(milliseconds: &Value) -> Value {
    let read = milliseconds.to_string().parse::<i64>();
    read.map_or(Value::UNDEFINED, |number| time(&Value::from(number.div_euclid(1000))))
}

/// The text that base64 holds; nothing when it is no such thing.
pub(super) fn base64_text(encoded: &Value) -> Value {
    let bytes = encoded.as_str().and_then(|text| STANDARD.decode(text).ok());
    let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    text.map_or(Value::UNDEFINED, Value::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_has_the_decimals_of_its_currency() {
        for (amount, currency, shown) in [
            ("4900", "eur", "49.00 EUR"),
            ("5", "usd", "0.05 USD"),
            ("-1205", "usd", "-12.05 USD"),
            ("500", "jpy", "500 JPY"),
            ("1234", "kwd", "1.234 KWD"),
            ("-9223372036854775808", "usd", "-92233720368547758.08 USD"),
        ] {
            assert_eq!(shown_money(amount, currency).as_deref(), Some(shown));
        }
    }

    #[test]
    fn what_is_no_money_and_no_time_gives_nothing() {
        for (amount, currency) in [("", "eur"), ("1.5", "eur"), ("1", ""), ("1", "e\nu")] {
            assert_eq!(shown_money(amount, currency), None);
        }
        assert!(time(&Value::from("soon")).is_undefined());
        assert!(time(&Value::from(i64::MAX)).is_undefined());
        assert_eq!(time(&Value::from(1_776_590_122)).to_string(), "2026-04-19T09:15:22Z");
        assert_eq!(time(&Value::from("1776590122.4")).to_string(), "2026-04-19T09:15:22Z");
        assert_eq!(
            time_ms(&Value::from(1_776_590_122_999_i64)).to_string(),
            "2026-04-19T09:15:22Z"
        );
        assert_eq!(base64_text(&Value::from("QWhveQ==")).to_string(), "Ahoy");
        assert!(base64_text(&Value::from("not base64")).is_undefined());
    }
}
