//! How a run ends before its answer: signals, and what is left of the turn on disk and in the process table.

use std::fs;

use serde_json::Value;

use crate::support::codex::{Output, Running};
use crate::support::{Alive, World};

const SIGINT: i32 = 2;
const SIGTERM: i32 = 15;

/// A command that holds the pipe, together with a child of its own, and does not listen to SIGTERM.
fn stubborn(alive: &Alive) -> String {
    format!(
        "[[rule]]\nname = \"run\"\nwhen = {{ round = 0 }}\n[[rule.output]]\ncommentary = \"I start it.\"\n\
         [[rule.output]]\nexec = \"\"\"trap '' TERM; {}; (setsid sleep 600 >/dev/null 2>&1 &); sleep 600\"\"\"\n\
         args = {{ yield_time_ms = 30000 }}\n[[rule]]\noutput = [{{ text = \"Done.\" }}]\n",
        alive.hold()
    )
}

/// Starts a turn and waits until its command runs.
fn running(world: &World, args: &[&str]) -> (Running, Alive) {
    let alive = Alive::new(&world.project(), "alive");
    world.backend.script(&stubborn(&alive));
    let run = world.codex().arg("exec").args(args).arg("run it").start();
    alive.up();
    (run, alive)
}

fn payloads(world: &World, kind: &str) -> Vec<Value> {
    let of_kind = |line: &Value| line["payload"]["type"] == kind;
    world.rollout().into_iter().filter(of_kind).map(|line| line["payload"].clone()).collect()
}

fn last_event(output: &Output) -> Value {
    output.events().pop().unwrap()
}

#[test]
fn ctrl_c_stops_the_turn_kills_its_processes_and_keeps_what_happened() {
    let world = World::new("");
    let (run, alive) = running(&world, &["--json"]);
    run.signal(SIGINT);
    let output = run.wait().expect(130);
    alive.gone();
    let end = last_event(&output);
    assert_eq!((&end["type"], &end["error"]["message"]), (&"turn.failed".into(), &"interrupted".into()));
    let command = &output.items_of("command_execution")[0];
    assert_eq!(command["status"], "failed");

    // Everything is on disk: prompt, remark, call, its output, the note, the end.
    assert_eq!(payloads(&world, "function_call").len(), 1);
    let outputs = payloads(&world, "function_call_output");
    assert_eq!(outputs.len(), 1);
    assert!(outputs[0]["output"].as_str().unwrap().starts_with("aborted by user"), "{outputs:?}");
    assert_eq!(payloads(&world, "agent_message")[0]["message"], "I start it.");
    assert_eq!(payloads(&world, "turn_aborted").len(), 1);
    let text = fs::read_to_string(&world.rollouts()[0]).unwrap();
    assert!(text.contains("<turn_aborted>") && text.ends_with('\n'));

    // The thread goes on, and the model is told.
    world.backend.script("[[rule]]\noutput = [{ text = \"Going on.\" }]\n");
    let again = world.codex().args(["exec", "resume", "--last", "go on"]).run().expect(0);
    assert_eq!(again.stdout, "Going on.\n");
    let input = world.backend.requests().pop().unwrap()["input"].to_string();
    assert!(input.contains("turn_aborted") && input.contains("aborted by user"), "{input}");
}

#[test]
fn without_json_an_interrupt_is_said_and_nothing_is_on_stdout() {
    let world = World::new("");
    let (run, alive) = running(&world, &[]);
    run.signal(SIGINT);
    let output = run.wait().expect(130);
    alive.gone();
    assert_eq!(output.stdout, "");
    assert!(output.stderr.contains("interrupted"), "{}", output.stderr);
    assert!(!output.stderr.contains("ERROR"), "{}", output.stderr);
}

#[test]
fn sigterm_stops_in_the_same_way_with_its_own_code() {
    let world = World::new("");
    let (run, alive) = running(&world, &["--json"]);
    run.signal(SIGTERM);
    let output = run.wait().expect(143);
    alive.gone();
    assert_eq!(last_event(&output)["type"], "turn.failed");
    assert_eq!(payloads(&world, "turn_aborted").len(), 1);
}

#[test]
fn two_signals_at_once_end_the_run_and_its_processes_too() {
    let world = World::new("");
    let (run, alive) = running(&world, &["--json"]);
    run.signal(SIGINT);
    // The first may have been enough already.
    let _ = std::process::Command::new("kill").args(["-2", &run.pid().to_string()]).output();
    run.wait().expect(130);
    alive.gone();
}

