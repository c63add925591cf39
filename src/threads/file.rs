//! The file of a live thread: where it lies, how it comes into being or is opened again, and its fsync.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::append::Appender;
use super::error::Error;
use super::line::Batch;
use super::locks::{self, WriterLock};
use super::meta::{MetaOut, NewThread};
use super::repair::{self, Mended};
use crate::base::fs::{create_private_dir, open_private_append, sync_dir};
use crate::base::ids::ThreadId;

/// Folder of live and finished threads under the home.
pub(crate) const SESSIONS: &str = "sessions";

/// The file of a live thread, open for appending.
pub(super) struct Open {
    pub(super) path: PathBuf,
    pub(super) appender: Appender<File>,
    /// Folders whose new entries are not fsynced yet.
    pub(super) fresh_dirs: Vec<PathBuf>,
    /// Something was written since the last fsync.
    pub(super) unsynced: bool,
    _lock: WriterLock,
}

/// An fsync to be carried out where it may block.
#[derive(Debug)]
pub(crate) struct Flush {
    pub(super) file: File,
    pub(super) dirs: Vec<PathBuf>,
}

impl Flush {
    /// Waits until the disk has everything that was written before.
    ///
    /// # Errors
    /// The disk refused; the lines may not survive a power cut.
    pub(crate) fn run(self) -> io::Result<()> {
        self.file.sync_data()?;
        self.dirs.iter().try_for_each(|dir| sync_dir(dir))
    }
}

/// Makes the file with its first line, or leaves none behind.
pub(super) fn create(home: &Path, thread: &NewThread, now_ms: u64) -> Result<Open, Error> {
    let mut first = Batch::new(now_ms);
    let timestamp = first.timestamp().to_owned();
    first.push("session_meta", MetaOut::new(thread, &timestamp))?;
    locks::sweep(home);
    let lock = locks::take(home, thread.id)?;
    let (day, name) = place(thread.id, now_ms, &TimeZone::system());
    let sessions = home.join(SESSIONS);
    let dir = sessions.join(day);
    let fresh_dirs = gaining(home, &dir);
    create_private_dir(&dir).map_err(Error::io("create", &dir))?;
    let path = dir.join(name);
    let file = open_private_append(&path).map_err(Error::io("create", &path))?;
    let mut appender = Appender::new(file);
    if let Err(error) = appender.append(first.bytes()) {
        let _ = std::fs::remove_file(&path);
        return Err(Error::io("write", &path)(error));
    }
    Ok(Open { path, appender, fresh_dirs, unsynced: true, _lock: lock })
}

/// Opens the file of a stored thread to go on in it. A torn end is mended first, and told.
pub(super) fn reopen(home: &Path, id: ThreadId, path: &Path) -> Result<(Open, Mended), Error> {
    let lock = locks::take(home, id)?;
    let file = OpenOptions::new().read(true).append(true).open(path).map_err(Error::io("open", path))?;
    let mended = repair::mend(&file, path).map_err(Error::io("repair", path))?;
    let appender = Appender::new(file);
    let open = Open { path: path.to_owned(), appender, fresh_dirs: Vec::new(), unsynced: true, _lock: lock };
    Ok((open, mended))
}

/// The folders that get a new entry when `dir` and a file in it are created: `dir` itself, and for each missing
/// folder the one above it. The others are on disk since somebody else's fsync.
fn gaining(home: &Path, dir: &Path) -> Vec<PathBuf> {
    let inside = || dir.ancestors().take_while(|at| at.starts_with(home));
    let above_missing = inside().zip(inside().skip(1)).take_while(|(at, _)| !at.exists());
    std::iter::once(dir).chain(above_missing.map(|(_, above)| above)).map(Path::to_owned).collect()
}

/// Date folder and file name of a thread that starts now; in local time, for people.
fn place(id: ThreadId, now_ms: u64, zone: &TimeZone) -> (PathBuf, String) {
    let moment = Timestamp::from_millisecond(i64::try_from(now_ms).unwrap_or(i64::MAX)).unwrap_or_default();
    let local = moment.to_zoned(zone.clone());
    let name = format!("rollout-{}-{id}.jsonl", local.strftime("%Y-%m-%dT%H-%M-%S"));
    (PathBuf::from(local.strftime("%Y/%m/%d").to_string()), name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::Clock;
    use crate::threads::samples::Noon;

    #[test]
    fn date_and_time_are_local() {
        let id = ThreadId::new();
        let zone = TimeZone::fixed(jiff::tz::offset(13));
        let (day, name) = place(id, Noon.now_ms(), &zone);
        assert_eq!(day, Path::new("2026/11/21"));
        assert_eq!(name, format!("rollout-2026-11-21T00-37-15-{id}.jsonl"));
    }
}
