//! A place to attack from: a workspace, something outside that must not change, and the binaries where every
//! user can execute them.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// Level and user of one run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Way {
    pub(crate) level: &'static str,
    pub(crate) user: Option<u32>,
}

pub(crate) const NAMESPACES: &str = "namespaces";
pub(crate) const LANDLOCK: &str = "landlock";
const NOBODY: u32 = 65534;

/// Every level that works here, as us, and as nobody when we are root.
pub(crate) fn ways() -> Vec<Way> {
    let users: &[Option<u32>] = if is_root() { &[None, Some(NOBODY)] } else { &[None] };
    let mut ways = Vec::new();
    for level in [NAMESPACES, LANDLOCK] {
        for user in users {
            let bed = Bed::new(Way { level, user: *user });
            if bed.codex("read-only", &["true"]).status.code() == Some(0) {
                ways.push(bed.way);
            } else {
                assert!(
                    level == LANDLOCK || !allows_namespaces(*user),
                    "{level} as {user:?} should work here"
                );
                eprintln!("not available here, skipped: {level} as {user:?}");
            }
        }
    }
    assert!(!ways.is_empty(), "this machine can enforce nothing, so nothing can be tested");
    ways
}

/// Asks somebody else, so that a broken sandbox is not taken for a machine without one.
fn allows_namespaces(user: Option<u32>) -> bool {
    let mut unshare = Command::new("unshare");
    unshare.args(["-Urmpifn", "--mount-proc", "true"]).stderr(Stdio::null());
    if let Some(user) = user {
        unshare.uid(user).gid(user);
    }
    unshare.status().is_ok_and(|status| status.success())
}

pub(crate) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

pub(crate) struct Bed {
    dir: tempfile::TempDir,
    pub(crate) way: Way,
}

impl Bed {
    pub(crate) fn new(way: Way) -> Self {
        // Not in /tmp, which is writable for commands: what is outside must be outside.
        let dir = tempfile::Builder::new().prefix("codex-sandbox-").tempdir_in("/var/tmp").unwrap();
        let bed = Self { dir, way };
        open(bed.path());
        copy(Path::new(env!("CARGO_BIN_EXE_codex")), &bed.program());
        for (file, text) in [
            ("work/src/main.rs", "fn main() {}"),
            ("work/own", "own"),
            ("work/.git/config", "[core]"),
            ("work/.git/hooks/sample", "#!/bin/sh"),
            ("outside/file", "precious"),
            ("home/.profile", ""),
            ("outside/folder/file", "precious"),
        ] {
            bed.write(file, text);
        }
        bed.own(bed.path());
        bed
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn work(&self) -> PathBuf {
        self.path().join("work")
    }

    pub(crate) fn outside(&self) -> PathBuf {
        self.path().join("outside")
    }

    fn program(&self) -> PathBuf {
        self.path().join("codex")
    }

    /// This test binary where every user can execute it, for `attempts.rs`.
    pub(crate) fn helper(&self) -> PathBuf {
        let helper = self.path().join("helper");
        if !helper.exists() {
            copy(&std::env::current_exe().unwrap(), &helper);
        }
        helper
    }

    /// Writes a file below the bed, owned by the user of this way.
    pub(crate) fn write(&self, file: &str, text: &str) {
        let path = self.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        for path in path.ancestors().take_while(|p| *p != self.path()) {
            self.own(path);
        }
    }

    pub(crate) fn own(&self, path: &Path) {
        std::os::unix::fs::lchown(path, self.way.user, self.way.user).unwrap();
    }

    /// `codex sandbox -s <mode> -- <command>` in the workspace.
    pub(crate) fn command(&self, mode: &str, command: &[&str]) -> Command {
        let mut codex = Command::new(self.program());
        codex.args(["sandbox", "-s", mode, "--level", self.way.level, "--"]).args(command);
        self.prepare(&mut codex);
        codex
    }

    pub(crate) fn prepare(&self, command: &mut Command) {
        command
            .current_dir(self.work())
            .env_remove("TMPDIR")
            .env("PATH", "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin")
            .stdin(Stdio::null());
        command.env("O", self.outside()).env("W", self.work());
        command.env("HOME", self.path().join("home")).env_remove("CODEX_HOME");
        if let Some(user) = self.way.user {
            command.uid(user).gid(user);
        }
    }

    pub(crate) fn codex(&self, mode: &str, command: &[&str]) -> Output {
        self.command(mode, command).output().unwrap()
    }

    /// A shell script under workspace-write; its exit code and output.
    pub(crate) fn sh(&self, script: &str) -> (i32, String) {
        let output = self.codex("workspace-write", &["sh", "-c", script]);
        let text = [output.stdout, output.stderr].concat();
        (output.status.code().unwrap_or(-1), String::from_utf8_lossy(&text).into_owned())
    }

    /// As [`Bed::sh`], without these protections.
    pub(crate) fn sh_without(&self, protections: &[&str], script: &str) -> (i32, String) {
        let mut codex = Command::new(self.program());
        codex.args(["sandbox", "-s", "workspace-write", "--level", self.way.level]);
        for protection in protections {
            codex.args(["--without", protection]);
        }
        codex.args(["--", "sh", "-c", script]);
        self.prepare(&mut codex);
        let output = codex.output().unwrap();
        let text = [output.stdout, output.stderr].concat();
        (output.status.code().unwrap_or(-1), String::from_utf8_lossy(&text).into_owned())
    }

    /// Whether a program succeeds without a sandbox.
    pub(crate) fn free(&self, command: &[&str]) -> bool {
        let mut free = Command::new(command[0]);
        free.args(&command[1..]);
        self.prepare(&mut free);
        free.status().unwrap().success()
    }

    /// The same script without a sandbox.
    pub(crate) fn sh_free(&self, script: &str) {
        let mut command = Command::new("sh");
        command.args(["-c", script]).stderr(Stdio::null());
        self.prepare(&mut command);
        command.status().unwrap();
    }
}

/// Copies a program with a program: a descriptor of ours, open for writing, could at that moment be inherited by
/// a child of another test, and a file open for writing cannot be executed.
fn copy(from: &Path, to: &Path) {
    assert!(Command::new("cp").arg(from).arg(to).status().unwrap().success());
    open(to);
}

fn open(path: &Path) {
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// Everything that can be seen of a tree: names, kinds, modes, owners, times, links, contents.
pub(crate) fn snapshot(root: &Path) -> Vec<String> {
    let mut lines = Vec::new();
    let Ok(meta) = fs::symlink_metadata(root) else { return lines };
    let content = match meta.is_file() {
        true => String::from_utf8_lossy(&fs::read(root).unwrap_or_default()).into_owned(),
        false => fs::read_link(root).map(|p| p.display().to_string()).unwrap_or_default(),
    };
    lines.push(format!(
        "{} {:o} {}:{} links {} mtime {} {content:?}",
        root.display(),
        meta.mode(),
        meta.uid(),
        meta.gid(),
        meta.nlink(),
        meta.mtime(),
    ));
    let mut entries: Vec<_> = fs::read_dir(root).into_iter().flatten().flatten().map(|e| e.path()).collect();
    entries.sort();
    for entry in entries {
        lines.extend(snapshot(&entry));
    }
    lines
}

/// Processes whose command line contains `mark`.
pub(crate) fn processes(mark: &str) -> usize {
    let pids = fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.path().join("cmdline"));
    pids.filter(|file| fs::read(file).is_ok_and(|line| String::from_utf8_lossy(&line).contains(mark))).count()
}
