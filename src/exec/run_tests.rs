//! The loop against a thread that is played by the test.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::super::jsonl::tests::{end, message};
use super::*;
use crate::base::ids::{AskId, ThreadId, TurnId};
use crate::protocol::ask::Ask;
use crate::protocol::item::{Item, ItemDelta};
use crate::protocol::policy::{ApprovalPolicy, SandboxPolicy};

/// A stream that is kept.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl Kept {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A stream that always fails.
struct Broken(io::ErrorKind);

impl Write for Broken {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(self.0.into())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A stream whose reader stands still until the other end is dropped.
struct Stuck(std::sync::mpsc::Receiver<()>);

impl Write for Stuck {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let _ = self.0.recv();
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What the test holds: the other side of everything.
struct Stage {
    ops: mpsc::Receiver<Op>,
    events: Option<mpsc::Sender<Event>>,
    signals: mpsc::Sender<Signal>,
    out: Kept,
    err: Kept,
}

fn setup(json: bool) -> Setup {
    Setup {
        review: None,
        json,
        show: Show::Summaries,
        colored: false,
        stdout_terminal: false,
        stderr_terminal: false,
        banner: Banner {
            version: "1",
            workdir: "/p".into(),
            model: "m".into(),
            provider: "p".into(),
            approval: ApprovalPolicy::Never,
            sandbox: SandboxPolicy::ReadOnly { network_access: false },
            effort: None,
            summary: None,
            thread_id: ThreadId::new(),
        },
        prompt: "hi".into(),
        input: vec![UserInput::Text { text: "hi".into() }],
        output_schema: None,
        last_message: None,
        warnings: Vec::new(),
    }
}

type Running = tasks::Task<Outcome>;

/// Starts a run; `out` replaces the kept stdout.
fn start(setup: Setup, out: Option<Box<dyn Write + Send>>) -> (Running, Stage) {
    let (ops_in, ops) = mpsc::channel(64);
    let (events, events_out) = mpsc::channel(64);
    let (signals, signals_out) = mpsc::channel(4);
    let (kept_out, kept_err) = (Kept::default(), Kept::default());
    let out = out.unwrap_or_else(|| Box::new(kept_out.clone()));
    let output = Output::start(out, Box::new(kept_err.clone()));
    let door = Door { ops: ops_in, events: events_out };
    let task = tasks::spawn("run", run(door, signals_out, output, setup));
    (task, Stage { ops, events: Some(events), signals, out: kept_out, err: kept_err })
}

impl Stage {
    async fn op(&mut self) -> &'static str {
        match tokio::time::timeout(Duration::from_secs(10), self.ops.recv()).await.unwrap() {
            Some(Op::UserTurn { .. }) => "turn",
            Some(Op::Interrupt) => "interrupt",
            Some(Op::Answer { answer: Answer::Decline, .. }) => "decline",
            Some(Op::Shutdown) => "shutdown",
            Some(_) => "other",
            None => "gone",
        }
    }

    async fn tell(&self, event: Event) {
        self.events.as_ref().unwrap().send(event).await.unwrap();
    }
}

async fn outcome(task: Running) -> Outcome {
    tokio::time::timeout(Duration::from_secs(20), task.join()).await.unwrap().unwrap()
}

#[tokio::test]
async fn the_answer_stands_alone_on_stdout() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("answer");
    let (task, mut stage) = start(Setup { last_message: Some(file.clone()), ..setup(false) }, None);
    assert_eq!(stage.op().await, "turn");
    stage.tell(Event::TurnStarted { turn_id: TurnId::new() }).await;
    stage.tell(Event::ItemCompleted { item: message("m", "All done.") }).await;
    stage.tell(end(TurnStatus::Completed, None)).await;
    assert_eq!(stage.op().await, "shutdown");
    stage.tell(Event::Closed).await;
    assert_eq!(outcome(task).await, Outcome::Answered);
    assert_eq!(stage.out.text(), "All done.\n");
    assert!(stage.err.text().ends_with("user\nhi\ncodex\nAll done.\ntokens used\n1,120\n"));
    assert_eq!(std::fs::read_to_string(file).unwrap(), "All done.");
}

