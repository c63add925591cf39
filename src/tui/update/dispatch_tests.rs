//! The update as tables: keys and events in, state and effects out.

use crate::base::ids::{AskId, ItemId};
use crate::protocol::ask::Answer as Said;
use crate::protocol::error::{ErrorInfo, ErrorKind};
use crate::protocol::event::Event;
use crate::protocol::item::{CommandItem, CommandSource, Item, ItemStatus};
use crate::protocol::limits::{LimitWindow, LimitsSnapshot};
use crate::protocol::op::Op;
use crate::protocol::policy::SandboxMode;
use crate::protocol::turn::{Configured, TurnStatus};
use crate::tui::door::{Begin, Setting};
use crate::tui::effect::Effect;
use crate::tui::msg::Msg;
use crate::tui::popups::any::Popup;
use crate::tui::scene::{Scene, setup};
use crate::tui::setup::{Notify, Setup};
use crate::tui::status::facts::samples;
use crate::tui::terminal::Input;

fn scene() -> Scene {
    Scene::new(80, 24)
}

fn quits(scene: &Scene) -> bool {
    scene.effects.iter().any(|effect| matches!(effect, Effect::Quit))
}

fn interrupts(scene: &mut Scene) -> bool {
    scene.ops().iter().any(|op| matches!(op, Op::Interrupt))
}

#[test]
fn what_ctrl_c_means() {
    // Text: cleared and remembered. Idle: twice quits. Running: interrupts, never quits at once.
    let mut typed = scene();
    typed.text("draft").keys(&["ctrl-c"]);
    assert!(typed.prompt().is_empty() && !quits(&typed));
    typed.keys(&["up"]);
    assert_eq!(typed.prompt(), "draft");

    let mut idle = scene();
    idle.keys(&["ctrl-c"]);
    assert!(!quits(&idle));
    idle.keys(&["ctrl-c"]);
    assert!(quits(&idle));

    let mut slow = scene();
    slow.keys(&["ctrl-c"]).wait(1000).keys(&["ctrl-c"]);
    assert!(!quits(&slow));

    let mut between = scene();
    between.keys(&["ctrl-c", "a", "backspace", "ctrl-c"]);
    assert!(!quits(&between), "another key in between");

    let mut running = scene();
    running.turn("go").ops();
    running.keys(&["ctrl-c"]);
    assert!(interrupts(&mut running) && !quits(&running));
}

#[test]
fn ctrl_d_quits_only_without_text() {
    let mut typed = scene();
    typed.text("ab").keys(&["ctrl-d"]);
    assert!(!quits(&typed));
    let mut empty = scene();
    empty.keys(&["ctrl-d"]);
    assert!(quits(&empty));
}

#[test]
fn home_and_end_lead_to_both_ends_while_nothing_is_typed() {
    let mut scene = Scene::new(60, 14);
    scene.turn("go").says(&"text\n\n".repeat(40)).ops();
    scene.screen();
    scene.keys(&["home"]).screen();
    assert!(scene.model.transcript.is_at_start() && !scene.model.transcript.is_at_end());
    scene.keys(&["end"]).screen();
    assert!(scene.model.transcript.is_at_end());
    scene.text("typed").keys(&["home"]).text("I ");
    assert!(scene.model.transcript.is_at_end());
    assert_eq!(scene.prompt(), "I typed");
}

#[test]
fn questions_come_one_after_the_other() {
    let mut scene = scene();
    scene.turn("go").runs("c1", "one").runs("c2", "two").asks(1, "c1", "one").asks(2, "c2", "two").ops();
    scene.shown();
    scene.wait(300).keys(&["y"]).wait(300);
    let ops = scene.ops();
    assert!(matches!(ops.as_slice(), [Op::Answer { id: AskId(1), answer: Said::Accept }]), "{ops:?}");
    assert!(matches!(&scene.model.popup, Some(Popup::Approval(open)) if open.id() == AskId(2)));
    scene.event(Event::AskResolved { id: AskId(1) }).keys(&["d"]).wait(300);
    assert!(matches!(scene.ops().as_slice(), [Op::Answer { id: AskId(2), answer: Said::Decline }]));
}

