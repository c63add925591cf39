//! A patch: which files, how many lines, and the change itself. Folded it shows the changed lines alone, so that it
//! says what happened; unfolded the whole diff, cut into pieces. A patch that did not apply or was refused says why.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use ratatui::text::{Line, Span};

use super::command::reason;
use super::hunks::{self, Piece};
use crate::protocol::item::{ChangeKind, FileChange, ItemStatus};
use crate::tui::text;
use crate::tui::theme::Role;
use crate::tui::transcript::cell::{Cell, FOLD_KEY, Look, Needle, all_parts};
use crate::tui::transcript::rows::{body, count, detail_width, head, inner, prose, under};

/// Changed lines of a file shown folded.
const FOLDED: usize = 12;

/// A patch and what became of it.
#[derive(Debug)]
pub(crate) struct Patch {
    files: Vec<File>,
    status: ItemStatus,
    error: Option<Box<str>>,
    /// The user is asked about it: everything is shown.
    asking: bool,
    revision: u32,
}

#[derive(Debug)]
struct File {
    /// Real path; tells the language.
    path: PathBuf,
    /// As shown: relative, both names when it moves.
    name: Box<str>,
    kind: Kind,
    diff: Box<str>,
    added: usize,
    removed: usize,
    pieces: Vec<Piece>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Add,
    Delete,
    Update,
    Rename,
}

impl Patch {
    /// As the item tells it; paths are shown relative to `cwd`.
    pub(crate) fn new(changes: &[FileChange], status: ItemStatus, error: Option<&str>, cwd: &Path) -> Self {
        let files = changes.iter().map(|change| File::new(change, cwd)).collect();
        let error = error.map(|why| crate::patch::words::reason(why).into());
        Self { files, status, error, asking: false, revision: 0 }
    }

    /// Takes over what the item says now.
    pub(crate) fn settle(
        &mut self,
        changes: &[FileChange],
        status: ItemStatus,
        error: Option<&str>,
        cwd: &Path,
    ) {
        // A refused patch may tell less than it did while it was asked about.
        let files = if changes.is_empty() { std::mem::take(&mut self.files) } else { Vec::new() };
        let revision = self.revision + 1;
        *self = Self { revision, ..Self::new(changes, status, error, cwd) };
        if self.files.is_empty() {
            self.files = files;
        }
    }

    /// The user is asked about it, or has answered.
    pub(crate) fn ask(&mut self, open: bool) {
        self.asking = open;
        self.revision += 1;
    }

    /// Nobody will tell its end.
    pub(crate) fn abandon(&mut self) {
        if self.status == ItemStatus::InProgress {
            self.status = ItemStatus::Failed;
            self.asking = false;
            self.revision += 1;
        }
    }

    fn marker(&self, look: &Look<'_>) -> Span<'static> {
        match self.status {
            ItemStatus::InProgress if self.asking => Span::styled("•", look.style(Role::Warn)),
            ItemStatus::InProgress => Span::styled("•", look.style(Role::Accent)),
            ItemStatus::Completed => Span::styled("•", look.style(Role::Good)),
            ItemStatus::Failed | ItemStatus::Declined => Span::styled("✗", look.style(Role::Bad)),
        }
    }

    fn verb(&self, kind: Kind) -> &'static str {
        match (self.status, kind) {
            (ItemStatus::InProgress, _) if self.asking => "Waiting for your approval:",
            (ItemStatus::InProgress, Kind::Add) => "Adding",
            (ItemStatus::InProgress, Kind::Delete) => "Deleting",
            (ItemStatus::InProgress, Kind::Update) => "Editing",
            (ItemStatus::InProgress, Kind::Rename) => "Renaming",
            (ItemStatus::Completed, Kind::Add) => "Added",
            (ItemStatus::Completed, Kind::Delete) => "Deleted",
            (ItemStatus::Completed, Kind::Update) => "Edited",
            (ItemStatus::Completed, Kind::Rename) => "Renamed",
            (ItemStatus::Failed | ItemStatus::Declined, _) => "Not changed:",
        }
    }

