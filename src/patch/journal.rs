//! What a patch is about to do, on disk before it is done, so that a crash in the middle can be undone by the next
//! start. One file per patch, locked while its patch runs, removed when nothing is left to undo.
//!
//! The file is a sequence of fields, each ended by a NUL: paths are bytes and may hold anything else. A field without
//! its NUL was being written when the crash came and does not count.

use std::ffi::OsString;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::base::fs::{create_private_dir, sync_dir};

use super::place::Node;

const MAGIC: &[u8] = b"codex patch journal 1";
const SUFFIX: &str = "journal";
/// Longest journal that is read.
const MAX_BYTES: u64 = 64 * 1024 * 1024;

/// A journal that says nothing yet may be one that is just being begun.
const YOUNG: Duration = Duration::from_secs(60);

/// What a patch is about to do.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Record {
    /// Part of the names of all temporary files.
    pub(super) id: String,
    /// Folders that will be made, outermost first.
    pub(super) folders: Vec<PathBuf>,
    /// Changes of single names.
    pub(super) steps: Vec<Step>,
}

/// The change of one name.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Step {
    /// Real path.
    pub(super) path: PathBuf,
    /// What happens to it.
    pub(super) kind: StepKind,
}

/// What happens to a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StepKind {
    /// Nothing is there; a file comes.
    Create,
    /// A file is there; another takes its place.
    Replace,
    /// A file is there; it goes.
    Remove,
}

impl Record {
    /// Name, beside the target, of the content that comes.
    pub(super) fn temp(&self, step: usize) -> String {
        format!(".codex-patch-{}-{step}.new", self.id)
    }

    /// Name, beside the target, of the content that was there.
    pub(super) fn backup(&self, step: usize) -> String {
        format!(".codex-patch-{}-{step}.old", self.id)
    }
}

/// How far a patch came.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Progress {
    /// Temporary files may be there; no target was touched.
    Staging,
    /// Targets may have been changed; these are the files that came.
    Applying(Vec<Stamp>),
    /// Every target is changed; old content may be left beside them.
    Done,
}

/// What a file is recognised by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Stamp {
    pub(super) ino: u64,
    pub(super) size: u64,
    pub(super) modified_ns: i128,
}

impl From<&Node> for Stamp {
    fn from(node: &Node) -> Self {
        Self { ino: node.ino, size: node.size, modified_ns: node.modified_ns }
    }
}

/// The journal of a running patch.
#[derive(Debug)]
pub(super) struct Journal {
    file: File,
    path: PathBuf,
    durable: bool,
}

impl Journal {
    /// Writes down what will be done. `durable` also makes it survive a power cut, here and at every mark.
    pub(super) fn begin(dir: &Path, record: &Record, durable: bool) -> io::Result<Self> {
        create_private_dir(dir)?;
        let path = dir.join(&record.id).with_extension(SUFFIX);
        let file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&path)?;
        let mut journal = Self { file, path, durable };
        match journal.write_record(record) {
            Ok(()) => Ok(journal),
            Err(error) => {
                journal.remove();
                Err(error)
            }
        }
    }

    fn write_record(&mut self, record: &Record) -> io::Result<()> {
        self.file.lock()?;
        let mut fields: Vec<&[u8]> = vec![MAGIC, record.id.as_bytes()];
        for folder in &record.folders {
            fields.extend([b"folder".as_slice(), folder.as_os_str().as_bytes()]);
        }
        for step in &record.steps {
            fields.extend([step.kind.word().as_bytes(), step.path.as_os_str().as_bytes()]);
        }
        fields.push(b"planned");
        self.append(&fields)?;
        if self.durable {
            sync_dir(self.path.parent().unwrap_or(Path::new("/")))?;
        }
        Ok(())
    }

    /// Marks that all content is staged and targets will be touched.
    pub(super) fn staged(&mut self, stamps: &[Stamp]) -> io::Result<()> {
        let texts: Vec<String> = stamps
            .iter()
            .map(|stamp| format!("{} {} {}", stamp.ino, stamp.size, stamp.modified_ns))
            .collect();
        let mut fields: Vec<&[u8]> = texts.iter().map(String::as_bytes).collect();
        fields.push(b"staged");
        self.append(&fields)
    }

    /// Marks that every target is changed.
    pub(super) fn done(&mut self) -> io::Result<()> {
        self.append(&[b"done"])
    }

    /// Nothing is left to undo.
    pub(super) fn remove(self) {
        let _ = std::fs::remove_file(&self.path);
    }

    /// Whether nobody can be about to write the first line of it.
    fn is_old(&self) -> bool {
        let age =
            self.file.metadata().and_then(|meta| meta.modified()).map(|at| at.elapsed().unwrap_or_default());
        age.is_ok_and(|age| age > YOUNG)
    }

    fn append(&mut self, fields: &[&[u8]]) -> io::Result<()> {
        let mut bytes = Vec::new();
        for field in fields {
            bytes.extend_from_slice(field);
            bytes.push(0);
        }
        self.file.write_all(&bytes)?;
        if self.durable { self.file.sync_data() } else { Ok(()) }
    }

    /// Takes over the journals of patches that no longer run. Journals that say nothing are removed.
    pub(super) fn left_behind(dir: &Path) -> Vec<(Self, Record, Progress)> {
        let mut out = Vec::new();
        for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.extension().is_none_or(|suffix| suffix != SUFFIX) {
                continue;
            }
            let Ok(mut file) = OpenOptions::new().read(true).append(true).open(&path) else { continue };
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock | TryLockError::Error(_)) => continue, // its patch is running
            }
            if file.metadata().map_or(true, |meta| meta.nlink() == 0) {
                continue; // its patch ended just now
            }
            let mut bytes = Vec::new();
            let read = file.rewind().and_then(|()| (&file).take(MAX_BYTES).read_to_end(&mut bytes));
            let journal = Self { file, path, durable: true };
            match (read, parse(&bytes)) {
                (Ok(_), Some((record, progress))) => out.push((journal, record, progress)),
                (Ok(_), None) if journal.is_old() => journal.remove(),
                (Ok(_) | Err(_), _) => {}
            }
        }
        out
    }
}

