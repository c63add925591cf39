//! `codex review` and `codex exec review`: what the reviewer is asked, what it may do, what is printed and kept.

use std::fs;
use std::process::Command;

use serde_json::Value;

use super::bed::types;
use crate::support::World;
use crate::support::scripts::HELLO;
use crate::tui::bed::{calls_then, exec};

const FINDINGS: &str = r#"{"findings":[{"title":"[P1] Keep the lock","body":"It is let go too early.","confidence_score":0.9,"priority":1,"code_location":{"absolute_file_path":"/w/a.rs","line_range":{"start":3,"end":5}}}],"overall_correctness":"patch is incorrect","overall_explanation":"One race.","overall_confidence_score":0.8}"#;
const PRINTED: &str =
    "One race.\n\nReview comment:\n\n- [P1] Keep the lock — /w/a.rs:3-5\n  It is let go too early.\n";

fn git(world: &World, args: &[&str]) -> String {
    let identity =
        ["-c", "user.name=t", "-c", "user.email=t@example.invalid", "-c", "init.defaultBranch=main"];
    let done = Command::new("git").args(identity).args(args).current_dir(world.project()).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8_lossy(&done.stdout).trim().to_owned()
}

/// A repository whose branch `work` has one commit more than `main`; its name.
fn repository(world: &World) -> String {
    git(world, &["init", "-q"]);
    fs::write(world.project().join("AGENTS.md"), "Always say please.").unwrap();
    git(world, &["add", "."]);
    git(world, &["commit", "-qm", "First"]);
    git(world, &["branch", "-M", "main"]);
    git(world, &["checkout", "-qb", "work"]);
    git(world, &["commit", "-qm", "Second", "--allow-empty"]);
    git(world, &["rev-parse", "main"])
}

fn texts(body: &Value) -> String {
    body["input"].to_string()
}

#[test]
fn a_reviewer_has_a_conversation_of_its_own_and_the_thread_keeps_the_result() {
    let world = World::new(&calls_then(&exec("echo inner work"), FINDINGS));
    world.config("review_model = \"gpt-5.4\"");
    let base = repository(&world);
    let run = world.codex().args(["review", "--base", "main"]).run().expect(0);
    assert_eq!(run.stdout, PRINTED);
    assert!(
        run.stderr.contains("sandbox: read-only") && run.stderr.contains("model: gpt-5.4"),
        "{}",
        run.stderr
    );
    let sent = world.backend.records();
    assert_eq!(sent.len(), 2);
    let (headers, body) = (&sent[0]["headers"], &sent[0]["body"]);
    assert_eq!(headers["x-openai-subagent"], "review");
    assert_eq!(headers["x-codex-parent-thread-id"], headers["session-id"]);
    assert_ne!(headers["thread-id"], headers["session-id"]);
    assert_eq!(body["prompt_cache_key"], headers["session-id"]);
    assert_eq!(body["model"], "gpt-5.4");
    assert!(texts(body).contains(&format!("git diff {base}")), "{}", texts(body));
    assert!(!texts(body).contains("Always say please"), "no instruction files");
    assert!(body.to_string().contains("overall_correctness"), "its own instructions");
    let tools: Vec<&str> =
        body["tools"].as_array().unwrap().iter().filter_map(|t| t["name"].as_str()).collect();
    assert_eq!(tools, ["exec_command", "write_stdin", "view_image"]);

    // What goes on knows the result, and nothing else of it.
    world.backend.script("[[rule]]\noutput = [{ text = 'Mended.' }]\n");
    world.codex().args(["exec", "resume", "--last", "mend it"]).run().expect(0);
    let next = world.backend.requests().pop().unwrap();
    let told = texts(&next);
    assert!(told.contains("<user_action>") && told.contains("Keep the lock"), "{told}");
    assert!(told.contains("changes against 'main'") && !told.contains("inner work"), "{told}");
    assert!(told.contains("Always say please"));
    assert_ne!(next["model"], "gpt-5.4");
    assert_eq!(world.backend.state()["breaches"], 0);
    let kept = world.rollout();
    let kinds: Vec<&str> = kept.iter().filter_map(|line| line["payload"]["type"].as_str()).collect();
    for kind in ["entered_review_mode", "exec_command_end", "exited_review_mode", "agent_message"] {
        assert!(kinds.contains(&kind), "{kind}: {kinds:?}");
    }
}

