//! Recorded event sequences → exact lines.

use std::path::PathBuf;

use super::*;
use crate::base::ids::TurnId;
use crate::protocol::error::ErrorKind;
use crate::protocol::item::{
    ChangeKind, CommandItem, CommandSource, FileChange, ItemDelta, PlanStatus, ToolStatus,
};
use crate::protocol::tokens::TokenUsage;

pub(crate) fn message(id: &str, text: &str) -> Item {
    Item::AgentMessage { id: id.into(), text: text.into(), phase: None }
}

pub(crate) fn command(id: &str, status: ItemStatus, output: Option<&str>, exit_code: Option<i32>) -> Item {
    Item::CommandExecution(CommandItem {
        id: id.into(),
        command: "/bin/bash -lc 'cat x; exit 2'".into(),
        cwd: PathBuf::from("/p"),
        process_id: None,
        source: CommandSource::Agent,
        status,
        command_actions: Vec::new(),
        aggregated_output: output.map(str::to_owned),
        exit_code,
        duration_ms: exit_code.map(|_| 516),
    })
}

pub(crate) fn patch(status: ItemStatus) -> Item {
    let change = |path: &str, kind, diff: &str| FileChange { path: path.into(), kind, diff: diff.into() };
    Item::FileChange {
        id: "call_p".into(),
        changes: vec![
            change("/p/new.txt", ChangeKind::Add, "one\ntwo\n"),
            change("/p/old.txt", ChangeKind::Delete, "gone\n"),
            change("/p/a.rs", ChangeKind::Update { move_path: None }, "@@ -1 +1 @@\n-a\n+b\n"),
        ],
        status,
        error: None,
    }
}

pub(crate) fn end(status: TurnStatus, error: Option<ErrorInfo>) -> Event {
    Event::TurnCompleted(Box::new(TurnEnd {
        turn_id: TurnId::new(),
        status,
        error,
        usage: TokenUsage {
            input_tokens: 4800,
            cached_input_tokens: 4000,
            cache_write_input_tokens: 0,
            output_tokens: 320,
            reasoning_output_tokens: 80,
            total_tokens: 5120,
        },
        last_message: Some("All done.".into()),
        duration_ms: 7,
        price: Vec::new(),
        changed: None,
        network: Default::default(),
        price_so_far: false,
    }))
}

pub(crate) fn plan(states: [PlanStatus; 2]) -> Event {
    let [first, second] = states;
    let plan = vec![
        PlanStep { step: "Look".into(), status: first },
        PlanStep { step: "Mend".into(), status: second },
    ];
    Event::PlanUpdated { explanation: None, plan }
}

pub(crate) fn retrying(attempt: u32) -> Event {
    let error = ErrorInfo::new(ErrorKind::StreamCut, "the answer broke off");
    Event::Retrying { attempt, max: 5, delay_ms: 200, error }
}

fn started(item: Item) -> Event {
    Event::ItemStarted { item }
}

fn completed(item: Item) -> Event {
    Event::ItemCompleted { item }
}

