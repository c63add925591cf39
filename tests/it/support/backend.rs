//! The scripted backend as a process of its own: started per test, scripted per test, asked afterwards. It ends
//! when the test does, because its standard input closes.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

/// A running backend.
pub(crate) struct Backend {
    child: Child,
    pub(crate) base_url: String,
    pub(crate) token: String,
    port: u16,
}

impl Backend {
    /// Starts a backend that plays `script` (TOML, see `src/demo/script.rs`) without any wait.
    pub(crate) fn start(script: &str) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_codex"))
            .args(["demo", "--serve", "--json", "--speed", "0"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let told: Value = serde_json::from_str(&line).unwrap();
        let text = |key: &str| told[key].as_str().unwrap().to_owned();
        let port = u16::try_from(told["port"].as_u64().unwrap()).unwrap();
        let backend = Self { child, base_url: text("base_url"), token: text("token"), port };
        backend.script(script);
        backend
    }

    /// Puts another script in force.
    pub(crate) fn script(&self, script: &str) {
        let (status, answer) = self.ask("POST", "/control/script", script);
        assert_eq!(status, 200, "{answer}");
    }

    /// Adds `[[fault]]` entries for the next requests.
    pub(crate) fn faults(&self, faults: &str) {
        let (status, answer) = self.ask("POST", "/control/faults", faults);
        assert_eq!(status, 200, "{answer}");
    }

    /// Every request so far: `method`, `path`, `headers`, `body`, `rule`, `status`, `breach`.
    pub(crate) fn requests(&self) -> Vec<Value> {
        serde_json::from_str(&self.ask("GET", "/control/requests", "").1).unwrap()
    }

    /// Counters: `routes`, `answered`, `unmatched`, `breaches`, `breach_texts`, `pending_faults`.
    pub(crate) fn state(&self) -> Value {
        serde_json::from_str(&self.ask("GET", "/control/state", "").1).unwrap()
    }

    /// Fails the test when the client broke the protocol or asked something the script does not know.
    pub(crate) fn assert_clean(&self) {
        let state = self.state();
        assert!(state["breaches"] == 0 && state["unmatched"] == 0, "{state:#}");
    }

    /// `config.toml` for a client of this backend; the token travels in `CODEX_DEMO_TOKEN`.
    pub(crate) fn config(&self) -> String {
        format!(
            "model = \"gpt-5.5\"\nmodel_provider = \"demo\"\n[model_providers.demo]\nname = \"Scripted\"\n\
             base_url = \"{}\"\nenv_key = \"CODEX_DEMO_TOKEN\"\nwire_api = \"responses\"\n",
            self.base_url
        )
    }

    /// One request; status and body.
    pub(crate) fn ask(&self, method: &str, path: &str, body: &str) -> (u16, String) {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).unwrap();
        let (token, length) = (&self.token, body.len());
        write!(
            stream,
            "{method} {path} HTTP/1.0\r\nauthorization: Bearer {token}\r\ncontent-length: {length}\r\n\r\n{body}"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, body.to_owned())
    }

    /// Closes standard input and waits for the end.
    pub(crate) fn end(&mut self) -> Option<i32> {
        drop(self.child.stdin.take());
        self.child.wait().unwrap().code()
    }
}

impl Drop for Backend {
    fn drop(&mut self) {
        let _ = self.end();
    }
}
