//! Drawing of the lists above the prompt: at most eight rows and a line of keys. Two columns are for the marker
//! of the chosen row, so that nothing moves when the choice does.

use ratatui::text::{Line, Span};

use super::complete::{Files, Picker, Popup, ROWS};
use super::elements::clean;
use super::view::Look;
use crate::tui::slash;
use crate::tui::text::truncate_end;
use crate::tui::theme::{Role, Theme};
use crate::workspace::search::{Hit, Kind};

/// Rows the list wants, its line of keys included.
pub(super) fn height(popup: &Popup) -> usize {
    let rows = match popup {
        Popup::Commands(list) => list.rows.len(),
        Popup::Files(files) => files.found.rows.len().max(1),
    };
    rows.min(ROWS) + 1
}

/// The list in `height` rows.
pub(super) fn lines(popup: &Popup, width: usize, height: usize, look: &Look<'_>) -> Vec<Line<'static>> {
    let room = height.saturating_sub(1).min(ROWS);
    let (mut out, keys) = match popup {
        Popup::Commands(list) => (commands(list, width, room, look), "enter run · tab complete · esc close"),
        Popup::Files(files) => files_lines(files, width, room, look.theme),
    };
    let (chosen, all) = match popup {
        Popup::Commands(list) => (list.selected, list.rows.len()),
        Popup::Files(files) => (files.found.selected, files.found.rows.len()),
    };
    out.push(keys_line(keys, (chosen, all), width, look.theme));
    out.drain(..out.len().saturating_sub(height));
    out
}

/// The line of keys; where one is in the list stands at its right when not all of the list is seen.
fn keys_line(keys: &str, (chosen, all): (usize, usize), width: usize, theme: &Theme) -> Line<'static> {
    let mut text = format!("  {keys}");
    let place = format!("{} of {all}", chosen + 1);
    let used = crate::tui::text::width(&text) + place.len() + 2;
    if all > ROWS && used <= width {
        text.push_str(&" ".repeat(width - used + 2));
        text.push_str(&place);
    }
    Line::styled(cut(&text, width), theme.style(Role::Dim))
}

/// One row: the marker, the columns, and a style for all of it when it is the chosen one.
fn row(mut spans: Vec<Span<'static>>, chosen: bool, width: usize, theme: &Theme) -> Line<'static> {
    let mut line = Line::from(Span::raw(if chosen { "› " } else { "  " }));
    if chosen {
        for span in &mut spans {
            span.style = ratatui::style::Style::new();
        }
    }
    line.spans.append(&mut spans);
    if chosen {
        line.push_span(Span::raw(" ".repeat(width.saturating_sub(line.width()))));
        line.style = theme.style(Role::Selected);
    }
    line
}

fn commands(
    list: &Picker<&'static slash::Row>,
    width: usize,
    room: usize,
    look: &Look<'_>,
) -> Vec<Line<'static>> {
    let name = |row: &slash::Row| match row.takes {
        "" => format!("/{}", row.command.name()),
        takes => format!("/{} {takes}", row.command.name()),
    };
    // Over all commands: the columns stay where they are while the list is filtered.
    let widest = slash::ROWS.iter().map(|r| name(r).len()).max().unwrap_or(0);
    let (from, rows) = list.visible(room);
    let dim = look.theme.style(Role::Dim);
    let mut out = Vec::new();
    for (i, command) in rows.iter().enumerate() {
        let waits = look.running && !command.during_turn;
        let help = if waits { "not while a turn runs" } else { command.help };
        let help = truncate_end(help, width.saturating_sub(widest + 4));
        let name = format!("{:widest$}  ", name(command));
        let style = if waits { dim } else { look.theme.style(Role::Text) };
        let spans = vec![Span::styled(name, style), Span::styled(help, dim)];
        out.push(row(spans, from + i == list.selected, width, look.theme));
    }
    out
}

fn files_lines(
    files: &Files,
    width: usize,
    room: usize,
    theme: &Theme,
) -> (Vec<Line<'static>>, &'static str) {
    if files.found.rows.is_empty() {
        let text = if files.searching { "  looking for files…" } else { "  no file with this name" };
        return (vec![Line::styled(truncate_end(text, width), theme.style(Role::Dim))], "esc close");
    }
    let (from, rows) = files.found.visible(room);
    let lines = rows.iter().enumerate();
    let lines =
        lines.map(|(i, hit)| row(file(hit, width, theme), from + i == files.found.selected, width, theme));
    let keys = match files.searching {
        true => "enter insert · esc close · looking for more…",
        false => "enter insert · esc close",
    };
    (lines.collect(), keys)
}

/// Name, folder, and the kind on the right. The name is cut last.
fn file(hit: &Hit, width: usize, theme: &Theme) -> Vec<Span<'static>> {
    let (folder, name) = hit.path.rsplit_once('/').unwrap_or(("", &hit.path));
    let tag = match hit.kind {
        Kind::File => "file",
        Kind::Folder => "folder",
    };
    // Marker, one column before the tag, the tag.
    let room = width.saturating_sub(2 + 1 + tag.len());
    let mut spans = marked(hit, name, room, theme);
    let used: usize = spans.iter().map(Span::width).sum();
    let folder = cut(&format!("  {}", one_line(folder)), room.saturating_sub(used));
    let dim = theme.style(Role::Dim);
    spans.push(Span::styled(folder, dim));
    let used: usize = spans.iter().map(Span::width).sum();
    spans.push(Span::styled(format!("{}{tag}", " ".repeat(room.saturating_sub(used) + 1)), dim));
    spans
}

/// The name with the characters that matched standing out.
fn marked(hit: &Hit, name: &str, room: usize, theme: &Theme) -> Vec<Span<'static>> {
    let before = hit.path.chars().count() - name.chars().count();
    let mut spans: Vec<Span<'static>> = Vec::new();
    let shown = cut(&one_line(name), room);
    for (i, c) in shown.chars().enumerate() {
        let index = u32::try_from(before + i).unwrap_or(u32::MAX);
        let role = if hit.marks.contains(&index) { Role::Strong } else { Role::Text };
        let style = theme.style(role);
        match spans.last_mut().filter(|s| s.style == style) {
            Some(span) => span.content.to_mut().push(c),
            None => spans.push(Span::styled(c.to_string(), style)),
        }
    }
    spans
}

fn cut(text: &str, width: usize) -> String {
    truncate_end(text, width).into_owned()
}

fn one_line(text: &str) -> String {
    clean(text).replace(['\n', '\t'], " ")
}
