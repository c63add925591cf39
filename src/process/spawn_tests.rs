//! Tests of `spawn`.

use std::path::Path;
use std::time::{Duration, Instant};

use super::*;
use crate::process::env::Vars;
use crate::process::testing::launcher;

fn spec(argv: &[&str]) -> CommandSpec {
    CommandSpec {
        argv: argv.iter().map(OsString::from).collect(),
        cwd: PathBuf::from("/"),
        env: Vars::from([("PATH".into(), "/usr/bin:/bin".into()), ("LC_ALL".into(), "C.UTF-8".into())]),
        tty: false,
        stdin: Stdin::Closed,
        confine: None,
    }
}

fn sh(script: &str) -> CommandSpec {
    spec(&["/bin/sh", "-c", script])
}

/// Runs to the end; output and exit.
async fn run(spec: &CommandSpec) -> (String, Exit) {
    run_with(&launcher(), spec).await
}

async fn run_with(launcher: &Launcher, spec: &CommandSpec) -> (String, Exit) {
    let mut running = launcher.start(spec).unwrap();
    let output = rest(&running).await;
    running.ended().await;
    (output, running.exit())
}

async fn rest(running: &Running) -> String {
    let mut output = Vec::new();
    let mut buf = [0; 4096];
    loop {
        match running.read(&mut buf).await.unwrap() {
            0 => return String::from_utf8_lossy(&output).into_owned(),
            count => output.extend_from_slice(buf.get(..count).unwrap()),
        }
    }
}

/// Reads until `wanted` was printed.
async fn until(running: &Running, wanted: &str) -> String {
    let mut output = String::new();
    let mut buf = [0; 4096];
    while !output.contains(wanted) {
        let count = running.read(&mut buf).await.unwrap();
        assert!(count > 0, "ended before `{wanted}`: {output}");
        output.push_str(&String::from_utf8_lossy(buf.get(..count).unwrap()));
    }
    output
}

fn alive(pid: &str) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap_or_default();
    !stat.is_empty() && !stat.contains(") Z ")
}

/// Waits for something another process does; fails after ten seconds.
fn eventually(what: &str, check: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(10);
    while !check() {
        assert!(Instant::now() < end, "{what}");
        std::thread::yield_now();
    }
}

#[tokio::test]
async fn exits_are_told_as_they_are() {
    for (spec, want) in [
        (sh("exit 0"), Exit::Code(0)),
        (sh("exit 7"), Exit::Code(7)),
        (sh("kill -9 $$"), Exit::Signal(9)),
        (spec(&["true"]), Exit::Code(0)),
        (spec(&["/no/such/program"]), Exit::Exec(libc::ENOENT)),
        (spec(&["/etc"]), Exit::Exec(libc::EACCES)),
    ] {
        assert_eq!(run(&spec).await.1, want, "{:?}", spec.argv);
    }
    assert_eq!(Exit::Signal(9).code(), 137);
    let gone = CommandSpec { cwd: PathBuf::from("/no/such/folder"), ..sh("true") };
    let (_, exit) = run(&gone).await;
    assert!(matches!(&exit, Exit::Setup(text) if text.contains("/no/such/folder")), "{exit:?}");
}

#[tokio::test]
async fn both_streams_keep_their_order_and_input_is_at_its_end() {
    let script = "for i in 1 2 3; do echo o$i; echo e$i >&2; done; cat; pwd";
    let here = CommandSpec { cwd: PathBuf::from("/usr"), ..sh(script) };
    assert_eq!(run(&here).await, ("o1\ne1\no2\ne2\no3\ne3\n/usr\n".into(), Exit::Code(0)));
}

#[tokio::test]
async fn only_the_given_environment_and_descriptors_reach_the_command() {
    let (output, _) = run(&spec(&["env"])).await;
    assert_eq!(output, "LC_ALL=C.UTF-8\nPATH=/usr/bin:/bin\n");
    let (output, _) = run(&sh("ls /proc/self/fd")).await;
    // `ls` itself opens the directory as the next free number, 3.
    assert_eq!(output.split_whitespace().collect::<Vec<_>>(), ["0", "1", "2", "3"]);
    let (output, _) = run(&sh("grep -E 'Sig(Blk|Ign)' /proc/self/status")).await;
    // The two signals the C library keeps for itself, 32 and 33, are ignored after posix_spawn.
    assert!(
        output.lines().all(|line| line.ends_with("00000000") && line.contains("\t00000000")
            || line.ends_with("0000000180000000")),
        "{output}"
    );
}

#[tokio::test]
async fn a_piped_input_is_read() {
    let piped = CommandSpec { stdin: Stdin::Piped, ..spec(&["head", "-n", "1"]) };
    let running = launcher().start(&piped).unwrap();
    assert_eq!(running.write(b"hello\n").await.unwrap(), 6);
    assert_eq!(rest(&running).await, "hello\n");
    assert!(launcher().start(&sh("true")).unwrap().write(b"x").await.is_err());
}

