//! Streams of one or more attempts, and what the readers are told: one line per event, so that a case reads like
//! the screen would.

use serde_json::value::RawValue;

use super::*;
use crate::protocol::error::ErrorKind;

fn added(id: &str) -> ResponseEvent {
    ResponseEvent::ItemAdded(message(id, ""))
}

fn message(id: &str, text: &str) -> Output {
    Output::Message { id: id.into(), text: text.into(), phase: None }
}

fn delta(id: &str, text: &str) -> ResponseEvent {
    ResponseEvent::TextDelta { item_id: id.into(), delta: text.into() }
}

fn item_done(what: Output) -> ResponseEvent {
    let kind = match &what {
        Output::FunctionCall { call_id, .. } => {
            ModelItemKind::Call { call_id: call_id.clone(), output: OutputKind::Function }
        }
        _ => ModelItemKind::Assistant,
    };
    let json = RawValue::from_string("{}".to_owned()).unwrap();
    ResponseEvent::ItemDone(Box::new(OutputItem { model_item: ModelItem { json: json.into(), kind }, what }))
}

fn call(call_id: &str) -> ResponseEvent {
    item_done(Output::FunctionCall {
        id: format!("fc_{call_id}"),
        call_id: call_id.into(),
        name: "exec_command".into(),
        namespace: None,
        arguments: "{}".into(),
    })
}

fn retrying() -> ResponseEvent {
    let error = ErrorInfo::new(ErrorKind::StreamCut, "cut");
    ResponseEvent::Retrying { attempt: 1, max: 5, delay_ms: 200, error }
}

fn shown(event: &Event) -> String {
    match event {
        Event::ItemStarted { item } => format!("+{}", item.id()),
        Event::ItemDelta { item_id, delta: ItemDelta::Text(text) } => format!("{item_id}:{text}"),
        Event::ItemDelta { item_id, delta: ItemDelta::Summary(text) } => format!("{item_id}~{text}"),
        Event::ItemDropped { item_id } => format!("-{item_id}"),
        Event::Retrying { .. } => "retry".to_owned(),
        other => format!("{other:?}"),
    }
}

/// Feeds events; gives what was told and the machine.
fn run(events: Vec<ResponseEvent>) -> (String, Ingest) {
    let mut ingest = Ingest::default();
    let mut seen = HashSet::new();
    let mut told = Vec::new();
    for event in events {
        if let Step::Tell(events) = ingest.on(event, &mut seen) {
            told.extend(events.iter().map(shown));
        }
    }
    (told.join(" "), ingest)
}

#[test]
fn what_readers_are_told() {
    let cases: Vec<(&str, Vec<ResponseEvent>, &str)> = vec![
        ("announced message", vec![added("m"), delta("m", "a"), delta("m", "b")], "+m m:a m:b"),
        ("a delta that was never announced begins its item", vec![delta("m", "a")], "+m m:a"),
        ("a delta without id belongs to the newest message", vec![added("m"), delta("", "a")], "+m m:a"),
        ("done without deltas still begins", vec![item_done(message("m", "x"))], "+m"),
        ("calls are told by their tools", vec![call("1")], ""),
        (
            "a cut attempt is taken back, and the next one is told anew",
            vec![added("m"), delta("m", "ha"), retrying(), added("n"), delta("n", "half")],
            "+m m:ha -m retry +n n:half",
        ),
        (
            "complete items of a cut attempt are taken back too",
            vec![added("m"), item_done(message("m", "x")), retrying()],
            "+m -m retry",
        ),
    ];
    for (name, events, want) in cases {
        assert_eq!(run(events).0, want, "{name}");
    }
}

#[test]
fn a_repeated_server_id_gets_one_of_ours() {
    let (told, _) = run(vec![added("m1"), item_done(message("m1", "x")), retrying(), added("m1")]);
    let last = told.rsplit('+').next().unwrap();
    assert_ne!(last, "m1");
    assert!(last.starts_with("msg_"), "{told}");
}

#[test]
fn a_complete_attempt_gives_items_and_calls_in_order() {
    let (_, ingest) =
        run(vec![added("m"), item_done(message("m", "hi")), call("1"), call("2"), added("never finished")]);
    let (done, dropped) = ingest.into_done();
    let order: Vec<_> = done
        .iter()
        .map(|d| d.call.as_ref().map_or_else(|| "message".to_owned(), |p| p.call.call_id.clone()))
        .collect();
    assert_eq!(order, ["message", "1", "2"]);
    assert_eq!(done[0].answer(), Some("hi"));
    assert_eq!(dropped.len(), 1, "an item that never ended is taken back");
}

#[test]
fn a_remark_on_the_way_is_no_answer() {
    let remark =
        Output::Message { id: "m".into(), text: "looking".into(), phase: Some(MessagePhase::Commentary) };
    let (done, _) = run(vec![item_done(remark)]).1.into_done();
    assert_eq!(done[0].answer(), None);
}

#[test]
fn a_broken_end_keeps_the_text_that_was_seen_and_nothing_else() {
    let (_, ingest) = run(vec![
        item_done(Output::Reasoning { id: "r".into(), summary: vec!["s".into()], content: Vec::new() }),
        item_done(message("m", "whole")),
        call("1"),
        added("p"),
        delta("p", "par"),
        delta("p", "tial"),
        added("empty"),
    ]);
    let (kept, dropped) = ingest.salvage();
    let texts: Vec<_> = kept
        .iter()
        .map(|(_, item)| match item {
            Item::AgentMessage { text, .. } => text.as_str(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(texts, ["whole", "partial"]);
    assert_eq!(dropped.iter().map(shown).collect::<Vec<_>>(), ["-r", "-empty"]);
}

#[test]
fn ends() {
    let mut seen = HashSet::new();
    let usage = Some(TokenUsage { total_tokens: 7, ..TokenUsage::default() });
    let complete = ResponseEvent::Completed { usage };
    assert!(
        matches!(Ingest::default().on(complete, &mut seen), Step::Complete(Some(u)) if u.total_tokens == 7)
    );
    let error = ErrorInfo::new(ErrorKind::Incomplete, "max_output_tokens");
    let incomplete = ResponseEvent::Incomplete { error, usage };
    assert!(matches!(Ingest::default().on(incomplete, &mut seen), Step::Failed { usage: Some(_), .. }));
}
