//! Foreign JSON, read field by field. A field of an odd type or value counts as absent: one bad number must not
//! cost everything else that an answer tells.

use serde_json::{Map, Value};

use crate::base::clean;

/// Reads a body. Some servers write `NaN` and `Infinity`, which JSON does not have: they count as `null`.
pub(crate) fn parse(bytes: &[u8]) -> Option<Value> {
    serde_json::from_slice(bytes).ok().or_else(|| serde_json::from_slice(&without_nan(bytes)).ok())
}

/// A text of at most `max` characters, cleaned; absent when empty.
pub(crate) fn text(map: &Map<String, Value>, name: &str, max: usize) -> Option<String> {
    let text = clean::line(map.get(name)?.as_str()?, max);
    (!text.is_empty()).then_some(text)
}

/// A finite number, also when it is written as a text.
pub(crate) fn number(map: &Map<String, Value>, name: &str) -> Option<f64> {
    let number = match map.get(name)? {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    number.filter(|n: &f64| n.is_finite())
}

/// A whole number from 0 up to what a clock or a counter can mean.
pub(crate) fn whole(map: &Map<String, Value>, name: &str) -> Option<u64> {
    const MOST: f64 = 1e15;
    number(map, name).filter(|n| (0.0..=MOST).contains(n)).map(|n| n.round() as u64)
}

/// An amount: a text as it is, a number in its usual form.
pub(crate) fn amount(map: &Map<String, Value>, name: &str) -> Option<String> {
    match map.get(name)? {
        Value::Number(number) => Some(number.to_string()),
        Value::String(_) => text(map, name, 40),
        _ => None,
    }
}

/// A moment: RFC 3339 or unix seconds.
pub(crate) fn moment(value: &Value) -> Option<u64> {
    match value {
        Value::String(text) => {
            let moment: jiff::Timestamp = text.trim().parse().ok()?;
            u64::try_from(moment.as_second()).ok()
        }
        Value::Number(number) => number.as_f64().filter(|n| (0.0..=1e11).contains(n)).map(|n| n as u64),
        _ => None,
    }
}

/// The bytes with bare `NaN`, `Infinity` and `-Infinity` replaced by `null`; texts stay as they are.
fn without_nan(bytes: &[u8]) -> Vec<u8> {
    const WORDS: [&[u8]; 3] = [b"-Infinity", b"Infinity", b"NaN"];
    let mut out = Vec::with_capacity(bytes.len());
    let (mut at, mut quoted) = (0, false);
    while let Some(byte) = bytes.get(at) {
        let rest = bytes.get(at..).unwrap_or_default();
        if !quoted && let Some(word) = WORDS.iter().find(|word| rest.starts_with(word)) {
            out.extend_from_slice(b"null");
            at += word.len();
            continue;
        }
        match byte {
            b'"' => quoted = !quoted,
            b'\\' if quoted => {
                out.push(*byte);
                at += 1;
            }
            _ => {}
        }
        out.extend(bytes.get(at));
        at += 1;
    }
    out
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_not_quite_json_is_read() {
        let body = br#"{"a": NaN, "b": -Infinity, "c": "NaN \" Infinity", "d": [Infinity, 1]}"#;
        let want = json!({"a": null, "b": null, "c": "NaN \" Infinity", "d": [null, 1]});
        assert_eq!(parse(body), Some(want));
        for bad in [&b"<html>"[..], b"", b"{", b"\"\\", b"NaNNaN"] {
            assert_eq!(parse(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn fields() {
        let value =
            json!({"t": " a\u{1b}b ", "n": 3.5, "s": "7", "neg": -1, "nan": "NaN", "list": [], "big": 1e300});
        let map = value.as_object().unwrap();
        assert_eq!(text(map, "t", 9).as_deref(), Some("a b"));
        assert_eq!((number(map, "n"), number(map, "s"), number(map, "nan")), (Some(3.5), Some(7.0), None));
        assert_eq!((whole(map, "neg"), whole(map, "big"), whole(map, "n")), (None, None, Some(4)));
        assert_eq!((text(map, "list", 9), amount(map, "n")), (None, Some("3.5".to_owned())));
        assert_eq!(moment(&json!("2026-12-01T00:00:00Z")), Some(1_796_083_200));
        assert_eq!(moment(&json!("1969-12-01T00:00:00Z")), None);
        assert_eq!((moment(&json!("soon")), moment(&json!(5)), moment(&json!(null))), (None, Some(5), None));
    }
}
