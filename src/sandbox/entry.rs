//! The first thing a process called `codex-supervise` does: read its arguments, build the confinement they
//! name, and hand both to the supervisor. It runs before any other part of the program is started.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use crate::process::supervise::{self, Confinement, Job, SetupError, Unconfined};

/// Supervises one command if this process was started to do so; says whether it was.
pub(crate) fn entry(mut args: impl Iterator<Item = OsString>) -> bool {
    if args.next().as_deref().map(OsStr::as_bytes) != Some(supervise::ARGV0.as_bytes()) {
        return false;
    }
    let (job, confine) = match Job::from_args(args) {
        Ok((job, confine)) => (Ok(job), confine),
        Err(error) => (Err(error), "-".into()),
    };
    match confinement(&confine) {
        Ok(mut confinement) => supervise::supervised(job, confinement.as_mut()),
        Err(error) => supervise::supervised(Err(error), &mut Unconfined),
    }
    true
}

fn confinement(text: &OsStr) -> Result<Box<dyn Confinement>, SetupError> {
    match text.as_bytes() {
        b"-" => Ok(Box::new(Unconfined)),
        _ => Err(SetupError::new("arguments", "the confinement is not understood")),
    }
}
