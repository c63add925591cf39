//! Memory stays bounded whatever a command prints or a service sends. Measured is the peak that the kernel keeps
//! of the running binary, read while it waits for its next answer: nothing here depends on time.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// Far more than any step needs on a loaded machine.
const LIMIT: Duration = Duration::from_secs(120);

/// What a command may add, in KiB, however much it prints.
const OUTPUT_ADDS: u64 = 10 << 10;

#[test]
fn a_gigabyte_of_output_adds_little_memory_and_bounded_disk() {
    let mut run = Run::start();
    let asked = run.request();
    let before = run.peak_kib();
    asked.answer(&call("yes a line of many | head -c 1000000000", 30_000));
    let told = run.request();
    let added = run.peak_kib() - before;
    assert!(added <= OUTPUT_ADDS, "{added} KiB for a gigabyte of output");
    assert!(told.body.len() < 300_000, "the model is told {} bytes", told.body.len());
    told.answer(&message("done"));
    run.ends(0);
    let kept = run.bytes_in_home();
    assert!(kept < 100 << 20, "{kept} bytes are kept on disk");
}

#[test]
fn endless_noise_adds_little_memory() {
    let mut run = Run::start();
    let asked = run.request();
    let before = run.peak_kib();
    asked.answer(&call("cat /dev/urandom", 2_000));
    let told = run.request();
    let added = run.peak_kib() - before;
    assert!(added <= OUTPUT_ADDS, "{added} KiB for noise without end");
    assert!(told.body.len() < 300_000, "the model is told {} bytes", told.body.len());
    told.answer(&message("done"));
    run.ends(0);
}

#[test]
fn a_line_of_ten_megabytes_is_read_in_a_few_times_its_size() {
    let mut run = Run::start();
    let asked = run.request();
    let before = run.peak_kib();
    // The call makes a request follow, which carries the long text once more.
    asked.answer(&format!("{}{}", message(&"long ".repeat(2 << 20)), call("true", 30_000)));
    let told = run.request();
    let added = run.peak_kib() - before;
    assert!(told.body.len() > 10 << 20, "the text is part of the conversation");
    assert!(added < 120 << 10, "{added} KiB for a text of ten megabytes");
    told.answer(&message("done"));
    run.ends(0);
}

#[test]
fn a_line_without_end_is_given_up() {
    let mut run = Run::start();
    let mut asked = run.request();
    let before = run.peak_kib();
    let mut peak = before;
    asked.head();
    let piece = vec![b'x'; 1 << 20];
    let mut sent = 0;
    while asked.stream.write_all(&piece).is_ok() {
        sent += piece.len();
        assert!(sent < 1 << 30, "still listening after a gigabyte of one line");
        peak = peak.max(run.peak_kib());
    }
    assert!(peak - before < 200 << 10, "{} KiB for a line without end", peak - before);
    run.ends(1);
}

/// The binary in a home of its own, and the service it asks.
struct Run {
    requests: mpsc::Receiver<Asked>,
    child: Child,
    dir: tempfile::TempDir,
}

/// A request to the model that waits for its answer.
struct Asked {
    stream: TcpStream,
    body: String,
}

