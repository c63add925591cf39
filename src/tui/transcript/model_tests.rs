//! Events → cells, as tables.

use std::fmt::Write as _;

use proptest::prelude::*;

use super::super::samples::*;
use super::super::{Look, Transcript};
use super::*;
use crate::protocol::ask::Ask;
use crate::protocol::item::{CommandSource, ItemStatus, PlanStatus, PlanStep, ToolStatus};
use crate::threads::Turn;
use crate::tui::text::line_width;
use crate::tui::theme::Theme;

/// The first row of every cell that shows something, the header left out.
fn rows(transcript: &Transcript, unfolded: bool) -> Vec<String> {
    let theme = Theme::default();
    let look = Look { theme: &theme, unfolded, now_ms: 0 };
    let first = |(_, cell): (Key, &dyn Cell)| {
        let lines = cell.lines(60, &look);
        lines.iter().map(ToString::to_string).find(|row| !row.trim().is_empty())
    };
    transcript.cells().skip(1).filter_map(first).collect()
}

/// All rows of all cells.
fn everything(transcript: &Transcript, unfolded: bool) -> String {
    let theme = Theme::default();
    let look = Look { theme: &theme, unfolded, now_ms: 0 };
    let mut out = String::new();
    for (_, cell) in transcript.cells() {
        for line in cell.lines(60, &look) {
            let _ = writeln!(out, "{line}");
        }
        out.push('\n');
    }
    out
}

fn check(events: &[Event], expected: &[&str]) {
    let mut t = transcript();
    t.feed(events, 0);
    assert_eq!(rows(&t, false), expected);
}

#[test]
fn a_message_grows_and_is_there_once() {
    let whole = message("m", "Hello world");
    check(
        &[started(&message("m", "")), text("m", "Hello "), text("m", "wor"), completed(&whole)],
        &["• Hello world"],
    );
    check(&[completed(&whole)], &["• Hello world"]);
    check(&[started(&message("m", "")), text("m", "Something else"), completed(&whole)], &["• Hello world"]);
}

#[test]
fn a_cut_stream_leaves_nothing_twice() {
    check(
        &[
            started(&message("m1", "")),
            text("m1", "Half an ans"),
            Event::ItemDropped { item_id: "m1".into() },
            started(&message("m2", "")),
            text("m2", "Half an answer"),
            completed(&message("m2", "Half an answer and the rest")),
        ],
        &["• Half an answer and the rest"],
    );
}

#[test]
fn commands_that_only_read_merge_until_something_is_in_between() {
    let a = ended(read("c1", "a.rs"), 0, "", 1);
    let b = ended(read("c2", "b.rs"), 0, "", 1);
    let ran = ended(running("c3", "make"), 0, "", 1);
    let c = ended(read("c4", "c.rs"), 0, "", 1);
    let events =
        [completed(&command(a)), completed(&command(b)), completed(&command(ran)), completed(&command(c))];
    check(&events, &["• Explored · ctrl-t for details", "• Ran make", "• Explored · ctrl-t for details"]);
    let mut t = transcript();
    t.feed(&events, 0);
    assert!(everything(&t, false).contains("Read a.rs, b.rs\n"));
}

#[test]
fn thoughts_do_not_part_what_was_read_and_keep_their_place() {
    let mut t = transcript();
    t.feed(
        &[
            completed(&command(ended(read("c1", "a.rs"), 0, "", 1))),
            started(&reasoning("r1", "")),
            delta("r1", ItemDelta::Summary("thinking".into())),
            completed(&reasoning("r1", "thinking")),
            started(&command(read("c2", "b.rs"))),
            completed(&command(ended(read("c2", "b.rs"), 0, "what b says", 1))),
        ],
        0,
    );
    assert_eq!(rows(&t, false).len(), 1);
    let unfolded = everything(&t, true);
    let places: Vec<_> =
        ["cat a.rs", "thinking", "cat b.rs", "what b says"].iter().map(|w| unfolded.find(w)).collect();
    assert!(places.is_sorted() && places[0].is_some(), "{unfolded}");
}

#[test]
fn parallel_commands_end_in_any_order() {
    let mut t = transcript();
    let (a, b) = (running("a", "first"), running("b", "second"));
    t.feed(&[started(&command(a.clone())), started(&command(b.clone()))], 0);
    t.feed(&[output("b", "two\n"), completed(&command(ended(b, 0, "two\n", 1)))], 0);
    assert_eq!(rows(&t, false), ["• Running first", "• Ran second"]);
    assert!(t.has_live());
    t.feed(&[completed(&command(ended(a, 1, "one\n", 1)))], 0);
    assert_eq!(rows(&t, false), ["✗ Exited (status 1) first", "• Ran second"]);
    assert!(!t.has_live());
}

#[test]
fn asking_is_shown_where_it_belongs() {
    let mut t = transcript();
    let item = running("c", "git push");
    let ask = Ask::Command {
        item_id: "c".into(),
        command: "git push".into(),
        cwd: "/".into(),
        actions: vec![],
        reason: None,
        effects: Vec::new(),
        rule: None,
        place: None,
        missing: None,
    };
    t.feed(&[started(&command(item)), Event::Ask { id: AskId(1), ask: Box::new(ask) }], 0);
    assert_eq!(rows(&t, false), ["• Waiting for your approval: git push"]);
    t.feed(&[Event::AskResolved { id: AskId(1) }], 0);
    assert_eq!(rows(&t, false), ["• Running git push"]);
}

