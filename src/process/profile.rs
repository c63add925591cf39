//! The user's login profile, read once instead of before every command. `bash -lc` runs the profile each time,
//! which takes milliseconds when it is empty and a third of a second with the usual version managers, and mixes
//! its noise into the output. So the first login command asks the shell what the profile leaves behind, and starts
//! from that, like all later ones in the same folder and confinement. Commands that come meanwhile wait for the answer.
//!
//! Nothing is guessed: the shell is asked with and without the profile, in the same folder, environment and
//! confinement as the command. Variables, options, aliases, functions and the umask that differ are replayed; if anything
//! else differs (traps, limits, folder, read-only variables), commands keep running the profile themselves. One that
//! does not end in time is left out, and said to be once. A change of the usual start-up files is seen at once; what
//! such a file reads from elsewhere is not, until the program starts again. The replay lives in memory and nowhere
//! else, since profiles hold secrets and no confined command can change it there, and is never used under a
//! confinement other than the one it was made in.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::timeout;

use super::env::Vars;
use super::replay::{self, Kind, Replay, State};
use super::spawn::{Exit, Launcher};
use super::spec::{CommandSpec, Stdin};

/// A profile that takes longer is left out.
const PATIENCE: Duration = Duration::from_secs(10);
/// Longest answer of the shell, in bytes.
const ANSWER_MAX: usize = 1024 * 1024;
/// Most folder and confinement pairs remembered.
const KEYS_MAX: usize = 64;
/// Carries functions and variables that are not exported; gone before the command starts.
const CARRIER: &str = "__CODEX_PROFILE";
/// Carries a script that uses aliases.
const SCRIPT: &str = "__CODEX_SCRIPT";
/// Asks the shell named by the first word the second one, without the profile and with it.
const BOTH: &str = r#""$0" -c "$1"; exec "$0" -lc "$1""#;

/// What is known of login profiles; one per thread.
#[derive(Debug)]
pub(crate) struct Profiles {
    known: Mutex<HashMap<Key, Entry>>,
    /// The shell whose profile does not end in time, wherever it is asked.
    slow: Mutex<Option<(OsString, Stamp)>>,
    /// Held while a shell is asked.
    asking: tokio::sync::Mutex<()>,
    patience: Duration,
}

impl Default for Profiles {
    fn default() -> Self {
        Self::patient(PATIENCE)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    shell: OsString,
    cwd: PathBuf,
    confine: Option<String>,
}

/// Times and sizes of the start-up files; another value makes what is known void.
type Stamp = Vec<(i64, i64, u64)>;

#[derive(Clone, Debug)]
struct Entry {
    stamp: Stamp,
    what: What,
}

#[derive(Clone, Debug)]
enum What {
    /// To be run by the command itself.
    Plain,
    /// To be left out.
    Slow,
    /// To be replayed.
    Ready(Arc<Replay>),
}

impl Profiles {
    /// Nothing known yet, and waits so long for a profile.
    fn patient(patience: Duration) -> Self {
        Self {
            known: Mutex::default(),
            slow: Mutex::default(),
            asking: tokio::sync::Mutex::default(),
            patience,
        }
    }

    /// Turns a login command of bash or zsh into an equal one that does not run the profile, when that is known to
    /// be equal. Everything else stays as it is. Takes as long as the profile when it is not known yet, bounded. Dropping
    /// the future leaves everything as it was. Gives what the user should know, at most once.
    pub(crate) async fn apply(&self, launcher: &Launcher, spec: &mut CommandSpec) -> Option<String> {
        let [shell, flag, _] = spec.argv.as_slice() else { return None };
        let kind = Kind::of(Path::new(shell)).filter(|_| !spec.tty && flag == "-lc")?;
        let key = Key { shell: shell.clone(), cwd: spec.cwd.clone(), confine: spec.confine.clone() };
        let stamp = stamp(kind, &spec.env);
        if let Some(what) = self.get(&key, &stamp) {
            what.put_into(kind, spec);
            return None;
        }
        let _alone = self.asking.lock().await;
        // Perhaps asked meanwhile.
        if let Some(what) = self.get(&key, &stamp) {
            what.put_into(kind, spec);
            return None;
        }
        let what = learn(launcher, spec, kind, self.patience).await;
        what.put_into(kind, spec);
        let note = matches!(what, What::Slow).then(|| {
            let seconds = self.patience.as_secs_f32();
            format!(
                "the login profile did not end within {seconds} s: commands run without it until it changes \
                 (`allow_login_shell = false` leaves profiles out for good)"
            )
        });
        if note.is_some() {
            *self.slow.lock().unwrap_or_else(PoisonError::into_inner) =
                Some((key.shell.clone(), stamp.clone()));
        }
        self.put(key, Entry { stamp, what });
        note
    }

