//! `kill -9` wherever it hurts, then `exec resume`. The backend compares every request with what it sent and was
//! sent before, so a history with a hole or a doubled item is a breach there.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::support::World;
use crate::support::codex::Output;

const WORK: &str = r#"
[[rule]]
when = { user = "work", round = 0 }
output = [{ reasoning = "thinking" }, { commentary = "I begin." }, { exec = "echo one" }]
[[rule]]
when = { user = "work", round = 1 }
output = [{ exec = "echo two" }, { exec = "echo three; exit 3" }]
[[rule]]
when = { user = "work", round = 2 }
[[rule.output]]
patch = """
*** Begin Patch
*** Add File: made.txt
+made
*** Add File: folder/other.txt
+other
*** End Patch
"""
[[rule]]
when = { user = "work", round = 3 }
output = [{ text = "All is done." }]
[[rule]]
when = { user = "go on" }
output = [{ text = "I went on." }]
"#;

/// The lines of a session file; every one must be whole.
fn whole_lines(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap();
    assert!(text.ends_with('\n'), "torn: {text}");
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"))).collect()
}

fn stored(lines: &[Value], kind: &str) -> Vec<Value> {
    let payloads = lines.iter().map(|line| line["payload"].clone());
    payloads.filter(|payload| payload["type"] == kind).collect()
}

/// Every item told as complete is on disk.
#[track_caller]
fn nothing_told_is_lost(told: &str, lines: &[Value]) {
    let events = told.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    for item in events.filter(|e| e["type"] == "item.completed").map(|e| e["item"].clone()) {
        let found = match item["type"].as_str().unwrap() {
            "agent_message" => stored(lines, "agent_message").iter().any(|m| m["message"] == item["text"]),
            "reasoning" => !stored(lines, "reasoning").is_empty(),
            "command_execution" => stored(lines, "exec_command_end")
                .iter()
                .any(|c| c["aggregated_output"] == item["aggregated_output"]),
            "file_change" => !stored(lines, "patch_apply_end").is_empty(),
            other => panic!("unexpected {other}"),
        };
        assert!(found, "not on disk: {item}\n{lines:#?}");
    }
}

#[track_caller]
fn goes_on(world: &World, id: &str) -> Output {
    let output = world.exec(&["--full-auto", "resume", id, "go on"]).run().expect(0);
    assert_eq!(output.items_of("agent_message").last().unwrap()["text"], "I went on.");
    let state = world.backend.state();
    assert_eq!((&state["breaches"], &state["unmatched"]), (&0.into(), &0.into()), "{state:#}");
    output
}

fn thread_id(told: &str) -> String {
    let first: Value = serde_json::from_str(told.lines().next().unwrap()).unwrap();
    first["thread_id"].as_str().unwrap().to_owned()
}

#[test]
fn a_kill_after_any_line_loses_nothing() {
    let world = World::new(WORK);
    let all = world.exec(&["--full-auto", "work"]).run().expect(0).stdout.lines().count();
    assert!(all > 12);
    for count in 2..=all {
        let _ = fs::remove_file(world.project().join("made.txt"));
        let _ = fs::remove_dir_all(world.project().join("folder"));
        let mut running = world.exec(&["--full-auto", "work"]).start();
        let mut told = running.lines(count);
        told.push_str(&running.kill().stdout);
        let id = thread_id(&told);
        let path = world.rollouts().into_iter().find(|p| p.to_string_lossy().contains(&id)).unwrap();
        nothing_told_is_lost(&told, &whole_lines(&path));
        goes_on(&world, &id);
        let lines = whole_lines(&path);
        nothing_told_is_lost(&told, &lines);
        let made = ["made.txt", "folder/other.txt"].map(|name| world.project().join(name).exists());
        assert_eq!(made[0], made[1], "half a patch after line {count}");
    }
}

