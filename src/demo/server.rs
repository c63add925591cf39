//! The listener and its routes. Loopback only, behind a random token, so that nothing else on the machine can
//! talk to it. One task drives all connections: nothing is left running when the server is dropped.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use uuid::Uuid;

use super::error::Error;
use super::play::{Body, Cut, whole};
use super::script::Script;
use super::state::{Recorded, State};
use super::{control, oauth, reset_credits, responses};
use crate::base::clock::{Clock, SystemClock};
use crate::base::secret::Secret;
use crate::base::tasks::{self, Task};

/// Longest request body in bytes.
const MOST_BODY: usize = 64 << 20;
/// Connections served at the same time; more wait to be accepted.
const MOST_CONNECTIONS: usize = 256;

/// How to serve.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Options {
    /// Port; 0 takes any free one.
    pub(crate) port: u16,
    /// Whether model routes want the token. Control routes always do.
    pub(crate) auth: bool,
    /// Factor on all paces and delays of scenarios; 0 leaves them out. Stalls made by faults stay.
    pub(crate) scale: f64,
}

/// A running backend; dropping it stops it.
#[derive(Debug)]
pub(crate) struct Server {
    backend: Arc<Backend>,
    _task: Task<()>,
}

/// What all routes share.
#[derive(Debug)]
pub(crate) struct Backend {
    /// The port it listens on.
    pub(crate) port: u16,
    /// Factor on all paces.
    pub(crate) scale: f64,
    /// Start in unix seconds; windows reset relative to it.
    pub(crate) started_at: u64,
    token: Secret,
    auth: bool,
    state: Mutex<State>,
}

impl Server {
    /// Opens the port and serves `script`. Must be called inside a runtime.
    ///
    /// # Errors
    /// The port is taken.
    pub(crate) async fn start(script: Script, options: Options) -> Result<Self, Error> {
        let listen = |source| Error::Listen { port: options.port, source };
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, options.port));
        let listener = TcpListener::bind(address).await.map_err(listen)?;
        let backend = Arc::new(Backend {
            port: listener.local_addr().map_err(listen)?.port(),
            scale: options.scale,
            started_at: SystemClock.now_s(),
            token: Secret::new(format!("demo-{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple())),
            auth: options.auth,
            state: Mutex::new(State::new(script)),
        });
        let task = tasks::spawn("scripted backend", serve(listener, Arc::clone(&backend)));
        Ok(Self { backend, _task: task })
    }

    /// What the routes share.
    pub(crate) fn backend(&self) -> &Backend {
        &self.backend
    }

    /// The base URL a provider is configured with.
    pub(crate) fn base_url(&self) -> String {
        format!("{}/v1", self.origin())
    }

    /// The address before all paths, which is also that of the sign-in service.
    pub(crate) fn origin(&self) -> String {
        format!("http://127.0.0.1:{}", self.backend.port)
    }

    /// The token that every client needs.
    pub(crate) fn token(&self) -> &Secret {
        &self.backend.token
    }
}

impl Backend {
    /// The state. Never held over an await.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a text holds the token.
    pub(crate) fn leaks(&self, text: &str) -> bool {
        text.contains(self.token.expose())
    }

    fn admits(&self, path: &str, headers: &HeaderMap) -> bool {
        let open = path == "/canary" || (!self.auth && !path.starts_with("/control/"));
        let given = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let bearer = given.and_then(|value| value.strip_prefix("Bearer "));
        // What the sign-in service gave opens everything but the control routes.
        open || oauth::is_ours(path)
            || bearer == Some(self.token.expose())
            || (!path.starts_with("/control/")
                && bearer.is_some_and(|bearer| self.state().oauth.admits(bearer)))
    }

    /// Headers for the record, without the token.
    fn record_headers(&self, headers: &HeaderMap) -> BTreeMap<String, String> {
        let show = |(name, value): (&HeaderName, &HeaderValue)| {
            let value = String::from_utf8_lossy(value.as_bytes());
            (name.to_string(), value.replace(self.token.expose(), "[token]"))
        };
        headers.iter().map(show).collect()
    }
}

