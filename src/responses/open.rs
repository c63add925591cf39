//! One attempt up to the answer's headers: credentials, POST, status. Broken connections and 5xx are repeated
//! here a few times, silently only while that is short; everything else is classified and handed up.

use std::error::Error as StdError;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::client::{Job, Shared};
use super::errors::{self, Failure, Refusal, Then};
use super::event::ResponseEvent;
use super::{headers, limit_headers};
use crate::auth::source::Authorization;
use crate::base::clean;
use crate::base::secret::Secret;
use crate::net::http::{certificate_problem, with_causes};
use crate::net::retry::{Jitter, LONGEST, backoff};
use crate::protocol::error::{ErrorInfo, ErrorKind};
use crate::protocol::limits::LimitsSnapshot;

/// Of an error's body no more is read.
const MAX_ERROR_BYTES: usize = 64 << 10;

/// An error's body must come within this time.
const ERROR_BODY_TIME: Duration = Duration::from_secs(10);

/// First the stored credentials are read again, then they may be renewed; a third 401 stands.
const MAX_RECOVERIES: u32 = 2;

/// What is repeated here for longer than this is told.
const QUIET: Duration = Duration::from_secs(1);

/// A repetition: how long is waited before it, and why.
pub(super) type Repeat = (Duration, ErrorInfo);

/// An answer that is a stream.
pub(super) struct Opened {
    pub(super) response: reqwest::Response,
    /// What its headers tell.
    pub(super) events: Vec<ResponseEvent>,
    /// What it was asked with, to be kept out of error texts.
    pub(super) bearer: Option<Secret>,
    /// In whose name it was asked.
    pub(super) account_id: Option<String>,
}

/// No stream.
pub(super) struct Refused {
    pub(super) failure: Failure,
    /// What the headers tell nevertheless.
    pub(super) events: Vec<ResponseEvent>,
}

impl From<Failure> for Refused {
    fn from(failure: Failure) -> Self {
        Self { failure, events: Vec::new() }
    }
}

/// Sends the request until it is answered by a stream or fails for good as far as this level can tell. `tell` hears
/// of repetitions that somebody who waits would wonder about.
pub(super) async fn open(
    shared: Arc<Shared>,
    job: Arc<Job>,
    tell: mpsc::Sender<Repeat>,
) -> Result<Opened, Refused> {
    let began = Instant::now();
    let mut jitter = Jitter::random();
    let mut retries = 0;
    loop {
        let auth = match shared.tokens.authorization().await {
            Ok(auth) => auth,
            Err(error) => return Err(no_credentials(error)),
        };
        let mut refused = match send(&shared, &job, &auth).await {
            Ok(opened) => return Ok(opened),
            Err(refused) => refused,
        };
        let message = std::mem::take(&mut refused.failure.info.message);
        refused.failure.info.message = shared.without_secrets(message, auth.bearer.as_ref());
        if refused.failure.then == Then::Recover {
            refused.failure.info.hint = Some(shared.tokens.remedy());
        }
        match refused.failure.then {
            Then::Recover if job.recoveries.fetch_add(1, Ordering::Relaxed) < MAX_RECOVERIES => {
                match shared.tokens.recover_in_turn(&auth, job.turn_state.began()).await {
                    Ok(true) => {}
                    Ok(false) => return Err(refused),
                    Err(error) => {
                        // Nothing came of it, so the next attempt may try it again.
                        job.recoveries.fetch_sub(u32::from(error.is_transient()), Ordering::Relaxed);
                        return Err(no_credentials(error));
                    }
                }
            }
            Then::RepeatRequest if retries < shared.provider.request_max_retries => {
                retries += 1;
                let delay = backoff(retries, LONGEST, &mut jitter);
                if began.elapsed() + delay >= QUIET {
                    // Who has not heard of the last one yet needs no other.
                    let _ = tell.try_send((delay, refused.failure.info));
                }
                sleep(delay).await;
            }
            _ => return Err(refused),
        }
    }
}

/// Credentials that may be had in a moment are waited for like an answer that broke off.
fn no_credentials(error: crate::auth::error::Error) -> Refused {
    let then = if error.is_transient() { Then::RepeatStream(None) } else { Then::Stop };
    Failure { info: error.into(), then }.into()
}

fn stop(info: ErrorInfo) -> Refused {
    Failure { info, then: Then::Stop }.into()
}

