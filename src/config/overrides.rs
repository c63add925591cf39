//! `-c key=value`. The key is a dotted path whose parts may be quoted; the value is TOML, and text that is not
//! TOML is taken as a string, so that `-c model=some-model` works without quotes inside quotes.

use toml::de::DeValue;

use super::error::Error;
use super::tree::{At, Node, Sources, Value};

/// Deepest key; the same bound as the TOML reader's.
const MAX_PARTS: usize = 80;

/// Splits an argument into key path and text of the value.
///
/// # Errors
/// There is no `=`, or the key is empty or badly quoted.
pub(crate) fn split(argument: &str) -> Result<(Vec<String>, &str), Error> {
    let fail = |problem: &str| Error::Override { argument: shown(argument), problem: problem.to_owned() };
    let mut parts = Vec::new();
    let mut part = String::new();
    let mut quoted = false; // this part had quotes, so it may be empty
    let mut chars = argument.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' | '\'' if part.trim().is_empty() && !quoted => {
                part.clear();
                quoted = true;
                loop {
                    match chars.next() {
                        Some((_, end)) if end == c => break,
                        Some((_, '\\')) if c == '"' => part.extend(chars.next().map(|(_, c)| c)),
                        Some((_, other)) => part.push(other),
                        None => return Err(fail("a quote in the key is not closed")),
                    }
                }
            }
            '.' | '=' => {
                let name = if quoted { std::mem::take(&mut part) } else { part.trim().to_owned() };
                if name.is_empty() && !quoted {
                    return Err(fail("the key has an empty part; write key=value, for example model=\"…\""));
                }
                parts.push(name);
                part.clear();
                quoted = false;
                if parts.len() > MAX_PARTS {
                    return Err(fail("the key has too many parts"));
                }
                if c == '=' {
                    return Ok((parts, argument.get(at + 1..).unwrap_or_default()));
                }
            }
            c if quoted && !c.is_whitespace() => return Err(fail("text follows a quoted part of the key")),
            _ if quoted => {}
            c => part.push(c),
        }
    }
    Err(fail("there is no `=`; write key=value, for example model=\"…\""))
}

/// The value: TOML, or the text itself.
///
/// # Errors
/// It is TOML with a number that is too large.
pub(crate) fn value(sources: &Sources, source: usize, text: &str) -> Result<Node, Error> {
    let text = text.trim();
    match DeValue::parse(text) {
        Ok(parsed) => {
            let node = sources.node(source, &parsed, "")?;
            Ok(Node { at: At::start(source), value: node.value })
        }
        Err(_) => Ok(Node { at: At::start(source), value: Value::Text(text.to_owned()) }),
    }
}

/// The key of an argument, for messages: values may be secret.
pub(crate) fn shown(argument: &str) -> String {
    let key = argument.split('=').next().unwrap_or_default().trim();
    key.chars().take(80).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys() {
        for (argument, parts, rest) in [
            ("model=x", vec!["model"], "x"),
            ("a.b-c.d_1 = 1=2", vec!["a", "b-c", "d_1"], " 1=2"),
            ("projects.\"/a.b=c\".trust_level=t", vec!["projects", "/a.b=c", "trust_level"], "t"),
            (r#"a."q\"q"=1"#, vec!["a", "q\"q"], "1"),
            ("a.'x\\y' .b=", vec!["a", "x\\y", "b"], ""),
            ("a.\"\"=1", vec!["a", ""], "1"),
        ] {
            let (got, value) = split(argument).unwrap();
            assert_eq!(
                (got.iter().map(String::as_str).collect::<Vec<_>>(), value),
                (parts, rest),
                "{argument}"
            );
        }
        for (argument, says) in [
            ("model", "no `=`"),
            ("", "no `=`"),
            ("=x", "empty part"),
            ("a..b=1", "empty part"),
            ("a.\"b=1", "not closed"),
            ("a.\"b\"c=1", "follows a quoted part"),
            (&format!("{}x=1", "a.".repeat(100)), "too many"),
        ] {
            let error = split(argument).unwrap_err().to_string();
            assert!(error.contains(says), "{argument}: {error}");
        }
    }

    #[test]
    fn values_are_toml_or_else_text() {
        let parse = |text| value(&Sources::default(), 0, text).unwrap().value;
        assert!(matches!(parse("foo bar"), Value::Text(text) if text == "foo bar"));
        assert!(matches!(parse(" \"5\" "), Value::Text(text) if text == "5"));
        assert!(matches!(parse("5"), Value::Integer(5)));
        assert!(matches!(parse("0x10"), Value::Integer(16)));
        assert!(matches!(parse("true"), Value::Boolean(true)));
        assert!(matches!(parse("['a', 'b']"), Value::Array(list) if list.len() == 2));
        assert!(matches!(parse("{a = 1, b.c = 2}"), Value::Table(table) if table.len() == 2));
        assert!(matches!(parse(""), Value::Text(text) if text.is_empty()));
        assert!(matches!(parse("1\nmodel = 2"), Value::Text(_)), "one argument sets one key");
    }
}
