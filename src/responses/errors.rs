//! Status, body and stream trouble → what happened, what the user can do, and what the client does next. The
//! tables are those of the wire specification; every text is one line without secrets.

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use reqwest::header::HeaderMap;
use serde_json::value::RawValue;

use super::limit_headers::{active_limit, text};
use super::usage_limit::{self, LimitFacts};
use super::wire;
use crate::base::clean;
use crate::net::retry;
use crate::protocol::error::{ErrorInfo, ErrorKind};

/// The longest foreign text inside one of our sentences, in characters.
const MAX_TEXT: usize = 400;

/// Trouble with an attempt.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Failure {
    /// For the user, when it is the end.
    pub(crate) info: ErrorInfo,
    /// For the client.
    pub(crate) then: Then,
}

/// What the client does after a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Then {
    /// Nothing: trying again would give the same.
    Stop,
    /// Sends the request again, silently at first.
    RepeatRequest,
    /// Starts another attempt that the user sees, after this wait when the server named one.
    RepeatStream(Option<Duration>),
    /// Waits for the network to come back.
    AwaitNetwork,
    /// Asks the credentials' owner for better ones.
    Recover,
}

impl Failure {
    /// Any failure.
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>, then: Then) -> Self {
        Self { info: ErrorInfo::new(kind, message), then }
    }

    fn stop(info: ErrorInfo) -> Self {
        Self { info, then: Then::Stop }
    }
}

/// An answer that is not a stream.
#[derive(Debug)]
pub(crate) struct Refusal<'a> {
    /// HTTP status.
    pub(crate) status: u16,
    /// All headers.
    pub(crate) headers: &'a HeaderMap,
    /// The beginning of the body, bounded by the reader.
    pub(crate) body: &'a [u8],
    /// The address without query and credentials.
    pub(crate) url: &'a str,
    /// Now.
    pub(crate) now: Timestamp,
    /// The user's zone.
    pub(crate) zone: &'a TimeZone,
}

/// Classifies an answer that is not a stream.
pub(crate) fn from_refusal(refusal: &Refusal<'_>) -> Failure {
    let error = error_of(refusal.body);
    let name = |wanted: &[&str]| {
        let is = |field: &Option<String>| field.as_deref().is_some_and(|f| wanted.contains(&f));
        is(&error.code) || is(&error.kind)
    };
    let then_after = Then::RepeatStream(after(refusal));
    match refusal.status {
        401 => Failure { info: unauthorized(refusal, &error), then: Then::Recover },
        413 => Failure::stop(too_long()),
        _ if name(&["context_length_exceeded"]) => Failure::stop(too_long()),
        _ if name(&["insufficient_quota", "billing_hard_limit_reached"]) => Failure::stop(quota()),
        402 => Failure::stop(quota()),
        _ if name(&["usage_not_included"]) => Failure::stop(usage_limit::not_included()),
        _ if name(&["cyber_policy"]) => Failure::stop(policy(error.message.as_deref())),
        429 if name(&["usage_limit_reached"]) => {
            let facts = limit_facts(refusal, &error);
            Failure::stop(usage_limit::error(&facts, refusal.now, refusal.zone))
        }
        429 => {
            let info =
                ErrorInfo::new(ErrorKind::RateLimited, said("Too many requests for now", refusal, &error));
            Failure { info, then: then_after }
        }
        503 if name(&["server_is_overloaded", "slow_down"]) => Failure::stop(overloaded()),
        400 | 422 => {
            let mut info = ErrorInfo::new(
                ErrorKind::BadRequest,
                said("The service refused the request", refusal, &error),
            );
            if name(&["invalid_image", "invalid_image_url", "image_parse_error"]) {
                info.hint = Some("an image in the conversation cannot be read by the service".to_owned());
            }
            Failure::stop(info)
        }
        408 | 500..=599 => {
            let what = format!("The service failed with HTTP status {}", refusal.status);
            let mut info = ErrorInfo::new(ErrorKind::Server, said(&what, refusal, &error));
            info.hint = Some("the service may be under high demand: try again in a moment".to_owned());
            let then = if after(refusal).is_some() { then_after } else { Then::RepeatRequest };
            Failure { info, then }
        }
        _ => Failure::stop(unexpected(refusal, &error)),
    }
}

/// A success status without a stream: a portal page, or an error in disguise.
pub(crate) fn not_a_stream(refusal: &Refusal<'_>) -> Failure {
    let error = error_of(refusal.body);
    let what = format!("{} answered with something that is not an event stream", refusal.url);
    let info = ErrorInfo::new(ErrorKind::Server, said(&what, refusal, &error))
        .with_hint("check base_url, and whether a proxy or a sign-in page of the network is in between");
    Failure::stop(info)
}

/// Classifies `response.failed` and `error` events.
pub(super) fn from_event(error: &wire::ErrorBody) -> Failure {
    let message = error.message.as_deref().map(|m| clean::line(m, MAX_TEXT)).filter(|m| !m.is_empty());
    let code = error.code.as_deref().or(error.kind.as_deref()).unwrap_or_default();
    match code {
        "context_length_exceeded" => Failure::stop(too_long()),
        "insufficient_quota" => Failure::stop(quota()),
        "usage_not_included" => Failure::stop(usage_limit::not_included()),
        "usage_limit_reached" => {
            let facts = LimitFacts {
                plan: error.plan_type.clone(),
                resets_at: error.resets_at,
                ..LimitFacts::default()
            };
            Failure::stop(usage_limit::error(&facts, Timestamp::now(), &TimeZone::system()))
        }
        "server_is_overloaded" | "slow_down" => Failure::stop(overloaded()),
        "cyber_policy" => Failure::stop(policy(message.as_deref())),
        "invalid_prompt" => Failure::stop(ErrorInfo::new(
            ErrorKind::BadRequest,
            message.unwrap_or_else(|| "The service refused the conversation as it is.".to_owned()),
        )),
        "rate_limit_exceeded" => {
            let delay = message.as_deref().and_then(retry::delay_in_text);
            let message = message.unwrap_or_else(|| "Too many requests for now.".to_owned());
            Failure::new(ErrorKind::RateLimited, message, Then::RepeatStream(delay))
        }
        _ => {
            let message = match (message, code) {
                (Some(message), _) => format!("The service gave up on the answer: {message}"),
                (None, "") => "The service gave up on the answer without a reason.".to_owned(),
                (None, code) => format!("The service gave up on the answer ({}).", clean::line(code, 80)),
            };
            Failure::new(ErrorKind::Server, message, Then::RepeatStream(None))
        }
    }
}

