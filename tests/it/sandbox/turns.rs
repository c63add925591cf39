//! What stays behind in `codex` itself: nothing of fifty commands, and of the probe its answer.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, FileType, Mode, mknodat};
use serde_json::Value;

use super::bed::is_root;
use crate::support::World;

/// What a process holds.
struct Held {
    open: Vec<PathBuf>,
    threads: usize,
    mounts: usize,
    /// Processes below it.
    below: usize,
}

fn held(pid: i32) -> Held {
    let proc = PathBuf::from(format!("/proc/{pid}"));
    let entries = fs::read_dir(proc.join("fd")).unwrap().flatten();
    let mut open: Vec<PathBuf> = entries.filter_map(|entry| fs::read_link(entry.path()).ok()).collect();
    open.sort();
    Held {
        open,
        threads: fs::read_dir(proc.join("task")).unwrap().count(),
        mounts: fs::read_to_string(proc.join("mountinfo")).unwrap().lines().count(),
        below: below(pid, &parents()),
    }
}

/// Every process with its parent.
fn parents() -> Vec<(i32, i32)> {
    let numbers = fs::read_dir("/proc").unwrap().flatten();
    let numbers = numbers.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    let parent = |pid| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
    };
    numbers.filter_map(|pid| Some((pid, parent(pid)?))).collect()
}

fn below(pid: i32, parents: &[(i32, i32)]) -> usize {
    parents.iter().filter(|(_, parent)| *parent == pid).map(|(child, _)| 1 + below(*child, parents)).sum()
}

/// One command per answer, each with its own name.
fn commands(commands: &[String]) -> String {
    answers(&commands.iter().map(|command| vec![command.clone()]).collect::<Vec<_>>())
}

/// The commands of each answer.
fn answers(answers: &[Vec<String>]) -> String {
    let mut script = String::new();
    for (n, commands) in answers.iter().enumerate() {
        let when = match n {
            0 => "{ round = 0 }".to_owned(),
            n => format!("{{ after = \"r{}\" }}", n - 1),
        };
        script.push_str(&format!("[[rule]]\nname = \"r{n}\"\nwhen = {when}\n"));
        for command in commands {
            script.push_str(&format!("[[rule.output]]\nexec = {}\n", Value::from(command.as_str())));
        }
    }
    script + "[[rule]]\noutput = [{ text = \"end\" }]\n"
}

/// Runs the answers between two looks at `codex`, and compares.
fn compare(world: &World, warm: &[&str], between: Vec<Vec<String>>) {
    let gates = ["before", "after"].map(|name| world.project().join(name));
    for gate in &gates {
        mknodat(CWD, gate, FileType::Fifo, Mode::from_bits_retain(0o600), 0).unwrap();
    }
    // Whoever opens the other end knows that the command runs, and lets it go on by closing.
    let mut all: Vec<Vec<String>> = warm.iter().map(|command| vec![(*command).to_owned()]).collect();
    all.push(vec!["cat before".to_owned()]);
    all.extend(between);
    all.push(vec!["cat after".to_owned()]);
    let count: usize = all.iter().map(Vec::len).sum();
    world.backend.script(&answers(&all));
    let run = world.exec(&["-s", "workspace-write", "go"]).start();
    let [before, after] = gates.each_ref().map(|gate| {
        let mut gate = File::options().write(true).open(gate).unwrap();
        let held = held(run.pid());
        gate.write_all(b"seen\n").unwrap();
        held
    });
    let output = run.wait().expect(0);
    let items = output.items_of("command_execution");
    assert_eq!(items.len(), count);
    assert!(items.iter().all(|item| item["exit_code"] == 0), "{}", output.stdout);
    assert_eq!(before.open.len(), after.open.len(), "{:?}\n{:?}", before.open, after.open);
    assert!(after.threads <= before.threads, "{} threads, then {}", before.threads, after.threads);
    assert_eq!((before.mounts, before.below), (after.mounts, after.below), "mounts and processes");
}

#[test]
fn fifty_commands_of_a_turn_leave_nothing_open_in_codex() {
    let world = World::new("");
    // The first writes, so that what a turn opens once for undo is open before.
    let fifty = (0..50).map(|n| vec![format!("(sleep 600 &); echo {n}")]).collect();
    compare(&world, &["echo warm > warm", "true"], fifty);
}

#[test]
fn fifty_commands_of_one_answer_leave_nothing_either_with_ways_into_the_network() {
    let world = World::new("");
    world.config(
        "sandbox_workspace_write.loopback_ports = [9]\nsandbox_workspace_write.network_allow = [\"localhost:9\"]",
    );
    let fifty = |from: usize| (from..from + 50).map(|n| format!("echo {n} > f{n}; (sleep 600 &)")).collect();
    // As many at once before: threads that work for them stay for a while.
    let mut warm = vec!["echo warm > warm"];
    let first: Vec<String> = fifty(0);
    warm.extend(first.iter().map(String::as_str));
    compare(&world, &warm, vec![fifty(50)]);
    assert!(
        !world.project().join(".codex").exists() && !world.project().join(".agents").exists(),
        "stand-ins"
    );
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