/// The command itself kills the program, so the call is always open.
#[test]
fn a_kill_during_a_command_leaves_a_call_that_is_answered_once() {
    let script =
        WORK.replace("echo one", "kill -9 $(cut -d' ' -f4 /proc/$PPID/stat); echo survived > survivor");
    let world = World::new(&script);
    let output = world.exec(&["-s", "danger-full-access", "work"]).run();
    assert_eq!(output.code, None, "{}", output.stderr);
    let id = thread_id(&output.stdout);
    goes_on(&world, &id);
    goes_on(&world, &id);
    let lines = whole_lines(&world.rollouts()[0]);
    assert_eq!(stored(&lines, "function_call").len(), 1);
    assert!(stored(&lines, "function_call_output").len() <= 1);
}

/// Kills at the moment when file number `at` of a patch appears under its name.
fn killed_patch(at: usize) {
    const FILES: usize = 300;
    let mut patch = String::from("*** Begin Patch\n*** Update File: kept.txt\n-old\n+fresh\n");
    for n in 0..FILES {
        patch.push_str(&format!("*** Add File: many/f{n:04}.txt\n+{n}\n"));
    }
    patch.push_str("*** End Patch\n");
    let world = World::new(&format!(
        "[[rule]]\nwhen = {{ user = 'work', round = 0 }}\n[[rule.output]]\npatch = '''\n{patch}'''\n\
         [[rule]]\nwhen = {{ user = 'work' }}\noutput = [{{ text = 'done' }}]\n\
         [[rule]]\nwhen = {{ user = 'go on' }}\noutput = [{{ text = 'I went on.' }}]\n"
    ));
    let kept = world.project().join("kept.txt");
    fs::write(&kept, "old\n").unwrap();
    let many = world.project().join("many");
    let watched = many.join(format!("f{at:04}.txt"));
    let mut running = world.exec(&["--full-auto", "work"]).start();
    while !watched.exists() && running.child.try_wait().unwrap().is_none() {
        std::hint::spin_loop();
    }
    let id = thread_id(&running.kill().stdout);
    let output = goes_on(&world, &id);
    let files = fs::read_dir(&many).map_or(0, |dir| dir.count());
    let content = fs::read_to_string(&kept).unwrap();
    let left: Vec<_> =
        fs::read_dir(world.project()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    match files {
        0 => {
            assert_eq!(content, "old\n");
            assert!(!many.exists(), "{left:?}");
            assert!(output.stdout.contains("it was undone"), "{}", output.stdout);
        }
        FILES => assert_eq!(content, "fresh\n"),
        some => panic!("{some} of {FILES} files are there"),
    }
    assert!(!left.iter().any(|name| name.to_string_lossy().starts_with(".codex-patch")), "{left:?}");
    let journals = world.codex_home().join("tmp/patches");
    assert_eq!(fs::read_dir(journals).unwrap().count(), 0);
}

#[test]
fn a_kill_during_a_patch_leaves_all_of_it_or_nothing() {
    for at in [0, 1, 100, 299] {
        killed_patch(at);
    }
}

#[test]
fn one_thread_has_one_writer() {
    let script = "[[rule]]\nwhen = { user = 'first' }\noutput = [{ text = 'one' }]\n\
                  [[rule]]\nwhen = { user = 'slow', round = 0 }\noutput = [{ exec = 'read line < gate' }]\n\
                  [[rule]]\nwhen = { user = 'slow' }\noutput = [{ text = 'I went on.' }]\n\
                  [[rule]]\nwhen = { user = 'go on' }\noutput = [{ text = 'I went on.' }]\n";
    let world = World::new(script);
    let id = thread_id(&world.exec(&["first"]).run().expect(0).stdout);
    let gate = world.project().join("gate");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &gate,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::from_raw_mode(0o600),
        0,
    )
    .unwrap();
    let mut holder = world.exec(&["--full-auto", "resume", &id, "slow"]).start();
    let told = holder.until("read line");
    let second = world.exec(&["resume", &id, "go on"]).run().expect(1);
    assert!(second.stderr.contains(&id) && second.stderr.contains("another"), "{}", second.stderr);
    assert_eq!(second.stdout, "");
    fs::write(&gate, "open\n").unwrap();
    let rest = holder.wait().expect(0).stdout;
    assert!(rest.contains("turn.completed"), "{told}{rest}");
    goes_on(&world, &id);
    whole_lines(&world.rollouts()[0]);
}
