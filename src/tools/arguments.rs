//! The parameters of a tool: as the model is told of them, and out of the JSON of a call. A mistake of the model
//! becomes a sentence for the model.

use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::context::ToolContext;
use super::tool::{ToolCall, ToolOutput};

/// How a tool called `name` with these parameters is offered.
pub(super) fn function(name: &str, description: &str, properties: &Value, required: &[&str]) -> Value {
    json!({
        "type": "function",
        "name": name,
        "description": description.trim_end(),
        "strict": false,
        "parameters": object(properties, required),
    })
}

/// The schema of an object with these members and no others.
pub(super) fn object(properties: &Value, required: &[&str]) -> Value {
    json!({
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}

/// Reads the arguments of a function call. A call that cannot be read is shown to the user.
///
/// # Errors
/// What the model is told instead of a result.
pub(super) async fn parse<T: DeserializeOwned>(ctx: &ToolContext, call: &ToolCall) -> Result<T, ToolOutput> {
    match serde_json::from_str(call.payload.text()) {
        Ok(arguments) => Ok(arguments),
        Err(error) => Err(ctx.failed(call, format!("failed to parse function arguments: {error}")).await),
    }
}

/// A number of milliseconds or tokens as models write it (`1000`, `1000.0`), held to a range; `None` and
/// nonsense give `default`.
pub(super) fn clamped(number: Option<f64>, default: u64, min: u64, max: u64) -> u64 {
    match number {
        Some(number) if number.is_finite() => (number.max(0.0) as u64).clamp(min, max),
        _ => default,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_held_to_their_range() {
        for (given, want) in [
            (None, 10_000),
            (Some(1.0), 250),
            (Some(-5.0), 250),
            (Some(1000.5), 1000),
            (Some(1e300), 30_000),
            (Some(f64::NAN), 10_000),
        ] {
            assert_eq!(clamped(given, 10_000, 250, 30_000), want, "{given:?}");
        }
    }
}
