//! What goes to the service: fields, headers, context, and that nothing that was sent is ever sent differently.
//! The backend itself compares each request with its forerunner; these tests look at what it cannot know.

use std::fs;

use serde_json::{Value, json};

use crate::support::World;
use crate::support::scripts::HELLO;

fn input(body: &Value) -> &[Value] {
    body["input"].as_array().unwrap()
}

/// All texts of the messages with this role, in order.
fn texts<'a>(body: &'a Value, role: &str) -> Vec<&'a str> {
    input(body)
        .iter()
        .filter(|item| item["role"] == role)
        .flat_map(|item| item["content"].as_array().unwrap())
        .filter_map(|part| part["text"].as_str())
        .collect()
}

fn starting<'a>(body: &'a Value, role: &str, start: &str) -> Vec<&'a str> {
    texts(body, role).into_iter().filter(|text| text.starts_with(start)).collect()
}

#[test]
fn the_first_request_has_the_known_fields_and_headers() {
    let world = World::new(HELLO);
    let output = world.exec(&["hi"]).run().expect(0);
    let id = output.events()[0]["thread_id"].as_str().unwrap().to_owned();
    let record = world.backend.records().remove(0);
    let body = &record["body"];
    let mut keys: Vec<_> = body.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    assert_eq!(
        keys,
        [
            "client_metadata",
            "include",
            "input",
            "instructions",
            "model",
            "parallel_tool_calls",
            "prompt_cache_key",
            "reasoning",
            "store",
            "stream",
            "text",
            "tool_choice",
            "tools"
        ]
    );
    for (key, want) in [
        ("model", json!("gpt-5.5")),
        ("stream", json!(true)),
        ("store", json!(false)),
        ("include", json!(["reasoning.encrypted_content"])),
        ("prompt_cache_key", json!(id)),
        ("parallel_tool_calls", json!(true)),
        ("tool_choice", json!("auto")),
        ("text", json!({"verbosity": "low"})),
    ] {
        assert_eq!(body[key], want, "{key}");
    }
    let tools: Vec<_> =
        body["tools"].as_array().unwrap().iter().map(|tool| tool["name"].as_str().unwrap()).collect();
    assert_eq!(tools, ["exec_command", "write_stdin", "apply_patch", "update_plan", "view_image"]);
    let roles: Vec<_> = input(body).iter().map(|item| item["role"].as_str().unwrap()).collect();
    assert_eq!(roles, ["developer", "user", "user"]);
    for item in input(body) {
        assert!(item["id"].as_str().unwrap().starts_with("msg_"), "{item}");
    }

    let headers = &record["headers"];
    for name in ["session-id", "thread-id", "x-client-request-id"] {
        assert_eq!(headers[name], id.as_str(), "{name}");
    }
    assert_eq!(headers["x-codex-window-id"], format!("{id}:0"));
    assert_eq!(headers["originator"], "codex_exec");
    assert!(headers["user-agent"].as_str().unwrap().starts_with("codex_exec/"), "{headers}");
    assert_eq!(
        (&headers["accept"], &headers["content-type"]),
        (&json!("text/event-stream"), &json!("application/json"))
    );
    let turn: Value = serde_json::from_str(headers["x-codex-turn-metadata"].as_str().unwrap()).unwrap();
    assert_eq!((&turn["request_kind"], &turn["model"]), (&json!("turn"), &json!("gpt-5.5")));
    // Neither the folder nor a commit leaves the machine outside the conversation.
    let metadata = body["client_metadata"].to_string() + headers.to_string().as_str();
    assert!(!metadata.contains(world.project().to_str().unwrap()), "{metadata}");
}

#[test]
fn the_environment_is_told_with_its_writable_roots() {
    let world = World::new(HELLO);
    world.exec(&["--add-dir", "..", "hi"]).run().expect(0);
    world.exec(&["-s", "read-only", "hi"]).run().expect(0);
    world.exec(&["-s", "danger-full-access", "hi"]).run().expect(0);
    let sent = world.backend.requests();
    let environment = |n: usize| starting(&sent[n], "user", "<environment_context>")[0].to_owned();
    let project = world.project();
    let cwd = format!("<cwd>{}</cwd>", project.display());
    let write = format!("<entry access=\"write\"><path>{}</path></entry>", project.display());
    let more = format!("<entry access=\"write\"><path>{}</path></entry>", world.root().display());
    assert!(
        environment(0).contains(&cwd) && environment(0).contains("<shell>sh</shell>"),
        "{}",
        environment(0)
    );
    assert!(environment(0).contains(&write) && environment(0).contains(&more), "{}", environment(0));
    assert!(environment(1).contains(&cwd) && !environment(1).contains("\"write\""), "{}", environment(1));
    assert!(environment(2).contains("\"disabled\""), "{}", environment(2));
    for (n, mode) in ["workspace-write", "read-only", "danger-full-access"].iter().enumerate() {
        let permissions = starting(&sent[n], "developer", "<permissions instructions>")[0];
        assert!(permissions.contains(mode) && permissions.contains("`never`"), "{permissions}");
    }
}

