//! The first thing a process called `codex-supervise` does: read its words (from its arguments, or as a server
//! from its socket), build the confinement they
//! name, and hand both to the supervisor. It runs before any other part of the program is started.

use std::ffi::{OsStr, OsString};
use std::io::Write;
use std::os::unix::ffi::OsStrExt;

use super::detect::{ANSWER, Level, PROBE};
use super::linux::{Confine, Inside, Kept};
use crate::process::supervise::{self, Confinement, Job, SetupError, Unconfined};

/// Supervises one command if this process was started to do so; says whether it was.
pub(crate) fn entry(args: impl IntoIterator<Item = OsString>) -> bool {
    let mut args = args.into_iter().peekable();
    if args.next().as_deref().map(OsStr::as_bytes) != Some(supervise::ARGV0.as_bytes()) {
        return false;
    }
    if args.peek().is_some_and(|word| word == PROBE) {
        probe();
        return true;
    }
    if args.peek().is_some_and(|word| word == supervise::SERVE) {
        let mut kept = Kept::default();
        supervise::serve(&mut |words| one(words.into_iter(), Some(&mut kept)));
        return true;
    }
    one(args, None)();
    true
}

/// The supervision of the command of these words, to be carried out in a process of its own. `kept` is where a server
/// keeps what its commands share.
fn one(words: impl Iterator<Item = OsString>, kept: Option<&mut Kept>) -> Box<dyn FnOnce()> {
    let (job, confine) = match Job::from_args(words) {
        Ok((job, confine)) => (Ok(job), confine),
        Err(error) => (Err(error), "-".into()),
    };
    match confinement(&confine, kept) {
        Ok(mut confinement) => Box::new(move || supervise::supervised(job, confinement.as_mut())),
        Err(error) => Box::new(move || supervise::supervised(Err(error), &mut Unconfined)),
    }
}

fn confinement(text: &OsStr, kept: Option<&mut Kept>) -> Result<Box<dyn Confinement>, SetupError> {
    if text == "-" {
        return Ok(Box::new(Unconfined));
    }
    let confine = serde_json::from_slice::<Confine>(text.as_bytes());
    let mut inside = Inside::new(confine.map_err(|error| SetupError::new("confinement", error))?);
    kept.map_or(Ok(()), |kept| inside.share(kept))?;
    Ok(Box::new(inside))
}

/// Sets up the strictest confinement around nothing and says on stdout whether that worked.
fn probe() {
    if supervise::rehearse(&mut Inside::new(Confine::strictest(Level::Namespaces))).is_ok() {
        let _ = std::io::stdout().write_all(ANSWER.as_bytes());
    }
}

#[cfg(test)]
#[path = "entry_tests.rs"]
mod tests;