async fn serve(listener: TcpListener, backend: Arc<Backend>) {
    let mut open = FuturesUnordered::new();
    loop {
        // Waiting again loses nothing: a visitor who was not taken waits in the listener, open visits in `open`.
        tokio::select! {
            accepted = listener.accept(), if open.len() < MOST_CONNECTIONS => match accepted {
                Ok((stream, _)) => open.push(connection(stream, Arc::clone(&backend))),
                // Out of file descriptors, most likely: others must close first.
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            },
            Some(()) = open.next(), if !open.is_empty() => {}
        }
    }
}

async fn connection(stream: TcpStream, backend: Arc<Backend>) {
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| {
        let backend = Arc::clone(&backend);
        async move { route(&backend, request).await }
    });
    // An error is a client that went away, or a cut that was wanted.
    let _ = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

async fn route(backend: &Backend, request: Request<Incoming>) -> Result<Response<Body>, Cut> {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path().to_owned();
    let admitted = backend.admits(&path, &parts.headers);
    let body = match read(body).await {
        Ok(body) => body,
        Err(response) => return Ok(response),
    };
    if path.starts_with("/control/") && admitted {
        return Ok(control::route(backend, &parts.method, &path, &body));
    }
    let request = Recorded::new(parts.method.as_str(), &path, backend.record_headers(&parts.headers), &body);
    let number = {
        let mut state = backend.state();
        state.count(&path);
        state.record(request)
    };
    let query = parts.uri.query().unwrap_or_default();
    let response = if oauth::is_ours(&path) {
        oauth::route(backend, &parts.method, &path, query, &body).await
    } else if !admitted {
        Ok(refused(StatusCode::UNAUTHORIZED, "invalid_api_key", "the token is missing or wrong"))
    } else {
        match (&parts.method, path.as_str()) {
            (&Method::POST, "/v1/responses") => {
                responses::create(backend, number, &parts.headers, &body).await
            }
            (&Method::GET, "/v1/responses") => {
                Ok(refused(StatusCode::UPGRADE_REQUIRED, "http_only", "there is no WebSocket here; use POST"))
            }
            (&Method::GET, "/v1/models") => responses::models(backend).await,
            (method, path) if reset_credits::is_ours(path) => {
                reset_credits::route(backend, method, path, &parts.headers, &body).await
            }
            (&Method::GET, "/canary") => Ok(text(StatusCode::OK, "text/plain", "the network is open\n")),
            _ => Ok(refused(
                StatusCode::NOT_FOUND,
                "not_found",
                &format!("nothing at {} {path}", parts.method),
            )),
        }
    };
    if let (Ok(response), Some(request)) = (&response, backend.state().recorded(number)) {
        request.status = response.status().as_u16();
    }
    response
}

async fn read(body: Incoming) -> Result<String, Response<Body>> {
    let bytes = match Limited::new(body, MOST_BODY).collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) if error.is::<LengthLimitError>() => {
            let message = format!("a body may have at most {MOST_BODY} bytes");
            return Err(refused(StatusCode::PAYLOAD_TOO_LARGE, "too_large", &message));
        }
        Err(_) => return Err(refused(StatusCode::BAD_REQUEST, "cut", "the request body broke off")),
    };
    String::from_utf8(bytes.into()).map_err(|_| {
        refused(StatusCode::BAD_REQUEST, "encoding", "the body is no UTF-8 (compressed bodies are not read)")
    })
}

/// An error in the service's form.
pub(crate) fn refused(status: StatusCode, code: &str, message: &str) -> Response<Body> {
    let error = json!({ "message": message, "type": "invalid_request_error", "code": code, "param": null });
    json_response(status, &json!({ "error": error }))
}

/// A JSON answer.
pub(crate) fn json_response(status: StatusCode, value: &Value) -> Response<Body> {
    text(status, "application/json", value.to_string())
}

/// A whole answer of any type; no content type when it is empty.
pub(crate) fn text(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Response<Body> {
    let mut response = Response::new(whole(body));
    *response.status_mut() = status;
    if !content_type.is_empty() {
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    }
    response
}

/// Adds a header; names or values that HTTP does not allow are left out.
pub(crate) fn add_header(headers: &mut HeaderMap, name: &str, value: &str) {
    if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value)) {
        headers.insert(name, value);
    }
}

#[cfg(test)]
#[path = "server_tests.rs"]
mod tests;