#[test]
fn the_diff_of_a_turn_is_a_page() {
    let mut scene = scene();
    scene.text("/diff turn").keys(&["enter"]);
    assert!(scene.model.page.is_none() && scene.shown().contains("No patch of the last turn"));
    let diff = "diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-old words\n+other words\n";
    scene.turn("go").event(Event::DiffUpdated { diff: diff.to_owned() }).ends(TurnStatus::Completed);
    scene.text("/diff turn").keys(&["enter"]);
    let shown = scene.shown();
    assert!(shown.contains("Patches of the last turn") && shown.contains("other words"), "{shown}");
    scene.keys(&["q"]).turn("again");
    assert!(scene.model.turn.diff.is_empty(), "each turn has its own");
}

#[test]
fn what_is_said_in_the_conversation_is_kept_with_its_place() {
    let mut scene = scene();
    scene.turn("go").runs("c1", "one").asks(1, "c1", "one").shown();
    scene.wait(300).keys(&["y"]).wait(300);
    let notes = scene.notes();
    assert_eq!(
        notes.iter().map(|note| note.message.as_str()).collect::<Vec<_>>(),
        ["You allowed it, this once"]
    );
    assert_eq!((notes[0].after.as_ref().map(ItemId::as_str), notes[0].after_end), (Some("c1"), false));
    scene.ends(TurnStatus::Completed).text("/pwd").keys(&["enter"]);
    assert!(matches!(scene.notes().as_slice(), [note] if note.after_end));
    scene.text("/nonsense").keys(&["enter"]);
    assert_eq!(scene.notes().len(), 1);
    // What belongs to one start, or is beside the conversation, is not.
    scene.model.toast("a moment");
    scene.event(Event::Closed);
    scene.send(Msg::Opened(Err(ErrorInfo::new(ErrorKind::Io, "no such thread"))));
    assert!(scene.shown().contains("no such thread"));
    assert_eq!(scene.notes(), []);
}

#[test]
fn a_question_does_not_push_another_popup_aside() {
    let mut scene = scene();
    scene.turn("go").keys(&["f2"]).text("/permissions").ops();
    scene.model.warnings.push("now", "something");
    scene.keys(&["f2"]).asks(1, "c1", "ls");
    assert!(matches!(scene.model.popup, Some(Popup::Warnings(_))));
    scene.keys(&["f2"]);
    assert!(matches!(scene.model.popup, Some(Popup::Approval(_))));
    assert_eq!(scene.prompt(), "/permissions");
}

#[test]
fn keys_typed_ahead_go_into_the_prompt() {
    let mut scene = scene();
    scene.turn("go").text("ye").ops();
    scene.asks(1, "c1", "rm -rf build");
    scene.text("s, do it\n");
    assert!(scene.ops().is_empty(), "nothing was answered");
    assert_eq!(scene.prompt(), "yes, do it");
    scene.shown();
    scene.wait(300).keys(&["y"]).wait(300);
    assert!(matches!(scene.ops().as_slice(), [Op::Answer { answer: Said::Accept, .. }]));
}

#[test]
fn a_settled_question_closes() {
    let mut scene = scene();
    scene.turn("go").asks(1, "c1", "one").asks(2, "c2", "two");
    scene.event(Event::AskResolved { id: AskId(2) });
    assert!(scene.model.asks.is_empty());
    scene.event(Event::AskResolved { id: AskId(1) });
    assert!(scene.model.popup.is_none());
}

#[test]
fn commands_do_what_they_say() {
    let effect = |command: &str| {
        let mut scene = scene();
        scene.text(command).keys(&["enter"]);
        scene.notes();
        scene.effects.retain(|effect| !matches!(effect, Effect::SaveDraft(_)));
        scene.effects.pop().unwrap_or_else(|| panic!("{command}"))
    };
    assert!(matches!(effect("/compact"), Effect::Op(Op::Compact)));
    assert!(matches!(effect("/diff"), Effect::Diff));
    assert!(matches!(effect("/new"), Effect::Open(Begin::New)));
    assert!(
        matches!(effect("/resume my thread"), Effect::Locate(Begin::ResumeNamed(name)) if name == "my thread")
    );
    assert!(matches!(effect("/rename a name"), Effect::Rename(name) if name == "a name"));
    assert!(matches!(effect("/logout"), Effect::Logout));
    assert!(matches!(effect("/exit"), Effect::Quit));
    assert!(matches!(effect("/resume"), Effect::Threads(_)));
    assert!(matches!(effect("/export out.md"), Effect::Export(path, _) if path.ends_with("project/out.md")));
    assert!(matches!(effect("/cd ~/x"), Effect::CheckFolder(_, folder) if folder.ends_with("/home/u/x")));
    assert!(matches!(effect("/init"), Effect::Op(Op::UserTurn { .. })));
    assert!(matches!(effect("!ls -l"), Effect::Op(Op::UserShell { command }) if command == "ls -l"));
}

