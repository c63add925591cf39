//! `codex exec`: what it prints, what its flags do, where its prompt comes from, and how it fails.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};

use crate::support::codex::Output;
use crate::support::{Codex, World};

/// Answers every prompt.
pub(crate) const HELLO: &str = "[[rule]]\noutput = [{ text = \"Hello there.\" }]\n";

/// Runs a command, patches a file, answers.
const WORK: &str = r#"
[[rule]]
name = "look"
when = { round = 0 }
[[rule.output]]
reasoning = "Thinking hard"
[[rule.output]]
commentary = "I look."
[[rule.output]]
exec = "echo out; echo err >&2; exit 2"
[[rule]]
name = "change"
when = { after = "look" }
[[rule.output]]
patch = """
*** Begin Patch
*** Add File: added.txt
+one
*** End Patch
"""
[[rule]]
output = [{ text = "All done." }]
"#;

/// Names of all keys of an object, sorted.
fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

fn types(output: &Output) -> Vec<String> {
    let name = |event: &Value| match event["item"]["type"].as_str() {
        Some(item) => format!("{}:{item}", event["type"].as_str().unwrap()),
        None => event["type"].as_str().unwrap().to_owned(),
    };
    output.events().iter().map(name).collect()
}

#[test]
fn json_lines_have_the_known_shapes() {
    let world = World::new(WORK);
    let output = world.exec(&["go"]).run().expect(0);
    assert_eq!(
        types(&output),
        [
            "thread.started",
            "turn.started",
            "item.completed:reasoning",
            "item.completed:agent_message",
            "item.started:command_execution",
            "item.completed:command_execution",
            "item.started:file_change",
            "item.completed:file_change",
            "item.completed:agent_message",
            "turn.completed",
        ]
    );
    assert_eq!(output.stderr, "");
    let events = output.events();
    assert_eq!(keys(&events[0]), ["thread_id", "type"]);
    assert_eq!(events[2]["item"], json!({"id": "item_0", "type": "reasoning", "text": "Thinking hard"}));
    assert_eq!(
        events[4]["item"],
        json!({"id": "item_2", "type": "command_execution", "aggregated_output": "", "exit_code": null,
            "status": "in_progress", "command": "/bin/sh -lc 'echo out; echo err >&2; exit 2'"})
    );
    assert_eq!(events[5]["item"]["aggregated_output"], "out\nerr\n");
    assert_eq!(
        (&events[5]["item"]["exit_code"], &events[5]["item"]["status"]),
        (&json!(2), &json!("failed"))
    );
    let path = world.project().join("added.txt");
    assert_eq!(
        events[7]["item"],
        json!({"id": "item_3", "type": "file_change", "status": "completed",
            "changes": [{"path": path, "kind": "add"}]})
    );
    assert_eq!(events[8]["item"]["text"], "All done.");
    assert_eq!(
        keys(&events[9]["usage"]),
        [
            "cache_write_input_tokens",
            "cached_input_tokens",
            "input_tokens",
            "output_tokens",
            "reasoning_output_tokens"
        ]
    );
    assert_eq!(fs::read_to_string(path).unwrap(), "one\n");
}

#[test]
fn plain_output_is_the_answer_alone_and_progress_goes_to_stderr() {
    let world = World::new(WORK);
    let output = world.codex().args(["exec", "go"]).run().expect(0);
    assert_eq!(output.stdout, "All done.\n");
    for part in [
        &format!("workdir: {}", world.project().display()),
        "model: gpt-5.5",
        "provider: test",
        "approval: never",
        "sandbox: workspace-write",
        "session id: ",
        "user\ngo\n",
        "Thinking hard",
        "codex\nI look.\n",
        "exec\n/bin/sh -lc 'echo out; echo err >&2; exit 2' in ",
        " exited 2 in ",
        "out\nerr\n",
        "apply patch\n",
        "added.txt",
        "+one",
        "codex\nAll done.\n",
        "tokens used\n",
    ] {
        assert!(output.stderr.contains(part), "{part:?} is missing:\n{}", output.stderr);
    }
    assert!(!output.stderr.contains('\u{1b}'), "no colours into a pipe: {}", output.stderr);
}

