//! What is written comes back equal, and other programs can read it.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use super::*;
use crate::base::ids::ThreadId;
use crate::protocol::error::ErrorKind;
use crate::protocol::item::*;
use crate::protocol::limits::LimitWindow;
use crate::protocol::model_item::ModelItem;
use crate::protocol::policy::{ApprovalPolicy, SandboxPolicy};
use crate::protocol::review::{Output, Target};
use crate::protocol::thread::ThreadSource;
use crate::protocol::tokens::TokenUsage;
use crate::threads::load::load;
use crate::threads::meta::NewThread;
use crate::threads::page::tail;
use crate::threads::samples::{ALL, Noon, raw, thread, turn_end, user};
use crate::threads::settings::Settings;
use crate::threads::writer::{Compacted, Writer};

fn command(id: &str, line: &str, status: ItemStatus) -> Item {
    let ran = status != ItemStatus::Declined;
    Item::CommandExecution(CommandItem {
        id: id.into(),
        command: line.into(),
        cwd: "/p q".into(),
        process_id: ran.then(|| "7".into()),
        source: CommandSource::UnifiedExecStartup,
        status,
        command_actions: vec![
            CommandAction::Read { command: "cat a".into(), name: "a".into(), path: "d/a".into() },
            CommandAction::ListFiles { command: "ls".into(), path: None },
            CommandAction::Search { command: "rg x".into(), query: Some("x".into()), path: None },
            CommandAction::Unknown { command: "z".into() },
        ],
        aggregated_output: ran.then(|| "out\u{1b}[0m\n\u{fffd}".into()),
        exit_code: ran.then_some(3),
        duration_ms: ran.then_some(1001),
    })
}