#[test]
fn a_choice_of_model_is_used_and_kept() {
    let mut scene = scene();
    scene.text("/model").keys(&["enter", "enter", "1"]);
    let ops = scene.ops();
    assert!(
        matches!(ops.as_slice(), [Op::Configure(change)] if change.effort.as_deref() == Some("low")),
        "{ops:?}"
    );
    assert!(scene.effects.iter().any(|effect| matches!(effect, Effect::Save(Setting::Model { .. }))));
    let now = Configured {
        model: "gpt-5.5".to_owned(),
        effort: Some("low".to_owned()),
        approval: samples::thread().approval,
        sandbox: samples::thread().sandbox,
        access: Vec::new(),
        cwd: samples::thread().cwd,
        context_window: 100,
    };
    scene.event(Event::Configured(Box::new(now)));
    assert!(scene.shown().contains("• Model: gpt-5.5 low"));
    assert_eq!(scene.model.facts.thread.as_ref().unwrap().effort.as_deref(), Some("low"));
}

#[test]
fn full_access_takes_two_answers() {
    let mut scene = scene();
    scene.text("/permissions").keys(&["enter", "3"]);
    assert!(scene.ops().is_empty());
    scene.keys(&["2"]);
    let ops = scene.ops();
    let full = |op: &Op| {
        matches!(op, Op::Configure(change)
        if change.sandbox.as_ref().is_some_and(|s| s.mode() == SandboxMode::DangerFullAccess))
    };
    assert!(matches!(ops.as_slice(), [op] if full(op)));
}

#[test]
fn reasoning_steps_by_keys() {
    let mut scene = scene();
    scene.keys(&["alt-."]);
    assert!(matches!(scene.ops().as_slice(), [Op::Configure(c)] if c.effort.as_deref() == Some("high")));
}

fn user_command(status: ItemStatus) -> Item {
    Item::CommandExecution(CommandItem {
        id: ItemId::from("ush_1"),
        command: "sleep 9".to_owned(),
        cwd: "/".into(),
        process_id: None,
        source: CommandSource::UserShell,
        status,
        command_actions: Vec::new(),
        aggregated_output: None,
        exit_code: None,
        duration_ms: None,
    })
}

#[test]
fn a_command_of_the_user_has_the_status_row_and_can_be_stopped() {
    let mut scene = scene();
    scene.event(Event::ItemStarted { item: user_command(ItemStatus::InProgress) });
    assert!(scene.shown().contains("Running your command (0s"));
    assert!(!scene.model.is_running(), "a prompt may be sent beside it");
    scene.keys(&["esc"]);
    assert!(interrupts(&mut scene));
    scene.event(Event::ItemCompleted { item: user_command(ItemStatus::Failed) });
    assert!(scene.model.turn.working.is_none());
}

#[test]
fn notifications_only_when_wanted() {
    for (notify, focused, told) in [
        (Notify::Unfocused, true, false),
        (Notify::Unfocused, false, true),
        (Notify::Always, true, true),
        (Notify::Never, false, false),
    ] {
        let mut scene = Scene::with(Setup { notify, ..setup() }, 80, 24);
        scene.open(samples::thread());
        scene.send(Msg::Input(Input::Focus(focused)));
        scene.turn("go").ends(TurnStatus::Completed);
        let seen = scene.effects.iter().any(|effect| matches!(effect, Effect::Notify(_)));
        assert_eq!(seen, told, "{notify:?} focused: {focused}");
    }
}

