//! Checks documents against `assets/schemas/usage.v1.json`. Knows the words of JSON Schema that the file uses, and
//! refuses those it does not know, so that nothing in the file goes unchecked.

use serde_json::Value;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/schemas/usage.v1.json");

/// Fails when `document` breaks the schema.
#[track_caller]
pub(super) fn check(document: &Value) {
    let schema: Value = serde_json::from_str(&std::fs::read_to_string(FILE).unwrap()).unwrap();
    let mut faults = Vec::new();
    value(&schema, document, "$", &mut faults);
    assert!(faults.is_empty(), "{}\n{document:#}", faults.join("\n"));
}

fn value(schema: &Value, found: &Value, place: &str, faults: &mut Vec<String>) {
    for (word, says) in schema.as_object().unwrap() {
        let good = match word.as_str() {
            "$schema" | "title" | "description" | "properties" | "additionalProperties" => true,
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
        match schema["properties"].get(name) {
            Some(schema) => value(schema, inner, &format!("{place}.{name}"), faults),
            None if schema["additionalProperties"] == false => {
                faults.push(format!("{place}.{name} is not documented"))
            }
            None => {}
        }
    }
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
