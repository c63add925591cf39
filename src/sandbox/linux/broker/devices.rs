//! Terminals and shared memory of the command's own, where no mount makes them private: it may use those it has made
//! itself, and no other.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, FileType, Mode, OFlags, fstat, openat};

use super::caller::{Entry, kind};
use super::ledger::{Ledger, Thing};

const MEMORY: &str = "/dev/shm";
/// More would be a leak, not work.
const MOST: usize = 4096;
const MOST_TERMINALS: usize = 64;

/// What one command has made.
#[derive(Debug)]
pub(super) struct Own {
    /// By name, each held by a descriptor that tells whether it still exists: its name may come back as another's.
    terminals: BTreeMap<PathBuf, OwnedFd>,
    memory: BTreeSet<PathBuf>,
    ledger: Ledger,
}

impl Own {
    /// Nothing yet; memory that comes to be is listed here.
    pub(super) fn new(ledger: Ledger) -> Self {
        Self { terminals: BTreeMap::new(), memory: BTreeSet::new(), ledger }
    }

    /// Whether `entry` is the command's own terminal or memory.
    pub(super) fn has(&self, entry: &Entry) -> bool {
        self.memory.contains(&entry.path) || self.terminals.get(&entry.path).is_some_and(is_there)
    }

    /// Whether this is where new terminals come from.
    pub(super) fn makes_terminal(entry: &Entry, flags: OFlags) -> bool {
        let name = entry.path == Path::new("/dev/ptmx") || entry.path == Path::new("/dev/pts/ptmx");
        let changes = OFlags::CREATE | OFlags::TRUNC;
        name && !flags.intersects(changes) && kind(entry) == Some(FileType::CharacterDevice)
    }

    /// Whether something new may be made at `entry`.
    pub(super) fn may_make(&self, entry: &Entry) -> bool {
        entry.path.parent() == Some(Path::new(MEMORY)) && self.memory.len() < MOST && kind(entry).is_none()
    }

    /// It was made.
    pub(super) fn made(&mut self, entry: &Entry) {
        self.ledger.made(&Thing::Memory(entry.path.clone()));
        self.memory.insert(entry.path.clone());
    }

    /// It is gone.
    pub(super) fn gone(&mut self, entry: &Entry) {
        if self.memory.remove(&entry.path) {
            self.ledger.gone(&Thing::Memory(entry.path.clone()));
        }
    }

    /// A terminal was made, with this end in hand.
    pub(super) fn made_terminal(&mut self, ours: &OwnedFd) {
        self.terminals.retain(|_, held| is_there(held));
        let path = number(ours).map(|number| Path::new("/dev/pts").join(number.to_string()));
        if let Some(path) = path.filter(|_| self.terminals.len() < MOST_TERMINALS)
            && let Ok(held) =
                openat(CWD, &path, OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty())
        {
            self.terminals.insert(path, held);
        }
    }
}

impl Drop for Own {
    /// Memory that was to be private does not stay.
    fn drop(&mut self) {
        for path in &self.memory {
            let _ = fs::remove_file(path);
        }
    }
}

fn is_there(held: &OwnedFd) -> bool {
    fstat(held).is_ok_and(|stat| stat.st_nlink > 0)
}

/// The number of the other end, as the kernel counts them.
fn number(terminal: &OwnedFd) -> Option<u32> {
    let information = format!("/proc/self/fdinfo/{}", terminal.as_raw_fd());
    let text = fs::read_to_string(information).ok()?;
    text.lines().find_map(|line| line.strip_prefix("tty-index:"))?.trim().parse().ok()
}