#[test]
fn the_notify_program_is_told_what_was_said() {
    let mut scene = Scene::with(Setup { notify_program: vec!["n".to_owned()], ..setup() }, 80, 24);
    scene.open(samples::thread());
    scene.turn("go").ends(TurnStatus::Completed);
    let json = scene.effects.iter().find_map(|effect| match effect {
        Effect::NotifyProgram(json) => Some(serde_json::from_str::<serde_json::Value>(json).unwrap()),
        _ => None,
    });
    let json = json.unwrap();
    assert_eq!(json["type"], "agent-turn-complete");
    assert_eq!(json["input-messages"], serde_json::json!(["go"]));
    assert_eq!(json["last-assistant-message"], "Done.");
    assert_eq!(json["cwd"], "/home/u/work/project");
}

#[test]
fn limits_warn_once_and_update_the_block() {
    let mut scene = scene();
    let limits = |used_percent| {
        let primary =
            Some(LimitWindow { used_percent, window_minutes: Some(300), resets_at: Some(1_700_003_600) });
        Event::Limits(Box::new(LimitsSnapshot { primary, ..LimitsSnapshot::default() }))
    };
    scene.text("/status").keys(&["enter"]);
    assert!(!scene.shown().contains("limit:"));
    scene.event(limits(91.0));
    assert!(scene.shown().contains("5h limit:"), "updated in place");
    assert!(scene.shown().contains("⚠ Less than 10% of your 5h limit is left."));
    scene.wait(30_000);
    assert!(scene.shown().contains("⚠ 5h limit: 9% left · resets 23:13 · /usage"), "{}", scene.shown());
    assert_eq!(scene.model.warnings.len(), 1);
    scene.event(limits(92.0));
    assert_eq!(scene.model.warnings.len(), 1);
}

#[test]
fn the_wheel_scrolls_and_leaves_the_prompt_alone() {
    let mut scene = Scene::new(60, 14);
    scene.turn("go").says(&"text\n\n".repeat(40)).ends(TurnStatus::Completed);
    scene.screen();
    scene.send(Msg::Input(Input::Wheel(3)));
    assert!(!scene.model.transcript.is_at_end() && scene.prompt().is_empty());
    scene.send(Msg::Input(Input::Wheel(-5)));
    assert!(scene.model.transcript.is_at_end());
    scene.keys(&["?"]).send(Msg::Input(Input::Wheel(-3)));
    assert!(scene.shown().contains("4–"), "pages scroll too");
}

#[test]
fn suspending_works_everywhere() {
    for keys in [&[][..], &["?"], &["f2"]] {
        let mut scene = scene();
        scene.keys(keys).keys(&["ctrl-z"]);
        assert!(matches!(scene.effects.last(), Some(Effect::Suspend)), "{keys:?}");
    }
}

#[test]
fn nothing_wakes_the_app_while_nothing_happens() {
    let mut scene = scene();
    scene.wait(10_000);
    assert_eq!(scene.model.wake_at_ms(), None);
    scene.turn("go").wait(10_000);
    assert!(scene.model.wake_at_ms().is_some());
    scene.ends(TurnStatus::Completed).wait(10_000);
    assert_eq!(scene.model.wake_at_ms(), None);
}

#[test]
fn a_paste_is_never_lost() {
    for keys in [&[][..], &["?"], &["f3"]] {
        let mut scene = scene();
        scene.keys(keys).send(Msg::Input(Input::Paste("pasted".to_owned())));
        assert_eq!(scene.prompt(), "pasted", "{keys:?}");
    }
}

#[test]
fn what_runs_in_the_background_is_counted_while_idle_and_its_end_told() {
    let mut scene = scene();
    scene.text("/stop").keys(&["enter"]);
    assert!(scene.shown().contains("No background terminals run"), "{}", scene.shown());
    scene.event(Event::Sessions(vec!["serve".to_owned(), "watch".to_owned()]));
    assert!(scene.shown().contains("2 background terminals · /ps"), "{}", scene.shown());
    scene.text("/stop").keys(&["enter"]);
    assert!(scene.shown().contains("Ending the background terminals"), "{}", scene.shown());
    scene.event(Event::Sessions(Vec::new()));
    let shown = scene.shown();
    assert!(shown.contains("Ended 2 background terminals."), "{shown}");
    assert!(!shown.contains("background terminals ·") && !shown.contains("Ending"), "{shown}");
}
