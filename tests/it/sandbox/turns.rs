//! What stays behind in `codex` itself: nothing of fifty commands, and of the probe its answer.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, FileType, Mode, mknodat};
use serde_json::Value;

use super::bed::is_root;
use crate::support::World;

/// Names of what a process has open, and the number of its threads.
fn held(pid: i32) -> (Vec<PathBuf>, usize) {
    let proc = PathBuf::from(format!("/proc/{pid}"));
    let entries = fs::read_dir(proc.join("fd")).unwrap().flatten();
    let mut open: Vec<PathBuf> = entries.filter_map(|entry| fs::read_link(entry.path()).ok()).collect();
    open.sort();
    (open, fs::read_dir(proc.join("task")).unwrap().count())
}

/// One command per answer, each with its own name.
fn commands(commands: &[String]) -> String {
    let mut script = String::new();
    for (n, command) in commands.iter().enumerate() {
        let when = match n {
            0 => "{ round = 0 }".to_owned(),
            n => format!("{{ after = \"r{}\" }}", n - 1),
        };
        script.push_str(&format!(
            "[[rule]]\nname = \"r{n}\"\nwhen = {when}\n[[rule.output]]\nexec = {}\n",
            Value::from(command.as_str())
        ));
    }
    script + "[[rule]]\noutput = [{ text = \"end\" }]\n"
}

#[test]
fn fifty_commands_of_a_turn_leave_nothing_open_in_codex() {
    let world = World::new("");
    let gates = ["before", "after"].map(|name| world.project().join(name));
    for gate in &gates {
        mknodat(CWD, gate, FileType::Fifo, Mode::from_bits_retain(0o600), 0).unwrap();
    }
    // Whoever opens the other end knows that the command runs, and lets it go on by closing.
    // The first writes, so that what a turn opens once for undo is open before.
    let mut all = vec!["echo warm > warm".to_owned(), "true".to_owned(), "cat before".to_owned()];
    all.extend((0..50).map(|n| format!("(sleep 600 &); echo {n}")));
    all.push("cat after".to_owned());
    world.backend.script(&commands(&all));
    let run = world.exec(&["-s", "workspace-write", "go"]).start();
    let [before, after] = gates.each_ref().map(|gate| {
        let mut gate = File::options().write(true).open(gate).unwrap();
        let held = held(run.pid());
        gate.write_all(b"seen\n").unwrap();
        held
    });
    let output = run.wait().expect(0);
    let items = output.items_of("command_execution");
    assert!(items.len() == 54 && items.iter().all(|item| item["exit_code"] == 0), "{}", output.stdout);
    assert_eq!(before.0.len(), after.0.len(), "{:?}\n{:?}", before.0, after.0);
    assert!(after.1 <= before.1, "{} threads, then {}", before.1, after.1);
}

#[test]
fn a_later_process_takes_the_answer_of_the_probe_until_the_machine_has_changed() {
    let world = World::new("[[rule]]\noutput = [{ text = \"end\" }]\n");
    world.exec(&["-s", "workspace-write", "hi"]).run().expect(0);
    let kept = world.codex_home().join("sandbox-level");
    let found = fs::read_to_string(&kept).unwrap();
    let Some(circumstances) = found.strip_prefix("namespaces\n") else {
        assert!(!is_root(), "root can have namespaces here");
        return;
    };
    // An answer that no probe gives here: who acts on it has not probed.
    let level = |answer: &str, circumstances: &str| -> bool {
        fs::write(&kept, format!("{answer}\n{circumstances}")).unwrap();
        world.backend.script(&commands(&["readlink /proc/self/ns/pid > seen".to_owned()]));
        world.exec(&["-s", "workspace-write", "go"]).run().expect(0);
        let inside = fs::read_to_string(world.project().join("seen")).unwrap();
        Path::new(inside.trim()) != fs::read_link("/proc/self/ns/pid").unwrap()
    };
    assert!(level("namespaces", circumstances), "the answer as it was");
    assert!(!level("none", circumstances), "it was not probed again");
    assert!(level("none", &circumstances.replacen('-', "+", 1)), "the machine was started again");
    assert_eq!(fs::read_to_string(&kept).unwrap(), found, "the fresh answer is kept");
}
