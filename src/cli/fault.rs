//! Faults of the program itself. A panic is written to a log and not to the terminal: a screen may be in the way, and
//! it must be given back first. Whoever ends the program then says what happened and where the log is.

use std::fmt::Write as _;
use std::io::Write as _;
use std::panic::PanicHookInfo;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, Once, OnceLock, PoisonError};

use crate::base::clean::without_known;
use crate::base::fs;
use crate::exec::text::clean;

/// Size at which the log begins anew, in bytes.
const MAX_LOG: u64 = 1 << 20;
/// Bytes of one entry.
const MAX_ENTRY: usize = 64 * 1024;
/// Characters of what the panic says; it may quote text of the user.
const MAX_WORDS: usize = 300;
/// So many characters of them are looked at for secrets.
const MAX_LOOKED_AT: usize = 64 << 10;

static LOG: OnceLock<PathBuf> = OnceLock::new();
static FIRST: Mutex<Option<Fault>> = Mutex::new(None);

/// A fault that was written down.
#[derive(Clone, Debug)]
struct Fault {
    /// Place and words, on one line.
    what: String,
    /// The log was written.
    logged: bool,
}

/// From now on panics are written to a log below `home` instead of the terminal.
pub(super) fn keep_log(home: &Path) {
    static ONCE: Once = Once::new();
    // The first home counts: a process has one.
    let _ = LOG.set(home.join("log").join("codex-tui.log"));
    ONCE.call_once(|| std::panic::set_hook(Box::new(note)));
}

/// What to tell of the first fault.
pub(super) fn told() -> String {
    let fault = FIRST.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let mut text = String::from(
        "ERROR: codex had to stop because of a fault of its own. The conversation is on disk.\n",
    );
    if let Some(fault) = fault {
        let _ = writeln!(text, "  {}", fault.what);
        if let Some(log) = LOG.get().filter(|_| fault.logged) {
            let _ = writeln!(text, "  Details are in {}", clean(&log.display().to_string()));
        }
    }
    text
}

/// The hook: runs while the process is in trouble, so it must not fail, and must not touch the terminal.
fn note(info: &PanicHookInfo<'_>) {
    let what = words(info);
    let logged = LOG.get().is_some_and(|log| write(log, &entry(&what)).is_ok());
    let mut first = FIRST.lock().unwrap_or_else(PoisonError::into_inner);
    first.get_or_insert(Fault { what, logged });
}

fn words(info: &PanicHookInfo<'_>) -> String {
    let said = info.payload();
    let said = said.downcast_ref::<&str>().copied().or(said.downcast_ref::<String>().map(String::as_str));
    let place = info.location().map(|at| format!("{}:{}: ", at.file(), at.line())).unwrap_or_default();
    format!("{place}{}", said_by(said.unwrap_or("no words")))
}

/// The words of a fault, which may quote anything it stumbled over: cut, cleaned, and without secrets.
fn said_by(words: &str) -> String {
    let words = without_known(words.chars().take(MAX_LOOKED_AT).collect());
    let words: String = words.chars().take(MAX_WORDS).collect();
    clean(&words).replace('\n', " ")
}

fn entry(what: &str) -> String {
    let now = jiff::Timestamp::now();
    let version = env!("CARGO_PKG_VERSION");
    let task = std::thread::current().name().unwrap_or("unnamed").to_owned();
    let trace = std::backtrace::Backtrace::force_capture();
    let mut text = format!("{now} codex {version}, thread {task}: {what}\n{trace}\n");
    text.truncate(text.floor_char_boundary(MAX_ENTRY));
    text
}

fn write(log: &Path, entry: &str) -> std::io::Result<()> {
    if let Some(folder) = log.parent() {
        fs::create_private_dir(folder)?;
    }
    let mut file = fs::open_private_append(log)?;
    if file.metadata()?.len() > MAX_LOG {
        file.set_len(0)?;
    }
    file.write_all(entry.as_bytes())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn the_words_of_a_fault_hold_no_secret() {
        let known = crate::base::secret::Secret::new("canary-of-the-crash-log-0123");
        crate::base::clean::never_show(&known);
        let token = format!("eyJ{}.eyJ{}.sig", "a".repeat(40), "b".repeat(40));
        let said = said_by(&format!("bad header: Bearer {} and\n{token} \u{1b}[31m", known.expose()));
        assert!(said.starts_with("bad header: Bearer [secret] and [secret]"), "{said}");
        assert!(!said.contains('\u{1b}'), "{said:?}");
        // Also one that lies across the place where the words are cut.
        let long = format!("{}{}", "x".repeat(MAX_WORDS - 8), known.expose());
        assert!(!said_by(&long).contains("canary"), "{}", said_by(&long));
    }

    #[test]
    fn the_log_is_private_and_bounded() {
        let home = tempfile::tempdir().unwrap();
        let log = home.path().join("log/codex-tui.log");
        write(&log, "one\n").unwrap();
        write(&log, "two\n").unwrap();
        assert_eq!(std::fs::read_to_string(&log).unwrap(), "one\ntwo\n");
        assert_eq!(std::fs::metadata(&log).unwrap().permissions().mode() & 0o777, 0o600);
        std::fs::write(&log, vec![b'x'; usize::try_from(MAX_LOG).unwrap() + 1]).unwrap();
        write(&log, "three\n").unwrap();
        assert_eq!(std::fs::read_to_string(&log).unwrap(), "three\n");
        let entry = entry("src/x.rs:1: it broke");
        assert!(entry.contains("src/x.rs:1: it broke") && entry.len() <= MAX_ENTRY, "{entry}");
    }
}
