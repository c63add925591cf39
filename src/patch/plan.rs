//! Hunks + files → the full set of writes. It reads through [`Files`] and writes nothing, so a patch that fails
//! anywhere fails before the first write.
//!
//! Hunks are played one after the other on [`Board`]: the second hunk of a path sees what the first made of it. What
//! a path means is decided by the real file it leads to. An update and an add write through a symbolic link (the link
//! stays); a delete and a move concern the name itself, so they remove and move the link.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::board::{Board, Letter, Now};
use super::diff;
use super::error::Error;
use super::hunk::{Action, Chunk, Hunk, Line, Patch};
use super::locate::{Edit, locate};
use super::place::{Files, Kind, Node, Place};
use super::splice::splice;
use super::text::Text;
use super::turn_diff::Touched;
use crate::protocol::item::FileChange;

/// Largest file that is updated.
const MAX_FILE_BYTES: u64 = 256 * 1024 * 1024;

/// Everything a patch will do. Nothing is done yet.
#[derive(Debug)]
pub(crate) struct Plan {
    /// Writes, one per real path, none depending on another's having been done.
    pub(crate) writes: Vec<Write>,
    /// One line per path as written: letter and path, in the order A, M, D.
    pub(crate) report: Vec<(char, String)>,
    /// What is shown, one entry per file.
    pub(crate) changes: Vec<FileChange>,
    /// The same with contents, for the diff of the turn.
    pub(crate) touched: Vec<Touched>,
}

impl Plan {
    /// Real paths that will be written, made or removed: what a policy has to judge.
    pub(crate) fn paths(&self) -> Vec<PathBuf> {
        self.writes.iter().map(|write| write.path.clone()).collect()
    }
}

/// What becomes of one real path.
#[derive(Debug)]
pub(crate) struct Write {
    /// Real path; no part of its folder is a link.
    pub(crate) path: PathBuf,
    /// What is there now; `None` when nothing is.
    pub(crate) before: Option<Node>,
    /// What will be there.
    pub(crate) after: After,
}

/// What will be at a path.
#[derive(Debug)]
pub(crate) enum After {
    /// A regular file with this content.
    Text {
        /// The content.
        text: Arc<str>,
        /// Whose mode, owner and attributes it keeps; the defaults when none.
        like: Option<(PathBuf, Node)>,
    },
    /// The very file (or link) that is at this real path before the patch.
    Entry {
        /// Where it is.
        path: PathBuf,
        /// As it was looked at.
        node: Node,
    },
    /// Nothing.
    Gone,
}

/// Plans a patch. Relative paths are below `cwd`, which must be absolute.
///
/// # Errors
/// The first hunk that cannot be carried out; nothing has been written.
pub(crate) fn plan(patch: &Patch<'_>, cwd: &Path, files: &dyn Files) -> Result<Plan, Error> {
    let mut planner = Planner { board: Board::new(cwd), files, cwd };
    for hunk in &patch.hunks {
        match &hunk.action {
            Action::Add(lines) => planner.add(hunk, lines)?,
            Action::Delete => planner.delete(hunk)?,
            Action::Update { move_to, chunks } => planner.update(hunk, *move_to, chunks)?,
        }
    }
    planner.board.finish(files)
}

struct Planner<'p> {
    board: Board,
    files: &'p dyn Files,
    cwd: &'p Path,
}