async fn send(shared: &Shared, job: &Job, auth: &Authorization) -> Result<Opened, Refused> {
    let http = shared.http().map_err(|e| {
        stop(
            ErrorInfo::new(ErrorKind::Connection, e.to_string())
                .with_hint("check CODEX_CA_CERTIFICATE and SSL_CERT_FILE"),
        )
    })?;
    let mut map = job.headers.clone();
    if let Some(bearer) = &auth.bearer {
        map.insert(AUTHORIZATION, bearer_header(bearer)?);
    }
    if let Some(account) = &auth.account_id {
        headers::insert(&mut map, "chatgpt-account-id", account);
    }
    if let Some(state) = job.turn_state.get() {
        map.insert("x-codex-turn-state", state);
    }
    shared.keep_tail(None);
    let sent = http.post(shared.url.clone()).headers(map).body(job.body.clone()).send();
    let idle = Duration::from_millis(shared.provider.stream_idle_timeout_ms);
    let response = match timeout(idle, sent).await {
        Ok(Ok(response)) => response,
        Ok(Err(error)) => return Err(from_transport(shared, &error).into()),
        Err(_) => {
            let message = format!("{} did not answer within {} s.", shared.shown_url, idle.as_secs_f64());
            return Err(Failure::new(ErrorKind::Server, message, Then::RepeatStream(None)).into());
        }
    };
    if let Some(state) = response.headers().get("x-codex-turn-state") {
        job.turn_state.learn(state);
    }
    let events = told_by(response.headers(), auth.account_id.as_deref());
    if response.status().is_success() && !is_document(response.headers()) {
        return Ok(Opened {
            response,
            events,
            bearer: auth.bearer.clone(),
            account_id: auth.account_id.clone(),
        });
    }
    Err(Refused { failure: refusal(shared, response).await, events })
}

fn bearer_header(bearer: &Secret) -> Result<HeaderValue, Refused> {
    let mut value = HeaderValue::from_str(&format!("Bearer {}", bearer.expose()))
        .map_err(|_| stop(crate::auth::error::Error::BadKey { from: "the credentials".to_owned() }.into()))?;
    value.set_sensitive(true);
    Ok(value)
}

/// Limits and the model's real name.
fn told_by(map: &HeaderMap, account: Option<&str>) -> Vec<ResponseEvent> {
    let limits = limit_headers::from_headers(map).into_iter();
    let limits = limits.map(|told| LimitsSnapshot { account_id: account.map(str::to_owned), ..told });
    let model = limit_headers::text(map, "openai-model").map(|m| ResponseEvent::Model(clean::line(&m, 100)));
    limits.map(|told| ResponseEvent::Limits(Box::new(told))).chain(model).collect()
}

/// A page or a JSON document instead of a stream. Servers that name no type are trusted.
fn is_document(map: &HeaderMap) -> bool {
    let kind = map.get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default().to_ascii_lowercase();
    kind.starts_with("text/html") || kind.starts_with("application/json")
}

async fn refusal(shared: &Shared, mut response: reqwest::Response) -> Failure {
    let status = response.status();
    let headers = response.headers().clone();
    let mut body = Vec::new();
    let idle = Duration::from_millis(shared.provider.stream_idle_timeout_ms);
    let deadline = Instant::now() + ERROR_BODY_TIME.min(idle);
    while body.len() < MAX_ERROR_BYTES {
        let Ok(Ok(Some(chunk))) = timeout_at(deadline, response.chunk()).await else { break };
        let room = MAX_ERROR_BYTES - body.len();
        body.extend_from_slice(chunk.get(..room).unwrap_or(&chunk));
    }
    drop(response);
    let refusal = Refusal {
        status: status.as_u16(),
        headers: &headers,
        body: &body,
        url: &shared.shown_url,
        now: Timestamp::now(),
        zone: &shared.zone(),
    };
    if status.is_success() { errors::not_a_stream(&refusal) } else { errors::from_refusal(&refusal) }
}

/// No answer at all.
fn from_transport(shared: &Shared, error: &reqwest::Error) -> Failure {
    let reason = innermost(error);
    let host = shared.url.host_str().unwrap_or_default();
    if let Some(problem) = certificate_problem(error) {
        let problem = clean::line(&problem, 200);
        let message = format!("The certificate of {host} is not trusted: {problem}.");
        let info = ErrorInfo::new(ErrorKind::Connection, message)
            .with_hint("if a proxy inspects your traffic, set CODEX_CA_CERTIFICATE to its certificate file");
        return Failure { info, then: Then::Stop };
    }
    let address = shared.url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
    if error.is_builder() {
        let message = format!("The request to {address} cannot be made: {}.", with_causes(error));
        return Failure::new(ErrorKind::BadRequest, message, Then::Stop);
    }
    let (what, then) = if error.is_connect() {
        ("Cannot connect to", Then::AwaitNetwork)
    } else {
        ("The connection broke before an answer came from", Then::RepeatRequest)
    };
    let mut failure = Failure::new(ErrorKind::Connection, format!("{what} {address}: {reason}."), then);
    failure.info.hint = Some("check the network, the proxy settings and the provider's base_url".to_owned());
    failure
}

/// The last cause, which names the reason in the system's words.
fn innermost(error: &dyn StdError) -> String {
    let mut last = error;
    while let Some(next) = last.source() {
        last = next;
    }
    clean::line(&last.to_string(), 200)
}
