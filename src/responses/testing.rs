//! A server on loopback that does exactly what a test says, byte by byte, and the client in front of it.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::client::Client;
use super::event::{Output, ResponseEvent};
use super::provider::ProviderSettings;
use super::request::{Request, tests::ids};
use super::stream::ResponseStream;
use crate::auth::error::Error as AuthError;
use crate::auth::source::{Authorization, TokenSource};
use crate::base::secret::Secret;
use crate::base::tasks::{self, CancellationToken};
use crate::net::http::HttpSettings;

/// Head of an answer that streams, without the empty line behind it.
pub(super) const OK: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n";
/// One whole answer, event by event.
pub(super) const FRAMES: [&str; 5] = [
    "event: response.created\ndata: {\"type\":\"response.created\",\"response\":{\"id\":\"resp_1\"}}\n\n",
    "data: {\"type\":\"response.output_item.added\",\"item\":{\"type\":\"message\",\"id\":\"m\"}}\n\n",
    "data: {\"type\":\"response.output_text.delta\",\"item_id\":\"m\",\"delta\":\"hé😀\"}\n\n",
    "data: {\"type\":\"response.output_item.done\",\"item\":{\"type\":\"message\",\"id\":\"m\",\"content\":[{\"text\":\"hé😀\"}]}}\n\n",
    "data: {\"type\":\"response.completed\",\"response\":{\"id\":\"resp_1\",\"usage\":{\"total_tokens\":7}}}\n\n",
];

/// What the server does with one request. After the last act it closes the connection, or keeps it for the
/// next request when `KeepOpen` was among the acts.
#[derive(Clone)]
pub(super) enum Act {
    Send(Vec<u8>),
    Pause(u64),
    Forever(Vec<u8>),
    Hang,
    KeepOpen,
}

/// Sends this text.
pub(super) fn send(text: impl AsRef<[u8]>) -> Act {
    Act::Send(text.as_ref().to_vec())
}

/// Streams these frames.
pub(super) fn stream_of(frames: &[&str]) -> Vec<Act> {
    vec![send(format!("{OK}\r\n{}", frames.concat()))]
}

/// Answers with a status and a whole body.
pub(super) fn status(line: &str, headers: &str, body: &str) -> Vec<Act> {
    let length = body.len();
    vec![send(format!(
        "HTTP/1.1 {line}\r\n{headers}content-length: {length}\r\nconnection: close\r\n\r\n{body}"
    ))]
}

/// The server; it ends with this value.
pub(super) struct Server {
    pub(super) url: String,
    requests: Arc<Mutex<Vec<String>>>,
    pub(super) connections: Arc<AtomicUsize>,
    /// Requests whose script was played to its end.
    pub(super) answered: Arc<AtomicUsize>,
    _task: tasks::Task<()>,
}

impl Server {
    /// Answers request n with script n; the last script repeats.
    pub(super) async fn start(scripts: Vec<Vec<Act>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/v1", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let connections = Arc::new(AtomicUsize::new(0));
        let scripts = Arc::new(Mutex::new(VecDeque::from(scripts)));
        let answered = Arc::new(AtomicUsize::new(0));
        let (log, count, done) = (requests.clone(), connections.clone(), answered.clone());
        let _task = tasks::spawn("test server", async move {
            let mut open = Vec::new();
            while let Ok((socket, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                open.push(tasks::spawn(
                    "test connection",
                    serve(socket, scripts.clone(), log.clone(), done.clone()),
                ));
            }
        });
        Self { url, requests, connections, answered, _task }
    }

    pub(super) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

async fn serve(
    mut socket: TcpStream,
    scripts: Arc<Mutex<VecDeque<Vec<Act>>>>,
    log: Arc<Mutex<Vec<String>>>,
    answered: Arc<AtomicUsize>,
) {
    while let Some(request) = read_request(&mut socket).await {
        log.lock().unwrap().push(request);
        let script = {
            let mut scripts = scripts.lock().unwrap();
            if scripts.len() > 1 { scripts.pop_front().unwrap() } else { scripts[0].clone() }
        };
        let mut keep = false;
        for act in script {
            match act {
                Act::Send(bytes) => drop(socket.write_all(&bytes).await),
                Act::Pause(ms) => tokio::time::sleep(Duration::from_millis(ms)).await,
                Act::Forever(bytes) => while socket.write_all(&bytes).await.is_ok() {},
                Act::Hang => std::future::pending().await,
                Act::KeepOpen => keep = true,
            }
        }
        answered.fetch_add(1, Ordering::SeqCst);
        if !keep {
            return;
        }
    }
}

async fn read_request(socket: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&bytes).to_ascii_lowercase();
        if let Some((head, _)) = text.split_once("\r\n\r\n") {
            let length =
                head.split_once("content-length: ").map(|(_, rest)| rest.split("\r\n").next().unwrap());
            let length: usize = length.map_or(0, |l| l.parse().unwrap());
            if bytes.len() >= head.len() + 4 + length {
                return Some(String::from_utf8_lossy(&bytes).into_owned());
            }
        }
        match socket.read(&mut buffer).await {
            Ok(0) | Err(_) => return None,
            Ok(n) => bytes.extend_from_slice(&buffer[..n]),
        }
    }
}

