//! The account routes of the scripted backend: usage, the list of reset credits, their redemption, and the mail to
//! the owner of a workspace. Faults that wait for a route happen before anything is carried out; [`After`] says what
//! is lost afterwards.

use std::time::Duration;

use hyper::{HeaderMap, Method, Response, StatusCode};
use serde_json::{Value, json};

use super::account_file::{AccountFile, After};
use super::account_state::AccountState;
use super::early;
use super::play::{Body, Cut};
use super::server::{Backend, json_response, refused, text};
use crate::base::clock::{Clock, SystemClock};

/// The mail to the owner of a workspace.
const NUDGE: &str = "accounts/send_add_credits_nudge_email";
/// Longest key.
const MOST_KEY: usize = 200;
/// Rows and answers a test may set, in bytes.
const MOST_FILE: usize = 1 << 20;

/// Whether a path is one of the account's.
pub(crate) fn is_ours(path: &str) -> bool {
    route_of(path).is_some()
}

/// The end of a path, for both kinds of base address.
fn route_of(path: &str) -> Option<&str> {
    let route = path.strip_prefix("/backend-api/wham/").or_else(|| path.strip_prefix("/api/codex/"))?;
    let ours =
        ["usage", "profiles/me", "rate-limit-reset-credits", "rate-limit-reset-credits/consume", NUDGE];
    ours.contains(&route).then_some(route)
}

/// Serves an account route.
pub(crate) async fn route(
    backend: &Backend,
    method: &Method,
    path: &str,
    headers: &HeaderMap,
    body: &str,
) -> Result<Response<Body>, Cut> {
    let fault = backend.state().take_fault(path);
    if let Some(instead) = early::instead(fault).await {
        return instead;
    }
    match (method, route_of(path)) {
        (&Method::GET, Some("usage")) => {
            let usage = backend.state().account.usage(now());
            Ok(json_response(StatusCode::OK, &usage))
        }
        (&Method::GET, Some("profiles/me")) => {
            let activity = backend.state().account.activity(now());
            Ok(json_response(StatusCode::OK, &activity))
        }
        (&Method::GET, Some("rate-limit-reset-credits")) => {
            let list = backend.state().account.list();
            Ok(json_response(StatusCode::OK, &list))
        }
        (&Method::POST, Some("rate-limit-reset-credits/consume")) => consume(backend, headers, body).await,
        (&Method::POST, Some(NUDGE)) => {
            let asked: Value = serde_json::from_str(body).unwrap_or_default();
            Ok(match asked.get("credit_type").and_then(Value::as_str) {
                Some(kind @ ("credits" | "usage_limit")) => match backend.state().account.nudge(kind) {
                    true => json_response(StatusCode::OK, &json!({})),
                    false => {
                        refused(StatusCode::TOO_MANY_REQUESTS, "cooldown", "the owner was asked just now")
                    }
                },
                _ => refused(StatusCode::BAD_REQUEST, "credit_type", "credit_type is missing"),
            })
        }
        _ => Ok(refused(StatusCode::METHOD_NOT_ALLOWED, "method", "that is not how this route is asked")),
    }
}

async fn consume(backend: &Backend, headers: &HeaderMap, body: &str) -> Result<Response<Body>, Cut> {
    let asked: Value = serde_json::from_str(body).unwrap_or_default();
    let key = asked.get("redeem_request_id").and_then(Value::as_str).unwrap_or_default();
    if key.is_empty() || key.len() > MOST_KEY {
        return Ok(refused(StatusCode::BAD_REQUEST, "key", "redeem_request_id is missing"));
    }
    let credit = asked.get("credit_id").and_then(Value::as_str);
    let account = headers.get("chatgpt-account-id").and_then(|id| id.to_str().ok()).unwrap_or_default();
    let (answer, after) = backend.state().account.consume(key, credit, account, now());
    match after {
        After::Answer => {}
        After::Slow(ms) => tokio::time::sleep(Duration::from_millis(ms)).await,
        After::Drop => return Err(Cut),
        After::Hang => return std::future::pending().await,
        After::Unknown => return Ok(json_response(StatusCode::OK, &json!({ "code": "half_reset" }))),
        After::Status(code) => {
            let status = StatusCode::from_u16(code).unwrap_or(StatusCode::BAD_GATEWAY);
            return Ok(text(status, "text/html", "<html><title>Bad gateway</title></html>"));
        }
    }
    Ok(json_response(StatusCode::OK, &answer))
}

/// `POST /control/account` sets the account anew, `PATCH` changes it, `GET` tells what was redeemed.
pub(crate) fn control(backend: &Backend, method: &Method, body: &str) -> Response<Body> {
    if body.len() > MOST_FILE {
        return refused(StatusCode::PAYLOAD_TOO_LARGE, "account", "that is too much");
    }
    let mut state = backend.state();
    if *method != Method::GET {
        let file: AccountFile = match serde_json::from_str(body) {
            Ok(file) => file,
            Err(error) => return refused(StatusCode::BAD_REQUEST, "account", &error.to_string()),
        };
        if *method == Method::POST {
            state.account = AccountState::default();
        }
        state.account.change(file, now());
    }
    json_response(StatusCode::OK, &state.account.told())
}

fn now() -> u64 {
    SystemClock.now_s()
}