fn every_kind() -> Vec<Item> {
    let change = |path: &str, kind, diff: &str| FileChange { path: path.into(), kind, diff: diff.into() };
    let tool = |id: &str, status, success| Item::ToolCall {
        id: id.into(),
        tool: "odd".into(),
        arguments: serde_json::json!({"a": [1, null]}),
        status,
        success: Some(success),
        output: Some("said\nthis".into()),
    };
    vec![
        Item::UserMessage { id: "u1".into(), content: vec![UserInput::Text { text: "hi\n\"you\"".into() }] },
        Item::UserMessage {
            id: "u2".into(),
            content: vec![
                UserInput::Image { url: "data:x".into() },
                UserInput::Text { text: "after".into() },
                UserInput::LocalImage { path: "/i.png".into() },
                UserInput::Text { text: "more".into() },
            ],
        },
        Item::Reasoning {
            id: "r1".into(),
            summary: vec!["a".into(), "b".into()],
            content: vec!["raw".into()],
        },
        Item::Reasoning { id: "r2".into(), summary: vec!["c".into()], content: Vec::new() },
        command("c1", "bash -lc 'ls | wc'", ItemStatus::Failed),
        command("c2", "echo  two  spaces \"and' an open quote", ItemStatus::Completed),
        command("c3", "rm -rf /", ItemStatus::Declined),
        Item::FileChange {
            id: "p1".into(),
            changes: vec![
                change("/z", ChangeKind::Add, "new\n"),
                change("/a", ChangeKind::Update { move_path: Some("/b".into()) }, "@@\n-x\n+y\n"),
                change("/m", ChangeKind::Delete, "gone"),
            ],
            status: ItemStatus::Completed,
            error: None,
        },
        Item::FileChange {
            id: "p2".into(),
            changes: Vec::new(),
            status: ItemStatus::Failed,
            error: Some("no such line".into()),
        },
        tool("t1", ToolStatus::Completed, true),
        tool("t2", ToolStatus::Failed, false),
        Item::WebSearch { id: "w1".into(), query: "weather".into() },
        Item::ImageView { id: "v1".into(), path: "/i.png".into() },
        Item::ContextCompaction { id: "x1".into() },
        Item::EnteredReviewMode {
            id: "e1".into(),
            review: "changes against 'main'".into(),
            target: Some(Target::BaseBranch { branch: "main".into() }),
        },
        reviewed("x2", Some(Output::of_answer(r#"{"findings":[{"title":"t","body":"b","priority":1}]}"#))),
        reviewed("x3", Some(Output::of_answer("only words"))),
        reviewed("x4", None),
        Item::AgentMessage { id: "m1".into(), text: "# done".into(), phase: Some(MessagePhase::FinalAnswer) },
        Item::AgentMessage { id: "m1".into(), text: "same id".into(), phase: None },
    ]
}

fn reviewed(id: &str, output: Option<Output>) -> Item {
    let review = output.as_ref().map_or_else(|| "stopped".to_owned(), Output::text);
    Item::ExitedReviewMode { id: id.into(), review, output }
}

#[test]
fn what_is_written_comes_back_equal() {
    let home = tempfile::tempdir().unwrap();
    let id = ThreadId::new();
    let mut writer = Writer::create(home.path(), thread(id), Arc::new(Noon));
    let history = [
        raw(r#"{"type":"message","role":"developer","content":[{}]}"#),
        user("hi"),
        raw(
            r#"{ "type" : "function_call", "call_id":"k1", "name":"exec_command", "arguments":"{}" , "n":1.50 }"#,
        ),
        raw(r#"{"type":"function_call_output","call_id":"k1","output":"\u00e4 é \ud83d\ude00"}"#),
        raw(r#"{"type":"reasoning","encrypted_content":"xx","summary":[]}"#),
    ];
    let settings = Settings {
        turn_id: Some(TurnId::new()),
        cwd: Some("/home/user/project".into()),
        model: Some("m".into()),
        effort: Some("low".into()),
        summary: Some("auto".into()),
        approval: Some(ApprovalPolicy::Never),
        sandbox: Some(SandboxPolicy::ReadOnly { network_access: false }),
    };
    let turn = TurnId::new();
    writer.turn_started(turn, Some(1000)).unwrap();
    writer.settings(&settings).unwrap();
    for item in &history {
        writer.model_item(item).unwrap();
    }
    let items = every_kind();
    for item in &items {
        writer.item(item, turn).unwrap();
    }
    let usage = ThreadUsage {
        total: TokenUsage { input_tokens: 9, total_tokens: 12, ..Default::default() },
        last: TokenUsage { output_tokens: 3, ..Default::default() },
        context_window: Some(1000),
    };
    let window = LimitWindow { used_percent: 12.5, window_minutes: Some(300), resets_at: Some(7) };
    let limits = LimitsSnapshot { primary: Some(window), ..Default::default() };
    writer.usage(Some(&usage), Some(&limits), &[]).unwrap();
    writer.turn_completed(&turn_end(turn, TurnStatus::Completed, None)).unwrap();
    let path = writer.path().unwrap().to_owned();
    let loaded = load(home.path(), &path).unwrap();
    assert_eq!(loaded.problems.list, []);
    let texts = |items: &[ModelItem]| items.iter().map(|item| item.json.get().to_owned()).collect::<Vec<_>>();
    let kinds = |items: &[ModelItem]| items.iter().map(|item| item.kind.clone()).collect::<Vec<_>>();
    assert_eq!(texts(&loaded.history), texts(&history), "byte for byte");
    assert_eq!(kinds(&loaded.history), kinds(&history));
    assert_eq!(loaded.settings, settings);
    let line = fs::read_to_string(&path)
        .unwrap()
        .lines()
        .find(|line| line.contains("token_count"))
        .map(str::to_owned);
    let line: serde_json::Value = serde_json::from_str(&line.unwrap()).unwrap();
    assert_eq!(line["payload"]["rate_limits"], serde_json::to_value(limits).unwrap(), "for other programs");
    assert_eq!(loaded.usage.map(|usage| (usage.total, usage.last)), Some((usage.total, usage.last)));
    let meta = loaded.meta;
    assert_eq!(
        (meta.id, meta.source, meta.model_provider),
        (id, Some(ThreadSource::Exec), Some("openai".into()))
    );
    assert_eq!(meta.git.and_then(|git| git.branch).as_deref(), Some("main"));
    let page = tail(home.path(), &path, ALL).unwrap();
    let mut shown = page.turns[0].items.clone();
    // The stored call has no item of its own here, so it is shown by itself.
    shown.retain(|item| item.id().as_str() != "k1");
    assert_eq!(shown, items);
    assert_eq!(page.turns[0].duration_ms, Some(1234));
}

#[test]
fn every_end_of_a_turn_comes_back() {
    let home = tempfile::tempdir().unwrap();
    let mut writer = Writer::create(home.path(), thread(ThreadId::new()), Arc::new(Noon));
    let error = ErrorInfo::new(ErrorKind::RateLimited, "slow down").with_hint("wait");
    let ends = [
        (TurnId::new(), TurnStatus::Completed, None),
        (TurnId::new(), TurnStatus::Failed, Some(error)),
        (TurnId::new(), TurnStatus::Interrupted, None),
    ];
    for (turn, status, error) in &ends {
        writer.turn_started(*turn, None).unwrap();
        writer.turn_completed(&turn_end(*turn, *status, error.clone())).unwrap();
    }
    let page = tail(home.path(), writer.path().unwrap(), ALL).unwrap();
    let got: Vec<_> =
        page.turns.into_iter().map(|turn| (turn.id.unwrap(), turn.status, turn.error)).collect();
    assert_eq!(got, ends);
}

#[test]
fn a_price_told_after_the_end_is_the_one_that_comes_back() {
    let home = tempfile::tempdir().unwrap();
    let mut writer = Writer::create(home.path(), thread(ThreadId::new()), Arc::new(Noon));
    let (first, second) = (TurnId::new(), TurnId::new());
    let five = |percent| vec![Price { window: "5h".to_owned(), percent }];
    for (turn, percent) in [(first, 1.0), (second, 2.0)] {
        writer.turn_started(turn, None).unwrap();
        let usage = ThreadUsage::default();
        writer.usage(Some(&usage), None, &five(percent)).unwrap();
        let end = TurnEnd {
            price: five(percent),
            price_so_far: true,
            ..turn_end(turn, TurnStatus::Completed, None)
        };
        writer.turn_completed(&end).unwrap();
    }
    // The last answer of the first turn became known during the second one.
    writer.turn_priced(first, &five(1.5), &five(3.5)).unwrap();
    writer.turn_priced(TurnId::new(), &five(99.0), &five(3.75)).unwrap();
    let page = tail(home.path(), writer.path().unwrap(), ALL).unwrap();
    let got: Vec<_> = page.turns.into_iter().map(|turn| (turn.price, turn.price_so_far)).collect();
    assert_eq!(got, [(five(1.5), false), (five(2.0), true)]);
    let loaded = load(home.path(), writer.path().unwrap()).unwrap();
    assert_eq!((loaded.spent, loaded.problems.count), (five(3.75), 0), "what was told last counts");
}

#[test]
fn a_path_that_is_no_text_does_not_cost_the_line() {
    let home = tempfile::tempdir().unwrap();
    let odd = PathBuf::from(<std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(b"/a\xff"));
    let mut writer = Writer::create(
        home.path(),
        NewThread { cwd: odd.clone(), ..thread(ThreadId::new()) },
        Arc::new(Noon),
    );
    let content = vec![UserInput::LocalImage { path: odd.clone() }, UserInput::Text { text: "x".into() }];
    writer.item(&Item::UserMessage { id: "u".into(), content }, TurnId::new()).unwrap();
    writer.item(&Item::ImageView { id: "v".into(), path: odd }, TurnId::new()).unwrap();
    let loaded = load(home.path(), writer.path().unwrap()).unwrap();
    assert_eq!((loaded.problems.count, loaded.meta.cwd), (0, Some("/a\u{fffd}".into())));
    assert_eq!(tail(home.path(), writer.path().unwrap(), ALL).unwrap().turns[0].items.len(), 2);
}

#[test]
fn the_lines_as_other_programs_read_them() {
    let home = tempfile::tempdir().unwrap();
    let turn: TurnId = "01a1f8bf-1866-7340-941c-6cecf969cd57".parse().unwrap();
    let id = "01a1f8bf-184b-7fe1-8aa5-4000ff2dc8a9".parse().unwrap();
    let mut writer = Writer::create(home.path(), thread(id), Arc::new(Noon));
    writer.turn_started(turn, Some(258_400)).unwrap();
    writer.settings(&Settings { model: Some("gpt".into()), ..Default::default() }).unwrap();
    writer.model_item(&user("hi")).unwrap();
    for item in every_kind() {
        writer.item(&item, turn).unwrap();
    }
    writer.usage(Some(&ThreadUsage::default()), None, &[]).unwrap();
    writer.compacted(Compacted { message: "short", history: &[user("hi")], window_number: 1 }).unwrap();
    writer
        .turn_completed(&turn_end(turn, TurnStatus::Failed, Some(ErrorInfo::new(ErrorKind::Quota, "no"))))
        .unwrap();
    writer.turn_completed(&turn_end(turn, TurnStatus::Interrupted, None)).unwrap();
    let text = fs::read_to_string(writer.path().unwrap()).unwrap();
    insta::with_settings!({
        snapshot_path => concat!(env!("CARGO_MANIFEST_DIR"), "/snapshots/threads/written"),
        prepend_module_to_snapshot => false,
        omit_expression => true,
    }, { insta::assert_snapshot!("lines", text) });
}

#[test]
fn items_in_the_middle_of_their_life_are_not_stored() {
    let home = tempfile::tempdir().unwrap();
    let mut writer = Writer::create(home.path(), thread(ThreadId::new()), Arc::new(Noon));
    writer.item(&command("c", "ls", ItemStatus::InProgress), TurnId::new()).unwrap();
    let empty = Item::Reasoning { id: ItemId::from("r"), summary: Vec::new(), content: Vec::new() };
    writer.item(&empty, TurnId::new()).unwrap();
    assert!(writer.path().is_none(), "not even the file is made");
}
