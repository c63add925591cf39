//! The files of one patch while its hunks are played: what each real path was, and what it has become so far.
//!
//! Keyed by real path, so that one file under two names (`./`, `..`, a symbolic link) is one slot. Slots are never
//! removed: the order in which they were first named is the order of everything that is shown.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::diff;
use super::error::Error;
use super::place::{Files, Kind, Node, Place};
use super::plan::{After, Plan, Write, refused};
use super::turn_diff::{Side, Touched};
use crate::base::path::absolute;
use crate::protocol::item::{ChangeKind, FileChange};

/// Largest content that is read only to be shown.
const MAX_SHOWN_BYTES: u64 = 1024 * 1024;

/// What a path has become so far.
#[derive(Clone, Debug)]
pub(super) enum Now {
    /// What it was before the patch, which may be nothing.
    Same,
    /// A file with this content.
    Text(Arc<str>),
    /// The file that was at this real path before the patch.
    Entry(PathBuf),
    /// Nothing any more.
    Gone,
}

/// How a path is reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Letter {
    Added,
    Modified,
    Deleted,
}

#[derive(Debug)]
struct Slot {
    real: PathBuf,
    /// As written in the patch.
    written: String,
    /// Line of the last hunk that changed it.
    line: usize,
    before: Option<Node>,
    now: Now,
    /// Whose mode and owner the content has.
    like: Option<(PathBuf, Node)>,
    letter: Option<Letter>,
    /// Content before the first change, once it was needed.
    old: Option<Arc<str>>,
    /// Diff of the only change so far.
    hunks: Option<String>,
    /// Slot whose file was moved here.
    origin: Option<usize>,
    /// Why it is gone.
    gone: Option<String>,
}

/// All files of one patch.
pub(super) struct Board {
    cwd: PathBuf,
    slots: Vec<Slot>,
    by_path: HashMap<PathBuf, usize>,
}

impl Board {
    pub(super) fn new(cwd: &Path) -> Self {
        Self { cwd: cwd.to_owned(), slots: Vec::new(), by_path: HashMap::new() }
    }

    /// The slot that an update or an add concerns: behind the link, unless the patch already replaced the link.
    pub(super) fn content_slot(&mut self, place: &Place, written: &str, line: usize) -> usize {
        let replaced =
            self.by_path.get(&place.entry).is_some_and(|&slot| !matches!(self.slots[slot].now, Now::Same));
        if replaced || !place.is_link() {
            return self.entry_slot(place, written, line);
        }
        self.slot(&place.target, place.target_node.as_ref(), written, line)
    }

    /// The slot that a delete or a move concerns: the name itself.
    pub(super) fn entry_slot(&mut self, place: &Place, written: &str, line: usize) -> usize {
        self.slot(&place.entry, place.entry_node.as_ref(), written, line)
    }

    fn slot(&mut self, real: &Path, node: Option<&Node>, written: &str, line: usize) -> usize {
        if let Some(&slot) = self.by_path.get(real) {
            return slot;
        }
        self.by_path.insert(real.to_owned(), self.slots.len());
        self.slots.push(Slot {
            real: real.to_owned(),
            written: written.to_owned(),
            line,
            before: node.cloned(),
            now: Now::Same,
            like: node.map(|node| (real.to_owned(), node.clone())),
            letter: None,
            old: None,
            hunks: None,
            origin: None,
            gone: None,
        });
        self.slots.len() - 1
    }

    pub(super) fn path(&self, slot: usize) -> &Path {
        &self.slots[slot].real
    }

    pub(super) fn now(&self, slot: usize) -> &Now {
        &self.slots[slot].now
    }

    /// What is at the path of a slot, as far as it was looked at on disk.
    pub(super) fn node_now(&self, slot: usize) -> Option<&Node> {
        let slot = &self.slots[slot];
        match slot.now {
            Now::Same => slot.before.as_ref(),
            Now::Entry(_) => slot.like.as_ref().map(|(_, node)| node),
            Now::Text(_) | Now::Gone => None,
        }
    }

    /// Whether an earlier hunk of this patch put something there.
    pub(super) fn exists_on_board(&self, slot: usize) -> bool {
        matches!(self.slots[slot].now, Now::Text(_) | Now::Entry(_))
    }

    /// Why the patch itself left nothing there.
    pub(super) fn gone(&self, slot: usize) -> Option<String> {
        self.slots[slot].gone.clone()
    }