#[test]
fn nothing_that_failed_is_hidden() {
    let declined = CommandItem { status: ItemStatus::Declined, ..running("c", "rm x") };
    let unknown = Item::ToolCall {
        id: "t".into(),
        tool: "magic".into(),
        arguments: serde_json::json!({}),
        status: ToolStatus::Failed,
        success: Some(false),
        output: Some("unsupported call: magic".into()),
    };
    let failed = patch("p", vec![], ItemStatus::Failed, Some("no such file"));
    check(
        &[completed(&command(declined)), completed(&unknown), completed(&failed)],
        &["✗ Not run: rm x", "✗ Failed: magic({})", "✗ The patch did not apply"],
    );
}

#[test]
fn a_plan_takes_the_place_of_the_one_before_it() {
    let plan = |status| Event::PlanUpdated {
        explanation: None,
        plan: vec![
            PlanStep { step: "a".into(), status },
            PlanStep { step: "b".into(), status: PlanStatus::Pending },
        ],
    };
    check(&[plan(PlanStatus::Pending), plan(PlanStatus::Completed)], &["• Plan · 1 of 2 done"]);
    check(
        &[plan(PlanStatus::Pending), completed(&message("m", "hi")), plan(PlanStatus::Completed)],
        &["• Plan · 0 of 2 done", "• hi", "• Plan · 1 of 2 done"],
    );
}

#[test]
fn the_end_of_a_turn_ends_all_but_the_users_own_commands() {
    let mut t = transcript();
    let own = CommandItem { source: CommandSource::UserShell, ..running("u", "tail -f log") };
    t.feed(
        &[
            started(&message("m", "")),
            text("m", "half"),
            started(&command(running("c", "sleep"))),
            started(&command(own.clone())),
            turn_end(TurnStatus::Interrupted, None, 3_000),
        ],
        0,
    );
    assert_eq!(
        rows(&t, false),
        ["• half", "✗ Stopped sleep", "• Running tail -f log", "■ Interrupted after 3s"]
    );
    t.feed(&[output("u", "x\n"), completed(&command(ended(own, 130, "x\n", 9_000)))], 0);
    assert_eq!(rows(&t, false)[2], "✗ You ran tail -f log · exited (status 130, SIGINT) · 9.0s");
}

#[test]
fn the_price_of_a_turn_is_corrected_when_it_is_known() {
    let mut transcript = transcript();
    let five = |percent| vec![Price { window: "5h".to_owned(), percent }];
    let Event::TurnCompleted(mut end) = turn_end(TurnStatus::Completed, None, 2000) else { panic!() };
    (end.price, end.price_so_far) = (five(1.5), true);
    let turn_id = end.turn_id;
    transcript.feed(&[Event::TurnCompleted(end)], 0);
    assert!(everything(&transcript, false).contains("used at least 1.5% of 5h"));
    let other = Event::TurnPriced { turn_id: TurnId::new(), price: five(9.0) };
    transcript.feed(&[other], 1);
    assert!(everything(&transcript, false).contains("used at least 1.5% of 5h"), "of another turn");
    transcript.feed(&[Event::TurnPriced { turn_id, price: five(2.25) }], 2);
    let shown = everything(&transcript, false);
    assert!(shown.contains("used 2.3% of 5h") || shown.contains("used 2.2% of 5h"), "{shown}");
    transcript.clear();
    transcript.feed(&[Event::TurnPriced { turn_id, price: five(3.0) }], 3);
    assert!(!everything(&transcript, false).contains("3%"));
}

#[test]
fn the_headline_is_there_only_while_the_model_thinks() {
    let mut t = transcript();
    t.feed(&[started(&reasoning("r", "")), delta("r", ItemDelta::Summary("**Looking around**".into()))], 0);
    assert_eq!(t.headline().as_deref(), Some("Looking around"));
    t.feed(&[completed(&reasoning("r", "**Looking around**"))], 0);
    assert_eq!(t.headline(), None);
}

#[test]
fn a_resumed_thread_looks_as_it_did() {
    let items = [
        user("u", "do it"),
        reasoning("r", "**Think**"),
        command(ended(read("c1", "a.rs"), 0, "x", 1)),
        command(ended(read("c2", "b.rs"), 0, "y", 1)),
        patch("p", vec![edit("a.rs", "@@ -1 +1 @@\n-a\n+b\n")], ItemStatus::Completed, None),
        command(ended(running("c3", "make"), 2, "error\n", 1_500)),
        message("m", "Done."),
    ];
    let mut live = transcript();
    for item in &items {
        live.feed(&[started(item), completed(item)], 0);
    }
    live.feed(&[turn_end(TurnStatus::Completed, None, 5_000)], 0);
    let past =
        Turn { started_at: Some(1_700_000_000), duration_ms: Some(5_000), ..Turn::done(items.to_vec()) };
    let mut replayed = transcript();
    replayed.replay(std::slice::from_ref(&past));
    let mut paged = transcript();
    paged.replay(std::slice::from_ref(&past));
    paged.replay_before(&[past]);
    for unfolded in [false, true] {
        let live = everything(&live, unfolded);
        assert_eq!(live, everything(&replayed, unfolded));
        let turn = live.split_once("\n\n").unwrap().1;
        assert_eq!(everything(&paged, unfolded), format!("{live}{turn}"));
    }
    assert_eq!(paged.prompts().map(|prompt| prompt.text).collect::<Vec<_>>(), ["do it", "do it"]);
}