impl StepKind {
    fn word(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Replace => "replace",
            Self::Remove => "remove",
        }
    }

    fn of(word: &[u8]) -> Option<Self> {
        [Self::Create, Self::Replace, Self::Remove].into_iter().find(|kind| kind.word().as_bytes() == word)
    }
}

/// Reads a journal; `None` when its patch had not begun.
fn parse(bytes: &[u8]) -> Option<(Record, Progress)> {
    let mut fields = bytes.split_inclusive(|&b| b == 0).filter_map(|field| field.strip_suffix(&[0]));
    if fields.next()? != MAGIC {
        return None;
    }
    let id = String::from_utf8(fields.next()?.to_vec()).ok()?;
    // It becomes part of file names.
    if id.is_empty() || !id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
        return None;
    }
    let mut record = Record { id, ..Record::default() };
    loop {
        let word = fields.next()?;
        if word == b"planned" {
            break;
        }
        let path = PathBuf::from(OsString::from_vec(fields.next()?.to_vec()));
        match StepKind::of(word) {
            Some(kind) => record.steps.push(Step { path, kind }),
            None => record.folders.push(path),
        }
    }
    let mut stamps = Vec::new();
    let mut progress = Progress::Staging;
    for field in fields {
        match field {
            b"staged" => progress = Progress::Applying(std::mem::take(&mut stamps)),
            b"done" => progress = Progress::Done,
            other => stamps.push(stamp(other).unwrap_or_default()),
        }
    }
    Some((record, progress))
}

fn stamp(field: &[u8]) -> Option<Stamp> {
    let mut words = std::str::from_utf8(field).ok()?.split(' ');
    Some(Stamp {
        ino: words.next()?.parse().ok()?,
        size: words.next()?.parse().ok()?,
        modified_ns: words.next()?.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> Record {
        let odd = PathBuf::from(OsString::from_vec(b"/tmp/\xff\n\"x".to_vec()));
        Record {
            id: "a-1".into(),
            folders: vec!["/tmp/new".into()],
            steps: vec![
                Step { path: odd, kind: StepKind::Create },
                Step { path: "/b".into(), kind: StepKind::Replace },
                Step { path: "/c".into(), kind: StepKind::Remove },
            ],
        }
    }

    #[test]
    fn every_prefix_reads_as_what_was_complete() {
        let dir = tempfile::tempdir().unwrap();
        let stamps = [Stamp { ino: 7, size: 8, modified_ns: -9 }; 3];
        let mut journal = Journal::begin(dir.path(), &record(), false).unwrap();
        let planned = std::fs::read(&journal.path).unwrap().len();
        journal.staged(&stamps).unwrap();
        let staged = std::fs::read(&journal.path).unwrap().len();
        journal.done().unwrap();
        let bytes = std::fs::read(&journal.path).unwrap();
        for end in 0..=bytes.len() {
            let want = match end {
                _ if end < planned => None,
                _ if end < staged => Some(Progress::Staging),
                _ if end < bytes.len() => Some(Progress::Applying(stamps.to_vec())),
                _ => Some(Progress::Done),
            };
            let got = parse(&bytes[..end]);
            assert_eq!(got.as_ref().map(|(_, progress)| progress), want.as_ref(), "{end}");
            assert!(got.is_none_or(|(read, _)| read == record()));
        }
    }

    #[test]
    fn a_running_patch_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let journal = Journal::begin(dir.path(), &record(), true).unwrap();
        assert!(Journal::left_behind(dir.path()).is_empty());
        drop(journal);
        let left = Journal::left_behind(dir.path());
        assert_eq!(left.len(), 1);
        assert_eq!(left[0].1, record());
    }

    #[test]
    fn nonsense_is_removed_and_a_missing_folder_is_no_error() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.journal");
        std::fs::write(&path, b"nonsense\0\0\0").unwrap();
        assert!(Journal::left_behind(dir.path()).is_empty());
        assert!(path.exists(), "may be one that is just being begun");
        File::options().write(true).open(&path).unwrap().set_modified(std::time::UNIX_EPOCH).unwrap();
        assert!(Journal::left_behind(dir.path()).is_empty());
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
        assert!(Journal::left_behind(&dir.path().join("none")).is_empty());
    }
}