/// Hands out `key-0`, `key-1`, … and moves on at each 401 until `better` are used up.
pub(super) struct Keys {
    pub(super) now: AtomicUsize,
    pub(super) better: usize,
    pub(super) signed_in: bool,
}

impl TokenSource for Keys {
    fn authorization(&self) -> BoxFuture<'_, Result<Authorization, AuthError>> {
        let bearer = Secret::new(format!("key-{}", self.now.load(Ordering::SeqCst)));
        let auth = Authorization { bearer: Some(bearer), account_id: Some("acct".to_owned()) };
        std::future::ready(if self.signed_in { Ok(auth) } else { Err(AuthError::NotSignedIn) }).boxed()
    }

    fn remedy(&self) -> String {
        "find a better key".to_owned()
    }

    fn recover<'a>(&'a self, _used: &'a Authorization) -> BoxFuture<'a, Result<bool, AuthError>> {
        let found = self.now.load(Ordering::SeqCst) < self.better;
        if found {
            self.now.fetch_add(1, Ordering::SeqCst);
        }
        std::future::ready(Ok(found)).boxed()
    }
}

/// A provider that gives up soon.
pub(super) fn provider(url: &str) -> ProviderSettings {
    ProviderSettings {
        request_max_retries: 1,
        stream_max_retries: 1,
        stream_idle_timeout_ms: 20_000,
        connect_budget_ms: Some(500),
        ..ProviderSettings::with_base_url("test", url)
    }
}

/// A stream of a client of its own.
pub(super) fn start(
    provider: ProviderSettings,
    better_keys: usize,
    cancel: CancellationToken,
) -> ResponseStream {
    let keys = Keys { now: AtomicUsize::new(0), better: better_keys, signed_in: true };
    start_with(&client(provider, keys), cancel)
}

/// A client of `provider`.
pub(super) fn client(provider: ProviderSettings, keys: Keys) -> Client {
    let http = HttpSettings { user_agent: "test".to_owned(), ca_file: None };
    Client::new(provider, http, Arc::new(keys)).unwrap()
}

/// A stream of a small request.
pub(super) fn start_with(client: &Client, cancel: CancellationToken) -> ResponseStream {
    let ids = ids();
    let request = Request {
        model: "gpt-5.5",
        instructions: Some("i"),
        input: &[],
        tools: &[],
        parallel_tool_calls: true,
        reasoning: None,
        verbosity: None,
        output_schema: None,
        service_tier: None,
        ids: &ids,
    };
    client.stream(&request, cancel)
}

/// A short word for an event, with what matters of it.
pub(super) fn label(event: &ResponseEvent) -> String {
    match event {
        ResponseEvent::Created => "created".to_owned(),
        ResponseEvent::Model(model) => format!("model {model}"),
        ResponseEvent::Limits(limits) => format!("limits {}", limits.limit_id.as_deref().unwrap_or_default()),
        ResponseEvent::ItemAdded(_) => "added".to_owned(),
        ResponseEvent::TextDelta { delta, .. } => format!("delta {delta}"),
        ResponseEvent::ItemDone(item) => match &item.what {
            Output::Message { text, .. } => format!("done {text}"),
            other => format!("{other:?}"),
        },
        ResponseEvent::Retrying { attempt, max, error, .. } => {
            format!("retry {attempt}/{max} {:?}", error.kind)
        }
        ResponseEvent::Completed { usage, .. } => format!("completed {:?}", usage.map(|u| u.total_tokens)),
        ResponseEvent::Failed(error) => format!("failed {:?}", error.kind),
        other => format!("{other:?}"),
    }
}

/// Reads to the end: short words for the events, and the events.
pub(super) async fn all(mut stream: ResponseStream) -> (Vec<String>, Vec<ResponseEvent>) {
    let mut events = Vec::new();
    let limit = Duration::from_secs(30);
    while let Some(event) = tokio::time::timeout(limit, stream.next()).await.expect("the stream hangs") {
        events.push(event);
    }
    assert!(stream.next().await.is_none(), "nothing follows the end");
    (events.iter().map(label).collect(), events)
}

/// Plays `scripts`: short words for the events, and the requests that came.
pub(super) async fn play(scripts: Vec<Vec<Act>>) -> (Vec<String>, Vec<String>) {
    let server = Server::start(scripts).await;
    let (labels, _) = all(start(provider(&server.url), 0, CancellationToken::new())).await;
    (labels, server.requests())
}

/// The error at the end.
pub(super) fn error_of(events: &[ResponseEvent]) -> crate::protocol::error::ErrorInfo {
    match events.last() {
        Some(ResponseEvent::Failed(error)) => error.clone(),
        other => panic!("{other:?}"),
    }
}

/// The words for [`FRAMES`].
pub(super) const WHOLE: [&str; 5] = ["created", "added", "delta hé😀", "done hé😀", "completed Some(7)"];
