//! Carries out a plan all or nothing.
//!
//! Everything that comes is first staged beside its target under a temporary name and made durable; then names are
//! changed, old content kept under another temporary name until the last one is changed. Whatever fails is undone
//! from there; whatever crashes is undone from the journal by the next start. A full disk fails while staging, when
//! no target was touched yet.
//!
//! A single write is atomic by its rename, so its journal (which then only serves to clean up) is not forced to disk;
//! many files are made durable by one sync of the file system instead of one each.

use std::collections::{BTreeSet, HashSet};
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, AtFlags, RenameFlags};
use rustix::io::Errno;
use uuid::Uuid;

use super::error::Error;
use super::folder::{Folders, look_at, missing_folders};
use super::journal::{Journal, Record, Stamp, Step, StepKind};
use super::place::{Kind, Node};
use super::plan::{After, Plan, Write};
use super::{stage, undo};

/// From this many files on, one sync of the whole file system is cheaper than one per file.
const MANY: usize = 16;

/// What else the caller should know about a patch that was written.
#[derive(Debug, Default)]
pub(crate) struct Committed {
    /// Why a crash during the writing could not have been undone; `None` when it could.
    pub(crate) unguarded: Option<String>,
}

/// Asked before each change of the disk, so that tests can make any of them fail.
pub(super) type Gate<'g> = &'g mut dyn FnMut() -> Result<(), Stop>;

/// Why writing stopped.
#[derive(Debug)]
pub(super) enum Stop {
    /// The system refused.
    Io(io::Error),
    /// Somebody else changed the file.
    Changed,
    /// The process is gone, as far as a test is concerned: nothing more may be done.
    #[cfg_attr(not(test), expect(dead_code, reason = "made by tests"))]
    Crash,
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<Errno> for Stop {
    fn from(error: Errno) -> Self {
        Self::Io(error.into())
    }
}

/// Where it stopped, and why.
type Stopped = (PathBuf, Stop);

/// Writes a plan. `journals` is the folder for the journal; without one a crash cannot be undone.
///
/// # Errors
/// Every file is as it was before, except for [`Error::Stuck`].
pub(crate) fn commit(plan: &Plan, journals: Option<&Path>) -> Result<Committed, Error> {
    commit_gated(plan, journals, &mut || Ok(()))
}

/// [`commit`] with a gate before each change of the disk.
pub(super) fn commit_gated(plan: &Plan, journals: Option<&Path>, gate: Gate<'_>) -> Result<Committed, Error> {
    let record = record(plan);
    let mut work = Work { plan, record, folders: Folders::default(), gate };
    let mut out = Committed::default();
    if plan.writes.is_empty() {
        return Ok(out);
    }
    work.check_all().map_err(plain)?;
    let durable = plan.writes.len() > 1;
    let mut journal = match journals.map(|dir| Journal::begin(dir, &work.record, durable)) {
        Some(Ok(journal)) => Some(journal),
        Some(Err(error)) => {
            out.unguarded = Some(format!("the patch journal could not be written: {error}"));
            None
        }
        None => None,
    };
    let mut staged = None;
    match work.run(journal.as_mut(), &mut staged) {
        Ok(()) => {
            let left = undo::clear(&work.record, &mut work.folders, work.gate);
            if let Some(journal) = journal.filter(|_| left.is_empty()) {
                journal.remove();
            }
            Ok(out)
        }
        Err((path, Stop::Crash)) => Err(Error::Write { path, source: io::ErrorKind::Interrupted.into() }),
        Err(stopped) => {
            let left = undo::undo(&work.record, staged.as_deref(), &mut work.folders, work.gate);
            if left.is_empty() {
                if let Some(journal) = journal {
                    journal.remove();
                }
                return Err(plain(stopped));
            }
            Err(stuck(stopped, left.into_texts()))
        }
    }
}

/// The error when everything is as it was.
fn plain((path, stop): Stopped) -> Error {
    match stop {
        Stop::Io(source) => Error::Write { path, source },
        Stop::Changed => Error::Changed { path },
        Stop::Crash => Error::Write { path, source: io::ErrorKind::Interrupted.into() },
    }
}

fn stuck((path, stop): Stopped, left: Vec<String>) -> Error {
    let source = match stop {
        Stop::Io(source) => source,
        Stop::Changed => io::Error::other("changed by someone else"),
        Stop::Crash => io::ErrorKind::Interrupted.into(),
    };
    Error::Stuck { path, source, left: left.join("; ") }
}

fn record(plan: &Plan) -> Record {
    let mut folders = BTreeSet::new();
    let mut seen = BTreeSet::new();
    for write in plan.writes.iter().filter(|write| write.before.is_none()) {
        if seen.insert(write.path.parent()) {
            folders.extend(missing_folders(&write.path));
        }
    }
    let step = |write: &Write| {
        let kind = match (&write.before, &write.after) {
            (_, After::Gone) => StepKind::Remove,
            (None, _) => StepKind::Create,
            (Some(_), _) => StepKind::Replace,
        };
        Step { path: write.path.clone(), kind }
    };
    let id = Uuid::new_v4().simple().to_string();
    // In path order a folder comes before what is in it.
    Record { id, folders: folders.into_iter().collect(), steps: plan.writes.iter().map(step).collect() }
}

/// One patch being written.
struct Work<'w> {
    plan: &'w Plan,
    record: Record,
    folders: Folders,
    gate: Gate<'w>,
}