impl Planner<'_> {
    fn look(&self, line: usize, path: &str) -> Result<Place, Error> {
        if path.ends_with('/') {
            return Err(refused(line, path, "names a folder; a patch changes files"));
        }
        self.files.look(&self.cwd.join(path)).map_err(|source| match source.kind() {
            io::ErrorKind::IsADirectory => refused(line, path, "is a folder; a patch changes files"),
            io::ErrorKind::NotADirectory => {
                refused(line, path, "a part of this path is a file, not a folder")
            }
            _ => Error::Read { line, path: path.to_owned(), source },
        })
    }

    fn add(&mut self, hunk: &Hunk<'_>, lines: &[Line<'_>]) -> Result<(), Error> {
        let place = self.look(hunk.line, hunk.path)?;
        let slot = self.board.content_slot(&place, hunk.path, hunk.line);
        self.check_writable(hunk.line, hunk.path, self.board.node_now(slot))?;
        let text = added_text(lines);
        self.board.write(slot, text.into(), Letter::Added, hunk.line);
        Ok(())
    }

    fn delete(&mut self, hunk: &Hunk<'_>) -> Result<(), Error> {
        let place = self.look(hunk.line, hunk.path)?;
        let slot = self.board.entry_slot(&place, hunk.path, hunk.line);
        self.must_exist(slot, hunk)?;
        if let Some(Kind::Dir | Kind::Other) = self.board.node_now(slot).map(|node| node.kind) {
            return Err(refused(
                hunk.line,
                hunk.path,
                "is not a regular file; a patch deletes only files and links",
            ));
        }
        self.board.remove(slot, hunk.line, None);
        Ok(())
    }

    fn update(&mut self, hunk: &Hunk<'_>, move_to: Option<&str>, chunks: &[Chunk<'_>]) -> Result<(), Error> {
        let place = self.look(hunk.line, hunk.path)?;
        let slot = self.board.content_slot(&place, hunk.path, hunk.line);
        self.must_exist(slot, hunk)?;
        self.check_writable(hunk.line, hunk.path, self.board.node_now(slot))?;
        if !chunks.is_empty() {
            self.change(slot, hunk, chunks)?;
        }
        self.board.touch(slot);
        match move_to {
            Some(to) => self.move_to(hunk, &place, to),
            None => Ok(()),
        }
    }

    /// Applies chunks to the content as it is on the board.
    fn change(&mut self, slot: usize, hunk: &Hunk<'_>, chunks: &[Chunk<'_>]) -> Result<(), Error> {
        if let Some((other, line)) = self.board.other_name(slot) {
            let reason =
                format!("is another name (hard link) of {other}, which line {line} of the patch changes too");
            return Err(refused(hunk.line, hunk.path, &reason));
        }
        let old = self.content(slot, hunk)?;
        let lines = Text::new(&old).ok_or_else(|| refused(hunk.line, hunk.path, "is too large to change"))?;
        let edits: Vec<Edit<'_>> = locate(chunks, &lines, hunk.path)
            .map_err(|miss| Error::Mismatch { line: miss.line, reason: miss.reason })?;
        let new = splice(&lines, &edits);
        let hunks = diff::of_edits(&lines, &edits);
        self.board.change(slot, old, new.into(), hunks, hunk.line);
        Ok(())
    }

    fn content(&self, slot: usize, hunk: &Hunk<'_>) -> Result<Arc<str>, Error> {
        let real = match self.board.now(slot) {
            Now::Text(text) => return Ok(text.clone()),
            Now::Entry(path) => path.clone(),
            Now::Same | Now::Gone => self.board.path(slot).to_owned(),
        };
        let bytes = self.files.read(&real, MAX_FILE_BYTES).map_err(|source| match source.kind() {
            io::ErrorKind::FileTooLarge => {
                refused(hunk.line, hunk.path, "is too large to change (limit 256 MiB)")
            }
            _ => Error::Read { line: hunk.line, path: hunk.path.to_owned(), source },
        })?;
        let text = String::from_utf8(bytes).map_err(|error| {
            let at = error.utf8_error().valid_up_to();
            let line = 1 + memchr::memchr_iter(b'\n', error.as_bytes().get(..at).unwrap_or_default()).count();
            let reason = format!(
                "is not UTF-8 text (line {line} of the file); it can be deleted or moved, not changed"
            );
            refused(hunk.line, hunk.path, &reason)
        })?;
        Ok(text.into())
    }

    fn move_to(&mut self, hunk: &Hunk<'_>, from: &Place, to: &str) -> Result<(), Error> {
        let place = self.look(hunk.line, to)?;
        let source = self.board.entry_slot(from, hunk.path, hunk.line);
        let dest = self.board.content_slot(&place, to, hunk.line);
        let content = self.board.content_slot(from, hunk.path, hunk.line);
        if dest == source || dest == content {
            return Ok(()); // the same file by another path: there is nothing to move and nothing to lose
        }
        if let Some(node) = self.board.node_now(dest) {
            self.check_writable(hunk.line, to, Some(node))?;
        }
        if source != content {
            self.check_link_survives(hunk, from, &place)?;
        }
        self.board.relocate(source, dest, hunk.line);
        Ok(())
    }

    /// A relative link leads elsewhere from another folder.
    fn check_link_survives(&self, hunk: &Hunk<'_>, from: &Place, to: &Place) -> Result<(), Error> {
        let text = self.files.link_text(&from.entry).map_err(|source| Error::Read {
            line: hunk.line,
            path: hunk.path.to_owned(),
            source,
        })?;
        if text.is_relative() && from.entry.parent() != to.target.parent() {
            let reason = "is a relative symbolic link; moved to another folder it would lead elsewhere";
            return Err(refused(hunk.line, hunk.path, reason));
        }
        Ok(())
    }

    fn must_exist(&self, slot: usize, hunk: &Hunk<'_>) -> Result<(), Error> {
        if self.board.node_now(slot).is_some() || self.board.exists_on_board(slot) {
            return Ok(());
        }
        match self.board.gone(slot) {
            Some(why) => Err(refused(hunk.line, hunk.path, &why)),
            None => Err(Error::Read {
                line: hunk.line,
                path: hunk.path.to_owned(),
                source: io::Error::from_raw_os_error(libc::ENOENT),
            }),
        }
    }

    fn check_writable(&self, line: usize, path: &str, node: Option<&Node>) -> Result<(), Error> {
        match node.map(|node| node.kind) {
            None | Some(Kind::File) | Some(Kind::Link) => Ok(()),
            Some(Kind::Dir) => Err(refused(line, path, "is a folder; a patch changes files")),
            Some(Kind::Other) => Err(refused(line, path, "is not a regular file")),
        }
    }
}

fn added_text(lines: &[Line<'_>]) -> String {
    let mut out = String::with_capacity(lines.iter().map(|line| line.text.len() + 1).sum());
    for (count, line) in lines.iter().enumerate() {
        out.push_str(line.text);
        if !(line.no_newline && count + 1 == lines.len()) {
            out.push('\n');
        }
    }
    out
}

/// A refusal with its place.
pub(super) fn refused(line: usize, path: &str, reason: &str) -> Error {
    Error::Refused { line, path: path.to_owned(), reason: reason.to_owned() }
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