    fn get(&self, key: &Key, stamp: &Stamp) -> Option<What> {
        let slow = self.slow.lock().unwrap_or_else(PoisonError::into_inner);
        if slow.as_ref().is_some_and(|(shell, at)| *shell == key.shell && at == stamp) {
            return Some(What::Slow);
        }
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(key).filter(|entry| entry.stamp == *stamp).map(|entry| entry.what.clone())
    }

    fn put(&self, key: Key, entry: Entry) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= KEYS_MAX && !known.contains_key(&key) {
            known.clear();
        }
        known.insert(key, entry);
    }
}

impl What {
    fn put_into(&self, kind: Kind, spec: &mut CommandSpec) {
        match self {
            Self::Plain => {}
            Self::Slow => rewrite(kind, spec, &Replay::default()),
            Self::Ready(replay) => rewrite(kind, spec, replay),
        }
    }
}

/// Time and size of the files the shell may read at login.
fn stamp(kind: Kind, env: &Vars) -> Stamp {
    let home = |name: &str| env.get(OsStr::new(name)).map(PathBuf::from);
    let (system, own, home): (&[&str], &[&str], _) = match kind {
        Kind::Bash => (
            &["/etc/profile", "/etc/profile.d", "/etc/bash.bashrc"],
            &[".bash_profile", ".bash_login", ".profile", ".bashrc", ".bash_aliases"],
            home("HOME"),
        ),
        Kind::Zsh => (
            &[
                "/etc/zshenv",
                "/etc/zprofile",
                "/etc/zlogin",
                "/etc/zsh/zshenv",
                "/etc/zsh/zprofile",
                "/etc/zsh/zlogin",
            ],
            &[".zshenv", ".zprofile", ".zlogin", ".zshrc"],
            home("ZDOTDIR").or_else(|| home("HOME")),
        ),
    };
    let own = home.into_iter().flat_map(|home| own.iter().map(move |name| home.join(name)));
    let of =
        |path: PathBuf| std::fs::metadata(path).map_or((0, 0, 0), |m| (m.mtime(), m.mtime_nsec(), m.size()));
    system.iter().map(PathBuf::from).chain(own).map(of).collect()
}

/// Asks the shell without and with the profile.
async fn learn(launcher: &Launcher, spec: &CommandSpec, kind: Kind, patience: Duration) -> What {
    let mut answer = Vec::new();
    match timeout(patience, ask(launcher, spec, kind, &mut answer)).await {
        Ok(whole) => whole
            .and_then(|()| {
                let (plain, rest) = State::parse(&answer)?;
                Replay::between(&plain, &State::parse(rest)?.0)
            })
            .map_or(What::Plain, |replay| What::Ready(Arc::new(replay))),
        // Without its profile the shell has answered.
        Err(_) if State::parse(&answer).is_some() => What::Slow,
        Err(_) => What::Plain,
    }
}

/// The answers of the shell, into `answer`; `None` when they are not whole.
async fn ask(launcher: &Launcher, spec: &CommandSpec, kind: Kind, answer: &mut Vec<u8>) -> Option<()> {
    let shell = spec.argv.first()?;
    let question = replay::question(kind);
    let words = [shell.as_os_str(), "-c".as_ref(), BOTH.as_ref(), shell, question.as_ref()];
    let spec = CommandSpec {
        argv: words.map(OsStr::to_owned).to_vec(),
        stdin: Stdin::Closed,
        tty: false,
        ..spec.clone()
    };
    let mut running = launcher.start(&spec).ok()?;
    let mut buf = vec![0; 16 * 1024];
    loop {
        let count = running.read(&mut buf).await.ok()?;
        answer.extend_from_slice(buf.get(..count)?);
        if count == 0 {
            running.ended().await;
            return (running.exit() == Exit::Code(0)).then_some(());
        }
        if answer.len() > ANSWER_MAX {
            return None;
        }
    }
}

/// `-lc script` → `-c script` with what the profile would have left behind.
fn rewrite(kind: Kind, spec: &mut CommandSpec, replay: &Replay) {
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
        if replay.aliases(kind) {
            // What has been read before an alias was made does not know it.
            whole.push(format!("eval \"unset {SCRIPT};${SCRIPT}\""));
            spec.env.insert(SCRIPT.into(), std::mem::replace(script, whole));
        } else {
            whole.push(&*script);
            *script = whole;
        }
    }
}

#[cfg(test)]
#[path = "profile_tests.rs"]
mod tests;