#[test]
fn instruction_files_are_sent_from_the_root_down() {
    let world = World::new(HELLO);
    let inner = world.project().join("a/b");
    fs::create_dir_all(&inner).unwrap();
    fs::write(world.codex_home().join("AGENTS.md"), "of the user").unwrap();
    fs::write(world.project().join("AGENTS.md"), "of the root").unwrap();
    fs::write(world.project().join("a/AGENTS.md"), "of a").unwrap();
    fs::write(world.root().join("AGENTS.md"), "above the root").unwrap();
    world.codex().cwd(&inner).args(["exec", "hi"]).run().expect(0);
    let sent = world.backend.requests();
    let docs = starting(&sent[0], "user", "# AGENTS.md instructions");
    assert_eq!(docs.len(), 1);
    let at = |text: &str| docs[0].find(text).unwrap_or_else(|| panic!("{text:?} is missing: {}", docs[0]));
    assert!(at("of the user") < at("of the root") && at("of the root") < at("of a"), "{}", docs[0]);
    assert!(!docs[0].contains("above the root"), "{}", docs[0]);
}

#[test]
fn context_is_sent_again_only_when_it_changed() {
    let world = World::new(HELLO);
    fs::write(world.project().join("AGENTS.md"), "first version").unwrap();
    world.exec(&["one"]).run().expect(0);
    let resume = |args: &[&str]| {
        world.codex().args(["exec", "--json", "resume", "--last"]).args(args).run().expect(0);
        world.backend.requests().pop().unwrap()
    };
    let count = |body: &Value| {
        [
            starting(body, "developer", "<permissions").len(),
            starting(body, "user", "# AGENTS.md").len(),
            starting(body, "user", "<environment_context>").len(),
        ]
    };
    assert_eq!(count(&resume(&["two"])), [1, 1, 1], "nothing changed");
    assert_eq!(count(&resume(&["three", "-s", "read-only"])), [2, 1, 2], "other permissions");
    fs::write(world.project().join("AGENTS.md"), "second version").unwrap();
    assert_eq!(count(&resume(&["four", "-s", "read-only"])), [2, 2, 2], "other instructions");
    assert_eq!(count(&resume(&["five", "-s", "read-only"])), [2, 2, 2], "nothing changed");
}

#[test]
fn every_request_of_a_turn_begins_with_the_one_before() {
    let world = World::new(
        "[[rule]]\nname = \"a\"\nwhen = { round = 0 }\n[[rule.output]]\nreasoning = [\"one\", \"two\"]\n[[rule.output]]\n\
         commentary = \"ä\u{2028}\\\\u00e9\"\n[[rule.output]]\nexec = \"echo 1\"\n[[rule.output]]\nexec = \"echo 2\"\n\
         [[rule]]\nwhen = { after = \"a\" }\noutput = [{ patch = \"*** Begin Patch\\n*** Add File: x\\n+1\\n*** End Patch\\n\" }]\n\
         [[rule]]\noutput = [{ text = \"done\" }]\n",
    );
    world.exec(&["go"]).run().expect(0);
    world.codex().args(["exec", "resume", "--last", "more"]).run().expect(0);
    let sent = world.backend.requests();
    assert_eq!(sent.len(), 6);
    for pair in sent.windows(2) {
        let (was, is) = (input(&pair[0]), input(&pair[1]));
        assert!(is.len() > was.len() && is[..was.len()] == *was);
        assert_eq!(pair[0]["tools"], pair[1]["tools"]);
        assert_eq!(pair[0]["instructions"], pair[1]["instructions"]);
    }
    assert_eq!(sent[0]["prompt_cache_key"], sent[5]["prompt_cache_key"]);
    // Reasoning goes back with its sealed part, and outputs stand behind the calls in call order.
    let kinds: Vec<_> = input(&sent[1])[3..].iter().map(|item| item["type"].as_str().unwrap()).collect();
    assert_eq!(
        kinds,
        [
            "reasoning",
            "message",
            "function_call",
            "function_call",
            "function_call_output",
            "function_call_output"
        ]
    );
    assert!(input(&sent[1])[3]["encrypted_content"].as_str().unwrap().starts_with("scripted-"));
    assert_eq!(input(&sent[1])[4]["content"][0]["text"], "ä\u{2028}\\u00e9");
}

