//! `codex exec resume`: which thread it finds, and that the thread goes on as the same one.

use std::fs;

use crate::support::World;
use crate::support::codex::Output;
use crate::support::scripts::HELLO;

fn thread_id(output: &Output) -> String {
    output.events()[0]["thread_id"].as_str().unwrap().to_owned()
}

#[test]
fn by_id_by_its_beginning_and_the_last() {
    let world = World::new(HELLO);
    let first = thread_id(&world.exec(&["one"]).run().expect(0));
    let second = thread_id(&world.exec(&["two"]).run().expect(0));
    assert_ne!(first, second);
    let resumed = |args: &[&str]| {
        thread_id(&world.codex().args(["exec", "--json", "resume"]).args(args).run().expect(0))
    };
    assert_eq!(resumed(&[&first, "again"]), first);
    assert_eq!(resumed(&["--last", "again"]), first, "the one that was used last");
    assert_eq!(resumed(&[&second, "again"]), second);
    assert_eq!(resumed(&["--last", "again"]), second);
    assert_eq!(world.rollouts().len(), 2, "no thread was added");

    // The same thread for the service too, with everything before.
    let sent = world.backend.records();
    let last = sent.last().unwrap();
    assert_eq!(last["headers"]["session-id"], second.as_str());
    assert_eq!(last["body"]["prompt_cache_key"], second.as_str());
    let prompts: Vec<&str> = last["body"]["input"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|item| item["role"] == "user")
        .filter_map(|item| item["content"][0]["text"].as_str())
        .filter(|text| !text.starts_with('<'))
        .collect();
    assert_eq!(prompts, ["two", "again", "again"]);
}

#[test]
fn the_prompt_and_options_may_stand_on_both_sides() {
    let world = World::new(HELLO);
    world.exec(&["one"]).run().expect(0);
    for args in [
        &["exec", "--json", "resume", "--last", "-"][..],
        &["exec", "resume", "--last", "--json"],
        &["exec", "resume", "--json", "--last", "-m", "gpt-5.5", "by argument"],
    ] {
        let output = world.codex().args(args).stdin("by stdin").run().expect(0);
        assert_eq!(output.events().last().unwrap()["type"], "turn.completed", "{args:?}");
    }
    assert_eq!(world.rollouts().len(), 1);
}

#[test]
fn what_cannot_be_resumed_is_named_with_the_next_step() {
    let world = World::new(HELLO);
    for (args, code, want) in [
        (&["--last", "hi"][..], 1, "no earlier thread"),
        (&["nothing-of-that-name", "hi"], 1, "nothing-of-that-name"),
        (&["01a1f8c7-2292-7f13-b513-4138c72f74cf", "hi"], 1, "01a1f8c7"),
        (&[], 2, "--last"),
    ] {
        let output = world.codex().args(["exec", "resume"]).args(args).run().expect(code);
        assert!(output.stderr.contains(want), "{args:?}: {}", output.stderr);
        assert_eq!(output.stdout, "");
    }
    assert!(world.backend.requests().is_empty());
}

#[test]
fn a_torn_last_line_is_repaired_and_told() {
    let world = World::new(HELLO);
    world.exec(&["one"]).run().expect(0);
    let path = world.rollouts().remove(0);
    let mut text = fs::read(&path).unwrap();
    text.extend(b"{\"timestamp\":\"2026-11-20T10:00:00.000Z\",\"type\":\"response_it");
    fs::write(&path, text).unwrap();
    let output = world.codex().args(["exec", "resume", "--last", "two"]).run().expect(0);
    assert!(output.stderr.contains("warning:"), "{}", output.stderr);
    for line in world.rollout() {
        assert!(line["type"].is_string());
    }
}

#[test]
fn ephemeral_knows_the_thread_and_adds_nothing_to_it() {
    let world = World::new(HELLO);
    world.exec(&["one"]).run().expect(0);
    let path = world.rollouts().remove(0);
    let before = fs::read(&path).unwrap();
    world.codex().args(["exec", "resume", "--last", "--ephemeral", "two"]).run().expect(0);
    assert!(fs::read(&path).unwrap() == before && world.rollouts().len() == 1, "nothing was stored");
    assert!(world.backend.requests()[1]["input"].to_string().contains("\"one\""), "it goes on from before");
}

#[test]
fn two_processes_do_not_write_one_thread() {
    let world = World::new(
        "[[rule]]\nwhen = { user = \"wait\" }\nfault = { kind = \"stall\", events = 3 }\noutput = [{ text = \"never\" }]\n\
         [[rule]]\noutput = [{ text = \"Hello.\" }]\n",
    );
    world.exec(&["one"]).run().expect(0);
    let mut first = world.codex().args(["exec", "--json", "resume", "--last", "wait"]).start();
    first.until("turn.started");
    let second = world.codex().args(["exec", "resume", "--last", "two"]).run().expect(1);
    assert!(second.stderr.contains("open in another codex process"), "{}", second.stderr);
    first.signal(2);
    first.wait().expect(130);
    world.codex().args(["exec", "resume", "--last", "three"]).run().expect(0);
}

#[test]
fn another_folder_has_its_own_last_thread() {
    let world = World::new(HELLO);
    let id = thread_id(&world.exec(&["one"]).run().expect(0));
    let other = world.root().join("other");
    fs::create_dir_all(other.join(".git")).unwrap();
    let resume = |args: &[&str]| {
        world.codex().cwd(&other).args(["exec", "--json", "--skip-git-repo-check", "resume"]).args(args).run()
    };
    let output = resume(&["--last", "hi"]).expect(1);
    assert!(output.stderr.contains(other.to_str().unwrap()), "{}", output.stderr);
    assert_eq!(thread_id(&resume(&[&id, "hi"]).expect(0)), id, "by id from everywhere");
}

#[test]
fn threads_of_the_reference_program_go_on() {
    let fixtures = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/rollouts");
    let world = World::new(HELLO);
    let mut tried = 0;
    for entry in fs::read_dir(fixtures).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        let meta: serde_json::Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
        let id = meta["payload"]["id"].as_str().unwrap();
        let day = world.codex_home().join("sessions/2026/11/20");
        fs::create_dir_all(&day).unwrap();
        let file = day.join(format!("rollout-2026-11-20T10-00-00-{id}.jsonl"));
        fs::write(&file, &text).unwrap();
        let output = world.codex().args(["exec", "--json", "resume", id, "go on"]).run();
        assert_eq!(output.code, Some(0), "{}: {}\n{}", path.display(), output.stdout, output.stderr);
        assert_eq!(thread_id(&output), id);
        let after = fs::read_to_string(&file).unwrap();
        assert!(after.starts_with(&text) && after.len() > text.len(), "{}: only added to", path.display());
        fs::remove_file(&file).unwrap();
        tried += 1;
    }
    assert!(tried >= 8, "{tried}");
}