impl Work<'_> {
    /// Everything that may fail before the first change of the disk.
    fn check_all(&mut self) -> Result<(), Stopped> {
        let made: HashSet<&Path> = self.record.folders.iter().map(PathBuf::as_path).collect();
        for write in &self.plan.writes {
            if write.path.parent().is_none_or(|folder| !made.contains(folder)) {
                check(&mut self.folders, write).map_err(|stop| (write.path.clone(), stop))?;
            }
        }
        Ok(())
    }

    /// Stages and applies; `staged` says how to recognise what came, once targets may have been touched.
    fn run(
        &mut self,
        mut journal: Option<&mut Journal>,
        staged: &mut Option<Vec<Stamp>>,
    ) -> Result<(), Stopped> {
        let on_journal = |stop| (PathBuf::from("the patch journal"), stop);
        for folder in self.record.folders.clone() {
            (self.gate)().and_then(|()| Ok(self.folders.make(&folder)?)).map_err(|stop| (folder, stop))?;
        }
        let mut stamps = Vec::with_capacity(self.plan.writes.len());
        let many = self.plan.writes.len() > MANY;
        for (number, write) in self.plan.writes.iter().enumerate() {
            let temp = self.record.temp(number);
            let stamp = stage::stage(&mut self.folders, write, Path::new(&temp), !many, self.gate);
            stamps.push(stamp.map_err(|stop| (write.path.clone(), stop))?);
        }
        if many {
            self.sync(true)?; // else each was synced when it was staged
        }
        if let Some(journal) = journal.as_mut() {
            (self.gate)().and_then(|()| Ok(journal.staged(&stamps)?)).map_err(on_journal)?;
        }
        *staged = Some(stamps);
        for number in 0..self.plan.writes.len() {
            self.apply(number).map_err(|stop| (self.plan.writes[number].path.clone(), stop))?;
        }
        self.sync(many)?;
        if let Some(journal) = journal {
            (self.gate)().and_then(|()| Ok(journal.done()?)).map_err(on_journal)?;
        }
        Ok(())
    }

    /// Changes one name.
    fn apply(&mut self, number: usize) -> Result<(), Stop> {
        let write = &self.plan.writes[number];
        check(&mut self.folders, write)?;
        let (folder, name) = self.folders.of(&write.path)?;
        let (temp, backup) = (self.record.temp(number), self.record.backup(number));
        let no_replace = |from: &Path, to: &Path| rename_new(&folder, from, to);
        match self.record.steps[number].kind {
            StepKind::Create => {
                (self.gate)()?;
                no_replace(Path::new(&temp), name)?;
            }
            StepKind::Remove => {
                (self.gate)()?;
                no_replace(name, Path::new(&backup))?;
            }
            StepKind::Replace => {
                (self.gate)()?;
                // A second name keeps the old content; where there are no second names the file is away for a moment.
                if rustix::fs::linkat(&*folder, name, &*folder, &*backup, AtFlags::empty()).is_err() {
                    no_replace(name, Path::new(&backup))?;
                }
                (self.gate)()?;
                rustix::fs::renameat(&*folder, &*temp, &*folder, name)?;
            }
        }
        Ok(())
    }

    /// Makes the changed names durable; with `whole`, every file system that was written.
    fn sync(&mut self, whole: bool) -> Result<(), Stopped> {
        let touched = self.plan.writes.iter().map(|write| &write.path).chain(&self.record.folders);
        let folders: BTreeSet<&Path> = touched.filter_map(|path| path.parent()).collect();
        let mut devices = HashSet::new();
        for folder in folders {
            let result = if whole {
                self.folders.device(folder).and_then(|device| match devices.insert(device) {
                    true => self.folders.sync_all(folder),
                    false => Ok(()),
                })
            } else {
                self.folders.sync(folder)
            };
            result.map_err(|error| (folder.to_owned(), Stop::Io(error)))?;
        }
        Ok(())
    }
}

/// The target is as it was when the plan was made, and may be written.
fn check(folders: &mut Folders, write: &Write) -> Result<(), Stop> {
    let (folder, name) = folders.of(&write.path)?;
    let now = look_at(&folder, name)?;
    let same = match (&now, &write.before) {
        (None, None) => true,
        (Some(now), Some(before)) => {
            (now.kind, now.dev, Stamp::from(now)) == (before.kind, before.dev, Stamp::from(before))
        }
        (None, Some(_)) | (Some(_), None) => false,
    };
    if !same {
        return Err(Stop::Changed);
    }
    let is_file = |node: &Node| node.kind == Kind::File;
    if !matches!(write.after, After::Gone) && now.as_ref().is_some_and(is_file) {
        // The rename would not care, but the user who took the right away does.
        rustix::fs::accessat(&*folder, name, Access::WRITE_OK, AtFlags::EACCESS)?;
    }
    Ok(())
}

/// Renames within a folder to a name that must be free.
pub(super) fn rename_new(folder: &std::os::fd::OwnedFd, from: &Path, to: &Path) -> Result<(), Errno> {
    match rustix::fs::renameat_with(folder, from, folder, to, RenameFlags::NOREPLACE) {
        // A file system without that flag: a second name is refused when the name is taken, too.
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {
            match rustix::fs::linkat(folder, from, folder, to, AtFlags::empty()) {
                Ok(()) => rustix::fs::unlinkat(folder, from, AtFlags::empty()),
                Err(Errno::EXIST) => Err(Errno::EXIST),
                Err(_) => match rustix::fs::statat(folder, to, AtFlags::SYMLINK_NOFOLLOW) {
                    Err(Errno::NOENT) => rustix::fs::renameat(folder, from, folder, to),
                    Ok(_) => Err(Errno::EXIST),
                    Err(error) => Err(error),
                },
            }
        }
        other => other,
    }
}

#[cfg(test)]
#[path = "commit_tests.rs"]
mod tests;
