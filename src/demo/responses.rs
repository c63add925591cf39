//! The model route: look at the request, refuse it when it breaks the protocol, choose a rule, answer. The
//! decision is made under one short lock; waits and streaming come after.

use std::sync::Arc;
use std::time::Duration;

use hyper::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use hyper::{Response, StatusCode};
use serde_json::{Value, json};

use super::answer::{Answer, answer};
use super::early;
use super::error::Error;
use super::faults::{Fault, Point, Refusal};
use super::play::{Body, Cut, stepwise};
use super::prefix::Former;
use super::request::{View, string};
use super::rule::Rule;
use super::script::Script;
use super::script_file::RequestKind;
use super::server::{Backend, add_header, json_response, refused, text};
use super::sse::{Step, steps};
use super::state::State;
use super::template::Filling;
use super::{rules, validate};
use crate::base::clock::{Clock, SystemClock};

/// What is decided about a request.
enum Reply {
    /// A whole answer.
    Whole(Response<Body>),
    /// A stream, after a wait before the headers.
    Stream { wait: Option<Duration>, headers: HeaderMap, steps: Vec<Step> },
    /// No answer at all, and the connection stays open.
    Hang,
    /// The connection is dropped.
    Drop,
}

/// `POST /v1/responses`.
pub(crate) async fn create(
    backend: &Backend,
    number: u64,
    headers: &HeaderMap,
    body: &str,
) -> Result<Response<Body>, Cut> {
    match decide(backend, number, headers, body) {
        Reply::Whole(response) => Ok(response),
        Reply::Hang => std::future::pending().await,
        Reply::Drop => Err(Cut),
        Reply::Stream { wait, headers, steps } => {
            if let Some(wait) = wait {
                tokio::time::sleep(wait).await;
            }
            let mut response = Response::new(stepwise(steps));
            *response.headers_mut() = headers;
            Ok(response)
        }
    }
}

/// `GET /v1/models`.
pub(crate) async fn models(backend: &Backend) -> Result<Response<Body>, Cut> {
    let fault = backend.state().take_fault("/v1/models");
    if let Some(Fault::Status(refusal)) = &fault {
        return Ok(refuse(backend, refusal));
    }
    if let Some(instead) = early::instead(fault).await {
        return instead;
    }
    let levels = ["low", "medium", "high"].map(|effort| json!({ "effort": effort, "description": effort }));
    let model = json!({
        "slug": "gpt-5.5", "display_name": "Scripted", "description": "Plays scenarios; there is no model behind it.",
        "visibility": "list", "priority": 1, "default_reasoning_level": "medium", "supported_reasoning_levels": levels,
        "support_verbosity": true, "default_verbosity": "low", "apply_patch_tool_type": "freeform",
        "shell_type": "unified_exec", "supports_parallel_tool_calls": true, "context_window": 272_000,
        "effective_context_window_percent": 95, "truncation_policy": { "mode": "tokens", "limit": 10_000 },
        "input_modalities": ["text", "image"], "supported_in_api": true,
    });
    let mut response = json_response(StatusCode::OK, &json!({ "models": [model] }));
    add_header(response.headers_mut(), "etag", "\"scripted-1\"");
    Ok(response)
}

/// What the headers or the body's metadata say about the request.
struct Told {
    window: Option<String>,
    kind: Option<String>,
}

impl Told {
    fn new(headers: &HeaderMap, body: &Value) -> Self {
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let metadata = |name: &str| body.get("client_metadata")?.get(name)?.as_str().map(str::to_owned);
        let told = |name: &str| header(name).or_else(|| metadata(name));
        let turn = told("x-codex-turn-metadata").and_then(|json| serde_json::from_str::<Value>(&json).ok());
        Self {
            window: told("x-codex-window-id"),
            kind: turn.map(|turn| string(&turn, "request_kind")).filter(|kind| !kind.is_empty()),
        }
    }
}

fn decide(backend: &Backend, number: u64, headers: &HeaderMap, body: &str) -> Reply {
    let parsed: Value = serde_json::from_str(body).unwrap_or_default();
    let told = Told::new(headers, &parsed);
    let view = View::new(&parsed, told.kind.as_deref());
    let thread = string(&parsed, "prompt_cache_key");
    let mut state = backend.state();
    let next = Former::of(body, told.window);
    if let Err(message) = inspect(backend, &state, &parsed, &view, &thread, next.as_ref(), body) {
        state.breach(number, &message);
        return Reply::Whole(refused(StatusCode::BAD_REQUEST, "protocol_breach", &message));
    }
    let pending = state.take_fault("/v1/responses");
    let cached = state.former(&thread).map_or(0, |former| former.body_bytes as u64 / 4);
    // After a summary the thread begins anew, so there is nothing to compare the next request with.
    state.remember(&thread, next.filter(|_| view.kind == RequestKind::Turn));
    if let Some(Fault::Status(refusal)) = pending {
        return Reply::Whole(refuse(backend, &refusal));
    }
    if state.account.is_alive()
        && let Some((headers, body)) = state.account.refusal(SystemClock.now_s())
    {
        let mut response = json_response(StatusCode::TOO_MANY_REQUESTS, &body);
        headers.iter().for_each(|(name, value)| add_header(response.headers_mut(), name, value));
        return Reply::Whole(response);
    }
    let script = match carried(&view, &state) {
        Ok(script) => script,
        Err(error) => return Reply::Whole(refused(StatusCode::BAD_REQUEST, "script", &error.to_string())),
    };
    let chosen = rules::choose(&script, &view, |rule| state.fired(script.id, rule));
    let Some((index, rule)) = chosen else {
        state.unmatched += 1;
        let seen = format!(
            "no rule fits: {:?} of turn {}, round {}, prompt {:?}",
            view.kind, view.turn, view.round, view.user
        );
        return Reply::Whole(refused(StatusCode::BAD_REQUEST, "no_rule", &seen));
    };
    state.fire(script.id, index);
    if let Some(request) = state.recorded(number) {
        request.rule = Some(rule.name.clone());
    }
    let mut rule = rule.clone();
    rule.fault = pending.or(rule.fault);
    if let Some(Fault::Status(refusal)) = &rule.fault {
        return Reply::Whole(refuse(backend, refusal));
    }
    let filling = Filling { view: &view, port: backend.port };
    let made = answer(&rule, &filling, body.len() as u64 / 4, cached);
    state.answered += 1;
    remember_sent(&mut state, &thread, &view, &rule, &parsed, &made);
    let headers = stream_headers(backend, &mut state, &rule, &view);
    drop(state);
    stream(backend, &rule, &made, headers)
}

