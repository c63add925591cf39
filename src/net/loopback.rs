//! A very small HTTP server on loopback for one conversation with the user's browser: requests come out one by
//! one, each with a place for its answer. Only `GET` without a body; everything is bounded. Other users of the machine
//! are not answered, nor pages that reach us under another name.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
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

use super::neighbours;
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

/// A connection, for the others.
struct Guest {
    /// Ends it.
    leave: CancellationToken,
    /// It has sent a whole request.
    asked: AtomicBool,
}

async fn serve(listener: TcpListener, visits: mpsc::Sender<Visit>, stop: CancellationToken) {
    let Ok(SocketAddr::V4(here)) = listener.local_addr() else { return };
    let mut knocking = FuturesUnordered::new();
    let mut open = FuturesUnordered::new();
    let mut guests: Vec<Arc<Guest>> = Vec::new();
    loop {
        // Waiting again loses nothing: a visitor who was not taken waits in the listener or in `knocking`, open visits
        // in `open`.
        tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept(), if knocking.len() < MOST_CONNECTIONS => match accepted {
                Ok((stream, SocketAddr::V4(there))) => knocking.push(async move {
                    (!neighbours::is_foreign(there, here).await).then_some(stream)
                }),
                Ok(_) => {}
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            },
            Some(known) = knocking.next(), if !knocking.is_empty() => {
                guests.retain(|guest| Arc::strong_count(guest) > 1);
                let Some(stream) = known.filter(|_| has_room(&guests)) else { continue };
                let guest = Arc::new(Guest { leave: CancellationToken::new(), asked: AtomicBool::new(false) });
                guests.push(Arc::clone(&guest));
                open.push(connection(stream, here.port(), guest, visits.clone()));
            }
            Some(()) = open.next(), if !open.is_empty() => {}
        }
    }
    while open.next().await.is_some() {}
}

/// Whether one more may come in: whoever has asked for nothing for the longest time has to leave for it, so that idle
/// connections keep nobody out.
fn has_room(guests: &[Arc<Guest>]) -> bool {
    if guests.len() < MOST_CONNECTIONS {
        return true;
    }
    let idle =
        guests.iter().find(|guest| !guest.asked.load(Ordering::Acquire) && !guest.leave.is_cancelled());
    if let Some(guest) = idle {
        guest.leave.cancel();
    }
    idle.is_some()
}

async fn connection(stream: TcpStream, port: u16, guest: Arc<Guest>, visits: mpsc::Sender<Visit>) {
    let known = Arc::clone(&guest);
    let service = service_fn(move |request| {
        known.asked.store(true, Ordering::Release);
        let visits = visits.clone();
        async move { Ok::<_, std::convert::Infallible>(visit(request, port, visits).await) }
    });
    let serve = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIME)
        .keep_alive(false)
        .max_buf_size(64 << 10)
        .serve_connection(TokioIo::new(stream), service);
    // Whoever has to leave is dropped in the middle.
    tokio::select! {
        // An error is a browser that went away.
        _ = serve => {}
        () = guest.leave.cancelled() => {}
    }
}

async fn visit(request: Request<Incoming>, port: u16, visits: mpsc::Sender<Visit>) -> Response<Full<Bytes>> {
    let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    let foreign = matches!(header("sec-fetch-site"), Some("cross-site" | "same-site"));
    // Another name for this address is a page elsewhere that made its own name point here.
    let named = header("host").is_some_and(|host| {
        let ours = host.strip_suffix(&format!(":{port}"));
        ours.is_some_and(|name| name == "127.0.0.1" || name.eq_ignore_ascii_case("localhost"))
    });
    let (answer, page) = oneshot::channel();
    let visit = Visit {
        path: request.uri().path().to_owned(),
        query: request.uri().query().unwrap_or_default().to_owned(),
        foreign,
        answer,
    };
    let known = named && request.method() == Method::GET && visits.send(visit).await.is_ok();
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
