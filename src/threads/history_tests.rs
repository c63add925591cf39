//! Tables of lines and the history they leave.

use super::*;
use crate::protocol::model_item::OutputKind;
use crate::threads::line;
use crate::threads::pairs::NO_OUTPUT;

/// Short forms: `u:x` user, `h:x` harness, `d:x` developer, `a:x` assistant, `c:id` call, `k:id` custom call,
/// `o:id` output, `rb:n` roll-back, `start:x`/`end:x` turn marks, `sum:x|a,b` summary with what it left,
/// `bare:x` summary without.
fn line_of(short: &str) -> String {
    let (word, rest) = short.split_once(':').unwrap();
    let message = |role: &str, text: &str| {
        format!(r#"{{"type":"message","role":"{role}","content":[{{"type":"input_text","text":"{text}"}}]}}"#)
    };
    let item = |short: &str| {
        let (word, rest) = short.split_once(':').unwrap();
        match word {
            "u" => message("user", rest),
            "h" => message("user", &format!("<environment_context>{rest}")),
            "d" => message("developer", rest),
            "a" => message("assistant", rest),
            "c" => format!(r#"{{"type":"function_call","call_id":"{rest}","name":"x","arguments":""}}"#),
            "k" => format!(r#"{{"type":"custom_tool_call","call_id":"{rest}","name":"x","input":""}}"#),
            "o" => format!(r#"{{"type":"function_call_output","call_id":"{rest}","output":"{rest}!"}}"#),
            _ => panic!("{short}"),
        }
    };
    let (kind, payload) = match word {
        "rb" => ("event_msg", format!(r#"{{"type":"thread_rolled_back","num_turns":{rest}}}"#)),
        "start" => (
            "event_msg",
            r#"{"type":"task_started","turn_id":"01a1f8bf-1866-7340-941c-6cecf969cd57"}"#.into(),
        ),
        "end" => ("event_msg", r#"{"type":"task_complete","turn_id":"x"}"#.into()),
        "sum" => {
            let (text, left) = rest.split_once('|').unwrap();
            let left: Vec<String> = left.split(',').map(item).collect();
            (
                "compacted",
                format!(
                    r#"{{"message":"{text}","replacement_history":[{}],"window_number":3}}"#,
                    left.join(",")
                ),
            )
        }
        "bare" => ("compacted", format!(r#"{{"message":"{rest}"}}"#)),
        _ => ("response_item", item(short)),
    };
    format!(r#"{{"timestamp":"t","type":"{kind}","payload":{payload}}}"#)
}

fn short_of(item: &ModelItem) -> String {
    let text = message_of(&item.json).text;
    match &item.kind {
        ModelItemKind::User => format!("u:{text}"),
        ModelItemKind::Harness => format!("h:{}", text.trim_start_matches("<environment_context>")),
        ModelItemKind::Developer => format!("d:{text}"),
        ModelItemKind::Assistant => format!("a:{text}"),
        ModelItemKind::Call { call_id, output: OutputKind::Function } => format!("c:{call_id}"),
        ModelItemKind::Call { call_id, output: OutputKind::Custom } => format!("k:{call_id}"),
        ModelItemKind::Output { call_id } if item.json.get().contains(NO_OUTPUT) => {
            format!("aborted:{call_id}")
        }
        ModelItemKind::Output { call_id } => format!("o:{call_id}"),
        other => panic!("{other:?}"),
    }
}

fn collect(lines: &str) -> Collector {
    fill(Collector::default(), lines)
}

fn fill(mut collector: Collector, lines: &str) -> Collector {
    for short in lines.split_whitespace().rev() {
        let text = line_of(short);
        if !collector.has_history() {
            collector.feed(line::parse(text.as_bytes()).unwrap().record).unwrap();
        }
    }
    collector
}

#[test]
fn histories() {
    for (lines, want) in [
        ("d:i h:e u:1 a:1", "d:i h:e u:1 a:1"),
        // Calls are answered once.
        ("u:1 c:a o:a a:x", "u:1 c:a o:a a:x"),
        ("u:1 c:a", "u:1 c:a aborted:a"),
        ("u:1 k:a u:2", "u:1 k:a aborted:a u:2"),
        ("u:1 c:a c:b o:b", "u:1 c:a aborted:a c:b o:b"),
        ("o:a u:1 c:a o:a o:a", "u:1 c:a o:a"),
        ("c:a c:a o:a", "c:a o:a"),
        ("c:a o:a c:a o:a", "c:a o:a c:a o:a"),
        ("c:a o:a c:a", "c:a o:a c:a aborted:a"),
        // Turns that were taken back.
        ("u:1 a:1 u:2 a:2 rb:1 u:3", "u:1 a:1 u:3"),
        ("u:1 u:2 u:3 rb:2 u:4 rb:1", "u:1"),
        ("u:1 u:2 rb:1 u:3 rb:1 u:4", "u:1 u:4"),
        ("u:1 rb:9 u:2", "u:2"),
        ("d:i u:1 rb:1 u:2", "d:i u:2"),
        // Summaries.
        ("u:0 a:0 sum:S|d:i,u:1,u:S u:2", "d:i u:1 h:S u:2"),
        ("sum:A|u:1,u:A u:2 sum:B|u:2,u:B u:3", "u:2 h:B u:3"),
        ("sum:S|u:1,u:2,u:S u:3 rb:2 u:4", "u:1 h:S u:4"),
        ("c:a sum:S|u:1 o:a u:2", "u:1 u:2"),
        ("d:i h:e u:1 a:1 u:2 bare:S u:3", "d:i h:e u:1 u:2 h:S u:3"),
        ("u:0 sum:A|u:1,u:A u:2 bare:S u:3", "u:1 h:A u:2 h:S u:3"),
    ] {
        let collector = collect(lines);
        let start = ["d:i", "h:e"].into_iter().filter(|short| lines.contains(short)).map(classify_line);
        let start = if collector.needs_start() { start.collect() } else { Vec::new() };
        let got: Vec<String> = collector.finish(start).iter().map(short_of).collect();
        assert_eq!(got.join(" "), want, "{lines}");
    }
}

#[test]
fn what_no_model_could_take_is_not_read() {
    let two = 2 * classify_line("u:1").bytes();
    let collector = fill(Collector::with_room(two), "u:1 c:a o:a u:2 u:3");
    assert!(collector.has_history() && collector.is_cut() && !collector.needs_start());
    let got: Vec<String> = collector.finish(Vec::new()).iter().map(short_of).collect();
    assert_eq!(got, ["u:2", "u:3"]);
    assert!(!fill(Collector::with_room(two), "u:3").is_cut());
}

fn classify_line(short: &str) -> ModelItem {
    let text = line_of(short);
    let Record::Model(raw) = line::parse(text.as_bytes()).unwrap().record else { panic!("{short}") };
    classify(raw.to_owned().into()).unwrap()
}

#[test]
fn what_comes_with_the_history() {
    assert!(collect("start:x u:1").unfinished.is_some());
    assert!(collect("start:x u:1 end:x").unfinished.is_none());
    assert!(collect("start:x end:x start:x").unfinished.is_some());
    assert_eq!(collect("sum:S|u:1 u:2").window_number, 3);
    assert_eq!(collect("bare:S u:2").window_number, 1);
}
