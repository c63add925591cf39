//! Tests of `apply_patch`.

use std::collections::BTreeMap;

use tokio::sync::mpsc;

use super::*;
use crate::base::tasks::CancellationToken;
use crate::protocol::policy::{ApprovalPolicy, SandboxPolicy, ShellEnvPolicy};
use crate::tools::context::ToolEvent;

const UPDATE: &str = "*** Begin Patch\n*** Update File: a\n-1\n+2\n*** End Patch\n";

struct Bench {
    dir: tempfile::TempDir,
    tool: ApplyPatch,
    ctx: ToolContext,
    events: mpsc::Receiver<ToolEvent>,
}

/// A judge of one mind.
struct Says(PatchVerdict);

impl PatchJudge for Says {
    fn verdict(&self, _: &ToolContext, paths: &[PathBuf]) -> PatchVerdict {
        assert!(paths.iter().all(|path| path.is_absolute()));
        self.0.clone()
    }

    fn open<'a>(&'a self, _: &'a ToolContext, _: &'a Narrow, _: Answer) -> BoxFuture<'a, ()> {
        Box::pin(std::future::ready(()))
    }
}

fn ask(reason: &str) -> PatchVerdict {
    PatchVerdict::Ask { reason: reason.to_owned(), place: None, missing: None }
}

fn bench(verdict: PatchVerdict) -> Bench {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("w")).unwrap();
    std::fs::write(dir.path().join("w/a"), "1\n").unwrap();
    let (sender, events) = mpsc::channel(64);
    let tool = ApplyPatch::new(Arc::new(Says(verdict)), dir.path().join("journals"));
    let ctx = ToolContext {
        thread_id: ThreadId::new(),
        turn_id: TurnId::new(),
        cwd: dir.path().join("w"),
        approval: ApprovalPolicy::OnRequest,
        sandbox: Arc::new(SandboxPolicy::DangerFullAccess),
        roots: Arc::new(crate::sandbox::resolve(
            &SandboxPolicy::DangerFullAccess,
            std::path::Path::new("/"),
            None,
        )),
        env: Arc::new(BTreeMap::new()),
        login_shell: true,
        shell_env: Arc::new(ShellEnvPolicy::default()),
        secret_env: Arc::default(),
        output_dir: dir.path().to_owned(),
        output_tokens: 1000,
        undo: Arc::default(),
        events: sender,
        cancel: CancellationToken::new(),
    };
    Bench { dir, tool, ctx, events }
}

impl Bench {
    /// Calls the tool, answering questions; returns its output and the names of what it told.
    async fn call(&mut self, payload: Payload, answer: Answer) -> (String, Vec<String>) {
        let call = ToolCall { call_id: "c1".into(), name: "apply_patch".into(), payload };
        let mut told = Vec::new();
        let mut future = self.tool.call(&self.ctx, call);
        let output = loop {
            tokio::select! {
                biased; // what was told before the end belongs to it
                event = self.events.recv() => told.push(name(event.unwrap(), answer)),
                output = &mut future => break output,
            }
        };
        drop(future);
        while let Ok(event) = self.events.try_recv() {
            told.push(name(event, answer));
        }
        let ToolOutput::Text(text) = output else { panic!("not text") };
        (text, told)
    }

    fn file(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("w/a")).unwrap()
    }
}

