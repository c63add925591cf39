//! Takes a patch back, in the process that failed or in the next one after a crash. It decides by what is there and
//! not by what was reached, so it can itself be cut off anywhere and begin again.
//!
//! What somebody wrote after the crash is never overwritten: it stays, the old content stays beside it under its
//! temporary name, and both are named.

use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::AtFlags;
use rustix::io::Errno;

use super::commit::{Gate, Stop, rename_new};
use super::folder::{Folders, look_at};
use super::journal::{Journal, Progress, Record, Stamp, Step, StepKind};

/// A patch that was cut off, and what became of it.
#[derive(Debug, PartialEq)]
pub(crate) struct Recovered {
    /// Real paths that the patch was to change.
    pub(crate) paths: Vec<PathBuf>,
    /// True when the files are as they were before the patch, false when the patch had been written completely.
    pub(crate) undone: bool,
    /// What could not be put back and why, one sentence each.
    pub(crate) problems: Vec<String>,
}

/// What could not be put back, one sentence each.
#[derive(Debug, Default)]
pub(super) struct Left {
    /// Somebody else wrote there since: it stays so.
    conflicts: Vec<String>,
    /// The system refused: another attempt may succeed.
    failures: Vec<String>,
}

impl Left {
    /// Everything is as it was before the patch.
    pub(super) fn is_empty(&self) -> bool {
        self.conflicts.is_empty() && self.failures.is_empty()
    }

    /// All sentences.
    pub(super) fn into_texts(self) -> Vec<String> {
        self.failures.into_iter().chain(self.conflicts).collect()
    }

    fn interrupted() -> Self {
        Self { conflicts: Vec::new(), failures: vec!["interrupted".to_owned()] }
    }
}

/// Takes back every patch that a crash cut off. `journals` is the folder that [`super::commit`] was given.
pub(crate) fn recover(journals: &Path) -> Vec<Recovered> {
    recover_gated(journals, &mut || Ok(()))
}

/// [`recover`] with a gate before each change of the disk.
pub(super) fn recover_gated(journals: &Path, gate: Gate<'_>) -> Vec<Recovered> {
    let mut out = Vec::new();
    for (journal, record, progress) in Journal::left_behind(journals) {
        let mut folders = Folders::default();
        let (undone, left) = match progress {
            Progress::Staging => (true, undo(&record, None, &mut folders, gate)),
            Progress::Applying(stamps) => (true, undo(&record, Some(&stamps), &mut folders, gate)),
            Progress::Done => (false, clear(&record, &mut folders, gate)),
        };
        if left.failures.is_empty() {
            journal.remove();
        }
        let problems = left.into_texts();
        out.push(Recovered {
            paths: record.steps.into_iter().map(|step| step.path).collect(),
            undone,
            problems,
        });
    }
    out
}

/// Puts every file back; `staged` is how the new files are recognised, `None` when no target was touched. Returns
/// what could not be put back.
pub(super) fn undo(record: &Record, staged: Option<&[Stamp]>, folders: &mut Folders, gate: Gate<'_>) -> Left {
    let mut left = Left::default();
    for (number, step) in record.steps.iter().enumerate().rev() {
        let stamp = staged.map(|stamps| stamps.get(number).copied().unwrap_or_default());
        match undo_step(record, number, step, stamp, folders, gate) {
            Ok(None) => {}
            Ok(Some(conflict)) => left.conflicts.push(conflict),
            Err(Stop::Crash) => return Left::interrupted(),
            Err(Stop::Changed) => left.conflicts.push(changed(record, number, step)),
            Err(Stop::Io(error)) => left.failures.push(format!("{}: {error}", step.path.display())),
        }
    }
    for folder in record.folders.iter().rev() {
        if let Err(Stop::Crash) = gate() {
            return Left::interrupted();
        }
        folders.unmake(folder);
    }
    left
}

fn undo_step(
    record: &Record,
    number: usize,
    step: &Step,
    stamp: Option<Stamp>,
    folders: &mut Folders,
    gate: Gate<'_>,
) -> Result<Option<String>, Stop> {
    let (folder, name) = match folders.of(&step.path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None), // never made
        other => other?,
    };
    let (temp, backup) = (PathBuf::from(record.temp(number)), PathBuf::from(record.backup(number)));
    let staged = look_at(&folder, &temp)?;
    let target = look_at(&folder, name)?.as_ref().map(Stamp::from);
    if let Some(staged) = staged {
        let both_names = step.kind == StepKind::Create && target == Some(Stamp::from(&staged));
        if both_names && stamp.is_some() {
            remove(&folder, name, gate)?;
        }
        remove(&folder, &temp, gate)?;
        return put_back(&folder, &backup, name, target.is_some() && !both_names, gate);
    }
    let Some(stamp) = stamp else { return Ok(None) };
    match step.kind {
        StepKind::Create if target == Some(stamp) => remove(&folder, name, gate).map(|()| None),
        StepKind::Create if target.is_none() => Ok(None),
        StepKind::Create => Ok(Some(changed(record, number, step))),
        StepKind::Remove => put_back(&folder, &backup, name, false, gate),
        StepKind::Replace if look_at(&folder, &backup)?.is_none() => Ok(None),
        StepKind::Replace if target.is_none() => put_back(&folder, &backup, name, false, gate),
        StepKind::Replace if target == Some(stamp) => {
            gate()?;
            rustix::fs::renameat(&*folder, &*backup, &*folder, name)?;
            Ok(None)
        }
        StepKind::Replace => Ok(Some(changed(record, number, step))),
    }
}

/// Gives old content its name again; when the name is still its own, only the second name goes.
fn put_back(
    folder: &OwnedFd,
    backup: &Path,
    name: &Path,
    still_there: bool,
    gate: Gate<'_>,
) -> Result<Option<String>, Stop> {
    if look_at(folder, backup)?.is_none() {
        return Ok(None);
    }
    if still_there {
        remove(folder, backup, gate)?;
        return Ok(None);
    }
    gate()?;
    match rename_new(folder, backup, name) {
        Ok(()) => Ok(None),
        Err(Errno::EXIST) => Err(Stop::Changed),
        Err(error) => Err(error.into()),
    }
}

fn remove(folder: &OwnedFd, name: &Path, gate: Gate<'_>) -> Result<(), Stop> {
    gate()?;
    match rustix::fs::unlinkat(folder, name, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

fn changed(record: &Record, number: usize, step: &Step) -> String {
    let mut text = format!("{} was changed by someone else and was left as it is", step.path.display());
    if step.kind != StepKind::Create {
        text.push_str(&format!("; its content before the patch is beside it in {}", record.backup(number)));
    }
    text
}

/// Removes old content that is no longer needed.
pub(super) fn clear(record: &Record, folders: &mut Folders, gate: Gate<'_>) -> Left {
    let mut left = Left::default();
    for (number, step) in record.steps.iter().enumerate().filter(|(_, step)| step.kind != StepKind::Create) {
        let backup = record.backup(number);
        let removed = match folders.of(&step.path) {
            Ok((folder, _)) => remove(&folder, Path::new(&backup), gate).is_ok(),
            Err(error) => error.kind() == std::io::ErrorKind::NotFound,
        };
        if !removed {
            left.failures.push(format!("old content is left beside {} in {backup}", step.path.display()));
        }
    }
    left
}