#[tokio::test]
async fn json_keeps_stderr_silent_and_asks_are_declined() {
    let warnings = vec!["w".to_owned()];
    let (task, mut stage) = start(Setup { warnings, ..setup(true) }, None);
    assert_eq!(stage.op().await, "turn");
    stage.tell(Event::TurnStarted { turn_id: TurnId::new() }).await;
    let ask =
        Ask::Patch { item_id: "p".into(), changes: Vec::new(), reason: None, place: None, missing: None };
    stage.tell(Event::Ask { id: AskId(7), ask: Box::new(ask) }).await;
    assert_eq!(stage.op().await, "decline");
    stage.tell(end(TurnStatus::Completed, None)).await;
    assert_eq!(stage.op().await, "shutdown");
    stage.events = None;
    assert_eq!(outcome(task).await, Outcome::Answered);
    let types: Vec<String> = stage
        .out
        .text()
        .lines()
        .map(|line| {
            serde_json::from_str::<serde_json::Value>(line).unwrap()["type"].as_str().unwrap().to_owned()
        })
        .collect();
    assert_eq!(types, ["thread.started", "turn.started", "item.completed", "turn.completed"]);
    assert_eq!(stage.err.text(), "");
}

#[tokio::test]
async fn a_failed_turn_fails_the_run_and_empties_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("answer");
    std::fs::write(&file, "old").unwrap();
    let (task, mut stage) = start(Setup { last_message: Some(file.clone()), ..setup(false) }, None);
    assert_eq!(stage.op().await, "turn");
    let Event::TurnCompleted(mut failed) =
        end(TurnStatus::Failed, Some(ErrorInfo::new(ErrorKind::Server, "it broke")))
    else {
        panic!()
    };
    failed.last_message = None;
    stage.tell(Event::TurnCompleted(failed)).await;
    assert_eq!(stage.op().await, "shutdown");
    stage.tell(Event::Closed).await;
    assert_eq!(outcome(task).await, Outcome::Failed);
    assert_eq!(stage.out.text(), "");
    assert_eq!(stage.err.text().matches("it broke").count(), 1);
    assert_eq!(std::fs::read_to_string(file).unwrap(), "");
}

#[tokio::test]
async fn an_answer_that_cannot_be_written_is_a_failure() {
    let missing = PathBuf::from("/nonexistent/dir/answer");
    let (task, mut stage) = start(Setup { last_message: Some(missing), ..setup(false) }, None);
    stage.op().await;
    stage.tell(end(TurnStatus::Completed, None)).await;
    stage.op().await;
    stage.tell(Event::Closed).await;
    assert_eq!(outcome(task).await, Outcome::Failed);
    assert!(stage.err.text().contains("/nonexistent/dir/answer"));
}

#[tokio::test]
async fn a_thread_that_vanishes_is_a_failure() {
    let (task, mut stage) = start(setup(false), None);
    stage.op().await;
    stage.events = None;
    assert_eq!(outcome(task).await, Outcome::Failed);
    assert_eq!(stage.err.text().matches("ERROR").count(), 1);
}

#[tokio::test]
async fn the_first_signal_interrupts_and_what_follows_is_still_shown() {
    let (task, mut stage) = start(setup(false), None);
    assert_eq!(stage.op().await, "turn");
    stage.signals.send(Signal::Interrupt).await.unwrap();
    assert_eq!(stage.op().await, "interrupt");
    stage.tell(end(TurnStatus::Interrupted, None)).await;
    assert_eq!(stage.op().await, "shutdown");
    stage.tell(Event::Closed).await;
    assert_eq!(outcome(task).await, Outcome::Stopped(Signal::Interrupt));
    assert!(stage.err.text().contains("interrupted"));
    assert_eq!(stage.out.text(), "");
}