#[test]
fn providers_add_their_headers_and_query() {
    let world = World::new(HELLO);
    world
        .exec(&[
            "-c",
            "model_providers.test.http_headers={ \"x-mine\" = \"1\" }",
            "-c",
            "model_providers.test.env_http_headers={ \"x-from-env\" = \"MY_HEADER\", \"x-absent\" = \"NOT_SET\" }",
            "-c",
            "model_providers.test.query_params={ api-version = \"2026-01-01\" }",
            "hi",
        ])
        .env("MY_HEADER", "two")
        .run()
        .expect(0);
    let record = world.backend.records().remove(0);
    assert_eq!(
        (&record["headers"]["x-mine"], &record["headers"]["x-from-env"]),
        (&json!("1"), &json!("two"))
    );
    assert_eq!(record["headers"]["x-absent"], Value::Null);
}

#[test]
fn the_stored_sign_in_is_used_by_the_built_in_provider() {
    let world = World::new(HELLO);
    let url = format!("openai_base_url=\"{}\"", world.backend.base_url);
    let builtin = ["exec", "--json", "-c", "model_provider=openai", "-c", &url, "hi"];
    // A key that was put away with `codex login`.
    world.codex().args(["login", "--with-api-key"]).stdin(world.backend.token.clone()).run().expect(0);
    world.codex().args(builtin).run().expect(0);
    let body = world.backend.requests().pop().unwrap();
    assert!(body["instructions"].is_string());

    // A ChatGPT sign-in of the reference program.
    let auth = json!({"auth_mode": "chatgpt", "OPENAI_API_KEY": null, "last_refresh": "2026-11-20T10:00:00Z",
        "tokens": {"id_token": "", "access_token": world.backend.token, "refresh_token": "r", "account_id": "acct-1"}});
    fs::write(world.codex_home().join("auth.json"), auth.to_string()).unwrap();
    world.codex().args(builtin).run().expect(0);
    let record = world.backend.records().pop().unwrap();
    assert_eq!(record["headers"]["chatgpt-account-id"], "acct-1");
    assert_eq!(record["body"]["instructions"], Value::Null, "they travel as the first developer message");
    assert_eq!(input(&record["body"])[0]["role"], "developer");
}

#[test]
fn rate_limits_are_kept_with_the_usage() {
    let world = World::new("[[rule]]\nlimits = [91.5, 20.0]\noutput = [{ text = \"hi\" }]\n");
    world.exec(&["hi"]).run().expect(0);
    let count = world.rollout().into_iter().find(|line| line["payload"]["type"] == "token_count").unwrap();
    assert_eq!(count["payload"]["rate_limits"]["primary"]["used_percent"], 91.5, "{count}");
}

#[test]
fn odd_wires_give_the_same_answer() {
    let world = World::new("");
    for wire in
        ["chunk = 1, crlf = true", "split_data = true, bom = true", "delta_chars = 1, comment_every = 1"]
    {
        world.backend.script(&format!(
            "wire = {{ {wire} }}\n[[rule]]\nwhen = {{ round = 0 }}\noutput = [{{ exec = \"echo 'ä€😀'\" }}]\n\
             [[rule]]\noutput = [{{ text = \"Größe 😀: {{{{last_line}}}}\" }}]\n"
        ));
        let output = world.codex().args(["exec", "hi"]).run().expect(0);
        assert_eq!(output.stdout, "Größe 😀: ä€😀\n", "{wire}");
    }
    for fault in ["garbage", "unknown"] {
        world.backend.script(&format!(
            "[[rule]]\nfault = {{ kind = \"{fault}\" }}\noutput = [{{ text = \"Still here.\" }}]\n"
        ));
        let output = world.codex().args(["exec", "hi"]).run().expect(0);
        assert_eq!(output.stdout, "Still here.\n", "{fault}");
    }
}