fn name(event: ToolEvent, answer: Answer) -> String {
    match event {
        ToolEvent::Ask(ask, reply) => {
            let Ask::Patch { changes, reason, .. } = *ask else { panic!("not a patch") };
            reply.send(answer).unwrap();
            format!("ask {} {}", changes.len(), reason.unwrap_or_default())
        }
        ToolEvent::Event(Event::ItemStarted { item: Item::FileChange { id, status, .. } }) => {
            format!("started {id} {status:?}")
        }
        ToolEvent::Event(Event::ItemCompleted { item: Item::FileChange { status, error, .. } }) => {
            format!("completed {status:?} {}", error.unwrap_or_default())
        }
        ToolEvent::Event(Event::DiffUpdated { diff }) => format!("diff {}", diff.lines().count()),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_patch_is_written_and_told() {
    let mut bench = bench(PatchVerdict::Write);
    let (text, told) = bench.call(Payload::Custom(UPDATE.into()), Answer::Cancel).await;
    assert!(text.starts_with("Exit code: 0\nWall time: 0."), "{text}");
    assert!(text.ends_with(" seconds\nOutput:\nSuccess. Updated the following files:\nM a\n"), "{text}");
    assert_eq!(told, ["started c1 InProgress", "completed Completed ", "diff 6"]);
    assert_eq!(bench.file(), "2\n");
    // As a function, and as JSON in the free text.
    let back = serde_json::json!({"input": UPDATE.replace("-1\n+2", "-2\n+1")}).to_string();
    let (text, told) = bench.call(Payload::Function(back), Answer::Cancel).await;
    assert!(text.ends_with("M a\n"), "{text}");
    assert_eq!(told.last().unwrap(), "diff 0", "the turn has no net change");
}

#[tokio::test]
async fn what_does_not_fit_is_told_and_not_written() {
    let mut bench = bench(PatchVerdict::Write);
    for (payload, want) in [
        (
            Payload::Custom("hello".into()),
            "apply_patch verification failed: invalid patch at line 1: the first line must be",
        ),
        (Payload::Custom("*** Begin Patch\n*** End Patch".into()), "patch rejected: empty patch"),
        (
            Payload::Custom(UPDATE.replace("-1", "-7")),
            "apply_patch verification failed: failed to find expected lines in a:\n  7\n",
        ),
        (
            Payload::Function("{\"patch\":1}".into()),
            "failed to parse function arguments: missing field `input`",
        ),
        (Payload::Function("nonsense".into()), "failed to parse function arguments: expected"),
    ] {
        let (text, told) = bench.call(payload, Answer::Accept).await;
        assert!(text.starts_with(want), "{text}");
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(told[1].starts_with("completed Failed "), "{told:?}");
    }
    assert_eq!(bench.file(), "1\n");
}

#[tokio::test]
async fn verdicts_and_answers() {
    for (verdict, answer, text, told, file) in [
        (
            PatchVerdict::Refuse("no".into()),
            Answer::Accept,
            "patch rejected: no",
            vec!["completed Declined patch rejected: no"],
            "1\n",
        ),
        (
            ask("why"),
            Answer::Decline,
            "patch rejected by user",
            vec!["ask 1 why", "completed Declined patch rejected by user"],
            "1\n",
        ),
        (
            ask(""),
            Answer::Cancel,
            "aborted by user",
            vec!["ask 1 ", "completed Declined aborted by user"],
            "1\n",
        ),
        (
            ask("why"),
            Answer::Accept,
            "Exit code: 0",
            vec!["ask 1 why", "completed Completed ", "diff 6"],
            "2\n",
        ),
    ] {
        let mut bench = bench(verdict);
        let (got, mut events) = bench.call(Payload::Custom(UPDATE.into()), answer).await;
        assert!(got.starts_with(text), "{got}");
        assert_eq!(events.remove(0), "started c1 InProgress");
        assert_eq!(events, told);
        assert_eq!(bench.file(), file);
    }
}

#[tokio::test]
async fn yes_for_the_session_is_remembered_for_these_files_of_this_thread() {
    let mut bench = bench(ask("why"));
    let back = UPDATE.replace("-1\n+2", "-2\n+1");
    let asked = |told: &[String]| told.iter().any(|event| event.starts_with("ask"));
    let (_, told) = bench.call(Payload::Custom(UPDATE.into()), Answer::AcceptForSession).await;
    assert!(asked(&told));
    let (_, told) = bench.call(Payload::Custom(back), Answer::Decline).await;
    assert!(!asked(&told) && bench.file() == "1\n");
    let other = "*** Begin Patch\n*** Add File: b\n+x\n*** End Patch\n";
    let (_, told) = bench.call(Payload::Custom(other.into()), Answer::Decline).await;
    assert!(asked(&told));
    bench.ctx.thread_id = ThreadId::new();
    let (_, told) = bench.call(Payload::Custom(UPDATE.into()), Answer::Decline).await;
    assert!(asked(&told));
}

#[tokio::test]
async fn an_interrupted_turn_writes_nothing() {
    let mut bench = bench(PatchVerdict::Write);
    bench.ctx.cancel.cancel();
    let (text, _) = bench.call(Payload::Custom(UPDATE.into()), Answer::Accept).await;
    assert_eq!((text.as_str(), bench.file().as_str()), ("aborted by user", "1\n"));
}

#[test]
fn the_definition_is_a_grammar_tool() {
    let definition = bench(PatchVerdict::Write).tool.definition().unwrap();
    assert_eq!((&definition["type"], &definition["format"]["syntax"]), (&"custom".into(), &"lark".into()));
    let description = definition["description"].as_str().unwrap();
    let sample: String = description
        .lines()
        .skip_while(|l| !l.starts_with("*** Begin"))
        .take_while(|l| !l.is_empty())
        .map(|l| format!("{l}\n"))
        .collect();
    assert!(patch::parse(&sample).is_ok(), "the sample in the description is a patch");
}
