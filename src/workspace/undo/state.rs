//! A folder before a turn, as it is held, written and compared.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use super::bytes::Name;
use super::stamp::{Kind, Stamp};

/// Where a content is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Kept {
    pub(super) pack: u64,
    pub(super) offset: u64,
    pub(super) length: u64,
    /// Tells a content from one that a power cut took away: nobody waits for the disk when it is kept.
    pub(super) sum: u64,
}

/// A path at one end of a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct State {
    /// Its marks.
    pub(super) stamp: Stamp,
    /// Its content; `None` for folders and for what was not kept.
    pub(super) kept: Option<Kept>,
}

impl State {
    /// Whether it had a content that was not kept.
    pub(super) fn lacks(&self) -> bool {
        matches!(self.stamp.kind, Kind::File | Kind::Link) && self.kept.is_none()
    }
}

/// A folder before a turn. It serves three times: as what is already kept, as what the turn is compared with, and,
/// when the program is killed in the turn, as what its record is made from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Before {
    /// Every path below the folder, sorted.
    pub(super) entries: Vec<(Name, State)>,
    /// What is not among them.
    pub(super) gaps: Gaps,
}

/// What was not looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Gaps {
    /// Folders that were not looked into: what is in them was there before, whatever a later look finds.
    pub(super) unseen: BTreeSet<Name>,
    /// Something could not be looked at.
    pub(super) partial: bool,
    /// There are folders that git ignores.
    pub(super) ignored: bool,
    /// There is too much: any path may be missing here.
    pub(super) cut: bool,
}

impl Gaps {
    /// This folder could not be looked into.
    pub(super) fn miss(&mut self, dir: &[u8]) {
        self.unseen.insert(OsStr::from_bytes(dir).into());
        self.partial = true;
    }

    /// Whether `path` was certainly not there, given that it is not among the entries.
    pub(super) fn spare(&self, path: &OsStr) -> bool {
        let bytes = path.as_bytes();
        let ends = (0..bytes.len()).filter(|at| bytes.get(*at) == Some(&b'/'));
        let mut above = ends.filter_map(|at| bytes.get(..at)).chain([bytes, b""]);
        !self.cut
            && (self.unseen.is_empty() || !above.any(|dir| self.unseen.contains(OsStr::from_bytes(dir))))
    }
}

/// The packs in which these contents are.
pub(super) fn packs_of<'a>(states: impl Iterator<Item = &'a State>) -> BTreeSet<u64> {
    let mut packs = BTreeSet::new();
    let mut last = None;
    for pack in states.filter_map(|state| state.kept).map(|kept| kept.pack) {
        if last.replace(pack) != Some(pack) {
            packs.insert(pack);
        }
    }
    packs
}