/// Feeds the events and compares all lines after `thread.started`.
fn check(show: Show, events: &[Event], want: &[&str]) {
    let mut lines = Lines::new(show);
    let opening = String::from_utf8(lines.open(ThreadId::new())).unwrap();
    assert!(opening.starts_with(r#"{"type":"thread.started","thread_id":""#) && opening.ends_with("\"}\n"));
    let bytes: Vec<u8> = events.iter().flat_map(|event| lines.event(event)).collect();
    let text = String::from_utf8(bytes).unwrap();
    assert_eq!(text.lines().collect::<Vec<_>>(), want);
}

const DONE: &str = r#"{"type":"turn.completed","usage":{"input_tokens":4800,"cached_input_tokens":4000,"cache_write_input_tokens":0,"output_tokens":320,"reasoning_output_tokens":80}}"#;

#[test]
fn a_whole_turn() {
    use ItemStatus::{Completed, Failed, InProgress};
    let thinking = Item::Reasoning {
        id: "rs".into(),
        summary: vec!["**Thinking**".into(), "short thought".into()],
        content: vec!["raw".into()],
    };
    check(
        Show::Summaries,
        &[
            Event::TurnStarted { turn_id: TurnId::new() },
            completed(Item::UserMessage { id: "u".into(), content: Vec::new() }),
            started(thinking.clone()),
            completed(thinking),
            started(message("m1", "")),
            Event::ItemDelta { item_id: "m1".into(), delta: ItemDelta::Text("Let me".into()) },
            completed(message("m1", "Let me look.")),
            started(command("c", InProgress, None, None)),
            Event::ItemDelta { item_id: "c".into(), delta: ItemDelta::Output("x".into()) },
            completed(command("c", Failed, Some("err\n"), Some(2))),
            started(patch(InProgress)),
            completed(patch(Completed)),
            Event::Usage(Default::default()),
            completed(message("m2", "All done.")),
            end(TurnStatus::Completed, None),
            Event::Closed,
        ],
        &[
            r#"{"type":"turn.started"}"#,
            r#"{"type":"item.completed","item":{"id":"item_0","type":"reasoning","text":"**Thinking**\n\nshort thought"}}"#,
            r#"{"type":"item.completed","item":{"id":"item_1","type":"agent_message","text":"Let me look."}}"#,
            r#"{"type":"item.started","item":{"id":"item_2","type":"command_execution","command":"/bin/bash -lc 'cat x; exit 2'","aggregated_output":"","exit_code":null,"status":"in_progress"}}"#,
            r#"{"type":"item.completed","item":{"id":"item_2","type":"command_execution","command":"/bin/bash -lc 'cat x; exit 2'","aggregated_output":"err\n","exit_code":2,"status":"failed"}}"#,
            r#"{"type":"item.started","item":{"id":"item_3","type":"file_change","changes":[{"path":"/p/new.txt","kind":"add"},{"path":"/p/old.txt","kind":"delete"},{"path":"/p/a.rs","kind":"update"}],"status":"in_progress"}}"#,
            r#"{"type":"item.completed","item":{"id":"item_3","type":"file_change","changes":[{"path":"/p/new.txt","kind":"add"},{"path":"/p/old.txt","kind":"delete"},{"path":"/p/a.rs","kind":"update"}],"status":"completed"}}"#,
            r#"{"type":"item.completed","item":{"id":"item_4","type":"agent_message","text":"All done."}}"#,
            DONE,
        ],
    );
}

#[test]
fn a_plan_lives_until_the_turn_ends() {
    use PlanStatus::{Completed, InProgress, Pending};
    check(
        Show::Summaries,
        &[
            plan([InProgress, Pending]),
            completed(message("m", "x")),
            plan([Completed, InProgress]),
            end(TurnStatus::Completed, None),
        ],
        &[
            r#"{"type":"item.started","item":{"id":"item_0","type":"todo_list","items":[{"text":"Look","completed":false},{"text":"Mend","completed":false}]}}"#,
            r#"{"type":"item.completed","item":{"id":"item_1","type":"agent_message","text":"x"}}"#,
            r#"{"type":"item.updated","item":{"id":"item_0","type":"todo_list","items":[{"text":"Look","completed":true},{"text":"Mend","completed":false}]}}"#,
            r#"{"type":"item.completed","item":{"id":"item_0","type":"todo_list","items":[{"text":"Look","completed":true},{"text":"Mend","completed":false}]}}"#,
            DONE,
        ],
    );
}

#[test]
fn a_dropped_message_leaves_only_the_reconnect() {
    check(
        Show::Summaries,
        &[
            started(message("half", "")),
            Event::ItemDelta { item_id: "half".into(), delta: ItemDelta::Text("ha".into()) },
            Event::ItemDropped { item_id: "half".into() },
            retrying(1),
            started(message("whole", "")),
            completed(message("whole", "whole")),
            end(TurnStatus::Completed, None),
        ],
        &[
            r#"{"type":"error","message":"Reconnecting... 1/5 (the answer broke off)"}"#,
            r#"{"type":"item.completed","item":{"id":"item_0","type":"agent_message","text":"whole"}}"#,
            DONE,
        ],
    );
}

#[test]
fn everything_started_is_finished_however_the_turn_ends() {
    let running = || started(command("c", ItemStatus::InProgress, None, None));
    let start = r#"{"type":"item.started","item":{"id":"item_0","type":"command_execution","command":"/bin/bash -lc 'cat x; exit 2'","aggregated_output":"","exit_code":null,"status":"in_progress"}}"#;
    let last = r#"{"type":"item.completed","item":{"id":"item_0","type":"command_execution","command":"/bin/bash -lc 'cat x; exit 2'","aggregated_output":"","exit_code":null,"status":"failed"}}"#;
    let interrupted = r#"{"type":"turn.failed","error":{"message":"interrupted"}}"#;
    check(Show::Summaries, &[running(), end(TurnStatus::Interrupted, None)], &[start, last, interrupted]);
    check(Show::Summaries, &[running(), Event::ItemDropped { item_id: "c".into() }], &[start, last]);
    check(Show::Summaries, &[running(), running(), end(TurnStatus::Completed, None)], &[start, last, DONE]);
    let error = ErrorInfo::new(ErrorKind::UsageLimit, "Limit reached.").with_hint("try again at 12:47");
    check(
        Show::Summaries,
        &[running(), end(TurnStatus::Failed, Some(error.clone()))],
        &[
            start,
            last,
            r#"{"type":"error","message":"Limit reached (try again at 12:47)"}"#,
            r#"{"type":"turn.failed","error":{"message":"Limit reached (try again at 12:47)"}}"#,
        ],
    );
    let mut lines = Lines::new(Show::Summaries);
    lines.event(&running());
    let text = String::from_utf8(lines.failed(&error)).unwrap();
    assert_eq!(text.lines().count(), 3, "{text}");
    assert_eq!(text.lines().next(), Some(last));
}

#[test]
fn what_has_no_shape_is_left_out_unless_it_failed() {
    let call = |success| Item::ToolCall {
        id: "t".into(),
        tool: "nope".into(),
        arguments: serde_json::Value::Null,
        status: ToolStatus::Failed,
        success: Some(success),
        output: Some("there is no tool `nope`".into()),
    };
    check(
        Show::Nothing,
        &[
            completed(Item::Reasoning {
                id: "r".into(),
                summary: vec!["hidden".into()],
                content: Vec::new(),
            }),
            started(call(false)),
            completed(call(false)),
            completed(call(true)),
            completed(Item::ContextCompaction { id: "x".into() }),
            completed(Item::WebSearch { id: "w".into(), query: "q".into() }),
            Event::Warning { message: "careful".into() },
        ],
        &[
            r#"{"type":"item.completed","item":{"id":"item_0","type":"error","message":"there is no tool `nope`"}}"#,
            r#"{"type":"item.completed","item":{"id":"item_1","type":"web_search","query":"q"}}"#,
            r#"{"type":"item.completed","item":{"id":"item_2","type":"error","message":"careful"}}"#,
        ],
    );
}

#[test]
fn paths_that_are_not_utf8_are_still_told() {
    use std::os::unix::ffi::OsStrExt;
    let path = PathBuf::from(std::ffi::OsStr::from_bytes(b"/p/\xff"));
    let changes = vec![FileChange { path, kind: ChangeKind::Add, diff: String::new() }];
    let item = Item::FileChange { id: "p".into(), changes, status: ItemStatus::Declined, error: None };
    check(
        Show::Nothing,
        &[completed(item)],
        &[
            "{\"type\":\"item.completed\",\"item\":{\"id\":\"item_0\",\"type\":\"file_change\",\"changes\":[{\"path\":\"/p/\u{fffd}\",\"kind\":\"add\"}],\"status\":\"failed\"}}",
        ],
    );
}