#[test]
fn long_output_of_commands_is_shown_in_part() {
    let world = World::new(
        "[[rule]]\nwhen = { round = 0 }\noutput = [{ exec = \"seq 1 5000\" }]\n\
         [[rule]]\noutput = [{ text = \"Counted.\" }]\n",
    );
    let output = world.codex().args(["e", "count"]).run().expect(0);
    assert!(output.stderr.lines().count() < 100, "{}", output.stderr);
    assert!(output.stderr.contains("more lines"), "{}", output.stderr);
    assert!(output.stderr.contains("\n5000\n") && output.stderr.contains("\n1\n"), "{}", output.stderr);
}

#[test]
fn colours_are_as_asked() {
    let world = World::new(HELLO);
    let output = world.codex().args(["exec", "--color", "always", "hi"]).run().expect(0);
    assert!(output.stderr.contains("\u{1b}["), "{}", output.stderr);
    assert_eq!(output.stdout, "Hello there.\n");
    let output = world.codex().args(["exec", "--color", "never", "hi"]).run().expect(0);
    assert!(!output.stderr.contains('\u{1b}'), "{}", output.stderr);
    world.codex().args(["exec", "--color", "blue", "hi"]).run().expect(2);
}

#[test]
fn the_last_message_goes_into_a_file_too() {
    let world = World::new(HELLO);
    let file = world.root().join("answer.txt");
    let path = file.to_str().unwrap();
    world.exec(&["-o", path, "hi"]).run().expect(0);
    assert_eq!(fs::read_to_string(&file).unwrap(), "Hello there.");

    // Without an answer, an older one must not pass for it.
    world.backend.script("[[rule]]\nfault = { kind = \"status\", code = 400 }\n");
    let output = world.codex().args(["exec", "-o", path, "hi"]).run().expect(1);
    assert_eq!(fs::read_to_string(&file).unwrap(), "");
    assert!(output.stderr.contains("answer.txt"), "{}", output.stderr);

    world.backend.script(HELLO);
    let output = world.codex().args(["exec", "-o", "/dev/full", "hi"]).run().expect(1);
    assert_eq!(output.stdout, "Hello there.\n", "the answer is not lost");
    assert!(output.stderr.contains("cannot write the answer to /dev/full"), "{}", output.stderr);

    // What cannot work for certain is said before anything is paid for.
    let before = world.backend.requests().len();
    let output = world.codex().args(["exec", "-o", "no/such/folder/x", "hi"]).run().expect(1);
    assert!(output.stderr.contains("cannot write the answer to no/such/folder/x"), "{}", output.stderr);
    assert_eq!(world.backend.requests().len(), before);
    assert!(!output.stderr.contains(".codex-"), "no names of ours: {}", output.stderr);
}