#[tokio::test]
async fn a_second_signal_or_a_stuck_thread_ends_the_run_at_once() {
    let (task, mut stage) = start(setup(false), None);
    stage.op().await;
    stage.signals.send(Signal::Terminate).await.unwrap();
    assert_eq!(stage.op().await, "interrupt");
    stage.signals.send(Signal::Interrupt).await.unwrap();
    assert_eq!(outcome(task).await, Outcome::Stopped(Signal::Terminate));

    let (task, mut stage) = start(setup(false), None);
    stage.op().await;
    stage.signals.send(Signal::Terminate).await.unwrap();
    assert_eq!(stage.op().await, "interrupt");
    assert_eq!(outcome(task).await, Outcome::Stopped(Signal::Terminate), "after the deadline");
    drop(stage);
}

#[tokio::test]
async fn a_closed_stdout_stops_the_turn_quietly() {
    let closed = Broken(io::ErrorKind::BrokenPipe);
    let (task, mut stage) = start(setup(true), Some(Box::new(closed)));
    assert_eq!(stage.op().await, "turn");
    let mut told = 0;
    // The loss shows with the next line that is written.
    while stage.ops.is_empty() && told < 1000 {
        stage.tell(Event::ItemCompleted { item: message("m", "x") }).await;
        tokio::task::yield_now().await;
        told += 1;
    }
    assert_eq!(stage.op().await, "interrupt");
    stage.tell(end(TurnStatus::Interrupted, None)).await;
    assert_eq!(stage.op().await, "shutdown");
    stage.tell(Event::Closed).await;
    assert_eq!(outcome(task).await, Outcome::OutputClosed);
    assert_eq!(stage.err.text(), "");
}

#[tokio::test]
async fn a_full_disk_under_stdout_is_a_failure_and_a_lost_stderr_is_not() {
    for (out, err, want) in [
        (Some(io::ErrorKind::StorageFull), None, Outcome::Failed),
        (None, Some(io::ErrorKind::BrokenPipe), Outcome::Answered),
    ] {
        let kept = Kept::default();
        let writer = |broken: Option<io::ErrorKind>| -> Box<dyn Write + Send> {
            match broken {
                Some(kind) => Box::new(Broken(kind)),
                None => Box::new(kept.clone()),
            }
        };
        let output = Output::start(writer(out), writer(err));
        let (ops_in, _ops) = mpsc::channel(64);
        let (events, events_out) = mpsc::channel(64);
        let (_signals, signals_out) = mpsc::channel(4);
        events.send(end(TurnStatus::Completed, None)).await.unwrap();
        events.send(Event::Closed).await.unwrap();
        let door = Door { ops: ops_in, events: events_out };
        assert_eq!(run(door, signals_out, output, setup(false)).await, want);
        assert_eq!(kept.text().contains("All done."), want == Outcome::Answered);
    }
}

#[tokio::test]
async fn a_reader_that_stands_still_does_not_hold_up_signals() {
    let (release, stuck) = std::sync::mpsc::sync_channel(0);
    let (task, mut stage) = start(setup(true), Some(Box::new(Stuck(stuck))));
    stage.op().await;
    // Fill the queue of the writer, then some.
    let events = stage.events.take().unwrap();
    let flood = tasks::spawn("flood", async move {
        for _ in 0..500 {
            let item: Item = message("m", "x");
            if events.send(Event::ItemCompleted { item }).await.is_err() {
                return;
            }
        }
    });
    stage.signals.send(Signal::Interrupt).await.unwrap();
    assert_eq!(stage.op().await, "interrupt");
    stage.signals.send(Signal::Interrupt).await.unwrap();
    assert_eq!(outcome(task).await, Outcome::Stopped(Signal::Interrupt));
    drop((release, flood));
}

#[tokio::test]
async fn on_one_terminal_the_answer_is_not_shown_twice() {
    let both = Setup { stdout_terminal: true, stderr_terminal: true, ..setup(false) };
    let (task, mut stage) = start(both, None);
    stage.op().await;
    stage.tell(Event::ItemDelta { item_id: "m".into(), delta: ItemDelta::Text("All".into()) }).await;
    stage.tell(Event::ItemCompleted { item: message("m", "All done.") }).await;
    stage.tell(end(TurnStatus::Completed, None)).await;
    stage.op().await;
    stage.tell(Event::Closed).await;
    assert_eq!(outcome(task).await, Outcome::Answered);
    assert_eq!(stage.out.text(), "");
    assert_eq!(stage.err.text().matches("All done.").count(), 1);
}
