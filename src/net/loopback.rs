//! A very small HTTP server on loopback for one conversation with the user's browser: requests come out one by
//! one, each with a place for its answer. Only `GET` without a body; everything is bounded.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{CACHE_CONTROL, CONNECTION, CONTENT_TYPE, HeaderValue, LOCATION};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot};

use crate::base::tasks::{self, CancellationToken, Task};

/// Connections at the same time; browsers open a few ahead of need.
const MOST_CONNECTIONS: usize = 16;
/// The last answers get this time to leave.
const LINGER: Duration = Duration::from_millis(500);
/// A connection without a whole request ends after this time.
const HEADER_TIME: Duration = Duration::from_secs(10);

/// What a browser asked for.
#[derive(Debug)]
pub(crate) struct Visit {
    /// Path without the query.
    pub(crate) path: String,
    /// Query, still encoded.
    pub(crate) query: String,
    /// Whether another site made the browser ask.
    pub(crate) foreign: bool,
    answer: oneshot::Sender<Page>,
}

/// What the browser gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Page {
    /// A page.
    Html(u16, String),
    /// Another address.
    Redirect(String),
}

impl Visit {
    /// Answers; a browser that is gone is no error.
    pub(crate) fn answer(self, page: Page) {
        let _ = self.answer.send(page);
    }
}

/// A listening server; it ends with this value.
#[derive(Debug)]
pub(crate) struct Loopback {
    /// The port it listens on.
    pub(crate) port: u16,
    visits: mpsc::Receiver<Visit>,
    stop: CancellationToken,
    task: Task<()>,
}

impl Loopback {
    /// Listens on `port`; 0 takes any free one.
    ///
    /// # Errors
    /// The port is taken.
    pub(crate) async fn listen(port: u16) -> std::io::Result<Self> {
        let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await?;
        let port = listener.local_addr()?.port();
        let (sender, visits) = mpsc::channel(MOST_CONNECTIONS);
        let stop = CancellationToken::new();
        let task = tasks::spawn("loopback server", serve(listener, sender, stop.clone()));
        Ok(Self { port, visits, stop, task })
    }

    /// Ends, after answers that were given have left; a slow browser is not waited for.
    pub(crate) async fn close(self) {
        drop(self.visits);
        self.stop.cancel();
        let _ = tokio::time::timeout(LINGER, self.task.join()).await;
    }

    /// The next request.
    pub(crate) async fn next(&mut self) -> Option<Visit> {
        self.visits.recv().await
    }
}

/// Asks whoever listens on `port` for `path`, and forgets the answer.
pub(crate) async fn knock(port: u16, path: &str, time: Duration) {
    let work = async {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.ok()?;
        let request = format!("GET {path} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.ok()?;
        stream.read(&mut [0; 64]).await.ok()
    };
    let _ = tokio::time::timeout(time, work).await;
}

async fn serve(listener: TcpListener, visits: mpsc::Sender<Visit>, stop: CancellationToken) {
    let mut open = FuturesUnordered::new();
    loop {
        // Waiting again loses nothing: a visitor who was not taken waits in the listener, open visits in `open`.
        tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept(), if open.len() < MOST_CONNECTIONS => match accepted {
                Ok((stream, _)) => open.push(connection(stream, visits.clone())),
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            },
            Some(()) = open.next(), if !open.is_empty() => {}
        }
    }
    while open.next().await.is_some() {}
}

async fn connection(stream: TcpStream, visits: mpsc::Sender<Visit>) {
    let service = service_fn(move |request| {
        let visits = visits.clone();
        async move { Ok::<_, std::convert::Infallible>(visit(request, visits).await) }
    });
    // An error is a browser that went away.
    let _ = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIME)
        .keep_alive(false)
        .max_buf_size(64 << 10)
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

async fn visit(request: Request<Incoming>, visits: mpsc::Sender<Visit>) -> Response<Full<Bytes>> {
    let site = request.headers().get("sec-fetch-site").and_then(|value| value.to_str().ok());
    let foreign = matches!(site, Some("cross-site" | "same-site"));
    let (answer, page) = oneshot::channel();
    let visit = Visit {
        path: request.uri().path().to_owned(),
        query: request.uri().query().unwrap_or_default().to_owned(),
        foreign,
        answer,
    };
    let known = request.method() == Method::GET && visits.send(visit).await.is_ok();
    match (known, if known { page.await.ok() } else { None }) {
        (true, Some(page)) => response(page),
        _ => response(Page::Html(404, "There is nothing here.".to_owned())),
    }
}

fn response(page: Page) -> Response<Full<Bytes>> {
    let (status, body, place) = match page {
        Page::Html(status, body) => (status, body, None),
        Page::Redirect(place) => (302, String::new(), HeaderValue::from_str(&place).ok()),
    };
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    headers.insert("referrer-policy", HeaderValue::from_static("no-referrer"));
    headers.insert(
        "content-security-policy",
        HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'"),
    );
    if let Some(place) = place {
        headers.insert(LOCATION, place);
    }
    response
}