    fn heading(&self, file: &File, width: u16, look: &Look<'_>) -> Line<'static> {
        let counts = format!(" (+{} -{})", file.added, file.removed);
        let verb = self.verb(file.kind);
        let room = usize::from(inner(width)).saturating_sub(text::width(verb) + 1 + counts.len()).max(8);
        let name = text::reveal_line(&file.name);
        let words = vec![
            Span::styled(verb, look.style(Role::Strong)),
            Span::raw(" "),
            Span::raw(text::truncate_middle(&name, room).into_owned()),
        ];
        head(self.marker(look), words, &counts, width, look)
    }

    fn unfolded(&self, look: &Look<'_>) -> bool {
        look.unfolded || self.asking
    }

    /// What stands above the files when it did not go well.
    fn trouble(&self, width: u16, look: &Look<'_>) -> Vec<Line<'static>> {
        let mut lines = match (self.status, self.files.as_slice()) {
            (ItemStatus::InProgress | ItemStatus::Completed, _) => return Vec::new(),
            (ItemStatus::Declined, [only]) if self.calm(look) => vec![self.heading(only, width, look)],
            (ItemStatus::Declined, files) if self.calm(look) && !files.is_empty() => {
                let words = vec![
                    Span::styled(self.verb(Kind::Update), look.style(Role::Strong)),
                    Span::raw(format!(" {}", count(files.len(), "file", "files"))),
                ];
                vec![head(self.marker(look), words, "", width, look)]
            }
            (status, _) => {
                let declined = status == ItemStatus::Declined;
                let words = if declined { "The patch was not allowed" } else { "The patch did not apply" };
                let words = vec![Span::styled(words, look.style(Role::Strong))];
                vec![head(self.marker(look), words, "", width, look)]
            }
        };
        if let Some(error) = &self.error {
            let room = detail_width(width);
            let why = match look.unfolded {
                true => prose(error, look.style(Role::Bad), room),
                false => reason(error, room, look),
            };
            lines.extend(under(why, width, look));
        }
        lines
    }

    fn folded_file(&self, file: &File, width: u16, look: &Look<'_>) -> Vec<Line<'static>> {
        let mut lines = vec![self.heading(file, width, look)];
        let room = detail_width(width);
        let (unified, shown) = hunks::changed_only(&file.diff, file.whole_sign(), FOLDED);
        let mut rows = text::diff::lines(&unified, &file.path, room, None, look.theme);
        let left_out = (file.added + file.removed).saturating_sub(shown);
        if left_out > 0 {
            let note = format!("… {} · {FOLD_KEY}", count(left_out, "more line", "more lines"));
            rows.push(Line::styled(note, look.style(Role::Dim)));
        }
        lines.extend(body(body(rows, inner(width)), width));
        lines
    }

    fn file_piece(&self, file: &File, piece: usize, width: u16, look: &Look<'_>) -> Vec<Line<'static>> {
        let mut lines = if piece == 0 { vec![self.heading(file, width, look)] } else { Vec::new() };
        if let Some(piece) = file.pieces.get(piece) {
            let unified = piece.unified(&file.diff, file.whole_sign());
            let rows = text::diff::lines(&unified, &file.path, detail_width(width), None, look.theme);
            lines.extend(body(body(rows, inner(width)), width));
        }
        lines
    }

    /// A refusal is one calm cell: what was refused stood in the question.
    fn calm(&self, look: &Look<'_>) -> bool {
        self.status == ItemStatus::Declined && !self.unfolded(look)
    }

    /// Trouble stands above the files as a part of its own.
    fn trouble_parts(&self) -> usize {
        usize::from(matches!(self.status, ItemStatus::Failed | ItemStatus::Declined))
    }
}

impl File {
    fn new(change: &FileChange, cwd: &Path) -> Self {
        let kind = match &change.kind {
            ChangeKind::Add => Kind::Add,
            ChangeKind::Delete => Kind::Delete,
            ChangeKind::Update { move_path: Some(_) } => Kind::Rename,
            ChangeKind::Update { move_path: None } => Kind::Update,
        };
        let mut name = shown(&change.path, cwd);
        if let ChangeKind::Update { move_path: Some(to) } = &change.kind {
            name = format!("{name} → {}", shown(to, cwd));
        }
        let mut file = Self {
            path: change.path.clone(),
            name: name.into(),
            kind,
            diff: change.diff.as_str().into(),
            added: 0,
            removed: 0,
            pieces: Vec::new(),
        };
        (file.added, file.removed) = hunks::counts(&file.diff, file.whole_sign());
        file.pieces = hunks::pieces(&file.diff, file.whole_sign());
        file
    }

    /// Files that come and go are told by their content; this is the sign of each of its lines.
    fn whole_sign(&self) -> Option<char> {
        match self.kind {
            Kind::Add => Some('+'),
            Kind::Delete => Some('-'),
            Kind::Update | Kind::Rename => None,
        }
    }

    fn parts(&self) -> usize {
        self.pieces.len().max(1)
    }
}

impl Cell for Patch {
    fn lines(&self, width: u16, look: &Look<'_>) -> Vec<Line<'static>> {
        all_parts(self, width, look)
    }

    fn text(&self) -> Cow<'_, str> {
        let mut out = String::new();
        for file in &self.files {
            out.push_str(&file.name);
            out.push('\n');
            out.push_str(&file.diff);
            out.push('\n');
        }
        out.push_str(self.error.as_deref().unwrap_or_default());
        Cow::Owned(out)
    }

    fn is_live(&self) -> bool {
        self.status == ItemStatus::InProgress
    }

    fn parts(&self, look: &Look<'_>) -> usize {
        let files = match self.unfolded(look) {
            true => self.files.iter().map(File::parts).sum(),
            false if self.calm(look) => 0,
            false => self.files.len(),
        };
        files + self.trouble_parts()
    }

    fn part(&self, part: usize, width: u16, look: &Look<'_>) -> Vec<Line<'static>> {
        let Some(mut part) = part.checked_sub(self.trouble_parts()) else { return self.trouble(width, look) };
        let gap = self.trouble_parts() == 0;
        for (index, file) in self.files.iter().enumerate() {
            let parts = if self.unfolded(look) { file.parts() } else { 1 };
            if part >= parts {
                part -= parts;
                continue;
            }
            let mut lines = Vec::new();
            if part == 0 && !(index == 0 && gap) {
                lines.push(Line::default());
            }
            lines.extend(match self.unfolded(look) {
                true => self.file_piece(file, part, width, look),
                false => self.folded_file(file, width, look),
            });
            return lines;
        }
        Vec::new()
    }

    fn stamp(&self, _part: usize, _look: &Look<'_>) -> u64 {
        u64::from(self.revision)
    }

    fn has(&self, needle: &Needle) -> bool {
        let in_file = |file: &File| needle.is_in(&file.name) || needle.is_in(&file.diff);
        self.files.iter().any(in_file) || self.error.as_deref().is_some_and(|error| needle.is_in(error))
    }
}

/// A path as one reads it: relative when it is below the working directory.
pub(crate) fn shown(path: &Path, cwd: &Path) -> String {
    path.strip_prefix(cwd).unwrap_or(path).display().to_string()
}
