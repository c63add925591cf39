//! `{{name}}` inside answers, filled from what the client sent, so that a scripted model can talk about what
//! really happened. Unknown names are found when the script is read.

use serde_json::Value;

use super::request::View;

/// Longest output that is quoted, in characters.
const QUOTE: usize = 2000;

/// Names without a rule behind them.
const PLAIN: [&str; 10] =
    ["last_output", "last_line", "exit", "session", "cwd", "user", "model", "port", "round", "turn"];
/// Names that take a rule: `{{exit:tests}}` is the exit code of the last call the rule `tests` made.
const OF_RULE: [&str; 3] = ["output", "line", "exit"];

/// What the templates are filled from.
pub(crate) struct Filling<'a> {
    /// The request.
    pub(crate) view: &'a View,
    /// The backend's own port.
    pub(crate) port: u16,
}

/// Parts of a text: literal and the name of a template, in turns.
fn parts(text: &str) -> impl Iterator<Item = (&str, Option<&str>)> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let now = rest.take()?;
        let found = now.split_once("{{").and_then(|(before, after)| {
            let (name, behind) = after.split_once("}}")?;
            Some((before, name.trim(), behind))
        });
        match found {
            Some((before, name, behind)) => {
                rest = Some(behind);
                Some((before, Some(name)))
            }
            None => Some((now, None)),
        }
    })
}

/// The first template in `text` that does not exist.
pub(crate) fn unknown(text: &str) -> Option<String> {
    parts(text).find_map(|(_, name)| {
        let name = name?;
        let known = match name.split_once(':') {
            Some((what, _)) => OF_RULE.contains(&what),
            None => PLAIN.contains(&name),
        };
        (!known).then(|| name.to_owned())
    })
}

/// The rules that templates in `text` name.
pub(crate) fn rules_named(text: &str) -> Vec<String> {
    parts(text).filter_map(|(_, name)| name?.split_once(':')).map(|(_, rule)| rule.to_owned()).collect()
}

/// Fills all templates of a text.
pub(crate) fn fill(text: &str, from: &Filling<'_>) -> String {
    let mut filled = String::with_capacity(text.len());
    for (literal, name) in parts(text) {
        filled.push_str(literal);
        if let Some(name) = name {
            filled.push_str(&value(name, from));
        }
    }
    filled
}

/// Fills all strings of a JSON value. A string that is one template and gives a number becomes a number, so
/// that `session_id = "{{session}}"` has the right type.
pub(crate) fn fill_json(json: &Value, from: &Filling<'_>) -> Value {
    match json {
        Value::String(text) => {
            let filled = fill(text, from);
            let whole = text.starts_with("{{") && text.find("}}") == text.len().checked_sub(2);
            match filled.parse::<i64>() {
                Ok(number) if whole => Value::from(number),
                _ => Value::String(filled),
            }
        }
        Value::Array(list) => list.iter().map(|value| fill_json(value, from)).collect(),
        Value::Object(map) => map.iter().map(|(key, value)| (key.clone(), fill_json(value, from))).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => json.clone(),
    }
}

fn value(name: &str, from: &Filling<'_>) -> String {
    let view = from.view;
    let (what, call) = match name.split_once(':') {
        Some((what, rule)) => (what, view.last_of(rule)),
        None => (name, view.latest.last()),
    };
    let number = |n: Option<i64>| n.map_or_else(|| "none".to_owned(), |n| n.to_string());
    match what {
        "last_output" | "output" => call.map(|call| clip(&call.text)).unwrap_or_default(),
        "last_line" | "line" => call.map(|call| last_line(&call.text)).unwrap_or_default(),
        "exit" => number(call.and_then(|call| call.exit)),
        "session" => number(call.and_then(|call| call.session)),
        "cwd" => view.cwd.clone().unwrap_or_else(|| ".".to_owned()),
        "user" => view.user.clone(),
        "model" => view.model.clone(),
        "port" => from.port.to_string(),
        "round" => view.round.to_string(),
        "turn" => view.turn.to_string(),
        _ => String::new(),
    }
}

fn clip(text: &str) -> String {
    let text = text.trim_end();
    match text.char_indices().nth(QUOTE).and_then(|(at, _)| text.get(..at)) {
        Some(head) => format!("{head}…"),
        None => text.to_owned(),
    }
}

fn last_line(text: &str) -> String {
    clip(text.lines().rfind(|line| !line.trim().is_empty()).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::super::request::CallResult;
    use super::*;

    #[test]
    fn filling() {
        let call = CallResult {
            call_id: "call_run_1".to_owned(),
            text: "one\ntwo\n\n".to_owned(),
            exit: Some(3),
            session: Some(41),
        };
        let view =
            View { latest: vec![call.clone()], all: vec![call], user: "hi".to_owned(), ..View::default() };
        let from = Filling { view: &view, port: 80 };
        for (text, want) in [
            ("a {{user}} b {{ port }}", "a hi b 80"),
            ("{{last_output}}|{{line:run}}|{{exit:run}}|{{exit:other}}", "one\ntwo|two|3|none"),
            ("open {{ only", "open {{ only"),
        ] {
            assert_eq!(fill(text, &from), want);
        }
        let json = serde_json::json!({"session_id": "{{session}}", "chars": "x{{exit}}", "yield": 5});
        assert_eq!(fill_json(&json, &from), serde_json::json!({"session_id": 41, "chars": "x3", "yield": 5}));
    }

    #[test]
    fn unknown_names_are_found() {
        assert_eq!(unknown("{{cwd}} {{exit:a}} {{nope}}").as_deref(), Some("nope"));
        assert_eq!(unknown("{{cwd:a}}").as_deref(), Some("cwd:a"));
        assert_eq!(rules_named("{{exit:a}} {{cwd}} {{output:b}}"), ["a", "b"]);
    }
}