    /// Another name of the same file (hard link) that the patch changes, and its line. Writing both would leave two
    /// files that each miss one change.
    pub(super) fn other_name(&self, slot: usize) -> Option<(String, usize)> {
        let this = self.slots[slot].before.as_ref().filter(|node| node.names > 1)?;
        let same = |node: &Node| (node.dev, node.ino) == (this.dev, this.ino);
        self.slots.iter().enumerate().find_map(|(number, other)| {
            let changed = number != slot && matches!(other.now, Now::Text(_));
            (changed && other.before.as_ref().is_some_and(same)).then(|| (other.written.clone(), other.line))
        })
    }

    /// Marks a slot as part of the report even if nothing changes.
    pub(super) fn touch(&mut self, slot: usize) {
        self.slots[slot].letter.get_or_insert(Letter::Modified);
    }

    /// Puts whole content there.
    pub(super) fn write(&mut self, slot: usize, text: Arc<str>, letter: Letter, line: usize) {
        let slot = &mut self.slots[slot];
        if matches!(slot.now, Now::Gone) {
            slot.like = None;
        }
        (slot.now, slot.letter, slot.line) = (Now::Text(text), Some(letter), line);
        (slot.hunks, slot.origin, slot.gone) = (None, None, None);
    }

    /// Puts changed content there; `hunks` is the diff of this change.
    pub(super) fn change(&mut self, slot: usize, old: Arc<str>, new: Arc<str>, hunks: String, line: usize) {
        let slot = &mut self.slots[slot];
        slot.hunks = if slot.old.is_none() { Some(hunks) } else { None };
        slot.old.get_or_insert(old);
        if slot.letter != Some(Letter::Added) {
            slot.letter = Some(Letter::Modified);
        }
        (slot.now, slot.line) = (Now::Text(new), line);
    }

    /// Leaves nothing there; `moved_to` when the file goes on living elsewhere.
    pub(super) fn remove(&mut self, slot: usize, line: usize, moved_to: Option<&str>) {
        let slot = &mut self.slots[slot];
        slot.gone = Some(match moved_to {
            Some(to) => format!("was moved to {to} by line {line} of the patch"),
            None => format!("was deleted by line {line} of the patch"),
        });
        slot.letter = moved_to.is_none().then_some(Letter::Deleted);
        (slot.now, slot.line, slot.origin) = (Now::Gone, line, None);
    }

    /// Moves what is in one slot to another.
    pub(super) fn relocate(&mut self, from: usize, to: usize, line: usize) {
        let source = &mut self.slots[from];
        let now = match std::mem::replace(&mut source.now, Now::Gone) {
            Now::Same | Now::Gone => Now::Entry(source.real.clone()),
            other => other,
        };
        let (like, old, hunks) = (source.like.clone(), source.old.clone(), source.hunks.take());
        // A file that the patch itself added has no earlier place.
        let added = source.before.is_none() && source.origin.is_none();
        let origin = source.origin.or((!added).then_some(from));
        let written = self.slots[to].written.clone();
        self.remove(from, line, Some(&written));
        let dest = &mut self.slots[to];
        (dest.now, dest.like, dest.old, dest.hunks) = (now, like, old, hunks);
        (dest.letter, dest.line) = (Some(if added { Letter::Added } else { Letter::Modified }), line);
        (dest.origin, dest.gone) = (origin, None);
    }

    /// The plan.
    ///
    /// # Errors
    /// One path would be a file and a folder at once.
    pub(super) fn finish(mut self, files: &dyn Files) -> Result<Plan, Error> {
        self.check_folders()?;
        for slot in 0..self.slots.len() {
            self.settle(slot);
        }
        let writes = self.slots.iter().filter_map(write_of).collect();
        let mut report = Vec::new();
        let (mut changes, mut touched) = (Vec::new(), Vec::new());
        for slot in &self.slots {
            let Some(letter) = slot.letter else { continue };
            if matches!(slot.now, Now::Gone) && slot.before.is_none() {
                continue; // added and deleted by the same patch
            }
            report.push((letter, slot.written.clone()));
            let (change, both) = self.shown(slot, letter, files);
            changes.push(change);
            touched.push(both);
        }
        report.sort_by_key(|&(letter, _)| letter);
        let report = report.into_iter().map(|(letter, path)| (letter.as_char(), path)).collect();
        Ok(Plan { writes, report, changes, touched })
    }

