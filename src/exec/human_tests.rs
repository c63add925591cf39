//! Recorded event sequences → what a person sees, as snapshots.

use super::super::jsonl::tests::{command, end, message, patch, plan, retrying};
use super::*;
use crate::protocol::error::ErrorKind;

fn accept(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(concat!(env!("CARGO_MANIFEST_DIR"), "/snapshots/exec/human"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    // Escape characters would be invisible.
    let text = text.replace('\u{1b}', "␛");
    settings.bind(|| insta::assert_snapshot!(name, text));
}

fn show(colored: bool, events: &[Event]) -> String {
    let mut progress = Progress::new(colored, Show::Summaries);
    events.iter().map(|event| progress.event(event)).collect()
}

fn completed(item: Item) -> Event {
    Event::ItemCompleted { item }
}

fn started(item: Item) -> Event {
    Event::ItemStarted { item }
}

fn whole_turn() -> Vec<Event> {
    use ItemStatus::{Completed, Failed, InProgress};
    let thinking = Item::Reasoning {
        id: "rs".into(),
        summary: vec!["**Thinking**".into(), "short thought".into()],
        content: Vec::new(),
    };
    vec![
        completed(thinking),
        started(message("m1", "")),
        completed(message("m1", "Let me look.")),
        plan([PlanStatus::Completed, PlanStatus::InProgress]),
        started(command("c", InProgress, None, None)),
        completed(command("c", Failed, Some("def f():\n    pass\nerr\n"), Some(2))),
        started(patch(InProgress)),
        completed(patch(Completed)),
        Event::Warning { message: "AGENTS.md was cut".into() },
        completed(message("m2", "All done.")),
        end(TurnStatus::Completed, None),
    ]
}

#[test]
fn banner() {
    let banner = Banner {
        version: "1.2.3",
        workdir: "/home/user/project".into(),
        model: "gpt-5.5".into(),
        provider: "mock".into(),
        approval: ApprovalPolicy::Never,
        sandbox: SandboxPolicy::WorkspaceWrite {
            writable_roots: vec!["/data".into()],
            network_access: true,
            exclude_tmpdir_env_var: false,
            exclude_slash_tmp: false,
        },
        effort: Some("high".into()),
        summary: None,
        thread_id: "01a1f8d2-2857-7771-acbc-e630fddfae71".parse().unwrap(),
    };
    accept("banner", &Progress::new(false, Show::Summaries).open(&banner, "do\nit\n"));
}

#[test]
fn a_whole_turn_plain_and_in_colour() {
    accept("turn", &show(false, &whole_turn()));
    accept("turn_in_colour", &show(true, &whole_turn()));
}

#[test]
fn long_output_is_shortened() {
    let output: String = (1..=20_000).map(|n| format!("\u{1b}[31mthis is line {n}\u{1b}[0m\r\n")).collect();
    let text = show(false, &[completed(command("c", ItemStatus::Completed, Some(&output), Some(0)))]);
    assert!(text.lines().count() < 60, "{}", text.lines().count());
    accept("long_output", &text);
}

#[test]
fn results_of_parallel_commands_name_their_command() {
    let other = |status, code| match command("d", status, None, code) {
        Item::CommandExecution(command) => {
            Item::CommandExecution(CommandItem { command: "sleep 1".into(), ..command })
        }
        item => item,
    };
    use ItemStatus::{Completed, Declined, InProgress};
    let events = [
        started(command("c", InProgress, None, None)),
        started(other(InProgress, None)),
        completed(command("c", Completed, Some("out"), Some(0))),
        started(command("e", InProgress, None, None)),
        completed(command("e", Declined, None, None)),
        end(TurnStatus::Interrupted, None),
    ];
    accept("parallel", &show(false, &events));
}

#[test]
fn an_error_is_shown_once() {
    let error = ErrorInfo::new(ErrorKind::UsageLimit, "Usage limit reached.").with_hint("try again at 12:47");
    let text = show(false, &[retrying(1), retrying(2), end(TurnStatus::Failed, Some(error))]);
    assert_eq!(text.matches("Usage limit reached").count(), 1);
    assert_eq!(text.matches("the answer broke off").count(), 1);
    accept("errors", &text);
}

#[test]
fn half_written_and_foreign_text_does_no_harm() {
    let events = [
        started(message("half", "")),
        Event::ItemDropped { item_id: "half".into() },
        completed(message("m", "title\u{1b}]0;evil\u{7} and \u{1b}[2Jclear")),
        completed(message("empty", " ")),
    ];
    assert_eq!(show(false, &events), "codex\ntitle and clear\n");
}
