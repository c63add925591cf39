//! Small requests with small answers: one body out, one body in, both bounded in size and time. Streams have
//! their own reader; this is for services that answer in one piece.

use std::time::Duration;

use super::http::{self, HttpSettings, certificate_problem, with_causes};
use crate::base::clean;

/// Longest answer that is read, in bytes.
const MAX_BYTES: usize = 1 << 20;

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reply {
    /// HTTP status.
    pub(crate) status: u16,
    /// Body.
    pub(crate) body: Vec<u8>,
}

/// There is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The client cannot be made: settings have to be corrected.
    #[error("{0}")]
    Client(#[from] http::Error),
    /// Nobody was asked: there is no connection, or no trust in it.
    #[error("{0}")]
    Unreachable(String),
    /// The request may have arrived, and its answer did not.
    #[error("{0}")]
    Lost(String),
}

/// What is sent.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Body<'a> {
    /// A JSON text.
    Json(&'a str),
    /// Pairs of a form, encoded.
    Form(&'a str),
}

/// Sends requests to one service.
#[derive(Clone, Debug)]
pub(crate) struct Fetcher {
    client: reqwest::Client,
}

impl Fetcher {
    /// A sender for the service at `url`.
    ///
    /// # Errors
    /// The certificate file cannot be used.
    pub(crate) fn new(url: &str, settings: &HttpSettings) -> Result<Self, http::Error> {
        Ok(Self { client: http::client(url, settings)? })
    }

    /// Posts a body and reads the answer, all within `time`.
    ///
    /// # Errors
    /// There is no complete answer. Error texts name the host, never the query or the body.
    pub(crate) async fn post(&self, url: &str, body: Body<'_>, time: Duration) -> Result<Reply, Error> {
        let (kind, text) = match body {
            Body::Json(text) => ("application/json", text),
            Body::Form(text) => ("application/x-www-form-urlencoded", text),
        };
        let request = self.client.post(url).header("content-type", kind).header("accept", "application/json");
        let host = host(url);
        let work = async {
            let sent = request.body(text.to_owned()).send().await;
            read(sent.map_err(|error| trouble(&host, error))?, &host).await
        };
        let slow = || Error::Lost(format!("{host} did not answer within {} s", time.as_secs()));
        tokio::time::timeout(time, work).await.map_err(|_| slow())?
    }
}

async fn read(mut response: reqwest::Response, host: &str) -> Result<Reply, Error> {
    let status = response.status().as_u16();
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| trouble(host, error))? {
        if body.len() + chunk.len() > MAX_BYTES {
            return Err(Error::Lost(format!("the answer of {host} is far too large")));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Reply { status, body })
}

fn trouble(host: &str, error: reqwest::Error) -> Error {
    if let Some(problem) = certificate_problem(&error) {
        let problem = clean::line(&problem, 200);
        return Error::Unreachable(format!("the certificate of {host} is not trusted: {problem}"));
    }
    let connect = error.is_connect() || error.is_builder();
    let reason = clean::line(&with_causes(&error.without_url()), 200);
    if connect {
        Error::Unreachable(format!("cannot connect to {host}: {reason}"))
    } else {
        Error::Lost(format!("the connection to {host} broke: {reason}"))
    }
}

fn host(url: &str) -> String {
    let parsed = url::Url::parse(url).ok();
    let host = parsed.as_ref().and_then(url::Url::host_str).unwrap_or("the service");
    match parsed.as_ref().and_then(url::Url::port) {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}
