//! The user's login profile, read once instead of before every command. `bash -lc` runs the profile each time,
//! which takes milliseconds when it is empty and a third of a second with the usual version managers, and mixes
//! its noise into the output. From the second login command on, the shell is asked once what the profile leaves
//! behind, and later commands start from that.
//!
//! Nothing is guessed: bash is asked with and without the profile, in the same folder, environment and
//! confinement as the command. Variables, options, aliases and functions that differ are replayed; if anything
//! else differs (traps, limits, umask, folder, read-only variables), or the profile is slow or strange, commands
//! keep running it themselves. A change of the usual start-up files is seen at once; what such a file reads from
//! elsewhere is not, until the program starts again. The replay lives in memory, where no confined command can
//! change it, and is never used under a confinement other than the one it was made in.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, timeout};

use super::replay::{MARK, Replay, State};
use super::spawn::{Exit, Launcher};
use super::spec::{CommandSpec, Stdin};

/// A profile that takes longer is not replayed.
const PATIENCE: Duration = Duration::from_secs(5);
/// A profile that costs less is not worth a replay in shell code.
const WORTH: Duration = Duration::from_micros(500);
/// Longest answer of the shell, in bytes.
const ANSWER_MAX: usize = 512 * 1024;
/// Most folder and confinement pairs remembered.
const KEYS_MAX: usize = 64;
/// Carries functions and variables that are not exported; gone before the command starts.
const CARRIER: &str = "__CODEX_PROFILE";

/// What is known of login profiles; one per thread.
#[derive(Debug, Default)]
pub(crate) struct Profiles {
    known: Mutex<HashMap<Key, Entry>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    shell: OsString,
    cwd: PathBuf,
    confine: Option<String>,
}

#[derive(Clone, Debug)]
struct Entry {
    /// Of the start-up files; another value makes the entry void.
    stamp: Vec<(i64, i64, u64)>,
    what: What,
}

#[derive(Clone, Debug)]
enum What {
    /// Used once: one command does not pay for a snapshot.
    Seen,
    /// To be run by the command itself.
    Plain,
    /// To be replayed.
    Ready(Arc<Replay>),
}

impl Profiles {
    /// Turns a login command of bash into an equal one that does not run the profile, when that is known to be
    /// equal. Everything else stays as it is. Takes as long as the profile on its second call, bounded. Dropping
    /// the future leaves everything as it was.
    pub(crate) async fn apply(&self, launcher: &Launcher, spec: &mut CommandSpec) {
        let [shell, flag, _] = spec.argv.as_slice() else { return };
        let is_bash = Path::new(shell).file_name() == Some(OsStr::new("bash"));
        if spec.tty || flag != "-lc" || !is_bash {
            return;
        }
        let key = Key { shell: shell.clone(), cwd: spec.cwd.clone(), confine: spec.confine.clone() };
        let stamp = stamp(spec.env.get(OsStr::new("HOME")).map(Path::new));
        let what = match self.get(&key, &stamp) {
            None => What::Seen,
            Some(What::Seen) => learn(launcher, spec).await.map_or(What::Plain, |r| What::Ready(Arc::new(r))),
            Some(known) => known,
        };
        if let What::Ready(replay) = &what {
            rewrite(spec, replay);
        }
        self.put(key, Entry { stamp, what });
    }

    fn get(&self, key: &Key, stamp: &[(i64, i64, u64)]) -> Option<What> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(key).filter(|entry| entry.stamp == stamp).map(|entry| entry.what.clone())
    }

    fn put(&self, key: Key, entry: Entry) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= KEYS_MAX && !known.contains_key(&key) {
            known.clear();
        }
        known.insert(key, entry);
    }
}

/// Time and size of the files bash may read at login.
fn stamp(home: Option<&Path>) -> Vec<(i64, i64, u64)> {
    let system = ["/etc/profile", "/etc/profile.d", "/etc/bash.bashrc"].map(PathBuf::from);
    let own = [".bash_profile", ".bash_login", ".profile", ".bashrc", ".bash_aliases"];
    let own = home.into_iter().flat_map(|home| own.map(|name| home.join(name)));
    let of =
        |path: PathBuf| std::fs::metadata(path).map_or((0, 0, 0), |m| (m.mtime(), m.mtime_nsec(), m.size()));
    system.into_iter().chain(own).map(of).collect()
}

/// Asks the shell with and without the profile; `None` = not to be replayed.
async fn learn(launcher: &Launcher, spec: &CommandSpec) -> Option<Replay> {
    let (login, login_time) = ask(launcher, spec, "-lc").await?;
    let (plain, plain_time) = ask(launcher, spec, "-c").await?;
    let replay = Replay::between(&plain, &login)?;
    // Variables alone cost nothing to replay, whatever the clock of a busy machine says.
    (replay.state.is_empty() || login_time >= plain_time + WORTH).then_some(replay)
}

/// What the shell is asked: environment, variables, options and aliases, functions, and the rest.
fn question() -> String {
    format!(
        "exec 2>/dev/null; __codex_m() {{ printf '\\0{MARK}\\0'; }}; __codex_m; command env -0; __codex_m; \
         declare -p; __codex_m; shopt -p; set +o; alias -p; __codex_m; unset -f __codex_m; declare -f; \
         printf '\\0{MARK}\\0'; trap -p; umask; ulimit -Sa; pwd; printf '\\0{MARK}\\0'"
    )
}

async fn ask(launcher: &Launcher, spec: &CommandSpec, flag: &str) -> Option<(State, Duration)> {
    let shell = spec.argv.first()?.clone();
    let spec = CommandSpec {
        argv: vec![shell, flag.into(), question().into()],
        stdin: Stdin::Closed,
        tty: false,
        ..spec.clone()
    };
    let started = Instant::now();
    let mut running = launcher.start(&spec).ok()?;
    let mut answer = Vec::new();
    let whole = async {
        let mut buf = vec![0; 16 * 1024];
        loop {
            let count = running.read(&mut buf).await.ok()?;
            answer.extend_from_slice(buf.get(..count)?);
            if count == 0 {
                running.ended().await;
                return Some(());
            }
            if answer.len() > ANSWER_MAX {
                return None;
            }
        }
    };
    timeout(PATIENCE, whole).await.ok()??;
    let time = started.elapsed();
    (running.exit() == Exit::Code(0)).then_some(())?;
    Some((State::parse(&answer)?, time))
}

/// `-lc script` → `-c script` with what the profile would have left behind.
fn rewrite(spec: &mut CommandSpec, replay: &Replay) {
    let [_, flag, script] = spec.argv.as_mut_slice() else { return };
    *flag = "-c".into();
    for name in &replay.unset {
        spec.env.remove(OsStr::from_bytes(name));
    }
    for (name, value) in &replay.set {
        spec.env.insert(OsString::from_vec(name.clone()), OsString::from_vec(value.clone()));
    }
    if !replay.state.is_empty() {
        spec.env.insert(CARRIER.into(), OsString::from_vec(replay.state.clone()));
        // On the script's first line, so that line numbers in its errors stay right.
        let mut whole = OsString::from(format!("eval \"${CARRIER}\";unset {CARRIER};"));
        whole.push(&*script);
        *script = whole;
    }
}

#[cfg(test)]
#[path = "profile_tests.rs"]
mod tests;
