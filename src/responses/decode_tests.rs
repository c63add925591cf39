//! Tests of decoding: every event of the wire, odd and broken ones, and that items keep their bytes.

use super::*;

fn event(frame: &str) -> ResponseEvent {
    match decode(frame) {
        Decoded::Event(event) => event,
        other => panic!("{frame}: {other:?}"),
    }
}

fn item(json: &str) -> OutputItem {
    match event(&format!(r#"{{"type":"response.output_item.done","output_index":0,"item":{json}}}"#)) {
        ResponseEvent::ItemDone(item) => *item,
        other => panic!("{json}: {other:?}"),
    }
}

fn failure(frame: &str) -> Failure {
    match decode(frame) {
        Decoded::Failure(failure) => *failure,
        other => panic!("{frame}: {other:?}"),
    }
}

#[test]
fn deltas() {
    let frame = r#"{"type":"response.output_text.delta","item_id":"m","content_index":0,"delta":"a\n\u00fc\ud83d\ude00"}"#;
    assert!(
        matches!(event(frame), ResponseEvent::TextDelta { item_id, delta } if item_id == "m" && delta == "a\nü😀")
    );
    // The type may stand last, and be written with escapes.
    let frame = r#"{"item_id":"r","delta":"x","type":"response.reasoning_summary_text\u002edelta"}"#;
    assert!(matches!(event(frame), ResponseEvent::SummaryDelta { delta, .. } if delta == "x"));
    let frame = r#"{"type": "response.reasoning_text.delta", "delta":"x"}"#;
    assert!(matches!(event(frame), ResponseEvent::ReasoningDelta { item_id, .. } if item_id.is_empty()));
    for kind in ["response.function_call_arguments.delta", "response.custom_tool_call_input.delta"] {
        let frame = format!(r#"{{"type":"{kind}","item_id":"c","delta":"{{\"a\""}}"#);
        assert!(matches!(decode(&frame), Decoded::Skip), "nobody shows them");
    }
    let frame = r#"{"type":"response.reasoning_summary_part.added","item_id":"r","summary_index":2}"#;
    assert!(matches!(event(frame), ResponseEvent::SummarySection { item_id } if item_id == "r"));
}

#[test]
fn what_is_skipped() {
    for frame in [
        "",
        "[DONE]",
        "null",
        "{",
        "{}",
        "[]",
        r#"{"type":"response.output_text.delta","delta":"cut of"#,
        r#"{"type":"response.output_text.delta","delta":7}"#,
        r#"{"type":"response.output_text.delta"}"#,
        r#"{"type":7}"#,
        r#"{"type":"response.something.new","x":[1,{"y":2}]}"#,
        r#"{"type":"response.in_progress","response":{}}"#,
        r#"{"type":"response.metadata"}"#,
        r#"{"type":"response.output_text.done","text":"whole"}"#,
        r#"{"type":"response.content_part.added"}"#,
        r#"{"type":"response.output_item.done"}"#,
        r#"{"type":"response.output_item.done","item":null}"#,
        r#"{"type":"response.output_item.done","item":["message"]}"#,
        r#"{"type":"response.output_item.done","item":{"id":"no type"}}"#,
        r#"{"type":"response.output_item.done","item":{"type":"function_call","name":"no call id"}}"#,
    ] {
        assert!(matches!(decode(frame), Decoded::Skip), "{frame}");
    }
    let deep = format!(r#"{{"type":"response.output_item.done","item":{}}}"#, "[".repeat(100_000));
    assert!(matches!(decode(&deep), Decoded::Skip));
}

#[test]
fn ends() {
    let frame = r#"{"type":"response.completed","response":{"id":"resp_1","output":[{"a":1}],"usage":{"input_tokens":1200,
        "input_tokens_details":{"cached_tokens":1000},"output_tokens":80,"output_tokens_details":{"reasoning_tokens":20},
        "total_tokens":1280}}}"#;
    let ResponseEvent::Completed { usage } = event(frame) else { panic!() };
    let want = TokenUsage {
        input_tokens: 1200,
        cached_input_tokens: 1000,
        output_tokens: 80,
        reasoning_output_tokens: 20,
        total_tokens: 1280,
        ..TokenUsage::default()
    };
    assert_eq!(usage, Some(want));
    for (usage, want) in [
        (r#"{"input_tokens":1,"output_tokens":2}"#, Some(3)),
        (r#"{"input_tokens":1,"input_tokens_details":null,"total_tokens":9}"#, Some(9)),
        ("null", None),
        (r#"{"input_tokens":"many"}"#, None),
    ] {
        let frame = format!(r#"{{"type":"response.completed","response":{{"usage":{usage}}}}}"#);
        let ResponseEvent::Completed { usage: got } = event(&frame) else { panic!() };
        assert_eq!(got.map(|u| u.total_tokens), want, "{usage}");
    }
    assert!(event(r#"{"type":"response.completed"}"#).is_end());
    for (details, word) in [
        (r#"{"reason":"max_output_tokens"}"#, "output limit"),
        (r#"{"reason":"content_filter"}"#, "content filter"),
        (r#"{"reason":"moon"}"#, "moon"),
        ("null", "no reason"),
    ] {
        let frame =
            format!(r#"{{"type":"response.incomplete","response":{{"incomplete_details":{details}}}}}"#);
        let ResponseEvent::Incomplete { error, .. } = event(&frame) else { panic!() };
        assert!(error.message.contains(word), "{error}");
    }
    let created = event(r#"{"type":"response.created","response":{"id":"resp_1"}}"#);
    assert!(matches!(created, ResponseEvent::Created));
}

#[test]
fn failures_wherever_the_error_stands() {
    for frame in [
        r#"{"type":"response.failed","response":{"error":{"code":"insufficient_quota","message":"m"}}}"#,
        r#"{"type":"error","error":{"type":"insufficient_quota","code":null,"message":"m"}}"#,
        r#"{"type":"error","code":"insufficient_quota","message":"m","param":null}"#,
    ] {
        assert_eq!(failure(frame).info.kind, ErrorKind::Quota, "{frame}");
    }
    for frame in [r#"{"type":"response.failed"}"#, r#"{"type":"response.failed","response":{"error":null}}"#]
    {
        assert_eq!(failure(frame).then, errors::Then::RepeatStream(None), "{frame}");
    }
}

#[test]
fn messages_and_reasoning() {
    let got = item(
        r#"{"type":"message","id":"m","role":"assistant","phase":"commentary","status":"completed",
        "content":[{"type":"output_text","text":"a","annotations":[]},{"type":"refusal","refusal":"b"},7]}"#,
    );
    assert_eq!(
        got.what,
        Output::Message { id: "m".to_owned(), text: "ab".to_owned(), phase: Some(MessagePhase::Commentary) }
    );
    assert_eq!(got.model_item.kind, ModelItemKind::Assistant);
    for odd in [
        r#"{"type":"message","content":null}"#,
        r#"{"type":"message","content":[]}"#,
        r#"{"type":"reasoning","summary":7}"#,
    ] {
        let frame = format!(r#"{{"type":"response.output_item.done","item":{odd}}}"#);
        assert!(matches!(decode(&frame), Decoded::Skip), "{odd} would spoil every later request");
    }
    let odd = item(r#"{"type":"message","content":[7],"phase":"moon"}"#);
    assert_eq!(odd.what, Output::Message { id: String::new(), text: String::new(), phase: None });
    let got = item(
        r#"{"type":"reasoning","id":"r","summary":[{"type":"summary_text","text":"s"}],"content":null,"encrypted_content":"E"}"#,
    );
    let want = Output::Reasoning { id: "r".to_owned(), summary: vec!["s".to_owned()], content: vec![] };
    assert_eq!((got.what, got.model_item.kind), (want, ModelItemKind::Reasoning));
}

#[test]
fn calls() {
    let call = |output| ModelItemKind::Call { call_id: "c".to_owned(), output };
    let got = item(
        r#"{"type":"function_call","id":"f","call_id":"c","name":"exec_command","namespace":"n","arguments":"{\"cmd\": broken"}"#,
    );
    assert_eq!(got.model_item.kind, call(OutputKind::Function));
    let Output::FunctionCall { name, namespace, arguments, .. } = got.what else { panic!() };
    assert_eq!((name.as_str(), namespace.as_deref()), ("exec_command", Some("n")));
    assert_eq!(arguments, "{\"cmd\": broken");
    // Arguments as a value instead of a text, and an id instead of a call id.
    let got = item(r#"{"type":"function_call","id":"c","name":"x","arguments":{"a": 1}}"#);
    assert!(matches!(got.what, Output::FunctionCall { arguments, .. } if arguments == r#"{"a": 1}"#));
    assert_eq!(got.model_item.kind, call(OutputKind::Function));

    let got = item(
        r#"{"type":"custom_tool_call","id":"f","call_id":"c","name":"apply_patch","input":"*** Begin"}"#,
    );
    assert_eq!(got.model_item.kind, call(OutputKind::Custom));
    assert!(matches!(got.what, Output::CustomToolCall { input, .. } if input == "*** Begin"));

    let got = item(
        r#"{"type":"local_shell_call","id":"f","call_id":"c","action":{"type":"exec","command":["ls","-l"],"working_directory":"/x","timeout_ms":5}}"#,
    );
    assert_eq!(got.model_item.kind, call(OutputKind::Function));
    let Output::LocalShellCall { command, workdir, timeout_ms, .. } = got.what else { panic!() };
    assert_eq!(
        (command, workdir.as_deref(), timeout_ms),
        (vec!["ls".to_owned(), "-l".to_owned()], Some("/x"), Some(5))
    );
}

#[test]
fn searches_and_the_rest() {
    for (action, want) in [
        (r#"{"type":"search","query":"rust"}"#, "rust"),
        (r#"{"type":"search","queries":["a","b"]}"#, "a · b"),
        (r#"{"type":"open_page","url":"https://x"}"#, "https://x"),
        (r#"{"type":"find_in_page","url":"https://x","pattern":"p"}"#, "p in https://x"),
        ("null", ""),
    ] {
        let got = item(&format!(r#"{{"type":"web_search_call","id":"w","action":{action}}}"#));
        assert_eq!(got.what, Output::WebSearch { id: "w".to_owned(), query: want.to_owned() });
    }
    let got = item(r#"{"type":"compaction","id":"k","encrypted_content":"E"}"#);
    assert_eq!(got.model_item.kind, ModelItemKind::Compaction);
    let got = item(r#"{"type":"image_generation_call","id":"i","result":"…"}"#);
    assert_eq!(got.what, Output::Other { id: "i".to_owned(), kind: "image_generation_call".to_owned() });
    assert_eq!(got.model_item.kind, ModelItemKind::Other);
}

#[test]
fn items_keep_their_bytes() {
    let json =
        r#"{ "type":"message", "unknown" : [1.50, 1e3, "\u00e9\/"],"role":"assistant","content":[{}] }"#;
    assert_eq!(item(json).model_item.json.get(), json);
    let broken_over_lines = "{\"type\":\"message\",\r\n\"content\":[{}]}";
    assert_eq!(item(broken_over_lines).model_item.json.get(), "{\"type\":\"message\",  \"content\":[{}]}");
}

#[test]
fn a_frame_cut_anywhere_is_no_trouble() {
    for frame in [
        r#"{"type":"response.output_text.delta","item_id":"m","delta":"a\u00fc\ud83d\ude00é"}"#,
        r#"{"type":"response.output_item.done","item":{"type":"function_call","call_id":"c","arguments":"{}"}}"#,
        r#"{"type":"response.failed","response":{"error":{"code":"x","message":"é"}}}"#,
        r#"{"type":"codex.rate_limits","rate_limits":{"primary":{"used_percent":1e999}}}"#,
    ] {
        for (cut, _) in frame.char_indices() {
            let whole_event = matches!(decode(frame.get(..cut).unwrap()), Decoded::Event(_));
            assert!(!whole_event, "{}", frame.get(..cut).unwrap());
        }
    }
}

proptest::proptest! {
    #[test]
    fn nothing_makes_it_panic(head in "[a-z_.]{0,30}", tail in ".{0,200}") {
        let _ = decode(&tail);
        let _ = decode(&format!("{{\"type\":\"response.{head}\",{tail}"));
    }
}

#[test]
fn added_items_may_be_empty() {
    let frame = r#"{"type":"response.output_item.added","item":{"type":"message","id":"m","content":[]}}"#;
    assert!(
        matches!(event(frame), ResponseEvent::ItemAdded(Output::Message { text, .. }) if text.is_empty())
    );
}