#[tokio::test]
async fn nothing_outlives_the_command() {
    let script = "sleep 300 & echo $!; setsid sh -c 'trap \"\" TERM HUP; sleep 300' & echo $!; (trap '' TERM; exec sleep 300) & echo $!";
    let started = Instant::now();
    let (output, exit) = run(&sh(script)).await;
    assert_eq!(exit, Exit::Code(0));
    assert!(started.elapsed() < Duration::from_secs(5), "did not wait for those who hold the pipe");
    let pids: Vec<&str> = output.lines().collect();
    assert_eq!(pids.len(), 3);
    assert!(pids.iter().all(|pid| !alive(pid)), "{output}");
}

#[tokio::test]
async fn terminate_is_gentle_first_and_certain_in_the_end() {
    let mut running = launcher()
        .start(&sh("trap 'echo bye; exit 5' TERM; echo ready; while :; do sleep 0.01; done"))
        .unwrap();
    until(&running, "ready").await;
    running.terminate();
    assert!(rest(&running).await.ends_with("bye\n"));
    running.ended().await;
    assert_eq!(running.exit(), Exit::Code(5));

    let mut running =
        launcher().start(&sh("trap '' TERM; echo ready; while :; do sleep 0.01; done")).unwrap();
    until(&running, "ready").await;
    running.terminate();
    running.ended().await;
    assert_eq!(running.exit(), Exit::Signal(9));
    assert_eq!(running.exit(), Exit::Signal(9), "asked again");
}

#[tokio::test]
async fn dropping_kills_and_leaves_no_zombie() {
    let running = launcher()
        .start(&sh("trap '' TERM; echo $PPID; echo $$; echo ready; while :; do sleep 1; done"))
        .unwrap();
    let output = until(&running, "ready").await;
    let pids: Vec<String> = output.lines().take(2).map(str::to_owned).collect();
    drop(running);
    eventually("the command is gone", || !pids.iter().any(|pid| alive(pid)));
    run(&sh("true")).await;
    let [supervisor, _] = pids.as_slice() else { panic!("{output}") };
    eventually("its supervisor is reaped", || {
        posix::reap_left();
        !Path::new(&format!("/proc/{supervisor}")).exists()
    });
}

#[tokio::test]
async fn a_killed_supervisor_is_noticed_and_takes_the_command_along() {
    let mut running = launcher().start(&sh("echo $$; echo ready; exec sleep 300")).unwrap();
    let output = until(&running, "ready").await;
    let supervisor = running.supervisor.pid.unwrap();
    rustix::process::kill_process(supervisor, rustix::process::Signal::KILL).unwrap();
    running.ended().await;
    assert_eq!(running.exit(), Exit::Lost);
    let command = output.lines().next().unwrap().to_owned();
    eventually("the command is gone", || !alive(&command));
}

#[tokio::test]
async fn a_terminal_echoes_takes_input_and_ends() {
    let tty = CommandSpec { tty: true, ..sh("tty -s && stty size; read line; echo got $line") };
    let mut running = launcher().start(&tty).unwrap();
    until(&running, "24 80\r\n").await;
    running.write(b"word\n").await.unwrap();
    assert_eq!(rest(&running).await, "word\r\ngot word\r\n");
    running.ended().await;
    assert_eq!(running.exit(), Exit::Code(0));
}

#[tokio::test]
async fn ctrl_c_through_a_terminal_interrupts() {
    let tty = CommandSpec { tty: true, ..sh("echo ready; exec sleep 300") };
    let mut running = launcher().start(&tty).unwrap();
    until(&running, "ready").await;
    // The shell may not be `sleep` yet: whichever of the two is there is interrupted.
    running.write(b"\x03").await.unwrap();
    running.ended().await;
    assert!(matches!(running.exit(), Exit::Signal(2) | Exit::Code(130)));
}

/// A launcher whose next supervisors are forked by its server.
async fn warm() -> Launcher {
    let launcher = launcher();
    for _ in 0..2 {
        assert_eq!(run_with(&launcher, &sh("exit 3")).await.1, Exit::Code(3));
    }
    assert!(launcher.supervisors.server().is_some(), "the second command starts the server");
    launcher
}

