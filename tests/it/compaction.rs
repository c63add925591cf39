//! Automatic compaction: at the threshold, when the service says "too long", and never in a loop.

use serde_json::Value;

use crate::support::World;

const NOTE: &str =
    "[[rule]]\nname = \"note\"\nwhen = { request = \"compaction\" }\noutput = [{ text = \"THE NOTE\" }]\n";

/// `turn` or `compaction`, for every request so far.
fn kinds(world: &World) -> Vec<String> {
    let kind = |record: &Value| {
        let turn: Value =
            serde_json::from_str(record["headers"]["x-codex-turn-metadata"].as_str().unwrap()).unwrap();
        turn["request_kind"].as_str().unwrap().to_owned()
    };
    world.backend.records().iter().map(kind).collect()
}

fn messages(body: &Value) -> Vec<String> {
    let input = body["input"].as_array().unwrap().iter();
    let texts = input.filter_map(|item| item["content"][0]["text"].as_str());
    texts.map(|text| text.chars().take(60).collect()).collect()
}

#[test]
fn at_the_threshold_in_the_middle_of_a_turn() {
    let world = World::new(&format!(
        "{NOTE}[[rule]]\nname = \"work\"\ntimes = 1\nusage = {{ input = 99000, output = 2000 }}\n\
         output = [{{ exec = \"echo worked\" }}]\n[[rule]]\noutput = [{{ text = \"Finished.\" }}]\n"
    ));
    world.config("model_auto_compact_token_limit = 100000\n");
    let output = world.exec(&["the task"]).run().expect(0);
    assert_eq!(kinds(&world), ["turn", "compaction", "turn"]);
    assert_eq!(output.items_of("agent_message").len(), 1, "the note is not an answer: {}", output.stdout);

    let sent = world.backend.records();
    let (note, after) = (&sent[1]["body"], &sent[2]["body"]);
    assert_eq!(note["parallel_tool_calls"], false);
    assert_eq!(note["tools"], serde_json::json!([]));
    assert!(note["input"].to_string().contains("worked"), "it reads what is to be summarised");
    let texts = messages(after);
    assert!(texts.iter().any(|text| text == "the task"), "the user's words survive: {texts:?}");
    let all = after["input"].to_string();
    assert!(all.contains("THE NOTE") && !all.contains("function_call"), "{all}");
    assert!(all.contains("<permissions instructions>") && all.contains("<environment_context>"), "{all}");
    assert_eq!(after["prompt_cache_key"], sent[0]["body"]["prompt_cache_key"]);
    let window = |n: usize| sent[n]["headers"]["x-codex-window-id"].as_str().unwrap().to_owned();
    assert!(window(0).ends_with(":0") && window(2).ends_with(":1"), "{} {}", window(0), window(2));

    // On disk too: a resumed thread goes on with the short conversation.
    assert_eq!(world.rollout().iter().filter(|line| line["type"] == "compacted").count(), 1);
    world.codex().args(["exec", "resume", "--last", "next task"]).run().expect(0);
    let resumed = world.backend.records().pop().unwrap();
    let (now, before) = (resumed["body"]["input"].as_array().unwrap(), after["input"].as_array().unwrap());
    assert_eq!(now[..before.len()], before[..]);
    assert!(resumed["headers"]["x-codex-window-id"].as_str().unwrap().ends_with(":1"));
}

#[test]
fn when_the_service_says_too_long_it_compacts_once_and_sends_again() {
    for fault in [
        "{ kind = \"failed\", error = \"context_length_exceeded\" }",
        "{ kind = \"status\", code = 400, body = \"context-length\" }",
    ] {
        let world = World::new(&format!(
            "{NOTE}[[rule]]\nname = \"first\"\ntimes = 1\nfault = {fault}\noutput = [{{ text = \"lost\" }}]\n\
             [[rule]]\noutput = [{{ text = \"Finished.\" }}]\n"
        ));
        let output = world.exec(&["the task"]).run().expect(0);
        assert_eq!(kinds(&world), ["turn", "compaction", "turn"], "{fault}");
        let answers = output.items_of("agent_message");
        assert_eq!(answers.len(), 1, "the lost answer is not shown: {}", output.stdout);
        assert_eq!(answers[0]["text"], "Finished.");
    }
}

#[test]
fn a_service_that_always_says_too_long_ends_the_turn() {
    let fault =
        "fault = { kind = \"failed\", error = \"context_length_exceeded\" }\noutput = [{ text = \"x\" }]\n";
    let world = World::new(&format!("{NOTE}[[rule]]\nname = \"always\"\n{fault}"));
    let output = world.codex().args(["exec", "the task"]).run().expect(1);
    assert_eq!(kinds(&world), ["turn", "compaction", "turn"]);
    assert_eq!(output.stderr.matches("ERROR:").count(), 1, "{}", output.stderr);
    assert!(output.stderr.contains("new thread"), "the next step is named: {}", output.stderr);

    // Also when not even the request for the note fits.
    world.backend.script(&format!("[[rule]]\nwhen = {{ request = \"any\" }}\n{fault}"));
    let output = world.codex().args(["exec", "the task"]).run().expect(1);
    assert_eq!(output.stderr.matches("ERROR:").count(), 1, "{}", output.stderr);
    let sent = kinds(&world).len();
    assert!(sent < 20, "{sent} requests");
}

#[test]
fn a_threshold_that_cannot_be_reached_again_does_not_loop() {
    let world = World::new(&format!(
        "{NOTE}[[rule]]\nname = \"work\"\ntimes = 5\nusage = {{ input = 4000, output = 10 }}\n\
         output = [{{ exec = \"true\" }}]\n[[rule]]\noutput = [{{ text = \"Finished.\" }}]\n"
    ));
    // Below what instructions and tools alone take.
    world.config("model_auto_compact_token_limit = 1000\n");
    let output = world.codex().args(["exec", "the task"]).run().expect(0);
    assert_eq!(output.stdout, "Finished.\n");
    let sent = kinds(&world);
    assert_eq!(sent.iter().filter(|kind| *kind == "compaction").count(), 1, "{sent:?}");
    assert!(output.stderr.contains("warning:"), "{}", output.stderr);
}

#[test]
fn a_short_thread_is_never_compacted() {
    let world = World::new("[[rule]]\noutput = [{ text = \"Hello.\" }]\n");
    world.exec(&["hi"]).run().expect(0);
    world.codex().args(["exec", "resume", "--last", "again"]).run().expect(0);
    assert_eq!(kinds(&world), ["turn", "turn"]);
}

#[test]
fn a_note_that_fails_ends_the_turn_and_keeps_the_thread() {
    let world = World::new(
        "[[rule]]\nname = \"note\"\nwhen = { request = \"compaction\" }\nfault = { kind = \"status\", code = 400, message = \"no notes today\" }\n\
         [[rule]]\nname = \"work\"\ntimes = 1\nusage = { input = 99000, output = 2000 }\noutput = [{ exec = \"true\" }]\n\
         [[rule]]\noutput = [{ text = \"Finished.\" }]\n",
    );
    world.config("model_auto_compact_token_limit = 100000\n");
    let output = world.exec(&["the task"]).run().expect(1);
    assert!(output.stdout.contains("no notes today"), "{}", output.stdout);
    // With more room it simply goes on.
    world.config("model_auto_compact_token_limit = 200000\n");
    let output = world.codex().args(["exec", "resume", "--last", "go on"]).run().expect(0);
    assert_eq!(output.stdout, "Finished.\n");
}
