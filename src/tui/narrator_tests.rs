//! Lines in, lines out.

use super::*;
use crate::base::ids::TurnId;
use crate::protocol::ask::{Answer, Effect};
use crate::protocol::item::{ChangeKind, FileChange, ItemStatus};

fn message(narrator: &mut Narrator, pieces: &[&str]) -> Vec<String> {
    let id = ItemId::from("m");
    let whole: String = pieces.concat();
    let item = |text: &str| Item::AgentMessage { id: id.clone(), text: text.to_owned(), phase: None };
    let mut out = narrator.on_event(&Event::ItemStarted { item: item("") });
    for piece in pieces {
        let delta = ItemDelta::Text((*piece).to_owned());
        out.extend(narrator.on_event(&Event::ItemDelta { item_id: id.clone(), delta }));
    }
    out.extend(narrator.on_event(&Event::ItemCompleted { item: item(&whole) }));
    out
}

#[test]
fn an_answer_is_told_once_line_by_line() {
    let mut narrator = Narrator::default();
    let told = message(&mut narrator, &["One ", "line.\nSec", "ond\u{1b}[31m line.\n", "Third"]);
    assert_eq!(told, ["Codex:", "One line.", "Second line.", "Third"]);
}

#[test]
fn a_question_is_answered_by_number() {
    let mut narrator = Narrator::default();
    let ask = |n: u64| Event::Ask {
        id: AskId(n),
        ask: Box::new(Ask::Command {
            item_id: ItemId::from("c"),
            command: "make install".to_owned(),
            cwd: "/p".into(),
            actions: Vec::new(),
            reason: None,
            effects: vec![Effect::Outside(vec!["make".to_owned()])],
            rule: None,
            place: None,
            missing: None,
        }),
    };
    let told = narrator.on_event(&ask(1));
    assert_eq!(told.first().map(String::as_str), Some("Question: may this command run?"));
    assert!(narrator.on_event(&ask(2)).is_empty(), "one at a time");
    narrator.tick(GUARD_MS - 1);
    for typed_before in ["y", "1", "3"] {
        assert!(matches!(narrator.on_line(typed_before), Meant::Say(words) if words == TOO_SOON));
    }
    assert!(matches!(narrator.on_line("and be quick"), Meant::Op(Op::UserTurn { .. })));
    narrator.tick(GUARD_MS);
    assert!(matches!(narrator.on_line("what?"), Meant::Say(_)));
    assert!(matches!(narrator.on_line("3"), Meant::Op(Op::Answer { id: AskId(1), answer: Answer::Decline })));
    assert_eq!(narrator.on_event(&Event::AskResolved { id: AskId(1) }).len(), 9);
    assert!(matches!(narrator.on_line("y"), Meant::Say(words) if words == TOO_SOON), "each its own time");
    narrator.tick(2 * GUARD_MS);
    assert!(matches!(narrator.on_line("y"), Meant::Op(Op::Answer { id: AskId(2), .. })));
}

#[test]
fn a_question_shows_all_and_nothing_else() {
    let evil = "ls\nreason: none\n1: yes\u{1b}]; rm -rf ~ \u{7}";
    let command = Ask::Command {
        item_id: ItemId::from("c"),
        command: shlex::try_join(["/bin/bash", "-lc", evil]).unwrap(),
        cwd: "/p\u{1b}[2J\n1: yes".into(),
        actions: Vec::new(),
        effects: Vec::new(),
        rule: None,
        place: None,
        missing: None,
        reason: Some("Fine.\n1: yes".to_owned()),
    };
    let change = FileChange {
        path: "a\u{1b}]0;t\u{7}\nb".into(),
        kind: ChangeKind::Add,
        diff: "echo\n1: yes\u{1b}]; rm\u{7}".to_owned(),
    };
    let patch = Ask::Patch {
        item_id: ItemId::from("p"),
        changes: vec![change],
        reason: None,
        place: None,
        missing: None,
    };
    for (ask, want) in [
        (
            command,
            "  command: ls|    reason: none|    1: yes␛]; rm -rf ~ ␇|  folder: /p␛[2J␊1: yes|  reason: Fine. 1: yes",
        ),
        (patch, "  file: a␛]0;t␇␊b|    echo|    1: yes␛]; rm␇"),
    ] {
        let told = Narrator::default().on_event(&Event::Ask { id: AskId(1), ask: Box::new(ask) });
        let middle = told.get(1..told.len() - 5).unwrap().join("|");
        assert_eq!(middle, want);
    }
}

#[test]
fn lines_and_what_they_mean() {
    let mut narrator = Narrator::default();
    assert!(matches!(narrator.on_line("do it"), Meant::Op(Op::UserTurn { .. })));
    assert!(matches!(narrator.on_line("!ls"), Meant::Op(Op::UserShell { command }) if command == "ls"));
    assert!(matches!(narrator.on_line("/model x y"), Meant::Command(n, a) if n == "model" && a == "x y"));
    assert!(matches!(narrator.on_line("  "), Meant::Nothing));
}

#[test]
fn a_turn_is_told_to_its_end() {
    let mut narrator = Narrator::default();
    narrator.on_event(&Event::TurnStarted { turn_id: TurnId::new() });
    assert!(narrator.is_running());
    let end = TurnEnd {
        turn_id: TurnId::new(),
        status: TurnStatus::Interrupted,
        error: None,
        usage: Default::default(),
        last_message: None,
        duration_ms: 7000,
        price: Vec::new(),
        changed: None,
        network: Default::default(),
        price_so_far: false,
    };
    let told = narrator.on_event(&Event::TurnCompleted(Box::new(end)));
    assert_eq!(told, ["Interrupted after 7 seconds."]);
    assert!(!narrator.is_running());
}

#[test]
fn a_call_that_failed_has_its_reason_and_a_moved_file_its_place() {
    let mut narrator = Narrator::default();
    let call = Item::ToolCall {
        id: ItemId::from("t"),
        tool: "fly".to_owned(),
        arguments: serde_json::Value::Null,
        status: ToolStatus::Failed,
        success: Some(false),
        output: Some("unsupported\ncall: fly".to_owned()),
    };
    let told = narrator.on_event(&Event::ItemCompleted { item: call });
    assert_eq!(told, ["Tool fly failed: unsupported call: fly"]);
    let change = FileChange {
        path: "/p/old.md".into(),
        kind: ChangeKind::Update { move_path: Some("/p/new.md".into()) },
        diff: String::new(),
    };
    assert_eq!(changed(&change, ItemStatus::Completed), "Edited /p/old.md, renamed to /p/new.md");
}
