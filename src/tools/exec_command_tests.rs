//! Tests of `exec_command`.

use std::time::Instant;

use super::*;
use crate::protocol::event::Event;
use crate::protocol::item::{Item, ItemStatus};
use crate::tools::context::ToolEvent;
use crate::tools::gate::{AfterFailure, Permit};
use crate::tools::testing::{Bench, commands, gate, text};
use crate::tools::write_stdin::WriteStdin;

/// The output part of a result.
fn output(result: &str) -> &str {
    result.split_once("Output:\n").map_or("", |(_, output)| output)
}

fn session(result: &str) -> u32 {
    let (_, rest) = result.split_once("session ID ").unwrap_or_else(|| panic!("{result}"));
    rest.lines().next().unwrap().parse().unwrap()
}

async fn exec(bench: &Bench, arguments: Value) -> String {
    text(&ExecCommand::new(commands()), &bench.ctx, arguments).await
}

#[tokio::test]
async fn result_and_item_of_a_finished_command() {
    let mut bench = Bench::new();
    let got = exec(&bench, json!({"cmd": "echo hi; echo err >&2; exit 3", "login": false})).await;
    let lines: Vec<&str> = got.lines().collect();
    assert!(lines[0].starts_with("Chunk ID: ") && lines[0].len() == 16, "{got}");
    assert!(lines[1].starts_with("Wall time: 0."), "{got}");
    assert_eq!(lines[2..], ["Process exited with code 3", "Original token count: 2", "Output:", "hi", "err"]);
    let [item] = bench.completed().try_into().unwrap();
    assert_eq!(item.command, "/bin/bash -c 'echo hi; echo err >&2; exit 3'");
    assert_eq!((item.status, item.exit_code), (ItemStatus::Failed, Some(3)));
    assert_eq!(item.aggregated_output.as_deref(), Some("hi\nerr\n"));
    assert_eq!((item.cwd, item.process_id), (bench.ctx.cwd.clone(), None));
}

#[tokio::test]
async fn signals_noise_folders_and_variables() {
    let bench = Bench::new();
    std::fs::create_dir(bench.ctx.cwd.join("sub")).unwrap();
    for (arguments, state, want) in [
        (json!({"cmd": "kill -9 $$"}), "code 137", ""),
        (json!({"cmd": r"printf 'a\377b'"}), "code 0", "a\u{fffd}b"),
        (json!({"cmd": "cat", "yield_time_ms": 1}), "code 0", ""),
        (json!({"cmd": "basename $PWD", "workdir": "x/../sub"}), "code 0", "sub\n"),
        (json!({"cmd": "echo $PAGER $CODEX_TOOL_CALL_ID"}), "code 0", "cat call_exec_command\n"),
        (json!({"cmd": "echo $0", "shell": "sh"}), "code 0", "sh\n"),
    ] {
        let got = exec(&bench, arguments.clone()).await;
        assert!(got.contains(&format!("Process exited with {state}\n")), "{arguments}: {got}");
        assert_eq!(output(&got), want, "{arguments}");
    }
}

#[tokio::test]
async fn what_cannot_run_is_said_and_shown_as_failed() {
    let mut bench = Bench::new();
    for (arguments, want) in [
        (
            json!({"cmd": "true", "shell": "/no/shell"}),
            "exec_command failed: cannot run `/no/shell`: No such file",
        ),
        (json!({"cmd": "true", "workdir": "gone"}), "exec_command failed: working directory: "),
        (json!({"cmd": "a\u{0}b"}), "exec_command failed: the command holds a NUL byte"),
    ] {
        let got = exec(&bench, arguments).await;
        assert!(got.starts_with(want), "{got}");
        let [item] = bench.completed().try_into().unwrap();
        assert_eq!((item.status, item.exit_code), (ItemStatus::Failed, None));
        assert!(item.aggregated_output.is_some());
    }
    for (arguments, want) in [
        (json!({}), "failed to parse function arguments: missing field `cmd` at line 1 column 2"),
        (
            json!({"cmd": "x", "sandbox_permissions": "all"}),
            "failed to parse function arguments: unknown variant `all`",
        ),
    ] {
        let got = exec(&bench, arguments).await;
        assert!(got.starts_with(want), "{got}");
        assert_eq!(bench.completed(), []);
    }
}

