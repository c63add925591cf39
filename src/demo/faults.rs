//! What can go wrong on purpose: refusals, stalls, cuts, nonsense on the wire. A fault is data; `responses` and
//! `sse` carry it out.

use std::time::Duration;

use super::fault_file::{BodyWord, FaultFile, FaultKind, Place};

/// One fault.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Fault {
    /// An HTTP error instead of a stream.
    Status(Refusal),
    /// Silence: before the headers, or after so many events. `None` lasts until the client gives up.
    Stall { at: Point, time: Option<Duration> },
    /// The connection ends: before the headers, after so many bytes or events, or inside a character.
    Cut { at: Point, clean: bool },
    /// `response.failed` instead of an answer.
    Failed { code: String, message: String },
    /// The answer ends early with `response.incomplete`.
    Incomplete { reason: String },
    /// Frames that are no JSON, or no frames at all, between the good ones.
    Garbage,
    /// Event types nobody knows, between the good ones.
    UnknownEvents,
    /// One well-formed event on a line of so many bytes, before the answer.
    LongLine { bytes: usize },
    /// A line that never ends.
    EndlessLine,
    /// Comments that never end, and no event.
    EndlessComments,
}

/// Where in a stream something happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Point {
    /// Before the response headers.
    Headers,
    /// After so many bytes of the body.
    Bytes(usize),
    /// After so many events.
    Events(usize),
    /// Inside the first character of more than one byte; in the middle of the body when there is none.
    MidChar,
}

/// An HTTP error.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Refusal {
    /// Status code.
    pub(crate) code: u16,
    /// Content type; empty for an empty body.
    pub(crate) content_type: &'static str,
    /// Body.
    pub(crate) body: String,
    /// Further headers.
    pub(crate) headers: Vec<(String, String)>,
    /// The rate-limit headers say that everything is used up.
    pub(crate) exhausted: bool,
}

/// A fault that waits for the next request of a route.
#[derive(Clone, Debug)]
pub(crate) struct Pending {
    /// What to do.
    pub(crate) fault: Fault,
    /// Path that it waits for, for example `/v1/responses`.
    pub(crate) route: String,
    /// How often it still happens.
    pub(crate) times: u64,
}

impl Pending {
    /// Reads a fault out of its TOML form; the error says what is missing.
    pub(crate) fn from_file(file: &FaultFile) -> Result<Self, String> {
        let route = file.route.clone().unwrap_or_else(|| "/v1/responses".to_owned());
        Ok(Self { fault: Fault::from_file(file)?, route, times: file.times.unwrap_or(1) })
    }
}

impl Fault {
    /// Reads a fault out of its TOML form; the error says what is missing.
    pub(crate) fn from_file(file: &FaultFile) -> Result<Self, String> {
        Ok(match file.kind {
            FaultKind::Status => Self::Status(refusal(file)?),
            FaultKind::Stall => Self::Stall { at: point(file)?, time: file.ms.map(Duration::from_millis) },
            FaultKind::Slow => {
                let ms = file.ms.ok_or("fault `slow` needs `ms`, the wait before the first event")?;
                Self::Stall { at: Point::Events(1), time: Some(Duration::from_millis(ms)) }
            }
            FaultKind::Cut => Self::Cut { at: point(file)?, clean: file.clean },
            FaultKind::Failed => {
                let code = file.error.clone().ok_or("fault `failed` needs `error`, the error code")?;
                let message = file.message.clone().unwrap_or_else(|| format!("scripted failure {code}"));
                Self::Failed { code, message }
            }
            FaultKind::Incomplete => {
                let reason = file.error.clone().unwrap_or_else(|| "max_output_tokens".to_owned());
                Self::Incomplete { reason }
            }
            FaultKind::Garbage => Self::Garbage,
            FaultKind::Unknown => Self::UnknownEvents,
            FaultKind::LongLine => {
                Self::LongLine { bytes: file.bytes.ok_or("fault `long-line` needs `bytes`")? }
            }
            FaultKind::EndlessLine => Self::EndlessLine,
            FaultKind::EndlessComments => Self::EndlessComments,
        })
    }
}

fn point(file: &FaultFile) -> Result<Point, String> {
    let given = [file.at.is_some(), file.bytes.is_some(), file.events.is_some()];
    if given.iter().filter(|given| **given).count() != 1 {
        return Err("say where with exactly one of `at`, `bytes`, `events`".to_owned());
    }
    Ok(match (file.at, file.bytes, file.events) {
        (Some(Place::Headers), _, _) => Point::Headers,
        (Some(Place::MidChar), _, _) => Point::MidChar,
        (None, Some(bytes), _) => Point::Bytes(bytes),
        (None, None, events) => Point::Events(events.unwrap_or(0)),
    })
}

