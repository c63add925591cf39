//! What a question is about: the command or the changes, whole, as rows and in a line.

use std::path::Path;

use ratatui::text::{Line, Span};

use crate::base::path::with_tilde;
use crate::protocol::ask::Ask;
use crate::protocol::item::{ChangeKind, FileChange};
use crate::tui::pager::{Content, Page};
use crate::tui::text;
use crate::tui::theme::{Role, Theme};
use crate::tui::transcript::cells::command::spoken;

/// Blank rows of a command that are shown in a row; more are counted, or they would push the rest out of sight.
const BLANK_ROWS: usize = 2;
/// Rows of changes that can be scrolled to in a moment; for more a page of its own is the place.
const MOST: usize = 600;

/// The rows, and whether they are all there is.
pub(super) fn rows(ask: &Ask, home: Option<&Path>, width: u16, theme: &Theme) -> (Vec<Line<'static>>, bool) {
    match ask {
        Ask::Command { command, cwd, .. } => (self::command(command, cwd, home, width, theme), true),
        Ask::Patch { changes, .. } => {
            let total: usize = changes.iter().map(|change| change.diff.lines().count() + 1).sum();
            (diffs(changes, home, width, theme), total <= MOST)
        }
    }
}

/// All of it, to be read.
pub(super) fn page(ask: &Ask, home: Option<&Path>) -> Page {
    match ask {
        Ask::Command { command, .. } => Page::new("Command", Content::Code(spoken(command).into(), "bash")),
        Ask::Patch { changes, .. } => {
            let file = |change: &FileChange| (heading(change, home), change.path.clone(), unified(change));
            Page::new("Proposed changes", Content::Files(changes.iter().map(file).collect()))
        }
    }
}

fn command(command: &str, cwd: &Path, home: Option<&Path>, width: u16, theme: &Theme) -> Vec<Line<'static>> {
    let first = Line::from(Span::styled("  $ ", theme.style(Role::Dim)));
    let rest = Line::raw("    ");
    let shown = spoken(command);
    let clean = text::sanitize(&shown);
    let code = text::highlight::lines(clean.trim_end(), "bash", theme);
    let mut lines = Vec::new();
    // First, since the end of a long command is out of sight.
    if let Some(found) = text::lookalikes(&shown) {
        let words = format!("Not the letters they look like: {found}");
        let warning = Line::styled(words, theme.style(Role::Warn));
        lines.extend(text::hard_wrap(&warning, width, &Line::raw("  "), &rest));
    }
    for (index, line) in code.iter().enumerate() {
        let start = if index == 0 { &first } else { &rest };
        lines.extend(text::hard_wrap(line, width, start, &rest));
    }
    let mut lines = without_blanks(lines, theme);
    let folder = text::reveal_line(&with_tilde(cwd, home));
    let folder = text::truncate_middle(&folder, usize::from(width.saturating_sub(7))).into_owned();
    lines.push(Line::styled(format!("    in {folder}"), theme.style(Role::Dim)));
    lines
}

fn diffs(changes: &[FileChange], home: Option<&Path>, width: u16, theme: &Theme) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    for change in changes {
        let heading = heading(change, home);
        let heading = text::truncate_middle(&heading, usize::from(width.saturating_sub(2))).into_owned();
        lines.push(Line::styled(format!("  {heading}"), theme.style(Role::Strong)));
        let diff =
            text::diff::lines(&unified(change), &change.path, width.saturating_sub(2), Some(MOST), theme);
        lines.extend(diff.into_iter().map(|mut line| {
            line.spans.insert(0, Span::raw("  "));
            line
        }));
        if lines.len() > MOST {
            break;
        }
    }
    lines
}

/// Long stretches of nothing as one row that says so.
fn without_blanks(lines: Vec<Line<'static>>, theme: &Theme) -> Vec<Line<'static>> {
    let blank = |line: &Line<'_>| line.spans.iter().all(|span| span.content.trim().is_empty());
    let mut out: Vec<Line<'static>> = Vec::with_capacity(lines.len());
    let mut rows = 0;
    for line in lines {
        if blank(&line) {
            rows += 1;
            continue;
        }
        if rows > BLANK_ROWS {
            out.push(Line::styled(format!("    ⋮ {rows} blank rows"), theme.style(Role::Warn)));
        } else {
            out.extend(std::iter::repeat_n(Line::default(), rows));
        }
        rows = 0;
        out.push(line);
    }
    out
}

/// The change as a unified diff, also when it came as a whole file.
fn unified(change: &FileChange) -> String {
    let sign = match change.kind {
        ChangeKind::Update { .. } => return change.diff.clone(),
        ChangeKind::Add => '+',
        ChangeKind::Delete => '-',
    };
    let count = change.diff.lines().count();
    let (old, new) = if sign == '+' {
        ("0,0".to_owned(), format!("1,{count}"))
    } else {
        (format!("1,{count}"), "0,0".to_owned())
    };
    let mut out = format!("@@ -{old} +{new} @@\n");
    for line in change.diff.lines() {
        out.push(sign);
        out.push_str(line);
        out.push('\n');
    }
    out
}

fn heading(change: &FileChange, home: Option<&Path>) -> String {
    let name = |path: &Path| text::reveal_line(&with_tilde(path, home));
    match &change.kind {
        ChangeKind::Add => format!("New {}", name(&change.path)),
        ChangeKind::Delete => format!("Delete {}", name(&change.path)),
        ChangeKind::Update { move_path: Some(to) } => format!("Move {} → {}", name(&change.path), name(to)),
        ChangeKind::Update { move_path: None } => format!("Edit {}", name(&change.path)),
    }
}

/// A question in one line.
pub(crate) fn headline(ask: &Ask, home: Option<&Path>) -> String {
    match ask {
        Ask::Command { command, .. } => {
            let command = spoken(command);
            let first = command.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
            format!("Run {}?", text::truncate_end(&text::sanitize(first), 60))
        }
        Ask::Patch { changes, .. } => match changes.as_slice() {
            [change] => format!("{}?", heading(change, home)),
            changes => format!("Change {} files?", changes.len()),
        },
    }
}