#[tokio::test]
async fn a_long_output_is_cut_and_kept_in_a_file() {
    let bench = Bench::new();
    let got = exec(&bench, json!({"cmd": "seq 1 20000", "max_output_tokens": 100})).await;
    assert!(got.contains("\nOriginal token count: 27224\n"), "{got}");
    assert!(output(&got).starts_with(
        "Warning: truncated output (original token count: 27224)\nTotal output lines: 20000\nFull output: "
    ));
    assert!(
        output(&got).contains("\n\n1\n2\n3\n")
            && got.contains("…27124 tokens truncated…")
            && got.ends_with("\n20000\n")
    );
    let (_, path) = got.split_once("Full output: ").unwrap();
    let kept = std::fs::read_to_string(path.lines().next().unwrap()).unwrap();
    assert_eq!(kept.lines().count(), 20000);
    // Short enough for memory, too long for the budget: the file comes with the cut.
    let got = exec(&bench, json!({"cmd": "seq 1 100", "max_output_tokens": 1})).await;
    let (_, path) = got.split_once("Full output: ").unwrap();
    assert_eq!(std::fs::read_to_string(path.lines().next().unwrap()).unwrap().lines().count(), 100);
}

#[tokio::test]
async fn a_flood_is_bounded_in_memory_and_on_disk() {
    let mut bench = Bench::new();
    let got = exec(
        &bench,
        json!({"cmd": "head -c 104857600 /dev/zero | tr '\\0' '\\377'", "yield_time_ms": 30000}),
    )
    .await;
    assert!(
        got.contains("Process exited with code 0\nOriginal token count: 26214400\n"),
        "{}",
        got.get(..300).unwrap()
    );
    assert!(got.len() < 50_000);
    let kept: Vec<_> = std::fs::read_dir(&bench.ctx.output_dir)
        .unwrap()
        .map(|e| e.unwrap().metadata().unwrap().len())
        .collect();
    assert_eq!(kept, [64 << 20]);
    let mut live = 0;
    while let Ok(event) = bench.events.try_recv() {
        match event {
            ToolEvent::Event(Event::ItemDelta { .. }) => live += 1,
            ToolEvent::Event(Event::ItemCompleted { item }) => {
                assert!(serde_json::to_string(&item).unwrap().len() < 600_000);
            }
            _ => {}
        }
    }
    assert!(live < 20 * 31, "{live} pieces");
}

#[tokio::test]
async fn it_returns_when_the_command_ends_whoever_holds_the_pipe() {
    let bench = Bench::new();
    let started = Instant::now();
    let got =
        exec(&bench, json!({"cmd": "sleep 300 & setsid sleep 300 & echo done", "yield_time_ms": 30000}))
            .await;
    assert_eq!(output(&got), "done\n");
    assert!(started.elapsed().as_secs() < 10);
}

#[tokio::test]
async fn an_interrupt_kills_and_tells_what_there_was() {
    let mut bench = Bench::new();
    let cancel = bench.ctx.cancel.clone();
    let script = "trap '' TERM; echo $$; while :; do sleep 1; done";
    let commands = commands();
    let tool = ExecCommand::new(commands);
    let ctx = bench.ctx.clone();
    let (got, ()) = tokio::join!(text(&tool, &ctx, json!({"cmd": script, "login": false})), async {
        while !matches!(bench.events.recv().await, Some(ToolEvent::Event(Event::ItemDelta { .. }))) {}
        cancel.cancel();
    });
    assert!(got.starts_with("aborted by user\nWall time: "), "{got}");
    let pid = output(&got).trim();
    assert!(!std::path::Path::new(&format!("/proc/{pid}")).exists(), "{got}");
    assert!(matches!(bench.items().as_slice(), [(true, _)]));
}

#[tokio::test]
async fn a_session_lives_on_takes_input_and_ends() {
    let mut bench = Bench::new();
    let commands = commands();
    let exec = ExecCommand::new(commands.clone());
    let write = WriteStdin::new(commands.clone());
    let script = json!({"cmd": "echo on; read a; echo got $a; read b; exit 4", "tty": true, "login": false, "yield_time_ms": 250});
    let got = text(&exec, &bench.ctx, script).await;
    assert_eq!(output(&got), "on\r\n");
    let id = session(&got);
    let got =
        text(&write, &bench.ctx, json!({"session_id": id, "chars": "é1\n", "yield_time_ms": 1000})).await;
    assert_eq!(output(&got), "é1\r\ngot é1\r\n");
    assert_eq!(session(&got), id);
    assert_eq!(bench.items().len(), 1, "started once, open still");
    commands.sessions.settle().await;
    let settled = bench.items();
    let [(true, Item::CommandExecution(item))] = settled.as_slice() else {
        panic!("settled once: {settled:?}")
    };
    assert_eq!(
        (item.status, item.exit_code, item.process_id.clone()),
        (ItemStatus::Completed, None, Some(id.to_string()))
    );
    // A later turn: the call shows itself.
    let got =
        text(&write, &bench.ctx, json!({"session_id": id, "chars": "\n", "yield_time_ms": 20000})).await;
    assert!(got.contains("Process exited with code 4\n"), "{got}");
    let [item] = bench.completed().try_into().unwrap();
    assert_eq!((item.exit_code, item.source), (Some(4), CommandSource::UnifiedExecInteraction));
    let got = text(&write, &bench.ctx, json!({"session_id": id})).await;
    assert_eq!(got, format!("write_stdin failed: Unknown process id {id}"));
}

