//! What the text of a command's output says about the command: programs tell the model how a command ended in words,
//! and often nowhere else.

use serde_json::Value;

/// What the text of a command's output says about the command.
#[derive(Default)]
pub(super) struct Told {
    pub(super) exit_code: Option<i32>,
    pub(super) session: Option<String>,
    pub(super) duration_ms: Option<u64>,
    pub(super) output: String,
}

impl Told {
    /// Reads it; a text without a known header is all output.
    pub(super) fn read(text: &str) -> Self {
        if let Some(told) = Self::from_json(text) {
            return told;
        }
        let Some((header, output)) = text.split_once("Output:\n") else {
            return Self { output: text.to_owned(), ..Self::default() };
        };
        let after = |words: &str| header.lines().find_map(|line| line.strip_prefix(words));
        let code = after("Process exited with code ").or(after("Exit code: "));
        let seconds = after("Wall time: ").or(after("Duration: ")).and_then(|rest| rest.split(' ').next());
        Self {
            exit_code: code.and_then(|code| code.trim().parse().ok()),
            session: after("Process running with session ID ").map(|id| id.trim().to_owned()),
            duration_ms: seconds.and_then(|s| s.parse::<f64>().ok()).map(|s| (s * 1000.0) as u64),
            output: output.to_owned(),
        }
    }

    /// The form of older programs: `{"output","metadata":{"exit_code","duration_seconds"}}`.
    fn from_json(text: &str) -> Option<Self> {
        if !text.starts_with('{') {
            return None;
        }
        let value: Value = serde_json::from_str(text).ok()?;
        let number = |key| value.get("metadata").and_then(|meta| meta.get(key));
        Some(Self {
            exit_code: number("exit_code").and_then(Value::as_i64).and_then(|code| code.try_into().ok()),
            session: None,
            duration_ms: number("duration_seconds").and_then(Value::as_f64).map(|s| (s * 1000.0) as u64),
            output: value.get("output")?.as_str()?.to_owned(),
        })
    }
}
