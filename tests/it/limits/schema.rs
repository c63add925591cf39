//! Checks documents against the files in `assets/schemas`. Knows the words of JSON Schema that they use, and refuses
//! those it does not know, so that nothing in them goes unchecked.

use serde_json::Value;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/schemas");

/// Fails when `document` breaks the schema called `name`.
#[track_caller]
pub(super) fn check(name: &str, document: &Value) {
    let text = std::fs::read_to_string(format!("{FOLDER}/{name}.v1.json")).unwrap();
    let schema: Value = serde_json::from_str(&text).unwrap();
    let mut faults = Vec::new();
    value(&schema, document, "$", &mut faults);
    assert!(faults.is_empty(), "{}\n{document:#}", faults.join("\n"));
}

fn value(schema: &Value, found: &Value, place: &str, faults: &mut Vec<String>) {
    for (word, says) in schema.as_object().unwrap() {
        let good = match word.as_str() {
            "$schema"
            | "title"
            | "description"
            | "properties"
            | "patternProperties"
            | "additionalProperties" => true,
            // The words of one of two: `then` is not used.
            "if" => {
                let mut not = Vec::new();
                value(says, found, place, &mut not);
                if let Some(other) = schema.get("else").filter(|_| !not.is_empty()) {
                    value(other, found, place, faults);
                }
                true
            }
            "else" => schema.get("if").is_some(),
            "type" => match says {
                Value::Array(kinds) => kinds.iter().any(|kind| is(kind.as_str().unwrap(), found)),
                kind => is(kind.as_str().unwrap(), found),
            },
            "enum" => says.as_array().unwrap().contains(found),
            "minimum" => found.as_f64().is_none_or(|number| number >= says.as_f64().unwrap()),
            "maximum" => found.as_f64().is_none_or(|number| number <= says.as_f64().unwrap()),
            "required" => found.as_object().is_none_or(|map| {
                says.as_array().unwrap().iter().all(|name| map.contains_key(name.as_str().unwrap()))
            }),
            "items" => {
                for (index, item) in found.as_array().into_iter().flatten().enumerate() {
                    value(says, item, &format!("{place}[{index}]"), faults);
                }
                true
            }
            other => panic!("the schema uses `{other}`, which is not checked here"),
        };
        if !good {
            faults.push(format!("{place}: `{word}` is {says}, found {found}"));
        }
    }
    for (name, inner) in found.as_object().into_iter().flatten() {
        match schema["properties"].get(name).or_else(|| pattern(schema, name)) {
            Some(schema) => value(schema, inner, &format!("{place}.{name}"), faults),
            None if schema["additionalProperties"] == false => {
                faults.push(format!("{place}.{name} is not documented"))
            }
            None => {}
        }
    }
}

/// The schema behind the pattern that fits a name. Patterns are lists of whole words: `^(a|b)$`.
fn pattern<'a>(schema: &'a Value, name: &str) -> Option<&'a Value> {
    let mut patterns = schema["patternProperties"].as_object()?.iter();
    let fits = |pattern: &str| {
        let words = pattern.strip_prefix("^(").and_then(|rest| rest.strip_suffix(")$"));
        words
            .unwrap_or_else(|| panic!("the pattern `{pattern}` is not understood here"))
            .split('|')
            .any(|word| word == name)
    };
    patterns.find(|(pattern, _)| fits(pattern)).map(|(_, schema)| schema)
}

fn is(kind: &str, value: &Value) -> bool {
    match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        "number" => value.is_number(),
        "integer" => value.is_i64() || value.is_u64(),
        other => panic!("the schema names the type `{other}`"),
    }
}