#[test]
fn json_lines_and_the_last_message_are_those_of_exec() {
    let world = World::new(&calls_then(&exec("true"), FINDINGS));
    repository(&world);
    let last = world.root().join("last");
    let args = ["exec", "--json", "review", "--commit", "HEAD", "--title", "A title", "-o"];
    let run = world.codex().args(args).arg(&last).run().expect(0);
    assert_eq!(
        types(&run),
        [
            "thread.started",
            "turn.started",
            "item.started:command_execution",
            "item.completed:command_execution",
            "item.completed:agent_message",
            "turn.completed"
        ]
    );
    assert_eq!(run.events()[4]["item"]["text"], PRINTED.trim_end());
    assert_eq!(fs::read_to_string(last).unwrap(), PRINTED.trim_end());
    assert!(run.events()[5]["usage"]["output_tokens"].as_u64().unwrap() > 0, "it is counted");
    assert!(texts(&world.backend.requests()[0]).contains("A title"));
}

/// Neither the mode nor a rule lets a reviewer's command write.
#[test]
fn a_reviewer_writes_nothing() {
    let world = World::new(&calls_then(&exec("touch written"), "Fine."));
    repository(&world);
    let rules = world.codex_home().join("rules");
    fs::create_dir_all(&rules).unwrap();
    fs::write(rules.join("default.rules"), "prefix_rule(pattern=['touch'])\n").unwrap();
    let run =
        world.codex().args(["exec", "-s", "workspace-write", "review", "--uncommitted"]).run().expect(0);
    assert_eq!(run.stdout, "Fine.\n", "words are an answer too");
    assert!(run.stderr.contains("exited 1"), "{}", run.stderr);
    assert!(!world.project().join("written").exists());
}

#[test]
fn what_cannot_be_reviewed_is_told_before_anything_is_sent() {
    let world = World::new(HELLO);
    let fails = |args: &[&str], code: i32, part: &str| {
        let run = world.codex().args(args).run().expect(code);
        assert!(run.stderr.contains(part), "{args:?}: {}", run.stderr);
        assert_eq!(run.stdout, "");
    };
    // The worlds of tests may lie in the repository of this project.
    let outside = tempfile::tempdir().unwrap();
    let outside = outside.path().display().to_string();
    let args = ["review", "--uncommitted", "--skip-git-repo-check", "-C", &outside];
    fails(&args, 1, "not in a git repository");
    fails(&["review", "--base", "main"], 1, "no commits yet");
    repository(&world);
    fails(&["review", "--base", "no such"], 1, "no branch or commit `no such`");
    fails(&["review", "--commit=--output=x"], 1, "no branch or commit");
    fails(&["review"], 2, "what is to be reviewed?");
    assert!(world.backend.requests().is_empty());
}

#[test]
fn a_service_that_fails_ends_the_review_and_the_thread_knows() {
    let world = World::new("[[rule]]\nfault = { kind = \"status\", code = 400, message = \"no\" }\n");
    repository(&world);
    let run = world.codex().args(["review", "--uncommitted"]).run().expect(1);
    assert_eq!((run.stdout.as_str(), run.stderr.matches("ERROR:").count()), ("", 1), "{}", run.stderr);
    world.backend.script(HELLO);
    world.codex().args(["exec", "resume", "--last", "go on"]).run().expect(0);
    let told = texts(&world.backend.requests().pop().unwrap());
    assert!(told.contains("The review ended without a result."), "{told}");
}