#[test]
fn a_stored_call_of_the_plan_tool_is_a_plan() {
    let call = Item::ToolCall {
        id: "t".into(),
        tool: "update_plan".into(),
        arguments: serde_json::json!({"plan": [{"step": "a", "status": "in_progress"}]}),
        status: ToolStatus::Completed,
        success: Some(true),
        output: Some("Plan updated".into()),
    };
    check(&[completed(&call)], &["• Plan · 0 of 1 done"]);
}

#[test]
fn rewinding_drops_a_prompt_and_what_followed() {
    let mut t = transcript();
    for id in ["1", "2", "3"] {
        t.feed(&[completed(&user(id, id)), completed(&message(&format!("m{id}"), "answer"))], 0);
    }
    let key = t.prompts().nth(1).unwrap().key;
    t.rewind_to(key);
    assert_eq!(rows(&t, false), ["› 1", "• answer"]);
    assert_eq!(t.prompts().count(), 1);
}

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[a-z ]{0,40}",
        Just("漢字 👩\u{200d}👩\u{200d}👧 e\u{301} שלום".to_owned()),
        Just("\u{1b}[31m\u{1b}]0;x\u{7}\0\t\r\r\n".to_owned()),
        Just("| a | b |\n|---|---|\n| 1 | 2 |\n\n```rust\nfn".to_owned()),
        Just("@@ -1,2 +1,2 @@\n a\n-b\n+c\n".to_owned()),
        Just("word ".repeat(900)),
        Just("x".repeat(20_000)),
    ]
}

fn any_item() -> impl Strategy<Value = Item> {
    let id = prop_oneof!["[abc]", Just("a".to_owned())];
    let status = prop_oneof![
        Just(ItemStatus::InProgress),
        Just(ItemStatus::Completed),
        Just(ItemStatus::Failed),
        Just(ItemStatus::Declined)
    ];
    (0..9, id, any_text(), any_text(), status, any::<Option<i32>>()).prop_map(
        |(kind, id, text, more, status, exit)| match kind {
            0 => user(&id, &text),
            1 => message(&id, &text),
            2 => reasoning(&id, &text),
            3 => command(CommandItem {
                status,
                exit_code: exit,
                aggregated_output: Some(more),
                ..running(&id, &text)
            }),
            4 => command(CommandItem { status, aggregated_output: Some(more), ..read(&id, &text) }),
            5 => patch(&id, vec![edit(&text, &more)], status, Some(&text)),
            6 => Item::ToolCall {
                id: id.as_str().into(),
                tool: text,
                arguments: more.into(),
                status: ToolStatus::Completed,
                success: exit.map(|n| n > 0),
                output: None,
            },
            7 => Item::WebSearch { id: id.as_str().into(), query: text },
            _ => Item::ContextCompaction { id: id.as_str().into() },
        },
    )
}

fn any_event() -> impl Strategy<Value = Event> {
    let end =
        prop_oneof![Just(TurnStatus::Completed), Just(TurnStatus::Failed), Just(TurnStatus::Interrupted)];
    prop_oneof![
        4 => any_item().prop_map(|item| started(&item)),
        4 => any_item().prop_map(|item| completed(&item)),
        4 => ("[abc]", any_text(), 0..4).prop_map(|(id, text, kind)| delta(&id, match kind {
            0 => ItemDelta::Text(text),
            1 => ItemDelta::Summary(text),
            2 => ItemDelta::SummarySection,
            _ => ItemDelta::Output(text),
        })),
        1 => "[abc]".prop_map(|id| Event::ItemDropped { item_id: id.as_str().into() }),
        1 => any_text().prop_map(|message| Event::Warning { message }),
        1 => end.prop_map(|status| turn_end(status, None, 1)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn any_events_at_any_width(events in proptest::collection::vec(any_event(), 0..24), width in 1_u16..90) {
        let mut t = transcript();
        t.feed(&events, 0);
        let theme = Theme::default();
        for unfolded in [false, true] {
            let look = Look { theme: &theme, unfolded, now_ms: 5_000 };
            for (_, cell) in t.cells() {
                for line in cell.lines(width, &look) {
                    prop_assert!(line_width(&line) <= usize::from(width), "{} > {width}: {line}", line_width(&line));
                    let bad = |c: char| c.is_control();
                    prop_assert!(!line.spans.iter().any(|span| span.content.chars().any(bad)), "{line:?}");
                }
                let _ = cell.text();
            }
        }
    }
}
