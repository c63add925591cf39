//! Live attempts of a confined command to reach what it must not, and to do what it must be able to. The commands run
//! as `codex sandbox` runs them, so nothing here knows how the sandbox works. They run with an empty home and with
//! nothing writable but their own folder: it is the machine that is tried, not what somebody configured.

use std::fs;
use std::io;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Serialize;

use super::doctor;
use crate::sandbox::{self, Level};

/// One attempt.
#[derive(Debug, Serialize)]
pub(crate) struct Attempt {
    /// What was tried.
    pub(crate) what: &'static str,
    /// On which rung.
    pub(crate) rung: &'static str,
    /// `works` or `refused`.
    pub(crate) outcome: &'static str,
    /// That is what it should be.
    pub(crate) as_wanted: bool,
}

struct Bed {
    level: Level,
    home: PathBuf,
    work: PathBuf,
    outside: PathBuf,
}

/// What to try, whether it should work, and whether it did by what is on disk.
type Row = (&'static str, bool, &'static str, fn(&Bed) -> bool);

const FILES: &[Row] = &[
    ("write in the workspace", true, "echo x > made", |bed| bed.work.join("made").exists()),
    ("create outside", false, "echo x > ../outside/made", |bed| bed.outside.join("made").exists()),
    ("delete outside", false, "rm -f ../outside/keep", |bed| !bed.outside.join("keep").exists()),
    ("rename outside", false, "mv ../outside/other ../outside/moved", |bed| {
        !bed.outside.join("other").exists()
    }),
    ("write through a link", false, "ln -s ../outside link; echo x > link/linked", |bed| {
        bed.outside.join("linked").exists()
    }),
    ("write through /proc", false, "echo x > /proc/self/root$PWD/../outside/proc", |bed| {
        bed.outside.join("proc").exists()
    }),
    ("change permissions outside", false, "chmod 777 ../outside/mode", |bed| {
        use std::os::unix::fs::PermissionsExt;
        fs::metadata(bed.outside.join("mode")).is_ok_and(|meta| meta.permissions().mode() & 0o777 == 0o777)
    }),
    ("change the configuration of git", false, "echo x >> .git/config", |bed| {
        fs::read_to_string(bed.work.join(".git/config")).is_ok_and(|text| text != "kept")
    }),
    ("replace .git", false, "mv .git gone; mkdir -p .git; echo x > .git/config", |bed| {
        !fs::read_to_string(bed.work.join(".git/config")).is_ok_and(|text| text.starts_with("kept"))
    }),
    ("plant a git hook", false, "mkdir -p .git/hooks; echo x > .git/hooks/post-checkout", |bed| {
        bed.work.join(".git/hooks/post-checkout").exists()
    }),
    ("write through a hard link", false, "ln ../outside/hard hard; echo x > hard", |bed| {
        !fs::read_to_string(bed.outside.join("hard")).is_ok_and(|text| text == "kept")
    }),
    ("read a secret", false, "cat .env > read", |bed| {
        fs::read_to_string(bed.work.join("read")).is_ok_and(|text| text.contains("kept"))
    }),
    ("set a value of the kernel", false, "cat $K > was && cat was > $K && touch set", |bed| {
        bed.work.join("set").exists()
    }),
    ("make namespaces of its own", false, "unshare -Ur true && touch apart", |bed| {
        bed.work.join("apart").exists()
    }),
    ("plant .codex", false, "mkdir .codex && echo x > .codex/config.toml", |bed| {
        bed.work.join(".codex/config.toml").exists()
    }),
];

/// The rungs that are tried, with their names.
pub(crate) const RUNGS: [(Level, &str); 2] =
    [(Level::Namespaces, "namespaces"), (Level::Landlock, "landlock")];

/// Makes all attempts on every rung that this machine has, also on the one that is not in use.
///
/// # Errors
/// The folder for them cannot be made.
pub(crate) fn run(home: &Path) -> io::Result<Vec<Attempt>> {
    let best = sandbox::level();
    let mut attempts = Vec::new();
    for (level, rung) in RUNGS {
        let there = match level {
            Level::Namespaces => matches!(best, Ok(Level::Namespaces)),
            Level::Landlock => best.is_ok() && sandbox::landlock_version() > 0,
        };
        if there {
            attempts.extend(on(home, level, rung)?);
        }
    }
    Ok(attempts)
}

fn on(home: &Path, level: Level, rung: &'static str) -> io::Result<Vec<Attempt>> {
    let dir = doctor::bed(home)?;
    let at = |name: &str| dir.path().join(name);
    let bed = Bed { level, home: at("home"), work: at("work"), outside: at("outside") };
    fs::create_dir(&bed.home)?;
    fs::create_dir_all(bed.work.join(".git"))?;
    fs::write(bed.work.join(".git/config"), "kept")?;
    fs::write(bed.work.join(".git/HEAD"), "ref: refs/heads/main\n")?;
    fs::create_dir(&bed.outside)?;
    fs::write(bed.work.join(".env"), "kept")?;
    for name in ["keep", "other", "mode", "hard"] {
        fs::write(bed.outside.join(name), "kept")?;
    }
    let attempt = |what, wanted, happened| Attempt {
        what,
        rung,
        outcome: if happened { "works" } else { "refused" },
        as_wanted: happened == wanted,
    };
    let mut attempts: Vec<Attempt> = FILES
        .iter()
        .map(|(what, wanted, script, happened)| {
            let _ = confined(&bed, script);
            attempt(what, *wanted, happened(&bed))
        })
        .collect();
    let listener = TcpListener::bind("127.0.0.1:0")?;
    listener.set_nonblocking(true)?;
    let port = listener.local_addr()?.port();
    let _ = confined(&bed, &format!("exec 3<>/dev/tcp/127.0.0.1/{port}"));
    attempts.push(attempt("connect to this machine", false, listener.accept().is_ok()));
    let signalled = confined(&bed, &format!("kill -0 {}", std::process::id()));
    attempts.push(attempt("signal a process outside", false, signalled));
    Ok(attempts)
}

/// Runs a script in the sandbox; whether it ended well.
fn confined(bed: &Bed, script: &str) -> bool {
    let mut command = Command::new("/proc/self/exe");
    let level = if bed.level == Level::Namespaces { "namespaces" } else { "landlock" };
    command.args(["sandbox", "-s", "workspace-write", "--level", level]);
    command.env("K", "/proc/sys/kernel/hostname");
    // The home, and with it the folder outside, may lie below a temporary folder.
    for key in ["exclude_slash_tmp", "exclude_tmpdir_env_var"] {
        command.args(["-c", &format!("sandbox_workspace_write.{key}=true")]);
    }
    command.arg("-C").arg(&bed.work).args(["--", "bash", "-c", script]);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.env("CODEX_HOME", &bed.home).status().is_ok_and(|status| status.success())
}