fn refusal(file: &FaultFile) -> Result<Refusal, String> {
    let code = file.code.ok_or("fault `status` needs `code`, the HTTP status")?;
    if !(300..=599).contains(&code) {
        return Err(format!("fault `status`: code {code} is not a refusal (300 to 599)"));
    }
    let (content_type, body) = match (&file.body_text, file.body) {
        (Some(_), Some(_)) => return Err("give `body` or `body_text`, not both".to_owned()),
        (Some(text), None) => ("text/plain; charset=utf-8", text.clone()),
        (None, word) => body(code, word.unwrap_or(BodyWord::Json), file.message.as_deref()),
    };
    let mut headers: Vec<_> = file.headers.iter().map(|(k, v)| (k.clone(), v.clone())).collect();
    if let Some(after) = &file.retry_after {
        headers.push(("retry-after".to_owned(), after.clone()));
    }
    let exhausted = file.body == Some(BodyWord::UsageLimit);
    Ok(Refusal { code, content_type, body, headers, exhausted })
}

/// The body of a refusal. `{{now+N}}` is filled with unix seconds when it is sent.
fn body(code: u16, word: BodyWord, message: Option<&str>) -> (&'static str, String) {
    let json =
        |error: serde_json::Value| ("application/json", serde_json::json!({ "error": error }).to_string());
    let said = |default: &str| message.unwrap_or(default).to_owned();
    match word {
        BodyWord::Empty => ("", String::new()),
        BodyWord::Html => (
            "text/html",
            format!(
                "<html><head><title>{code}</title></head><body><h1>{}</h1></body></html>",
                said("Gateway trouble")
            ),
        ),
        BodyWord::Json => json(serde_json::json!({
            "message": said(&format!("scripted refusal with status {code}")), "type": "scripted", "code": null, "param": null })),
        BodyWord::UsageLimit => json(serde_json::json!({
            "type": "usage_limit_reached", "message": said("the scripted usage limit is reached"), "plan_type": "plus",
            "resets_at": "{{now+3700}}", "resets_in_seconds": 3700 })),
        BodyWord::UsageNotIncluded => json(serde_json::json!({
            "type": "usage_not_included", "message": said("the scripted plan does not include this") })),
        BodyWord::Quota => json(serde_json::json!({
            "type": "insufficient_quota", "code": "insufficient_quota", "message": said("the scripted quota is used up") })),
        BodyWord::RateLimit => json(serde_json::json!({
            "type": "requests", "code": "rate_limit_exceeded", "message": said("too many scripted requests") })),
        BodyWord::TokenExpired => json(serde_json::json!({
            "type": "invalid_request_error", "code": "token_expired", "message": said("the scripted token has expired") })),
        BodyWord::Overloaded => json(serde_json::json!({
            "type": "server_error", "code": "server_is_overloaded", "message": said("the scripted servers are busy") })),
        BodyWord::ContextLength => json(serde_json::json!({
            "type": "invalid_request_error", "code": "context_length_exceeded", "message": said("the scripted window is full") })),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(text: &str) -> Result<Fault, String> {
        let file: FaultFile = toml::from_str(text).map_err(|e| e.message().to_owned())?;
        Fault::from_file(&file)
    }

    #[test]
    fn forms() {
        for (text, want) in [
            ("kind = 'cut'\nbytes = 7", Fault::Cut { at: Point::Bytes(7), clean: false }),
            ("kind = 'cut'\nat = 'mid-char'\nclean = true", Fault::Cut { at: Point::MidChar, clean: true }),
            ("kind = 'stall'\nevents = 2", Fault::Stall { at: Point::Events(2), time: None }),
            (
                "kind = 'slow'\nms = 9",
                Fault::Stall { at: Point::Events(1), time: Some(Duration::from_millis(9)) },
            ),
            ("kind = 'long-line'\nbytes = 5", Fault::LongLine { bytes: 5 }),
            ("kind = 'incomplete'", Fault::Incomplete { reason: "max_output_tokens".to_owned() }),
        ] {
            assert_eq!(fault(text), Ok(want), "{text}");
        }
    }

    #[test]
    fn incomplete_forms_say_what_is_missing() {
        for (text, part) in [
            ("kind = 'status'", "needs `code`"),
            ("kind = 'status'\ncode = 200", "not a refusal (300"),
            ("kind = 'cut'", "exactly one of"),
            ("kind = 'cut'\nbytes = 1\nevents = 1", "exactly one of"),
            ("kind = 'failed'", "needs `error`"),
            ("kind = 'slow'", "needs `ms`"),
            ("kind = 'nonsense'", "unknown variant"),
            ("kind = 'garbage'\ncod = 3", "unknown field"),
        ] {
            let error = fault(text).unwrap_err();
            assert!(error.contains(part), "{text}: {error}");
        }
    }

    #[test]
    fn a_usage_limit_is_a_429_with_everything_used_up() {
        let Ok(Fault::Status(refusal)) =
            fault("kind = 'status'\ncode = 429\nbody = 'usage-limit'\nretry_after = '3'")
        else {
            panic!("no status fault")
        };
        assert!(refusal.exhausted && refusal.body.contains("usage_limit_reached"));
        assert_eq!(refusal.headers, [("retry-after".to_owned(), "3".to_owned())]);
    }
}