#[tokio::test]
async fn ctrl_c_ends_a_session_and_a_pipe_takes_no_input() {
    let mut bench = Bench::new();
    let commands = commands();
    let exec = ExecCommand::new(commands.clone());
    let write = WriteStdin::new(commands.clone());
    let got = text(
        &exec,
        &bench.ctx,
        json!({"cmd": "sleep 300", "tty": true, "login": false, "yield_time_ms": 250}),
    )
    .await;
    let arguments = json!({"session_id": session(&got), "chars": "\u{3}", "yield_time_ms": 20000});
    let got = text(&write, &bench.ctx, arguments).await;
    assert!(got.contains("Process exited with code 130\n"), "{got}");
    let got = text(&exec, &bench.ctx, json!({"cmd": "echo a; sleep 300", "yield_time_ms": 250})).await;
    let id = session(&got);
    let got = text(&write, &bench.ctx, json!({"session_id": id, "chars": "x"})).await;
    assert!(got.starts_with("write_stdin failed: its input is closed"), "{got}");
    commands.sessions.close().await;
    assert_eq!(commands.sessions.count(), 0);
    let done = bench.completed();
    assert_eq!(done.len(), 2);
    assert_eq!(done[1].exit_code, Some(128 + 15));
}

#[tokio::test]
async fn the_table_of_sessions_is_bounded() {
    let mut bench = Bench::new();
    let commands = commands();
    let exec = ExecCommand::new(commands.clone());
    let starts = (0..66).map(|_| {
        text(&exec, &bench.ctx, json!({"cmd": "exec sleep 300", "login": false, "yield_time_ms": 1}))
    });
    let results: Vec<String> = futures_util::future::join_all(starts).await;
    assert_eq!(commands.sessions.count(), 64);
    let warned = results.iter().filter(|result| result.contains("of at most 64 sessions")).count();
    assert_eq!(warned, 7);
    let told = results.iter().filter(|result| result.contains("was ended to make room")).count();
    assert_eq!(told, 2);
    commands.sessions.close().await;
    let done = bench.items().iter().filter(|(completed, _)| *completed).count();
    assert_eq!(done, 66);
}

#[tokio::test]
async fn the_gate_decides() {
    let mut bench = Bench::new();
    let refusing = gate(Permit::Refused("not here".into()), AfterFailure::Keep);
    let tool = ExecCommand::new(Commands::new(crate::process::testing::launcher(), refusing.clone()));
    let arguments = json!({"cmd": "touch x", "sandbox_permissions": "require_escalated", "justification": "why", "prefix_rule": ["touch"]});
    assert_eq!(text(&tool, &bench.ctx, arguments).await, "not here");
    assert!(!bench.ctx.cwd.join("x").exists());
    assert_eq!(bench.completed()[0].status, ItemStatus::Declined);
    let asked = refusing.asked.lock().unwrap().remove(0);
    assert!(asked.escalate && asked.justification.as_deref() == Some("why"));
    assert_eq!(
        (asked.script.as_deref(), asked.prefix_rule),
        (Some("touch x"), Some(vec!["touch".to_owned()]))
    );

    assert_eq!(text(&tool, &bench.ctx, json!({"cmd": "apply_patch <<EOF\nEOF"})).await, "patched");
    assert_eq!(bench.completed(), []);

    let noting = gate(Permit::Sandboxed(None), AfterFailure::Note("the sandbox refused it".into()));
    let tool = ExecCommand::new(Commands::new(crate::process::testing::launcher(), noting));
    let got = text(&tool, &bench.ctx, json!({"cmd": "echo no; exit 1"})).await;
    assert!(got.ends_with("\nno\nthe sandbox refused it\n"), "{got}");
    bench.completed();

    let again = gate(Permit::Sandboxed(None), AfterFailure::Again);
    let tool = ExecCommand::new(Commands::new(crate::process::testing::launcher(), again));
    let got = text(&tool, &bench.ctx, json!({"cmd": "echo x >> log; test $(wc -l < log) = 2"})).await;
    assert!(got.contains("Process exited with code 0"), "{got}");
    let [item] = bench.completed().try_into().unwrap();
    assert_eq!(item.status, ItemStatus::Completed);
}