impl Run {
    fn start() -> Self {
        let service = TcpListener::bind("127.0.0.1:0").unwrap();
        let dir = tempfile::Builder::new().prefix("m").tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let config = format!(
            "model = \"gpt-5.5\"\nmodel_provider = \"test\"\nmodel_context_window = 100000000\n[model_providers.test]\nname = \"test\"\n\
             base_url = \"http://{}/v1\"\nrequest_max_retries = 0\nstream_max_retries = 0\n",
            service.local_addr().unwrap()
        );
        let (sender, requests) = mpsc::sync_channel(1);
        // Ends with the test: nobody connects any more.
        thread::spawn(move || {
            for stream in service.incoming() {
                if sender.send(Asked::read(stream.unwrap())).is_err() {
                    break;
                }
            }
        });
        fs::write(dir.path().join("config.toml"), config).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_codex"))
            .args([
                "exec",
                "--json",
                "--skip-git-repo-check",
                "--dangerously-bypass-approvals-and-sandbox",
                "go",
            ])
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", dir.path())
            .env("CODEX_HOME", dir.path())
            .env("SHELL", "/bin/sh")
            .current_dir(dir.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self { requests, child, dir }
    }

    /// Waits for the next request.
    fn request(&mut self) -> Asked {
        match self.next() {
            Next::Request(asked) => asked,
            Next::End(code) => panic!("ended with {code:?} instead of asking"),
        }
    }

    fn ends(&mut self, code: i32) {
        match self.next() {
            Next::Request(asked) => panic!("asks once more: {:.1000}", asked.body),
            Next::End(found) => assert_eq!(found, Some(code)),
        }
    }

    fn next(&mut self) -> Next {
        let until = Instant::now() + LIMIT;
        while Instant::now() < until {
            if let Ok(asked) = self.requests.recv_timeout(Duration::from_millis(10)) {
                return Next::Request(asked);
            }
            if let Some(status) = self.child.try_wait().unwrap() {
                return Next::End(status.code());
            }
        }
        panic!("neither a request nor the end");
    }

    /// The largest resident size so far, in KiB.
    fn peak_kib(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
        line.trim().trim_end_matches(" kB").parse().unwrap_or_else(|e| panic!("{e}: {line}"))
    }

    fn bytes_in_home(&self) -> u64 {
        fn below(dir: &Path) -> u64 {
            let entries = fs::read_dir(dir).into_iter().flatten().flatten();
            entries
                .map(|entry| match entry.file_type() {
                    Ok(kind) if kind.is_dir() => below(&entry.path()),
                    _ => entry.metadata().map_or(0, |meta| meta.len()),
                })
                .sum()
        }
        below(self.dir.path())
    }
}

/// What the binary does next.
enum Next {
    Request(Asked),
    End(Option<i32>),
}

impl Drop for Run {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Asked {
    fn read(mut stream: TcpStream) -> Self {
        let mut bytes = Vec::new();
        let mut chunk = vec![0; 1 << 16];
        loop {
            let text = String::from_utf8_lossy(&bytes);
            if let Some((head, body)) = text.split_once("\r\n\r\n") {
                let head = head.to_ascii_lowercase();
                let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
                let length: usize = length.unwrap_or_default().trim().parse().unwrap();
                let mut body = body.as_bytes().to_vec();
                let have = body.len();
                body.resize(length, 0);
                stream.read_exact(&mut body[have..]).unwrap();
                return Self { stream, body: String::from_utf8(body).unwrap() };
            }
            let count = stream.read(&mut chunk).unwrap();
            assert!(count > 0, "half a request");
            bytes.extend_from_slice(&chunk[..count]);
        }
    }

    /// Begins an answer that ends with the connection.
    fn head(&mut self) {
        let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";
        self.stream.write_all(head.as_bytes()).unwrap();
    }

    /// Answers with these items.
    fn answer(mut self, items: &str) {
        self.head();
        let end = r#"data: {"type":"response.completed","response":{"id":"r"}}"#;
        write!(self.stream, "{items}{end}\n\n").unwrap();
    }
}

/// A message, in one piece and whole.
fn message(text: &str) -> String {
    let content = format!(r#"[{{"type":"output_text","text":"{text}"}}]"#);
    let item = |content| format!(r#"{{"id":"m","type":"message","role":"assistant","content":{content}}}"#);
    format!(
        "data: {{\"type\":\"response.output_item.added\",\"item\":{}}}\n\n\
         data: {{\"type\":\"response.output_text.delta\",\"item_id\":\"m\",\"delta\":\"{text}\"}}\n\n\
         data: {{\"type\":\"response.output_item.done\",\"item\":{}}}\n\n",
        item("[]"),
        item(&content)
    )
}

/// A call of the shell. The model asks for news after `wait_ms` when the command has not ended by then.
fn call(command: &str, wait_ms: u32) -> String {
    let arguments = format!(r#"{{\"cmd\":\"{command}\",\"login\":false,\"yield_time_ms\":{wait_ms}}}"#);
    format!(
        "data: {{\"type\":\"response.output_item.done\",\"item\":{{\"id\":\"f\",\"type\":\"function_call\",\
         \"call_id\":\"c\",\"name\":\"exec_command\",\"arguments\":\"{arguments}\"}}}}\n\n"
    )
}