/// The error inside a body: `{"error":{…}}`, `{"error":"…"}`, `{"detail":…}`, or the object itself.
fn error_of(body: &[u8]) -> wire::ErrorBody {
    #[derive(serde::Deserialize)]
    struct Outer<'a> {
        #[serde(borrow, default)]
        error: Option<&'a RawValue>,
        #[serde(borrow, default)]
        detail: Option<&'a RawValue>,
    }
    let Ok(outer) = serde_json::from_slice::<Outer<'_>>(body) else { return wire::ErrorBody::default() };
    for raw in [outer.error, outer.detail] {
        if let Some(found) = wire::read::<wire::ErrorBody>(raw) {
            return found;
        }
        if let Some(message) = wire::text(raw) {
            return wire::ErrorBody { message: Some(message), ..wire::ErrorBody::default() };
        }
    }
    serde_json::from_slice(body).unwrap_or_default()
}

/// "what: the service's words (request id …)."
fn said(what: &str, refusal: &Refusal<'_>, error: &wire::ErrorBody) -> String {
    let words = match error.message.as_deref().or(error.code.as_deref()) {
        Some(message) => clean::line(message, MAX_TEXT),
        None => clean::body(refusal.body, MAX_TEXT),
    };
    let mut out = what.to_owned();
    if !words.is_empty() {
        out.push_str(": ");
        out.push_str(words.trim_end_matches('.'));
    }
    if let Some(id) = request_id(refusal.headers) {
        out.push_str(&format!(" (request id {id})"));
    }
    out.push('.');
    out
}

fn request_id(headers: &HeaderMap) -> Option<String> {
    let names = ["x-request-id", "x-oai-request-id", "cf-ray"];
    names.iter().find_map(|name| text(headers, name)).map(|id| clean::line(&id, 80))
}

fn after(refusal: &Refusal<'_>) -> Option<Duration> {
    let now_ms = u64::try_from(refusal.now.as_millisecond()).unwrap_or(0);
    retry::retry_after(|name| text(refusal.headers, name), now_ms)
}

fn limit_facts(refusal: &Refusal<'_>, error: &wire::ErrorBody) -> LimitFacts {
    let in_seconds = |s: u64| u64::try_from(refusal.now.as_second()).unwrap_or(0).saturating_add(s);
    let active = active_limit(refusal.headers).filter(|id| id != "codex");
    let other_limit = active.map(|id| {
        let name = text(refusal.headers, &format!("x-{}-limit-name", id.replace('_', "-")));
        clean::line(&name.unwrap_or(id), 60)
    });
    LimitFacts {
        plan: error.plan_type.clone(),
        resets_at: error.resets_at.or_else(|| error.resets_in_seconds.map(in_seconds)),
        other_limit,
        reached_type: text(refusal.headers, "x-codex-rate-limit-reached-type"),
        promo: text(refusal.headers, "x-codex-promo-message").map(|p| clean::line(&p, 200)),
    }
}

fn unauthorized(refusal: &Refusal<'_>, error: &wire::ErrorBody) -> ErrorInfo {
    ErrorInfo::new(ErrorKind::Unauthorized, said("The service does not accept the sign-in", refusal, error))
}

fn unexpected(refusal: &Refusal<'_>, error: &wire::ErrorBody) -> ErrorInfo {
    let what = format!("Unexpected HTTP status {} from {}", refusal.status, refusal.url);
    let info = ErrorInfo::new(ErrorKind::BadRequest, said(&what, refusal, error));
    match refusal.status {
        403 => {
            info.with_hint("the account or key has no access to this model, or a proxy blocks the service")
        }
        404 => info.with_hint("check the model's name and the provider's base_url"),
        407 => info.with_hint("the proxy wants a user name and password"),
        300..=399 => info.with_hint("redirects are not followed; set base_url to the final address"),
        _ => info,
    }
}

fn too_long() -> ErrorInfo {
    ErrorInfo::new(ErrorKind::ContextTooLong, "The conversation no longer fits the model's context window.")
        .with_hint("start a new thread, or give the model less to read at once")
}

fn quota() -> ErrorInfo {
    ErrorInfo::new(ErrorKind::Quota, "The account has no money or quota left for this service.")
        .with_hint("check the plan and billing of the account the key belongs to")
}

fn overloaded() -> ErrorInfo {
    ErrorInfo::new(ErrorKind::Overloaded, "The model is at capacity.")
        .with_hint("try again in a moment, or choose another model")
}

fn policy(message: Option<&str>) -> ErrorInfo {
    let words = message.map(|m| clean::line(m, MAX_TEXT)).filter(|m| !m.is_empty());
    let message = words.unwrap_or_else(|| "The service refused the content by its usage policy.".to_owned());
    ErrorInfo::new(ErrorKind::Policy, message)
}

#[cfg(test)]
#[path = "errors_tests.rs"]
mod tests;