#[test]
fn output_schemas_are_sent_and_bad_ones_are_named() {
    let world = World::new("[[rule]]\noutput = [{ text = '{\"n\":1}' }]\n");
    let file = world.root().join("schema.json");
    let path = file.to_str().unwrap();
    fs::write(&file, r#"{"type":"object","properties":{"n":{"type":"number"}}}"#).unwrap();
    let output = world.codex().args(["exec", "--output-schema", path, "hi"]).run().expect(0);
    assert_eq!(output.stdout, "{\"n\":1}\n");
    let format = &world.backend.requests()[0]["text"]["format"];
    assert_eq!(format["schema"]["properties"]["n"]["type"], "number");
    assert_eq!(
        (&format["type"], &format["strict"], &format["name"]),
        (&json!("json_schema"), &json!(true), &json!("codex_output_schema"))
    );

    fs::write(&file, "{\n  nope").unwrap();
    let output = world.codex().args(["exec", "--output-schema", path, "hi"]).run().expect(1);
    assert!(output.stderr.contains("schema.json:2:3"), "{}", output.stderr);
    let output = world.codex().args(["exec", "--output-schema", "missing.json", "hi"]).run().expect(1);
    assert_eq!(output.stderr.matches("No such file").count(), 1, "{}", output.stderr);
    assert_eq!(world.backend.requests().len(), 1, "nothing was sent");
}

#[test]
fn model_config_and_profile_choose() {
    let world = World::new(HELLO);
    world.exec(&["-m", "gpt-5.4-mini", "hi"]).run().expect(0);
    world.exec(&["-c", "model=\"from-c\"", "-c", "model_reasoning_effort=high", "hi"]).run().expect(0);
    world.config("[profiles.work]\nmodel = \"from-profile\"\n");
    world.exec(&["-p", "work", "hi"]).run().expect(0);
    world.codex().args(["-p", "work", "-c", "model=\"both\"", "exec", "--json", "hi"]).run().expect(0);
    let sent = world.backend.requests();
    let models: Vec<_> = sent.iter().map(|body| body["model"].as_str().unwrap()).collect();
    assert_eq!(models, ["gpt-5.4-mini", "from-c", "from-profile", "both"]);
    assert_eq!(sent[1]["reasoning"]["effort"], "high");

    for (args, want) in [
        (["-p", "missing"], "missing"),
        (["-c", "model=3"], "model"),
        (["-c", "sandbox_mode=none"], "read-only"),
        (["-c", "no equals"], "="),
        (["-c", "model_provider=nobody"], "nobody"),
    ] {
        let output = world.exec(&args).arg("hi").run().expect(1);
        assert!(output.stderr.starts_with("ERROR: ") && output.stderr.contains(want), "{}", output.stderr);
        assert_eq!(output.stderr.lines().count(), 1, "{}", output.stderr);
    }
    let output = world.codex().args(["exec", "-c", "modle=1", "hi"]).run().expect(0);
    assert!(output.stderr.contains("did you mean `model`?"), "{}", output.stderr);
    assert_eq!(output.stdout, "Hello there.\n");
}

/// Tries to write inside the project, beside it, and into one more folder.
fn writes(world: &World) -> String {
    let beside = world.root().join("beside");
    let more = world.root().join("more");
    fs::create_dir_all(&beside).unwrap();
    fs::create_dir_all(&more).unwrap();
    format!(
        "[[rule]]\nwhen = {{ round = 0 }}\noutput = [{{ exec = \"touch in; touch {}/x; touch {}/x; true\" }}]\n\
         [[rule]]\noutput = [{{ text = \"done\" }}]\n",
        beside.display(),
        more.display()
    )
}

#[test]
fn sandbox_flags_decide_what_commands_may_write() {
    // Whether the command wrote: inside, beside, one more folder.
    let cases: [(&[&str], [bool; 3]); 6] = [
        (&["-s", "read-only"], [false, false, false]),
        (&["-s", "workspace-write"], [true, false, false]),
        (&["--full-auto"], [true, false, false]),
        (&["--full-auto", "--add-dir", "../more"], [true, false, true]),
        (&["-s", "danger-full-access"], [true, true, true]),
        (&["--dangerously-bypass-approvals-and-sandbox"], [true, true, true]),
    ];
    let world = World::new("");
    // The world may live below /tmp, which is writable otherwise.
    let narrow = ["-c", "sandbox_workspace_write.exclude_slash_tmp=true"];
    for (flags, want) in cases {
        world.backend.script(&writes(&world));
        let output = world.exec(&narrow).args(flags).arg("write").run().expect(0);
        let wrote = ["project/in", "beside/x", "more/x"].map(|path| {
            let path = world.root().join(path);
            fs::remove_file(path).is_ok()
        });
        assert_eq!(wrote, want, "{flags:?}\n{}", output.stdout);
    }
}

#[test]
fn the_working_directory_is_as_told() {
    let world = World::new(
        "[[rule]]\nwhen = { round = 0 }\noutput = [{ exec = \"pwd\" }]\n\
         [[rule]]\noutput = [{ text = \"You are in {{last_line}}\" }]\n",
    );
    let inner = world.project().join("inner dir");
    fs::create_dir(&inner).unwrap();
    let output = world.codex().args(["exec", "-C", "inner dir", "where"]).run().expect(0);
    assert_eq!(output.stdout, format!("You are in {}\n", inner.display()));
    let output = world.codex().args(["exec", "-C", "nowhere", "where"]).run().expect(1);
    assert!(output.stderr.contains("nowhere"), "{}", output.stderr);
}

#[test]
fn outside_of_git_and_trust_it_refuses_unless_told_otherwise() {
    let world = World::new(HELLO);
    // Some machines have a repository above their temporary folder.
    let elsewhere = tempfile::tempdir().unwrap();
    let output = world.codex().cwd(elsewhere.path()).args(["exec", "hi"]).run().expect(1);
    assert_eq!(output.stdout, "");
    assert!(output.stderr.contains("--skip-git-repo-check"), "{}", output.stderr);
    assert!(world.backend.requests().is_empty());
    let skip = ["exec", "--skip-git-repo-check", "hi"];
    let output = world.codex().cwd(elsewhere.path()).args(skip).run().expect(0);
    assert!(output.stderr.contains("sandbox: read-only"), "an unknown folder: {}", output.stderr);
}

#[test]
fn ephemeral_threads_leave_nothing() {
    let world = World::new(HELLO);
    world.exec(&["--ephemeral", "hi"]).run().expect(0);
    assert_eq!(world.rollouts(), Vec::<std::path::PathBuf>::new());
    world.exec(&["hi"]).run().expect(0);
    assert_eq!(world.rollouts().len(), 1);
    assert_eq!(fs::metadata(&world.rollouts()[0]).unwrap().permissions().mode() & 0o077, 0, "private");
}

#[test]
fn the_prompt_comes_from_the_argument_stdin_or_both() {
    let world = World::new(HELLO);
    world.exec(&["-"]).stdin("from stdin\n").run().expect(0);
    world.exec(&[]).stdin("also stdin").run().expect(0);
    world.exec(&["both"]).stdin("piped\n").run().expect(0);
    world.exec(&["--", "-x --odd"]).run().expect(0);
    let prompts: Vec<String> = world
        .backend
        .requests()
        .iter()
        .map(|body| {
            let input = body["input"].as_array().unwrap();
            input.last().unwrap()["content"][0]["text"].as_str().unwrap().to_owned()
        })
        .collect();
    assert_eq!(prompts, ["from stdin\n", "also stdin", "both\n\n<stdin>\npiped\n</stdin>", "-x --odd"]);
}

#[test]
fn an_open_stdin_does_not_hold_up_a_given_prompt() {
    let world = World::new(HELLO);
    let output = world.codex().args(["exec", "hi"]).open_stdin().run().expect(0);
    assert_eq!(output.stdout, "Hello there.\n");
}

#[test]
fn no_usable_prompt_ends_at_once_and_says_why() {
    let world = World::new(HELLO);
    for (output, want) in [
        (world.exec(&[]).run(), "no prompt"),
        (world.exec(&[]).stdin(" \n").run(), "no prompt"),
        (world.exec(&["  "]).run(), "the prompt is empty"),
        (world.exec(&["-"]).stdin(b"ok\xff".to_vec()).run(), "UTF-8"),
    ] {
        let output = output.expect(1);
        assert!(output.stderr.contains(want), "{want}: {}", output.stderr);
        assert_eq!((output.stdout.as_str(), output.stderr.lines().count()), ("", 1), "{}", output.stderr);
    }
    assert!(world.backend.requests().is_empty());
    assert!(world.rollouts().is_empty());
}

#[test]
fn a_closed_stdout_stops_the_turn() {
    let world = World::new(
        "[[rule]]\nwhen = { round = 0 }\noutput = [{ exec = \"true\" }]\n[[rule]]\nwhen = { round = 1 }\n\
         output = [{ exec = \"sleep 600\" }]\n[[rule]]\noutput = [{ text = \"never\" }]\n",
    );
    let output = world.exec(&["go"]).closed_stdout().run();
    assert_eq!((output.code, output.stderr.as_str()), (Some(141), ""));
}

#[test]
fn without_an_account_it_says_what_to_do() {
    let world = World::new(HELLO);
    let output = Codex::new(&world.home(), &world.project()).args(["exec", "hi"]).run().expect(1);
    assert!(output.stderr.contains("TEST_KEY"), "{}", output.stderr);
    assert_eq!(output.stderr.lines().count(), 1);
    let output = world.exec(&["-c", "model_provider=openai", "hi"]).run().expect(1);
    assert!(output.stderr.contains("codex login --with-api-key"), "{}", output.stderr);
    assert_eq!((output.stdout.as_str(), output.stderr.lines().count()), ("", 1), "{}", output.stderr);
    assert!(world.rollouts().is_empty());
    // A key that is not accepted: told once, with the place where it comes from.
    let wrong = world.codex().env("TEST_KEY", "sk-not-accepted").args(["exec", "hi"]).run().expect(1);
    assert_eq!(wrong.stderr.matches("ERROR").count(), 1, "{}", wrong.stderr);
    assert!(wrong.stderr.contains("TEST_KEY") && !wrong.stderr.contains("codex login"), "{}", wrong.stderr);
}

#[test]
fn a_dead_endpoint_ends_within_its_bound() {
    let world = World::new(HELLO);
    // A port that was free a moment ago and that nobody listens on.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("model_providers.test.base_url=\"http://127.0.0.1:{port}/v1\"");
    let none = ["-c", "model_providers.test.stream_max_retries=0"];
    let output = world.exec(&none).args(["-c", &url, "hi"]).run().expect(1);
    let last = output.events().pop().unwrap();
    assert_eq!(last["type"], "turn.failed");
    let message = last["error"]["message"].as_str().unwrap();
    assert!(message.contains(&format!("127.0.0.1:{port}")), "the address is named: {message}");
}

#[test]
fn the_services_errors_are_told_once_with_a_way_out() {
    let world = World::new("");
    for (fault, wants) in [
        ("code = 400, message = \"no such thing\"", &["no such thing"][..]),
        ("code = 400, body = \"html\"", &["refused the request"]),
        ("code = 403, body = \"empty\"", &["403", "no access"]),
        ("code = 404, body = \"json\"", &["404", "base_url"]),
        ("code = 429, body = \"usage-limit\"", &["limit"]),
        ("code = 429, body = \"quota\"", &["billing"]),
        ("code = 503, body = \"overloaded\"", &["capacity", "another model"]),
    ] {
        world.backend.script(&format!("[[rule]]\nfault = {{ kind = \"status\", {fault} }}\n"));
        let output = world.codex().args(["exec", "hi"]).run().expect(1);
        assert_eq!(output.stderr.matches("ERROR:").count(), 1, "{fault}: {}", output.stderr);
        let line = output.stderr.lines().find(|line| line.starts_with("ERROR:")).unwrap();
        for want in wants {
            assert!(line.contains(want), "{fault}: {want:?} is missing: {line}");
        }
        assert_eq!(output.stdout, "");
    }
    // As JSON: the error, then the end of the turn, nothing else.
    world.backend.script("[[rule]]\nfault = { kind = \"status\", code = 400, message = \"no\" }\n");
    let output = world.exec(&["hi"]).run().expect(1);
    assert_eq!(types(&output), ["thread.started", "turn.started", "error", "turn.failed"]);
    assert_eq!(output.events()[2]["message"], output.events()[3]["error"]["message"]);
}

#[test]
fn a_cut_stream_is_repeated_and_nothing_appears_twice() {
    let world = World::new(
        "[[rule]]\nname = \"cut\"\ntimes = 1\nfault = { kind = \"cut\", events = 5 }\n\
         output = [{ text = \"The answer is long enough to be cut in the middle.\" }]\n\
         [[rule]]\noutput = [{ text = \"The whole answer.\" }]\n",
    );
    let output = world.exec(&["hi"]).run().expect(0);
    assert_eq!(
        types(&output),
        ["thread.started", "turn.started", "error", "item.completed:agent_message", "turn.completed"]
    );
    let message = output.events()[2]["message"].as_str().unwrap().to_owned();
    assert!(message.starts_with("Reconnecting... 1/"), "{message}");
    assert_eq!(output.events()[3]["item"]["text"], "The whole answer.");
    let answers = world.rollout().iter().filter(|l| l["payload"]["role"] == "assistant").count();
    assert_eq!(answers, 1);
}

#[test]
fn images_are_attached_and_bad_ones_are_named() {
    let world = World::new(HELLO);
    fs::write(world.project().join("dot.png"), DOT).unwrap();
    world.exec(&["-i", "dot.png,dot.png", "look"]).run().expect(0);
    let requests = world.backend.requests();
    let content = requests[0]["input"].as_array().unwrap().last().unwrap()["content"].clone();
    let kinds: Vec<_> = content.as_array().unwrap().iter().map(|p| p["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["input_text", "input_image", "input_image"]);
    assert!(content[1]["image_url"].as_str().unwrap().starts_with("data:image/png;base64,"));
    fs::write(world.project().join("no.png"), "text").unwrap();
    for name in ["no.png", "missing.png"] {
        let output = world.codex().args(["exec", "-i", name, "look"]).run().expect(1);
        assert_eq!(output.stderr.matches("ERROR:").count(), 1, "{}", output.stderr);
        assert!(output.stderr.contains(name), "{}", output.stderr);
    }
    assert_eq!(world.backend.requests().len(), 1);
    // A mistyped name is told before a thread begins.
    let before = world.rollouts().len();
    world.codex().args(["exec", "-i", "missing.png", "look"]).run().expect(1);
    assert_eq!(world.rollouts().len(), before);
    // Like every other file it is named from where the user stands.
    let other = world.root().join("elsewhere");
    fs::create_dir(&other).unwrap();
    fs::write(other.join("here.png"), DOT).unwrap();
    let there = world.codex().cwd(&other).args(["exec", "-C"]).arg(world.project());
    there.args(["-i", "here.png", "look"]).run().expect(0);
}

#[test]
fn a_mistyped_key_is_told_also_when_nothing_can_begin() {
    let world = World::new(HELLO);
    let output = world.codex().args(["exec", "-c", "modle=1", "-i", "missing.png", "hi"]).run().expect(1);
    assert!(output.stderr.contains("did you mean `model`"), "{}", output.stderr);
    assert!(output.stderr.trim_end().lines().last().unwrap().starts_with("ERROR:"), "{}", output.stderr);
}

/// A picture of one dot.
pub(crate) const DOT: &[u8] = &[
    0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 0x0d, 0x49, 0x48, 0x44, 0x52, 0, 0, 0, 1, 0, 0,
    0, 1, 8, 6, 0, 0, 0, 0x1f, 0x15, 0xc4, 0x89, 0, 0, 0, 0x0d, 0x49, 0x44, 0x41, 0x54, 0x78, 0x9c, 0x63,
    0xf8, 0xcf, 0xc0, 0xf0, 0x1f, 0, 5, 0, 1, 0xff, 0x89, 0x99, 0x3d, 0x1d, 0, 0, 0, 0, 0x49, 0x45, 0x4e,
    0x44, 0xae, 0x42, 0x60, 0x82,
];
