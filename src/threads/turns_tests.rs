//! Files of other ages than ours: no turn marks, no events, ids that are none, ends that come late.

use super::*;
use crate::protocol::item::ItemStatus;
use crate::threads::line;

const FIRST: &str = "01a1f8bf-1866-7340-941c-6cecf969cd57";
const SECOND: &str = "01a1f8bf-1c83-7a61-aa81-0baf154bbadb";

fn turns(marks: Marks, lines: &[String]) -> Vec<Turn> {
    let mut builder = Builder::new(Some(Path::new("/p")));
    for (offset, text) in lines.iter().enumerate() {
        builder.feed(line::parse(text.as_bytes()).unwrap().record, marks, offset as u64).unwrap();
    }
    builder.finish(marks)
}

fn event(payload: &str) -> String {
    format!(r#"{{"type":"event_msg","payload":{payload}}}"#)
}

fn model(payload: &str) -> String {
    format!(r#"{{"type":"response_item","payload":{payload}}}"#)
}

fn started(id: &str) -> String {
    event(&format!(r#"{{"type":"task_started","turn_id":"{id}"}}"#))
}

fn said(role: &str, text: &str) -> String {
    model(&format!(r#"{{"type":"message","role":"{role}","content":[{{"type":"x","text":"{text}"}}]}}"#))
}

fn shape(turns: &[Turn]) -> Vec<(usize, TurnStatus)> {
    turns.iter().map(|turn| (turn.items.len(), turn.status)).collect()
}

#[test]
fn only_model_items() {
    let call = model(
        r#"{"type":"function_call","call_id":"c","name":"shell","arguments":"{\"command\":[\"ls\"]}"}"#,
    );
    let output =
        model(r#"{"type":"function_call_output","call_id":"c","output":"Exit code: 0\nOutput:\nx"}"#);
    let lines = [
        said("developer", "i"),
        said("user", "<environment_context>"),
        said("user", "one"),
        call,
        output,
        said("assistant", "done"),
        said("user", "two"),
        said("assistant", "ok"),
    ];
    let turns = turns(Marks::Prompt, &lines);
    assert_eq!(shape(&turns), [(3, TurnStatus::Completed), (2, TurnStatus::Completed)]);
    let Item::CommandExecution(command) = &turns[0].items[1] else { panic!() };
    assert_eq!((command.status, command.aggregated_output.as_deref()), (ItemStatus::Completed, Some("x")));
}

#[test]
fn events_without_turn_marks() {
    let lines = [
        event(r#"{"type":"user_message","message":"one","images":null}"#),
        event(r#"{"type":"agent_reasoning","text":"a"}"#),
        event(r#"{"type":"agent_reasoning","text":"b"}"#),
        event(r#"{"type":"agent_message","message":"x"}"#),
        event(r#"{"type":"user_message","message":"two"}"#),
    ];
    let turns = turns(Marks::UserEvent, &lines);
    assert_eq!(shape(&turns), [(3, TurnStatus::Completed), (1, TurnStatus::Completed)]);
    assert!(matches!(&turns[0].items[1], Item::Reasoning { summary, .. } if summary.len() == 2));
}

#[test]
fn a_turn_without_an_end_was_interrupted_and_its_call_says_so() {
    let call = model(r#"{"type":"function_call","call_id":"c","name":"odd","arguments":"{}"}"#);
    let steer = event(r#"{"type":"user_message","message":"and this"}"#);
    let user = event(r#"{"type":"user_message","message":"one"}"#);
    let turns = turns(Marks::Started, &[started(FIRST), user, call, steer]);
    assert_eq!(shape(&turns), [(3, TurnStatus::Interrupted)], "steering begins no turn");
    assert!(matches!(&turns[0].items[1], Item::ToolCall { output: Some(text), .. } if text == "interrupted"));
}

#[test]
fn a_late_event_finds_its_turn_and_takes_the_place_of_the_call() {
    let call = model(
        r#"{"type":"function_call","call_id":"c","name":"exec_command","arguments":"{\"cmd\":\"x\"}"}"#,
    );
    let finish = |turn: &str| {
        event(&format!(
            r#"{{"type":"exec_command_end","call_id":"c","turn_id":"{turn}","command":["x"],"exit_code":0}}"#
        ))
    };
    let lines = [started(FIRST), call.clone(), started(SECOND), finish(FIRST)];
    let whole = turns(Marks::Started, &lines);
    assert_eq!(shape(&whole), [(1, TurnStatus::Interrupted), (0, TurnStatus::Interrupted)]);
    assert!(matches!(&whole[0].items[0], Item::CommandExecution(c) if c.exit_code == Some(0)));
    let page = turns(Marks::Started, &[started(SECOND), finish(FIRST)]);
    assert_eq!(shape(&page), [(0, TurnStatus::Interrupted)], "its turn is on an earlier page");
    let lost = turns(Marks::Started, &[started(FIRST), finish(SECOND)]);
    assert_eq!(lost.len(), 2, "the start of the second turn is lost, its item is not");
}

#[test]
fn a_command_of_the_user_between_turns_is_there_once() {
    let ran = event(&format!(
        r#"{{"type":"exec_command_end","call_id":"u","turn_id":"{FIRST}","command":["x"],"exit_code":7,"source":"user_shell"}}"#
    ));
    let text = "<user_shell_command>\\n<command>\\nx\\n</command>\\n<result>\\nExit code: 7\\nOutput:\\n\\n</result>\\n</user_shell_command>";
    let record = model(&format!(
        r#"{{"type":"message","role":"user","content":[{{"type":"input_text","text":"{text}"}}]}}"#
    ));
    let user = event(r#"{"type":"user_message","message":"one"}"#);
    let done = event(&format!(r#"{{"type":"task_complete","turn_id":"{SECOND}"}}"#));
    let rest = [started(SECOND), record.clone(), user, done];
    let whole = turns(Marks::Started, &[&[ran][..], &rest].concat());
    assert_eq!(
        shape(&whole),
        [(1, TurnStatus::Completed), (1, TurnStatus::Completed)],
        "nothing was interrupted"
    );
    let page = turns(Marks::Started, &rest);
    assert_eq!(shape(&page), [(1, TurnStatus::Completed)], "it stands on the page before");
    let alone = turns(Marks::Started, &[started(SECOND), record]);
    assert_eq!(shape(&alone), [(1, TurnStatus::Interrupted)], "nothing else tells of it");
}

#[test]
fn an_error_makes_the_turn_fail() {
    let lines = [
        started(FIRST),
        event(r#"{"type":"error","message":"m","codex_error_info":"usage_limit_exceeded"}"#),
        event(&format!(r#"{{"type":"task_complete","turn_id":"{FIRST}"}}"#)),
        started(SECOND),
        event(r#"{"type":"error","message":"m","codex_error_info":{"http":{"status":5}}}"#),
    ];
    let turns = turns(Marks::Started, &lines);
    assert_eq!(shape(&turns), [(0, TurnStatus::Failed), (0, TurnStatus::Failed)]);
    assert_eq!(turns[0].error.as_ref().unwrap().kind, crate::protocol::error::ErrorKind::UsageLimit);
}

fn note(id: &str, after: &str, after_end: bool, words: &str) -> String {
    let after = if after.is_empty() { String::new() } else { format!(r#""after":"{after}","#) };
    event(&format!(
        r#"{{"type":"notice","id":"{id}",{after}"after_end":{after_end},"level":"info","message":"{words}"}}"#
    ))
}

/// Notes of all turns: turn, place, words.
fn notes(turns: &[Turn]) -> Vec<(usize, usize, &str)> {
    let all = turns.iter().enumerate();
    all.flat_map(|(turn, t)| t.notes.iter().map(move |n| (turn, n.at, n.note.message.as_str()))).collect()
}

#[test]
fn a_note_after_a_turn_without_items_stands_below_its_end() {
    let done = |id: &str| event(&format!(r#"{{"type":"task_complete","turn_id":"{id}"}}"#));
    let lines = [
        started(FIRST),
        event(r#"{"type":"agent_message","id":"a","message":"x"}"#),
        done(FIRST),
        note("n1", "a", true, "between"),
        started(SECOND),
        event(r#"{"type":"error","message":"m"}"#),
        done(SECOND),
        note("n2", "a", true, "below the failure"),
    ];
    let turns = turns(Marks::Started, &lines);
    assert_eq!(notes(&turns), [(0, 1, "between"), (1, 0, "below the failure")]);
}

#[test]
fn notes_stand_behind_the_item_they_were_shown_after() {
    let answer = |id: &str| event(&format!(r#"{{"type":"agent_message","id":"{id}","message":"x"}}"#));
    let done = |id: &str| event(&format!(r#"{{"type":"task_complete","turn_id":"{id}"}}"#));
    let lines = [
        note("n0", "", true, "before all turns"),
        started(FIRST),
        note("n1", "b", false, "told while b was written"),
        answer("a"),
        answer("b"),
        answer("c"),
        note("n2", "a", false, "slow"),
        done(FIRST),
        note("n3", "c", true, "after the end"),
        started(SECOND),
        note("n4", "c", true, "slower than the next turn"),
        note("n5", "gone", false, "its item never came"),
        note("n3", "c", true, "newer words"),
        event(r#"{"type":"notice","level":"from a later version"}"#),
    ];
    let turns = turns(Marks::Started, &lines);
    let expected = [
        (0, 0, "before all turns"),
        (1, 1, "slow"),
        (1, 2, "told while b was written"),
        (1, 3, "newer words"),
        (1, 3, "slower than the next turn"),
        (2, 0, "its item never came"),
    ];
    assert_eq!(notes(&turns), expected);
    assert_eq!(
        (turns[0].status, turns[0].duration_ms),
        (TurnStatus::Completed, None),
        "not an end of a turn"
    );
    assert_eq!(turns[1].ended_at, Some(3));
}

/// Each item is found at once: a search among all of them would take minutes here.
#[test]
fn one_turn_may_hold_very_many_calls() {
    let mut lines = vec![started(FIRST)];
    for n in 0..60_000 {
        lines.push(model(&format!(
            r#"{{"type":"function_call","call_id":"call_with_a_long_name_{n}","name":"odd","arguments":"{{}}"}}"#
        )));
        lines.push(model(&format!(
            r#"{{"type":"function_call_output","call_id":"call_with_a_long_name_{n}","output":"x"}}"#
        )));
        lines.push(event(&format!(
            r#"{{"type":"exec_command_end","call_id":"call_with_a_long_name_{n}","turn_id":"{FIRST}","command":["x"],"exit_code":0}}"#
        )));
    }
    let begun = std::time::Instant::now();
    assert_eq!(shape(&turns(Marks::Started, &lines)), [(60_000, TurnStatus::Interrupted)]);
    assert!(begun.elapsed().as_secs() < 30, "{:?}", begun.elapsed());
}

#[test]
fn prices_of_a_hostile_file_are_made_plain_or_left_out() {
    let long = "x".repeat(1 << 20);
    let price = |percent: &str, window: &str| format!(r#"{{"window":"{window}","percent":{percent}}}"#);
    let all = [
        price("-3", "5h"),
        price("1e308", r"a\u001b[31m\nb\u202e"),
        price("2.5", &long),
        vec![price("1", "w"); 1000].join(","),
    ]
    .join(",");
    for end in ["task_complete", "turn_priced"] {
        let told = event(&format!(r#"{{"type":"{end}","turn_id":"{FIRST}","price":[{all}]}}"#));
        let lines = [started(FIRST), said("user", "a"), told];
        let turns = turns(Marks::Started, &lines);
        let price = &turns[0].price;
        assert_eq!((price[0].window.as_str(), price[0].percent), ("a [31m b", 1e6), "{end}");
        assert!(price.len() == 16 && price[1].window.len() < 100, "{end}");
    }
}
