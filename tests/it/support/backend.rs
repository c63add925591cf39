//! `codex demo --serve` as a child process, scripted over its control routes with a hand-written HTTP client.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

/// A running scripted backend; it ends with this value.
pub(crate) struct Backend {
    child: Child,
    pub(crate) base_url: String,
    pub(crate) token: String,
    pub(crate) port: u16,
}

impl Backend {
    pub(crate) fn start() -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_codex"))
            .args(["demo", "--serve", "--port", "0", "--json"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the backend starts");
        let mut line = String::new();
        let stdout = child.stdout.take().expect("stdout is a pipe");
        BufReader::new(stdout).read_line(&mut line).expect("the backend tells its address");
        let told: Value = serde_json::from_str(&line).unwrap_or_else(|e| panic!("{e}: {line:?}"));
        Self {
            child,
            base_url: told["base_url"].as_str().expect("base_url").to_owned(),
            token: told["token"].as_str().expect("token").to_owned(),
            port: told["port"].as_u64().expect("port") as u16,
        }
    }

    /// Replaces the script; see `assets/demo` for the form.
    pub(crate) fn script(&self, toml: &str) {
        let (status, body) = self.call("POST", "/control/script", toml);
        assert_eq!(status, 200, "{body}\n{toml}");
    }

    /// Forgets everything but the script.
    pub(crate) fn reset(&self) {
        let (status, body) = self.call("POST", "/control/reset", "");
        assert_eq!(status, 200, "{body}");
    }

    /// Where people sign in.
    pub(crate) fn issuer(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Steers the sign-in service; see `demo::oauth`.
    #[track_caller]
    pub(crate) fn oauth(&self, order: &str) {
        let (status, body) = self.call("POST", "/control/oauth", order);
        assert_eq!(status, 200, "{body}");
    }

    /// The tokens of a fresh sign-in.
    pub(crate) fn sign_in(&self) -> Value {
        let (status, body) = self.call("POST", "/control/oauth/tokens", "{}");
        assert_eq!(status, 200, "{body}");
        serde_json::from_str(&body).expect("JSON")
    }

    /// How often the sign-in service counted this.
    pub(crate) fn signed(&self, what: &str) -> u64 {
        self.state()["oauth"]["counts"][what].as_u64().unwrap_or(0)
    }

    /// Faults that wait for their route, as TOML.
    #[track_caller]
    pub(crate) fn faults(&self, toml: &str) {
        let (status, body) = self.call("POST", "/control/faults", toml);
        assert_eq!(status, 200, "{body}");
    }

    /// The bodies of all model requests so far, oldest first.
    pub(crate) fn requests(&self) -> Vec<Value> {
        self.records().iter().map(|record| record["body"].clone()).collect()
    }

    /// All recorded model requests: headers and body.
    pub(crate) fn records(&self) -> Vec<Value> {
        let (status, body) = self.call("GET", "/control/requests", "");
        assert_eq!(status, 200, "{body}");
        let read: Value = serde_json::from_str(&body).expect("JSON");
        let list = read.as_array().or_else(|| read["requests"].as_array()).expect("a list of requests");
        list.iter()
            .filter(|r| r["path"].as_str().is_none_or(|path| path.contains("/responses")))
            .cloned()
            .collect()
    }

    /// Counters, among them the breaches of the protocol that were seen.
    pub(crate) fn state(&self) -> Value {
        let (status, body) = self.call("GET", "/control/state", "");
        assert_eq!(status, 200, "{body}");
        serde_json::from_str(&body).expect("JSON")
    }

    pub(crate) fn call(&self, method: &str, path: &str, body: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("the backend listens");
        let (token, length) = (&self.token, body.len());
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\n\
             content-length: {length}\r\nconnection: close\r\n\r\n{body}"
        )
        .expect("the backend reads");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("the backend answers");
        let answer = String::from_utf8_lossy(&answer);
        let (head, body) = answer.split_once("\r\n\r\n").expect("an HTTP answer");
        let status = head.split(' ').nth(1).and_then(|s| s.parse().ok()).expect("a status");
        (status, unchunk(head, body))
    }
}

/// Joins the chunks of an answer without length.
fn unchunk(head: &str, body: &str) -> String {
    if !head.to_ascii_lowercase().contains("transfer-encoding: chunked") {
        return body.to_owned();
    }
    let mut rest = body;
    let mut joined = String::new();
    while let Some((size, after)) = rest.split_once("\r\n") {
        let size = usize::from_str_radix(size.trim(), 16).unwrap_or(0);
        if size == 0 {
            break;
        }
        let (chunk, after) = after.split_at(size);
        joined.push_str(chunk);
        rest = after.trim_start_matches("\r\n");
    }
    joined
}

impl Drop for Backend {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