    /// A text that is what was there before needs no write.
    fn settle(&mut self, slot: usize) {
        let slot = &mut self.slots[slot];
        let unchanged = matches!((&slot.now, &slot.old), (Now::Text(new), Some(old)) if new == old);
        if unchanged && slot.origin.is_none() && slot.before.as_ref().is_some_and(|n| n.kind == Kind::File) {
            slot.now = Now::Same;
        } else if unchanged && let Some((path, _)) = &slot.like {
            slot.now = Now::Entry(path.clone());
        }
    }

    fn check_folders(&self) -> Result<(), Error> {
        for slot in self.slots.iter().filter(|slot| matches!(slot.now, Now::Text(_) | Now::Entry(_))) {
            for folder in slot.real.ancestors().skip(1) {
                let file = self.by_path.get(folder).map(|&other| &self.slots[other]);
                if let Some(file) = file.filter(|file| matches!(file.now, Now::Text(_) | Now::Entry(_))) {
                    let reason = format!(
                        "would be below {}, which line {} of the patch makes a file",
                        file.written, file.line
                    );
                    return Err(refused(slot.line, &slot.written, &reason));
                }
            }
        }
        Ok(())
    }

    fn shown(&self, slot: &Slot, letter: Letter, files: &dyn Files) -> (FileChange, Touched) {
        let path = absolute(&self.cwd, Path::new(&slot.written));
        let origin = slot.origin.map(|origin| &self.slots[origin]);
        let from = origin.map(|origin| absolute(&self.cwd, Path::new(&origin.written)));
        let source = origin.unwrap_or(slot);
        let before = match (&source.before, &slot.old) {
            (None, _) => Side::Absent,
            (Some(node), Some(old)) => Side::Text { text: old.clone(), mode: node.mode },
            (Some(node), None) => peek(files, &source.real, node),
        };
        let mode = slot.like.as_ref().map_or(0o644, |(_, node)| node.mode);
        let after = match &slot.now {
            Now::Text(text) => Side::Text { text: text.clone(), mode },
            Now::Same | Now::Entry(_) => before.clone(),
            Now::Gone => Side::Absent,
        };
        let diff = match (letter, &slot.hunks, &before, &after) {
            (Letter::Added, _, _, Side::Text { text, .. }) => diff::bounded(text.to_string()),
            (Letter::Deleted, _, Side::Text { text, .. }, _) => diff::bounded(text.to_string()),
            (Letter::Modified, Some(hunks), ..) => hunks.clone(),
            (Letter::Modified, None, Side::Text { text: old, .. }, Side::Text { text: new, .. }) => {
                diff::between(old, new)
            }
            _ => String::new(),
        };
        let (kind, at) = match (letter, &from) {
            (Letter::Added, _) => (ChangeKind::Add, &path),
            (Letter::Deleted, _) => (ChangeKind::Delete, &path),
            (Letter::Modified, Some(from)) => (ChangeKind::Update { move_path: Some(path.clone()) }, from),
            (Letter::Modified, None) => (ChangeKind::Update { move_path: None }, &path),
        };
        let change = FileChange { path: at.clone(), kind, diff: diff.clone() };
        let hunks = if letter == Letter::Modified { diff } else { String::new() };
        (change, Touched { path, from, before, after, hunks })
    }
}

impl Letter {
    fn as_char(self) -> char {
        match self {
            Self::Added => 'A',
            Self::Modified => 'M',
            Self::Deleted => 'D',
        }
    }
}

fn write_of(slot: &Slot) -> Option<Write> {
    let after = match (&slot.now, &slot.before) {
        (Now::Same, _) | (Now::Gone, None) => return None,
        (Now::Gone, Some(_)) => After::Gone,
        (Now::Text(text), _) => After::Text { text: text.clone(), like: slot.like.clone() },
        (Now::Entry(path), _) => {
            let (_, node) = slot.like.clone()?;
            After::Entry { path: path.clone(), node }
        }
    };
    Some(Write { path: slot.real.clone(), before: slot.before.clone(), after })
}

/// Content that is only shown: not of links, nor of files that are long or no text.
fn peek(files: &dyn Files, real: &Path, node: &Node) -> Side {
    let bytes = if node.kind == Kind::File { files.read(real, MAX_SHOWN_BYTES).ok() } else { None };
    match bytes.and_then(|bytes| String::from_utf8(bytes).ok()) {
        Some(text) => Side::Text { text: text.into(), mode: node.mode },
        None => Side::Opaque,
    }
}
