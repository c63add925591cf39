//! What a patch says: hunks, each for one file, made of chunks, made of lines. Every part knows the line of the patch
//! it was written on; paths and lines are borrowed from the patch's text.

/// A parsed patch.
#[derive(Debug, PartialEq)]
pub(crate) struct Patch<'t> {
    /// What to do, in the order written. Never empty.
    pub(crate) hunks: Vec<Hunk<'t>>,
}

/// What to do with one file.
#[derive(Debug, PartialEq)]
pub(crate) struct Hunk<'t> {
    /// Path as written.
    pub(crate) path: &'t str,
    /// Line of the patch that names it, from 1.
    pub(crate) line: usize,
    /// What to do.
    pub(crate) action: Action<'t>,
}

/// The three things a patch can do to a file.
#[derive(Debug, PartialEq)]
pub(crate) enum Action<'t> {
    /// Write the file anew.
    Add(Vec<Line<'t>>),
    /// Remove the file.
    Delete,
    /// Change the file, move it, or both.
    Update {
        /// New path as written.
        move_to: Option<&'t str>,
        /// Places to change, in the order written; empty for a pure move.
        chunks: Vec<Chunk<'t>>,
    },
}

/// One place of a file to change.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Chunk<'t> {
    /// First line of the chunk in the patch, from 1.
    pub(crate) line: usize,
    /// Lines to be found first, one below the other (`@@ …`).
    pub(crate) anchors: Vec<&'t str>,
    /// Kept, removed and added lines.
    pub(crate) lines: Vec<Line<'t>>,
    /// The lines stand at the end of the file.
    pub(crate) end_of_file: bool,
}

/// One line of a chunk or of an added file.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Line<'t> {
    /// What happens to it.
    pub(crate) kind: LineKind,
    /// The line without its mark and without its line feed.
    pub(crate) text: &'t str,
    /// Followed by the mark that no newline comes after it.
    pub(crate) no_newline: bool,
}

/// What happens to a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LineKind {
    /// Stays.
    Keep,
    /// Goes.
    Remove,
    /// Comes.
    Add,
}
