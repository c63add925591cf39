//! Responses have the form of the real service.

use super::*;
use crate::demo::request::OfferedTool;
use crate::demo::script::Script;

fn answered(outputs: &str, tools: &[(&str, bool)]) -> (Vec<Value>, Vec<Value>) {
    let script = Script::read("t", &format!("[[rule]]\nname = 'go'\n{outputs}")).unwrap();
    let tools = tools.iter().map(|(name, custom)| OfferedTool { name: (*name).to_owned(), custom: *custom });
    let view =
        View { model: "m".to_owned(), user: "you".to_owned(), tools: tools.collect(), ..View::default() };
    let made = answer(&script.rules[0], &Filling { view: &view, port: 1 }, 100, 60);
    (made.events.iter().filter_map(|event| serde_json::from_str(&event.json).ok()).collect(), made.items)
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

#[test]
fn deltas_add_up_to_the_item_that_is_told_at_the_end() {
    let (events, items) = answered(
        "[[rule.output]]\nreasoning = ['**A** long enough for several deltas', 'b']\n\
         [[rule.output]]\ntext = 'Größe für {{user}}, in several words 🙂'\n\
         [[rule.output]]\nexec = 'ls -la /somewhere/far/away'\n[[rule.output]]\ncustom = 'c'\ninput = 'some free text'\n",
        &[("exec_command", false)],
    );
    let numbers: Vec<u64> = events.iter().filter_map(|event| event["sequence_number"].as_u64()).collect();
    assert_eq!(numbers, (0..events.len() as u64).collect::<Vec<_>>());
    assert_eq!(text(&events[0], "/type"), "response.created");
    let deltas = |kind: &str| -> String {
        events
            .iter()
            .filter(|event| text(event, "/type") == kind)
            .map(|event| text(event, "/delta"))
            .collect()
    };
    assert_eq!(deltas("response.output_text.delta"), "Größe für you, in several words 🙂");
    assert_eq!(text(&items[1], "/content/0/text"), "Größe für you, in several words 🙂");
    assert_eq!(text(&items[1], "/phase"), "final_answer");
    assert_eq!(deltas("response.function_call_arguments.delta"), text(&items[2], "/arguments"));
    assert_eq!(deltas("response.custom_tool_call_input.delta"), "some free text");
    assert_eq!(items[0]["summary"].as_array().map(Vec::len), Some(2));
    assert!(text(&items[2], "/call_id").starts_with("call_go_"));
    let done: Vec<&Value> = events
        .iter()
        .filter(|event| text(event, "/type") == "response.output_item.done")
        .map(|event| &event["item"])
        .collect();
    assert_eq!(done, items.iter().collect::<Vec<_>>());
}

#[test]
fn usage_and_ends() {
    let end = |more: &str| answered(&format!("output = [{{ text = 'x' }}]\n{more}"), &[]).0.pop().unwrap();
    let plain = end("");
    assert_eq!(text(&plain, "/type"), "response.completed");
    assert_eq!(plain.pointer("/response/usage/input_tokens_details/cached_tokens"), Some(&json!(60)));
    assert_eq!(end("no_usage = true").pointer("/response/usage"), None);
    let told = end("usage = { input = 5, output = 6, no_details = true }");
    assert_eq!(
        told.pointer("/response/usage"),
        Some(&json!({"input_tokens": 5, "output_tokens": 6, "total_tokens": 11}))
    );
    assert_eq!(
        text(&end("fault = { kind = 'failed', error = 'invalid_prompt' }"), "/response/error/code"),
        "invalid_prompt"
    );
    let cut = end("fault = { kind = 'incomplete', error = 'content_filter' }");
    assert_eq!(text(&cut, "/response/incomplete_details/reason"), "content_filter");
}

#[test]
fn shell_and_patch_use_the_tool_that_is_offered() {
    for (tools, name, key) in [
        (&[("exec_command", false)][..], "exec_command", "cmd"),
        (&[("shell_command", false)][..], "shell_command", "command"),
        (&[("shell", false)][..], "shell", "command"),
    ] {
        let (_, items) = answered("[[rule.output]]\nexec = 'ls'\nargs = { workdir = '/x' }\n", tools);
        assert_eq!(text(&items[0], "/name"), name);
        let args: Value = serde_json::from_str(text(&items[0], "/arguments")).unwrap();
        assert!(args.get(key).is_some() && args["workdir"] == "/x");
    }
    let patch = "[[rule.output]]\npatch = '*** Begin Patch'\n";
    assert_eq!(text(&answered(patch, &[("apply_patch", true)]).1[0], "/input"), "*** Begin Patch");
    assert_eq!(
        text(&answered(patch, &[("apply_patch", false)]).1[0], "/arguments"),
        "{\"input\":\"*** Begin Patch\"}"
    );
    assert!(
        text(&answered(patch, &[]).1[0], "/arguments")
            .contains("apply_patch <<'EOF'\\n*** Begin Patch\\nEOF")
    );
}

#[test]
fn pieces_keep_everything_and_stay_small() {
    for text in ["", "a", "a few words and more of them", "äöüäöüäöüäöüäöüäöüäöüäöüäöü", "x  \n\n y"]
    {
        for chars in [0, 1, 3, 8, 1000] {
            let pieces = pieces(text, chars);
            assert_eq!(pieces.concat(), text);
            assert!(
                pieces.iter().all(|piece| !piece.is_empty() && piece.chars().count() <= chars.max(1) * 3)
            );
        }
    }
}
