//! Whether an inline style hides what it is on.

/// Whether a person sees nothing of an element with this `style`. A guess by the properties that
/// senders use; a reader whose colours hide a text is not noticed.
pub(super) fn hides(style: &str) -> bool {
    let mut clipped = false;
    let mut flat = false;
    for declaration in without_comments(style).split(';') {
        let Some((name, value)) = declaration.split_once(':') else { continue };
        let name = name.trim().to_ascii_lowercase();
        let value = value.trim().to_ascii_lowercase();
        let value = value.strip_suffix("!important").unwrap_or(&value).trim();
        let hides = match name.as_str() {
            "display" => value == "none",
            "visibility" => matches!(value, "hidden" | "collapse"),
            "mso-hide" => value == "all",
            "opacity" | "font-size" => is_nothing(value),
            "font" => value.split_whitespace().next().is_some_and(is_nothing),
            "color" => value == "transparent",
            "text-indent" | "left" | "top" | "right" | "margin-left" => is_far_off(value),
            "clip" => value.replace(' ', "").contains("rect(0,0,0,0)"),
            "clip-path" => value.replace(' ', "").contains("inset(50%)"),
            "transform" => value.replace(' ', "").contains("scale(0)"),
            "overflow" => {
                clipped |= value == "hidden";
                false
            }
            "height" | "max-height" | "width" | "max-width" | "line-height" => {
                flat |= is_nothing(value);
                false
            }
            _ => false,
        };
        if hides {
            return true;
        }
    }
    clipped && flat
}

/// A number that is nothing, or so little that nobody reads it: below 2 px.
fn is_nothing(value: &str) -> bool {
    let unit = value.trim_start_matches(|char: char| char.is_ascii_digit() || ".-+".contains(char));
    let digits = value.get(..value.len() - unit.len()).unwrap_or_default();
    let least = match unit.trim() {
        "px" | "pt" => 2.0,
        "%" => 1.5,
        _ => 0.05,
    };
    digits.parse::<f64>().is_ok_and(|number| number < least)
}

/// A length that moves a text off every screen.
fn is_far_off(value: &str) -> bool {
    let unit = value.trim_start_matches(|char: char| char.is_ascii_digit() || ".-+".contains(char));
    let digits = value.get(..value.len() - unit.len()).unwrap_or_default();
    let least = if unit.trim().ends_with("em") { -60.0 } else { -900.0 };
    digits.parse::<f64>().is_ok_and(|number| number <= least)
}

fn without_comments(style: &str) -> String {
    let mut out = String::with_capacity(style.len());
    let mut rest = style;
    while let Some((before, comment)) = rest.split_once("/*") {
        out.push_str(before);
        rest = comment.split_once("*/").map_or("", |(_, after)| after);
    }
    out.push_str(rest);
    out
}
