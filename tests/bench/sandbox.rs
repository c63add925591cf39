//! What a sandbox adds to a command: the same `true` bare, supervised only, and at each level.

use std::process::{Command, Stdio};

#[divan::bench]
fn bare() {
    run(Command::new("true"));
}

#[divan::bench(args = ["danger-full-access", "read-only", "workspace-write"])]
fn sandboxed(mode: &str) {
    run(codex(&["-s", mode]));
}

#[divan::bench]
fn landlock_alone() {
    run(codex(&["--level", "landlock"]));
}

fn codex(options: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_codex"));
    command.arg("sandbox").args(options).args(["--", "true"]);
    command
}

fn run(mut command: Command) {
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    assert!(status.is_ok_and(|status| status.success()));
}
