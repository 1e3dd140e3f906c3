//! A TOML value as the JSON that says the same.

use super::Value;
use serde_json::{
    Number, Value as Json,
    value::{RawValue, to_raw_value},
};
use toml::de::DeValue;

impl Value<'_> {
    /// The value as JSON: dates and times become text, keys keep no order.
    pub(crate) fn json(&self) -> Option<Box<RawValue>> {
        let json = json(self.node.get_ref());
        let json = json.map_err(|found| {
            self.note(&format!("expected what JSON can say, found `{found}`"));
        });
        to_raw_value(&json.ok()?).ok()
    }
}

fn json(value: &DeValue<'_>) -> Result<Json, String> {
    Ok(match value {
        DeValue::String(text) => Json::String(text.to_string()),
        DeValue::Integer(number) => {
            let parsed = i64::from_str_radix(number.as_str(), number.radix());
            Json::Number(parsed.map_err(|_| number.to_string())?.into())
        }
        DeValue::Float(number) => {
            let parsed = number.as_str().parse().ok().and_then(Number::from_f64);
            Json::Number(parsed.ok_or_else(|| number.to_string())?)
        }
        DeValue::Boolean(truth) => Json::Bool(*truth),
        DeValue::Datetime(moment) => Json::String(moment.to_string()),
        DeValue::Array(array) => {
            let items: Result<_, _> = array.iter().map(|item| json(item.get_ref())).collect();
            Json::Array(items?)
        }
        DeValue::Table(table) => {
            let member = |(key, value): (&toml::Spanned<_>, &toml::Spanned<_>)| {
                let key: &std::borrow::Cow<'_, str> = key.get_ref();
                Ok((key.to_string(), json(value.get_ref())?))
            };
            let members: Result<_, String> = table.iter().map(member).collect();
            Json::Object(members?)
        }
    })
}