#[test]
fn a_killed_run_leaves_no_process_and_a_thread_that_goes_on() {
    let world = World::new("");
    let (mut run, alive) = running(&world, &["--json"]);
    run.child.kill().unwrap();
    alive.gone();
    assert_eq!(run.wait().code, None);
    world.backend.script("[[rule]]\noutput = [{ text = \"Going on.\" }]\n");
    let output = world.codex().args(["exec", "resume", "--last", "go on"]).run().expect(0);
    assert_eq!(output.stdout, "Going on.\n");
    // The call that was cut off has exactly one output in what is sent.
    let input = world.backend.requests().pop().unwrap()["input"].clone();
    let outputs = input.as_array().unwrap().iter().filter(|i| i["type"] == "function_call_output").count();
    assert_eq!(outputs, 1, "{input}");
}

#[test]
fn an_interrupt_while_the_model_is_silent_ends_at_once() {
    let world = World::new(
        "[[rule]]\nfault = { kind = \"stall\", events = 4 }\noutput = [{ text = \"long answer that stalls\" }]\n",
    );
    let mut run = world.exec(&["hi"]).start();
    run.until("turn.started");
    run.signal(SIGINT);
    let output = run.wait().expect(130);
    assert!(output.took.as_secs() < 9, "no deadline was needed: {:?}", output.took);
    assert_eq!(payloads(&world, "turn_aborted").len(), 1);
}

#[test]
fn a_background_session_ends_with_the_program() {
    let world = World::new("");
    let alive = Alive::new(&world.project(), "alive");
    world.backend.script(&format!(
        "[[rule]]\nname = \"run\"\nwhen = {{ round = 0 }}\n[[rule.output]]\n\
         exec = \"\"\"trap '' TERM HUP; {}; echo up; while :; do sleep 600; done\"\"\"\nargs = {{ yield_time_ms = 250 }}\n\
         [[rule]]\nname = \"poll\"\nwhen = {{ running = true, after = [\"run\", \"poll\"], output_not = \"up\" }}\n[[rule.output]]\n\
         call = \"write_stdin\"\nargs = {{ session_id = \"{{{{session}}}}\" }}\n\
         [[rule]]\nname = \"end\"\nwhen = {{ running = true }}\noutput = [{{ text = \"It runs on.\" }}]\n",
        alive.hold()
    ));
    let output = world.exec(&["run it"]).run().expect(0);
    alive.gone();
    assert_eq!(output.items_of("agent_message")[0]["text"], "It runs on.");
    assert_eq!(output.items_of("command_execution").len(), 1, "it has its final state: {}", output.stdout);
}

#[test]
fn killed_after_any_line_the_thread_goes_on() {
    let world = World::new("");
    let script = "[[rule]]\nname = \"a\"\nwhen = { round = 0 }\n[[rule.output]]\nreasoning = \"hm\"\n[[rule.output]]\n\
         exec = \"echo 1\"\n[[rule.output]]\nexec = \"echo 2; false\"\n[[rule]]\nwhen = { after = \"a\" }\n\
         output = [{ patch = \"*** Begin Patch\\n*** Add File: x\\n+1\\n*** End Patch\\n\" }]\n\
         [[rule]]\noutput = [{ text = \"done\" }]\n";
    world.backend.script(script);
    let lines = world.exec(&["go"]).run().expect(0).stdout.lines().count();
    assert!(lines >= 10, "{lines}");
    for count in 1..=lines {
        let mut run = world.exec(&["go"]).start();
        let seen = run.lines(count);
        run.child.kill().unwrap();
        run.wait();
        let first: Value = serde_json::from_str(seen.lines().next().unwrap()).unwrap();
        let id = first["thread_id"].as_str().unwrap();
        let resumed = world.codex().args(["exec", "--json", "resume", id, "go"]).run();
        // A thread that was killed before its prompt was stored does not exist yet.
        if resumed.code == Some(1) && count <= 2 {
            assert!(resumed.stderr.contains(id), "{}", resumed.stderr);
            continue;
        }
        assert_eq!(resumed.code, Some(0), "after {count} lines: {}{}", resumed.stdout, resumed.stderr);
        assert_eq!(resumed.items_of("agent_message").last().unwrap()["text"], "done");
        let state = world.backend.state();
        assert_eq!(state["breaches"], 0, "after {count} lines: {}", state["breach_texts"]);
    }
}