/// Everything that can be wrong with a request.
fn inspect(
    backend: &Backend,
    state: &State,
    parsed: &Value,
    view: &View,
    thread: &str,
    next: Option<&Former>,
    body: &str,
) -> Result<(), String> {
    validate::check(parsed)?;
    if backend.leaks(body) {
        return Err("the provider's key stands in the conversation".to_owned());
    }
    match (state.former(thread), next) {
        (Some(former), Some(next)) if view.kind == RequestKind::Turn => former.check_next(next, parsed),
        _ => Ok(()),
    }
}

/// The script that the prompt carries, else the one in force.
fn carried(view: &View, state: &State) -> Result<Arc<Script>, Error> {
    match &view.script {
        Some(text) => Script::read("prompt", text).map(Arc::new),
        None => Ok(Arc::clone(&state.script)),
    }
}

/// Keeps the items of an answer that arrives whole, to see whether they come back.
fn remember_sent(state: &mut State, thread: &str, view: &View, rule: &Rule, parsed: &Value, made: &Answer) {
    let whole = match &rule.fault {
        None | Some(Fault::Garbage | Fault::UnknownEvents | Fault::LongLine { .. }) => true,
        Some(Fault::Stall { time, .. }) => time.is_some(),
        Some(_) => false,
    };
    if !whole || view.kind != RequestKind::Turn {
        return;
    }
    state.last_history = parsed.get("input").and_then(Value::as_array).cloned().unwrap_or_default();
    state.last_history.extend(made.items.iter().cloned());
    if let Some(mut former) = state.former(thread).cloned() {
        former.sent = made.items.clone();
        state.remember(thread, Some(former));
    }
}

fn stream(backend: &Backend, rule: &Rule, made: &Answer, headers: HeaderMap) -> Reply {
    let mut wait = (!rule.delay.is_zero() && backend.scale > 0.0).then(|| rule.delay.mul_f64(backend.scale));
    match &rule.fault {
        Some(Fault::Stall { at: Point::Headers, time: None }) => return Reply::Hang,
        Some(Fault::Stall { at: Point::Headers, time: Some(time) }) => wait = Some(*time),
        Some(Fault::Cut { at: Point::Headers, .. }) => return Reply::Drop,
        _ => {}
    }
    let steps = steps(&made.events, &rule.wire, rule.fault.as_ref(), backend.scale);
    Reply::Stream { wait, headers, steps }
}

fn stream_headers(backend: &Backend, state: &mut State, rule: &Rule, view: &View) -> HeaderMap {
    let (mut headers, answered) = (HeaderMap::new(), state.answered);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    add_header(&mut headers, "openai-model", &view.model);
    add_header(&mut headers, "x-request-id", &format!("req_{answered}"));
    if state.account.is_alive() && rule.limits.is_none() {
        for (name, value) in state.account.answer_headers(rule.spend, SystemClock.now_s()) {
            add_header(&mut headers, &name, &value);
        }
    } else {
        // Two windows that fill slowly, so that a client that shows them has something to show.
        let used = rule.limits.unwrap_or([12.0 + answered as f64 * 0.5, 4.0 + answered as f64 * 0.1]);
        limit_headers(&mut headers, backend.started_at, used);
    }
    for (name, value) in &rule.headers {
        add_header(&mut headers, name, value);
    }
    headers
}

fn limit_headers(headers: &mut HeaderMap, started_at: u64, used: [f64; 2]) {
    let windows = [("primary", 300_u64, 3 * 3600), ("secondary", 10_080, 4 * 86_400)];
    for ((window, minutes, left), used) in windows.into_iter().zip(used) {
        add_header(headers, &format!("x-codex-{window}-used-percent"), &format!("{used:.1}"));
        add_header(headers, &format!("x-codex-{window}-window-minutes"), &minutes.to_string());
        add_header(headers, &format!("x-codex-{window}-reset-at"), &(started_at + left).to_string());
    }
}

fn refuse(backend: &Backend, refusal: &Refusal) -> Response<Body> {
    let reset = SystemClock.now_s() + 3700;
    let body = refusal.body.replace("\"{{now+3700}}\"", &reset.to_string());
    let status = StatusCode::from_u16(refusal.code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = text(status, refusal.content_type, body);
    if refusal.exhausted {
        limit_headers(response.headers_mut(), backend.started_at, [100.0, 42.0]);
    }
    for (name, value) in &refusal.headers {
        add_header(response.headers_mut(), name, value);
    }
    response
}