#[tokio::test]
async fn a_forked_supervisor_does_what_an_executed_one_does() {
    let launcher = warm().await;
    for (spec, want) in [
        (sh("exit 7"), Exit::Code(7)),
        (sh("kill -9 $$"), Exit::Signal(9)),
        (spec(&["/no/such/program"]), Exit::Exec(libc::ENOENT)),
    ] {
        assert_eq!(run_with(&launcher, &spec).await.1, want, "{:?}", spec.argv);
    }
    let (output, _) = run_with(&launcher, &spec(&["env"])).await;
    assert_eq!(output, "LC_ALL=C.UTF-8\nPATH=/usr/bin:/bin\n");
    let script = "echo /proc/self/fd/*; grep -E 'Sig(Blk|Ign)' /proc/self/status; ulimit -a; umask; cat";
    assert_eq!(run_with(&launcher, &sh(script)).await, run(&sh(script)).await);
}

#[tokio::test]
async fn a_forked_supervisor_ends_its_command_in_every_way() {
    let launcher = warm().await;
    let stubborn = "trap '' TERM; echo $$; echo $PPID; echo ready; while :; do sleep 0.01; done";
    let mut running = launcher.start(&sh(stubborn)).unwrap();
    until(&running, "ready").await;
    running.terminate();
    running.ended().await;
    assert_eq!(running.exit(), Exit::Signal(9));

    let mut running = launcher.start(&sh(stubborn)).unwrap();
    until(&running, "ready").await;
    running.hang_up();
    running.ended().await;
    assert_eq!(running.exit(), Exit::Signal(9));

    let running = launcher.start(&sh(stubborn)).unwrap();
    let output = until(&running, "ready").await;
    drop(running);
    eventually("both are gone", || !output.lines().take(2).any(alive));
}

#[tokio::test]
async fn a_lost_server_costs_nothing_but_time() {
    let launcher = warm().await;
    let mut running = launcher.start(&sh("echo ready; read line; exit 5")).unwrap();
    until(&running, "ready").await;
    let server = launcher.supervisors.server().unwrap();
    rustix::process::kill_process(server, rustix::process::Signal::KILL).unwrap();
    running.ended().await;
    assert_eq!(running.exit(), Exit::Code(5), "its commands go on");
    eventually("the server is gone", || !alive(&server.to_string()));
    for code in 1..4 {
        assert_eq!(run_with(&launcher, &sh(&format!("exit {code}"))).await.1, Exit::Code(code));
    }
    assert_ne!(launcher.supervisors.server(), Some(server), "there is another");
    drop(launcher);
}

#[tokio::test]
async fn what_a_lost_server_kept_is_told_once_and_kept_anew() {
    let launcher = launcher();
    let confine = Some(r#"{"level":"landlock","write":[],"network":false}"#.to_owned());
    let confined = CommandSpec { confine, ..sh("exit 0") };
    let run = async || {
        let mut running = launcher.start(&confined).unwrap();
        running.ended().await;
        running.exit();
        running.is_anew()
    };
    assert!(!run().await && !run().await);
    let server = launcher.supervisors.server().unwrap();
    rustix::process::kill_process(server, rustix::process::Signal::KILL).unwrap();
    eventually("the server is gone", || !alive(&server.to_string()));
    assert!(run().await, "the first one after it");
    let other = launcher.supervisors.server().expect("the next shares with this one already");
    assert!(other != server && !run().await, "and no later one");
    assert_eq!(launcher.supervisors.server(), Some(other));
}

#[tokio::test]
async fn orders_too_large_for_the_server_are_executed() {
    let launcher = warm().await;
    let large = "x".repeat(100 << 10);
    let (output, exit) = run_with(&launcher, &spec(&["printf", "%s", &large])).await;
    assert_eq!((output.len(), exit), (large.len(), Exit::Code(0)));
    let refused = launcher.start(&spec(&["echo", &"x".repeat(4 << 20)]));
    assert!(matches!(refused, Err(Error::System(_))));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_at_once_on_several_threads() {
    let launcher = launcher();
    let all = (0..40).map(async |number| {
        let (output, exit) = run_with(&launcher, &sh(&format!("echo {number}; exit {number}"))).await;
        assert_eq!((output, exit), (format!("{number}\n"), Exit::Code(number)));
    });
    futures_util::future::join_all(all).await;
}

#[test]
fn answers_of_the_supervisor() {
    for (line, want) in [
        ("exit 0\n", Exit::Code(0)),
        ("signal 11\n", Exit::Signal(11)),
        ("exec 2\n", Exit::Exec(2)),
        ("setup landlock: not there\n", Exit::Setup("landlock: not there".into())),
        ("exit x\n", Exit::Lost),
        ("", Exit::Lost),
    ] {
        assert_eq!(parse_answer(line), want, "{line}");
    }
}

#[tokio::test]
async fn wrong_calls_are_refused() {
    for bad in [spec(&[]), spec(&[""]), spec(&["a\0b"])] {
        assert!(matches!(launcher().start(&bad), Err(Error::Invalid(_))));
    }
    let long = spec(&["echo", &"x".repeat(4 << 20)]);
    assert!(matches!(launcher().start(&long), Err(Error::System(_))));
}
